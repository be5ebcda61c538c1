// Conversations over many traces.
import { get } from '/static/api.js';
import { h, link, piece, replace, table } from '/static/dom.js';
import { clock, count, duration, money, tokens } from '/static/format.js';

export async function show(root, _, { go }) {
  let found = [];
  let selected = 0;

  async function load() {
    const told = await get('/data/conversations');
    found = told.conversations;
    const columns = [['last', ''], ['conversation', ''], ['first question', 'wide'], ['agents', ''], ['turns', 'number'], ['traces', 'number'], ['over', 'number'], ['tokens', 'number'], ['cost', 'number']];
    replace(root, found.length ? table(columns, found.map((one) => ({
      ondblclick: () => open(one),
      cells: [clock(one.last_ms), link(`/conversation/${piece(one.id)}`, null, one.id), one.question ?? '', one.agents.join(', '), count(one.turns), count(one.traces),
        duration((one.last_ms - one.first_ms) * 1e6), tokens(one.input_tokens, one.output_tokens), money(one.cost)],
    })), { class: 'list' }) : null, h('p', { class: 'dim note' }, found.length ? `of the newest ${told.traces} traces` : 'no trace has a conversation (gen_ai.conversation.id)'));
    mark();
  }

  function open(one) {
    if (one) go(`/conversation/${piece(one.id)}`);
  }

  function mark() {
    root.querySelectorAll('tbody tr').forEach((each, at) => each.classList.toggle('selected', at === selected));
  }

  function move(by) {
    selected = Math.min(found.length - 1, Math.max(0, selected + by));
    mark();
  }

  await load();
  return { refresh: load, keys: { j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => open(found[selected]), Escape: () => go('/') } };
}
