// One conversation: its turns in the order of time, over all its traces.
import { get } from '/static/api.js';
import { h, link, piece, replace } from '/static/dom.js';
import { clock, duration, money, plural, tokens } from '/static/format.js';
import { drawSteps } from '/static/messages.js';

export async function show(root, [id], { go }) {
  async function load() {
    const told = await get('/data/conversation', { id });
    document.title = `${id} · obs-run`;
    replace(root, h('div', { class: 'page' },
      h('div', { class: 'title' }, h('h1', null, id), h('span', { class: 'dim' }, told.agents.join(', ')), [[told.turns, 'turn'], [told.traces, 'trace'], [told.calls, 'model call']].map(([number, word]) => h('span', null, plural(number, word))),
        told.errors ? h('b', { class: 'error' }, plural(told.errors, 'error')) : null, h('span', null, tokens(told.input_tokens, told.output_tokens)), h('b', null, money(told.cost))),
      told.all.map((turn, at) => h('section', { class: 'of-turn' },
        turn.idle_ns ? h('p', { class: 'dim' }, `… ${duration(turn.idle_ns)} later`) : null,
        h('h2', null, `${at + 1} `, link(`/trace/${piece(turn.trace)}#${piece(turn.span)}`, null, turn.name), ' ', h('span', { class: 'dim' }, `${clock(turn.start_ms)} · ${duration(turn.took_ns)} · ${tokens(turn.input_tokens, turn.output_tokens)} ${money(turn.cost)}`)),
        drawSteps(turn.steps)))));
  }

  await load();
  return { refresh: load, keys: { Escape: () => go('/conversations'), j: () => root.scrollBy(0, 80), k: () => root.scrollBy(0, -80) } };
}
