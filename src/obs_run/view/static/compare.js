// Two traces side by side: what was added, removed, or became slower, dearer or different.
import { get } from '/static/api.js';
import { h, link, piece, replace } from '/static/dom.js';
import { clock, count, duration, money, tokens } from '/static/format.js';
import { drawMessage } from '/static/messages.js';

const NOTABLE = 1.2; // the factor from which a time is worth a colour
const NOTABLE_NS = 1e6;

export async function show(root, [left, right], { go }) {
  const told = await get('/data/compare', { left, right });
  const onlyChanges = h('button', { 'aria-pressed': 'false', onclick: () => { turn(onlyChanges); draw(); } }, 'only differences');
  const body = h('tbody');
  const columns = ['span', 'took left', 'right', '±', 'tokens left', 'right', 'cost left', 'right', 'differs in'];
  const numbers = [1, 2, 3, 4, 5, 6, 7];
  replace(root, h('div', { class: 'page diff' },
    h('div', { class: 'title' }, h('h1', null, 'comparison'), h('button', { title: 'the other way round', onclick: () => go(`/compare/${piece(right)}/${piece(left)}`) }, '⇄'), onlyChanges),
    h('table', { class: 'list' }, h('tbody', null, side('left', told.left), side('right', told.right))),
    h('table', { class: 'list' }, h('thead', null, h('tr', null, columns.map((name, at) => h('th', { class: numbers.includes(at) ? 'number' : at ? '' : 'wide' }, name)))), body)));

  function side(name, trace) {
    return h('tr', null, [name, link(`/trace/${piece(trace.id)}`, null, trace.name ?? trace.id), trace.service, clock(trace.start_ms), duration(trace.took_ns), `${count(trace.spans)} spans`, `${trace.errors} errors`, tokens(trace.input_tokens, trace.output_tokens), money(trace.cost)].map((cell) => h('td', null, cell)));
  }

  function turn(button) {
    button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
  }

  function draw() {
    const isShort = onlyChanges.getAttribute('aria-pressed') === 'true';
    replace(body, told.pairs.filter((pair) => !isShort || pair.kind !== 'same' || slower(pair)).map(row));
  }

  function row(pair) {
    const { left: one, right: other } = pair;
    const cells = [
      h('span', { class: 'indent', style: { 'padding-left': `${Math.min(pair.depth, 30) * 14}px` } }, { added: '+ ', removed: '− ' }[pair.kind] ?? '', pair.name || '(no name)'),
      one ? duration(one.took_ns) : '', other ? duration(other.took_ns) : '', one && other ? h('span', { class: slower(pair) }, change(one.took_ns, other.took_ns)) : '',
      one ? tokens(one.input_tokens, one.output_tokens) : '', other ? tokens(other.input_tokens, other.output_tokens) : '',
      one ? money(one.cost) : '', other ? money(other.cost) : '', pair.changes.join(', '),
    ];
    const line = h('tr', { class: pair.kind }, cells.map((cell, at) => h('td', { class: numbers.includes(at) ? 'number' : at ? '' : 'wide' }, cell)));
    if (![one, other].some((each) => each?.messages.length)) return line;
    const messages = h('tr', { hidden: true }, h('td', { colspan: '9' }, h('div', { class: 'pair-of' }, [one, other].map((each) => h('div', null, each?.messages.map(drawMessage))))));
    line.lastChild.append(' ', h('button', { onclick: () => { messages.hidden = !messages.hidden; } }, 'messages'));
    return [line, messages];
  }

  draw();
  return { keys: { Escape: () => go('/'), d: () => { turn(onlyChanges); draw(); } } };
}

function slower({ left, right }) {
  if (!left || !right || Math.abs(left.took_ns - right.took_ns) < NOTABLE_NS) return '';
  if (right.took_ns > left.took_ns * NOTABLE) return 'slower';
  return left.took_ns > right.took_ns * NOTABLE ? 'faster' : '';
}

function change(before, after) {
  if (!before) return '';
  const part = (after / before - 1) * 100;
  return `${part >= 0 ? '+' : '−'}${Math.abs(part).toFixed(Math.abs(part) < 10 ? 1 : 0)}%`;
}
