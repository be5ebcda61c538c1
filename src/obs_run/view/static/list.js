// The list of traces: search, live, two of them marked for comparison.
import { get } from '/static/api.js';
import { h, link, piece, replace } from '/static/dom.js';
import { clock, count, duration, money, tokens } from '/static/format.js';

const FIELDS = ['text', 'service', 'agent', 'model', 'status', 'since', 'attribute'];
const SINCE = { '': 'any time', '15m': '15 minutes', '1h': '1 hour', '6h': '6 hours', '1d': '1 day', '7d': '7 days' };
const STATUS = { '': 'any status', error: 'errors', ok: 'no errors', unfinished: 'unfinished' };
const SLOW_TYPING_MS = 250;

export async function show(root, _, { go, fail }) {
  const asked = new URLSearchParams(location.search);
  const query = Object.fromEntries(FIELDS.map((name) => [name, asked.getAll(name).join(' ')]));
  let limit = 100;
  let marked = [];
  let selected = 0;
  let traces = [];
  let known = null;

  const controls = {
    text: h('input', { class: 'search', type: 'search', placeholder: 'text in prompts, answers, names, logs', value: query.text }),
    service: choice('service'),
    agent: choice('agent'),
    model: choice('model'),
    status: select(STATUS, query.status),
    since: select(SINCE, query.since),
    attribute: h('input', { type: 'search', placeholder: 'attribute=value', value: query.attribute, size: 24 }),
  };
  const body = h('tbody');
  const note = h('p', { class: 'dim note' });
  const compare = h('button', { hidden: true, onclick: () => openComparison() }, 'compare');
  const form = h('form', { class: 'bar', role: 'search', onsubmit: (event) => { event.preventDefault(); ask(); } },
    Object.entries(controls).map(([name, control]) => (control.setAttribute('aria-label', name), control)), compare);
  const columns = ['', 'started', 'name', 'service', 'took', 'spans', 'logs', 'tokens', 'cost'];
  const kinds = ['', '', 'wide', '', 'number', 'number', 'number', 'number', 'number'];
  const head = h('thead', null, h('tr', null, columns.map((name, at) => h('th', { class: kinds[at] }, name))));
  replace(root, form, h('table', { class: 'list' }, head, body), note);

  function choice(name) {
    return select({ '': `any ${name}`, ...(query[name] ? { [query[name]]: query[name] } : {}) }, query[name]);
  }

  function select(options, value) {
    return h('select', null, Object.entries(options).map(([key, text]) => h('option', { value: key, selected: key === value }, text)));
  }

  function fill(name, values) {
    const control = controls[name];
    const now = control.value;
    const all = now && !values.includes(now) ? [now, ...values] : values;
    if (document.activeElement === control || control.options.length === all.length + 1) return;
    replace(control, h('option', { value: '' }, `any ${name}`), all.map((value) => h('option', { value, selected: value === now }, value)));
  }

  async function ask() {
    const given = Object.fromEntries(FIELDS.map((name) => [name, controls[name].value.trim()]));
    const address = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
    go(address.size ? `/?${address}` : '/', { replaced: true });
    limit = 100;
    await load(true);
  }

  let turn = 0;

  async function load(anew) {
    const mine = ++turn;
    const given = Object.fromEntries(FIELDS.map((name) => [name, controls[name].value.trim()]));
    const found = await get('/data/traces', { ...given, limit });
    if (mine !== turn) return;
    root.querySelector('.failure')?.remove();
    for (const name of ['service', 'agent', 'model']) fill(name, found.choices[name]);
    const at = traces[selected]?.id;
    traces = found.traces;
    selected = anew ? 0 : Math.max(0, traces.findIndex((one) => one.id === at));
    const fresh = anew || known === null ? new Set() : new Set(traces.filter((one) => !known.has(one.id)).map((one) => one.id));
    known = new Set(traces.map((one) => one.id));
    draw(fresh);
    replace(note, traces.length ? null : 'no trace fits; run an agent: obs-run python agent.py',
      found.more ? h('button', { onclick: () => { limit += 200; load(false).catch(fail); } }, 'more') : null);
  }

  function draw(fresh) {
    const longest = Math.max(1, ...traces.map((one) => one.took_ns));
    replace(body, traces.map((one, at) => row(one, at, longest, fresh.has(one.id))));
    mark();
  }

  function row(one, at, longest, isFresh) {
    const state = one.errors ? 'error' : one.running || one.unfinished ? 'open' : 'ok';
    const services = one.services.length > 1 ? ` +${one.services.length - 1}` : '';
    const title = { error: `${one.errors} errors`, open: one.running ? `${one.running} running` : `${one.unfinished} unfinished`, ok: 'no errors' }[state];
    const cells = [
      h('i', { class: `dot ${state}`, title }),
      clock(one.start_ms),
      link(`/trace/${piece(one.id)}`, null, one.name || '(log lines only)'),
      h('span', { title: one.services.join(', ') }, one.service, h('span', { class: 'dim' }, services)),
      h('span', { class: 'took', style: { '--part': one.took_ns / longest } }, duration(one.took_ns)),
      count(one.spans), one.logs ? count(one.logs) : '', tokens(one.input_tokens, one.output_tokens), money(one.cost),
    ];
    return h('tr', { class: isFresh ? 'fresh' : '', data: { id: one.id }, onclick: (event) => { if (!event.target.closest('a')) { selected = at; mark(); } }, ondblclick: () => open() },
      cells.map((cell, index) => h('td', { class: kinds[index] }, cell)));
  }

  function mark() {
    [...body.children].forEach((each, at) => {
      each.classList.toggle('selected', at === selected);
      each.classList.toggle('marked', marked.includes(each.dataset.id));
    });
    compare.hidden = marked.length === 0;
    compare.textContent = marked.length === 2 ? 'compare' : `${marked.length} marked: x marks another`;
    compare.disabled = marked.length !== 2;
  }

  function move(by) {
    selected = Math.min(traces.length - 1, Math.max(0, selected + by));
    mark();
    body.children[selected]?.scrollIntoView({ block: 'nearest' });
  }

  function open() {
    if (traces[selected]) go(`/trace/${piece(traces[selected].id)}`);
  }

  function openComparison() {
    if (marked.length !== 2) return;
    // The older one on the left; the list has the newest first.
    const [right, left] = traces.map((one) => one.id).filter((id) => marked.includes(id));
    go(`/compare/${piece(left ?? marked[0])}/${piece(right ?? marked[1])}`);
  }

  function toggle() {
    const id = traces[selected]?.id;
    if (!id) return;
    marked = marked.includes(id) ? marked.filter((each) => each !== id) : [...marked, id].slice(-2);
    mark();
    if (marked.length === 2) openComparison();
  }

  let timer = 0;
  const soon = () => { clearTimeout(timer); timer = setTimeout(() => ask().catch(fail), SLOW_TYPING_MS); };
  for (const control of Object.values(controls)) {
    control.addEventListener(control.tagName === 'SELECT' ? 'change' : 'input', control === controls.attribute ? () => {} : soon);
  }
  controls.attribute.addEventListener('change', soon);

  await load(true);
  return {
    refresh: () => load(false),
    stop: () => clearTimeout(timer),
    keys: { j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: open, x: toggle,
      PageDown: () => move(20), PageUp: () => move(-20), Home: () => move(-1e6), End: () => move(1e6) },
  };
}
