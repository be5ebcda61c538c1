// One trace: the waterfall with log lines drawn on it, the critical path, a span's details, and the conversation.
import { get } from '/static/api.js';
import { drawConversation } from '/static/messages.js';
import { drawSpan } from '/static/span.js';
import { h, piece, replace, table } from '/static/dom.js';
import { clock, count, duration, money, plural, tokens } from '/static/format.js';
import { Waterfall } from '/static/waterfall.js';

export async function show(root, [id], { go, fail }) {
  let data = await get(`/data/traces/${piece(id)}`);
  let view = new URLSearchParams(location.search).get('view') ?? 'waterfall';
  const full = data.trace.id;
  root.className = 'trace';

  const title = h('div', { class: 'title' });
  const find = h('input', { class: 'search', type: 'search', placeholder: 'find in spans and log lines', 'aria-label': 'find' });
  const found = h('span', { class: 'dim found' });
  const options = h('span', { class: 'options' });
  const tabs = h('span', { class: 'tabs', role: 'tablist' });
  const body = h('div', { class: 'split' });
  const details = h('aside', { class: 'details', hidden: true, 'aria-label': 'span' });
  const other = h('div', { class: 'other', hidden: true });
  const waterfall = new Waterfall({ select: openSpan, found: (text) => { found.textContent = text; } });
  replace(body, waterfall.element, details);
  replace(root, title, h('div', { class: 'bar' }, tabs, options, find, found), body, other);

  const shows = {
    waterfall: () => {},
    conversation: async () => replace(other, drawConversation(await get(`/data/traces/${piece(full)}/conversation`))),
    usage: async () => replace(other, drawUsage(data.usage)),
  };

  function drawTitle() {
    const { trace } = data;
    document.title = `${trace.name || trace.id} · obs-run`;
    replace(title, h('h1', null, trace.name || '(log lines only)'),
      h('span', { class: 'dim' }, trace.services.join(', ')), h('span', null, clock(trace.start_ms)),
      h('b', null, duration(data.took_ns)), h('span', null, plural(trace.spans, 'span')),
      trace.logs ? h('span', null, plural(trace.logs, 'log line')) : null,
      trace.errors ? h('b', { class: 'error' }, plural(trace.errors, 'error')) : null,
      trace.running ? h('b', { class: 'open' }, `${trace.running} running`) : null,
      trace.unfinished ? h('b', { class: 'open' }, `${trace.unfinished} unfinished`) : null,
      h('span', { title: 'input → output tokens' }, tokens(trace.input_tokens, trace.output_tokens)),
      h('b', null, money(trace.cost)), h('code', { class: 'dim', title: 'trace id' }, trace.id));
  }

  async function choose(name) {
    view = name;
    const address = name === 'waterfall' ? location.pathname + location.hash : `${location.pathname}?view=${name}`;
    history.replaceState(null, '', address);
    for (const tab of tabs.children) tab.setAttribute('aria-selected', String(tab.dataset.view === name));
    body.hidden = name !== 'waterfall';
    other.hidden = name === 'waterfall';
    options.hidden = body.hidden;
    find.hidden = found.hidden = body.hidden;
    await shows[name]();
    if (!body.hidden) waterfall.resize();
  }

  replace(tabs, Object.keys(shows).map((name) => h('button', { role: 'tab', data: { view: name }, onclick: () => choose(name).catch(fail) }, name)));
  const toggles = { logs: 'log lines', path: 'critical path' };
  replace(options, Object.entries(toggles).map(([name, text]) => h('button', { 'aria-pressed': String(waterfall.options[name]), data: { name }, onclick: () => toggle(name) }, text)));

  function toggle(name) {
    waterfall.toggle(name);
    options.querySelector(`[data-name=${name}]`).setAttribute('aria-pressed', String(waterfall.options[name]));
  }

  let opened = null;

  async function openSpan(span) {
    opened = span;
    const address = new URL(location.href);
    if (span) address.hash = span;
    else address.hash = '';
    history.replaceState(null, '', address);
    if (!span) {
      details.hidden = true;
      waterfall.resize();
      return;
    }
    try {
      const told = await get(`/data/traces/${piece(full)}/spans/${piece(span)}`);
      if (opened !== span) return;
      const wasHidden = details.hidden;
      details.hidden = false;
      replace(details, h('button', { class: 'close', title: 'close (Esc)', onclick: () => openSpan(null) }, '×'), drawSpan(told));
      details.scrollTop = 0;
      if (wasHidden) waterfall.resize();
    } catch (error) {
      fail(error);
    }
  }

  find.addEventListener('input', () => waterfall.find(find.value));
  find.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      waterfall.next(event.shiftKey ? -1 : 1);
    }
  });

  drawTitle();
  waterfall.show(data);
  if (!data.spans.id.length) toggle('logs'); // of which there is nothing else
  await choose(view in shows ? view : 'waterfall');
  const wanted = location.hash.slice(1);
  if (wanted && waterfall.choose(wanted)) await openSpan(wanted);

  const inWaterfall = (act) => () => (view === 'waterfall' ? act() : false);
  return {
    stop: () => waterfall.stop(),
    async refresh() {
      const now = await get(`/data/traces/${piece(full)}`, { known: data.digest });
      if (!now.trace) return;
      data = now;
      drawTitle();
      waterfall.show(data);
      if (view !== 'waterfall') await shows[view]();
      else if (opened) await openSpan(opened);
    },
    keys: {
      j: inWaterfall(() => waterfall.move(1)), ArrowDown: inWaterfall(() => waterfall.move(1)),
      k: inWaterfall(() => waterfall.move(-1)), ArrowUp: inWaterfall(() => waterfall.move(-1)),
      PageDown: inWaterfall(() => waterfall.move(20)), PageUp: inWaterfall(() => waterfall.move(-20)),
      Home: inWaterfall(() => waterfall.move(-1e7)), End: inWaterfall(() => waterfall.move(1e7)),
      ArrowLeft: inWaterfall(() => waterfall.fold()), ArrowRight: inWaterfall(() => waterfall.unfold()),
      '[': inWaterfall(() => waterfall.foldAll()), ']': inWaterfall(() => waterfall.unfoldAll()),
      Enter: inWaterfall(() => waterfall.open()), e: inWaterfall(() => waterfall.nextError()),
      n: inWaterfall(() => waterfall.next(1)), N: inWaterfall(() => waterfall.next(-1)),
      l: inWaterfall(() => toggle('logs')), p: inWaterfall(() => toggle('path')),
      '+': inWaterfall(() => waterfall.zoomBy(0.5)), '=': inWaterfall(() => waterfall.zoomBy(0.5)),
      '-': inWaterfall(() => waterfall.zoomBy(2)), 0: inWaterfall(() => waterfall.zoomBy(Infinity)),
      c: () => { choose(view === 'conversation' ? 'waterfall' : 'conversation').catch(fail); },
      Escape: () => {
        if (view !== 'waterfall') choose('waterfall').catch(fail);
        else if (opened) openSpan(null);
        else go('/');
      },
    },
  };
}

function drawUsage(usage) {
  const told = Object.entries(usage).filter(([, groups]) => groups.some(({ group }) => group !== null));
  if (!told.length) return h('p', { class: 'dim note' }, 'no model was called');
  return told.map(([name, groups]) => [
    h('h2', null, `by ${name}`),
    table([[name, 'wide'], ['calls', 'number'], ['errors', 'number'], ['input', 'number'], ['output', 'number'], ['cost', 'number']],
      groups.map(({ group, calls, errors, input_tokens: input, output_tokens: output, cost }) => ({
        cells: [group ?? '(none)', count(calls), errors ? h('b', { class: 'error' }, count(errors)) : '', count(input), count(output), money(cost)],
      })), { class: 'list' }),
  ]);
}

