// All of one span.
import { h, link, piece, table } from '/static/dom.js';
import { asText, clock, duration } from '/static/format.js';
import { drawMessages, drawText, pretty } from '/static/messages.js';

const PROSE = { system: 'system instructions', input: 'messages', output: 'answer' };
const DATA = { arguments: 'arguments', result: 'result', query: 'query', documents: 'documents', tools: 'tools offered' };

export function drawSpan(span) {
  return [
    h('h2', null, span.name || '(no name)'),
    h('p', { class: 'facts' }, span.service, ` · ${span.kind} · ${clock(span.start_ms)} · `, h('b', null, duration(span.took_ns)),
      span.unfinished ? h('b', { class: 'open' }, span.running ? ' running' : ' unfinished') : null, span.scope ? h('span', { class: 'dim' }, ` · ${span.scope}`) : null),
    span.status === 'error' ? h('p', { class: 'failure' }, span.status_text || 'failed') : null,
    drawExceptions(span.events),
    drawContent(span.content),
    span.logs.length ? part('log lines', drawLogs(span.logs)) : null,
    part('attributes', drawAttributes(span.attributes)),
    span.events.length ? part('events', span.events.map(([name, at, attributes]) => [h('p', null, h('b', null, name), h('span', { class: 'dim' }, ` +${duration(at)}`)), drawAttributes(attributes)])) : null,
    span.links.length ? part('links', span.links.map(([trace, id, attributes]) => [link(`/trace/${piece(trace)}#${piece(id)}`, null, `${trace} ${id}`), drawAttributes(attributes)])) : null,
    part('resource', drawAttributes(span.resource), false),
    h('p', { class: 'dim' }, `span ${span.id}`, span.parent ? ` · parent ${span.parent}` : ''),
  ];
}

function part(name, content, open = true) {
  return h('details', { open }, h('summary', null, name), content);
}

function drawExceptions(events) {
  return events.filter(([name]) => name === 'exception').map(([, , attributes]) => {
    const told = Object.fromEntries(attributes);
    return h('details', { class: 'exception' }, h('summary', null, `${asText(told['exception.type'] ?? 'exception')}: ${asText(told['exception.message'] ?? '')}`),
      told['exception.stacktrace'] ? drawText(asText(told['exception.stacktrace']), 'json') : null);
  });
}

function drawContent(content) {
  const drawn = [];
  for (const [key, name] of Object.entries(PROSE)) {
    if (key in content) drawn.push(part(name, key === 'system' ? drawMessages([{ role: 'system', parts: [content[key]].flat() }]) : drawMessages(content[key])));
  }
  for (const [key, name] of Object.entries(DATA)) if (key in content) drawn.push(part(name, drawText(pretty(content[key]), 'json'), key !== 'tools'));
  return drawn;
}

function drawAttributes(attributes) {
  return h('table', { class: 'attributes' }, attributes.map(([key, value]) => h('tr', null, h('th', null, key), h('td', null, short(value)))));
}

const LONG = 400;

function short(value) {
  const text = asText(value);
  return text.length > LONG ? drawText(text) : text;
}

function drawLogs(logs) {
  return table([['', 'number'], ['', ''], ['', 'wide']], logs.map((line) => ({
    class: line.severity >= 17 ? 'error' : line.severity >= 13 ? 'warn' : '',
    title: line.logger,
    cells: [`+${duration(line.at)}`, line.level, line.attributes.length ? h('details', null, h('summary', null, line.text), drawAttributes(line.attributes)) : line.text],
  })), { class: 'logs' });
}
