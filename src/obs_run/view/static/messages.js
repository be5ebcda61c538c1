// Messages of people, models and tools, as texts.
import { h, link, piece } from '/static/dom.js';
import { asText, clock, duration, money, tokens } from '/static/format.js';

const LONG = 3000; // characters that are shown at once
const IMAGES = /^image\/(png|jpeg|gif|webp)$/;

export function drawMessages(messages) {
  if (!Array.isArray(messages)) return drawText(asText(messages));
  return messages.map(drawMessage);
}

export function drawMessage(message) {
  if (typeof message !== 'object' || message === null) return drawText(asText(message));
  const role = message.role ?? '';
  const parts = Array.isArray(message.parts) ? message.parts : [message.content ?? message];
  const sign = message.finish_reason && message.finish_reason !== 'stop' ? h('span', { class: 'pill' }, message.finish_reason) : null;
  return h('section', { class: `message ${known(role)}` }, h('header', null, role, message.name ? ` ${message.name}` : '', ' ', sign), parts.map(drawPart));
}

function known(role) {
  return ['system', 'developer', 'user', 'assistant', 'tool'].includes(role) ? role : '';
}

export function drawPart(part) {
  if (typeof part !== 'object' || part === null) return drawText(asText(part));
  const draw = PARTS[part.type];
  return draw ? draw(part) : drawText(asText(part), 'json');
}

const PARTS = {
  text: (part) => drawText(asText(part.content ?? '')),
  reasoning: (part) => h('details', { class: 'reasoning', open: true }, h('summary', null, 'reasoning'), drawText(asText(part.content ?? ''))),
  tool_call: drawCall,
  server_tool_call: drawCall,
  tool_call_response: drawResponse,
  server_tool_call_response: drawResponse,
  refusal: (part) => h('div', null, h('span', { class: 'pill' }, 'refusal'), drawText(asText(part.content ?? part.refusal ?? ''))),
  blob: drawBlob,
  omitted_blob: (part) => drawText(`${part.mime_type ?? part.modality ?? 'binary'}${typeof part.size === 'number' ? `, ${part.size.toLocaleString('en')} bytes` : ''}, not recorded`, 'json'),
  uri: (part) => drawText(`${part.modality ?? ''} ${part.mime_type ?? ''} ${part.uri ?? ''}`.trim(), 'json'),
  file: (part) => drawText(`${part.modality ?? ''} ${part.mime_type ?? ''} file ${part.file_id ?? ''}`.trim(), 'json'),
};

function drawCall(part) {
  return h('div', { class: 'call' }, h('header', null, '⚒ ', h('b', null, asText(part.name ?? '')), ' ', h('span', { class: 'dim' }, part.id ?? '')), drawText(pretty(part.arguments ?? part.server_tool_call), 'json'));
}

function drawResponse(part) {
  return h('div', { class: 'call' }, h('header', null, '← ', h('span', { class: 'dim' }, part.id ?? '')), drawText(pretty(part.response ?? part.result ?? part.server_tool_call_response), 'json'));
}

function drawBlob(part) {
  if (IMAGES.test(part.mime_type ?? '') && /^[A-Za-z0-9+/=]+$/.test(part.content ?? '')) {
    return h('img', { src: `data:${part.mime_type};base64,${part.content}`, alt: part.modality ?? 'image' });
  }
  return drawText(`${part.modality ?? ''} ${part.mime_type ?? ''} ${asText(part.content ?? '').slice(0, 80)}`, 'json');
}

export function pretty(value) {
  if (typeof value !== 'string') return value === undefined ? '' : JSON.stringify(value, null, 2);
  try {
    const found = JSON.parse(value);
    return typeof found === 'object' ? JSON.stringify(found, null, 2) : value;
  } catch {
    return value;
  }
}

export function drawText(text, kind = '') {
  if (text.length <= LONG) return h('pre', { class: `text ${kind}` }, text);
  const element = h('pre', { class: `text ${kind}` }, text.slice(0, LONG));
  const more = h('button', { class: 'more', onclick: () => { element.textContent = text; more.remove(); } }, `… ${text.length - LONG} more characters`);
  return [element, more];
}

// What was said in a trace: calls of models and tools, one after the other.
export function drawConversation({ steps, conversation }) {
  if (!steps.length) return h('p', { class: 'dim note' }, 'no model was called, or no content was recorded (OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)');
  return [conversation ? h('p', null, 'part of the conversation ', link(`/conversation/${piece(conversation)}`, null, conversation)) : null, drawSteps(steps)];
}

export function drawSteps(steps) {
  return steps.map((step) => [
    h('div', { class: `turn ${step.kind}` }, h('span', { class: `sign ${step.kind}` }, { model: '✦', tool: '⚒', agent: '◉' }[step.kind]),
      link(`/trace/${piece(step.trace)}#${piece(step.span)}`, null, step.name || '(no name)'), step.agent ? h('span', { class: 'dim' }, step.agent) : null,
      h('span', { class: 'dim' }, clock(step.start_ms)), h('span', null, duration(step.took_ns)), h('span', null, tokens(step.input_tokens, step.output_tokens)), h('b', null, money(step.cost))),
    step.failure ? h('p', { class: 'failure' }, step.failure) : null,
    step.messages.map(drawMessage),
    step.arguments === null && step.result === null ? null : h('section', { class: 'message tool' },
      step.arguments === null ? null : [h('header', null, 'arguments'), drawText(pretty(step.arguments), 'json')],
      step.result === null ? null : [h('header', null, 'result'), drawText(pretty(step.result), 'json')]),
  ]);
}
