// The map of services, agents, models, tools and stores: who calls whom, how often, how slowly, with how many errors.
import { get } from '/static/api.js';
import { h, replace, svg, table } from '/static/dom.js';
import { count, duration, money } from '/static/format.js';

const WIDTH = 170;
const HEIGHT = 38;
const ACROSS = 270;
const DOWN = 54;
const MOST = 40; // places that are drawn
const SINCE = { '': 'any time', '15m': '15 minutes', '1h': '1 hour', '1d': '1 day', '7d': '7 days' };

export async function show(root, _, { go, fail }) {
  const since = h('select', { 'aria-label': 'time', onchange: () => load().catch(fail) }, Object.entries(SINCE).map(([value, text]) => h('option', { value }, text)));
  const drawing = h('div', { class: 'map' });
  const edges = h('div');
  const note = h('span', { class: 'dim' });
  replace(root, h('div', { class: 'bar' }, since, note), drawing, edges);

  async function load() {
    const told = await get('/data/map', { since: since.value });
    note.textContent = `of the newest ${count(told.traces)} traces${told.places.length > MOST ? `; the ${MOST} busiest of ${told.places.length} are drawn` : ''}`;
    replace(drawing, told.places.length ? draw(told) : h('p', { class: 'dim note' }, 'nothing calls anything'));
    replace(edges, table([['caller', ''], ['callee', 'wide'], ['calls', 'number'], ['a minute', 'number'], ['errors', 'number'], ['median', 'number'], ['p95', 'number'], ['cost', 'number']], told.edges.map((edge) => ({
      cells: [told.places[edge.from].join(' '), told.places[edge.to].join(' '), count(edge.calls), edge.rate === null ? '' : edge.rate.toPrecision(3), edge.errors ? h('b', { class: 'error' }, `${count(edge.errors)} (${Math.round(edge.errors / edge.calls * 100)}%)`) : '', duration(edge.p50_ns), duration(edge.p95_ns), money(edge.cost)],
    })), { class: 'list' }));
  }

  await load();
  return { refresh: load, keys: { Escape: () => go('/') } };
}

// Columns by the longest way from those whom nobody calls; a cycle ends where it would come back.
function layers({ places, edges }) {
  const level = places.map(() => 0);
  for (let turn = 0; turn < places.length; turn += 1) {
    let moved = false;
    for (const { from, to } of edges) {
      if (from !== to && level[to] <= level[from] && level[from] + 1 < places.length && turn < 12) {
        level[to] = level[from] + 1;
        moved = true;
      }
    }
    if (!moved) break;
  }
  const used = [...new Set(level)].sort((a, b) => a - b);
  return level.map((one) => used.indexOf(one));
}

// The places with the most calls; all are in the table below.
function busiest({ places, edges }) {
  const calls = places.map(() => 0);
  for (const { from, to, calls: number } of edges) for (const at of [from, to]) calls[at] += number;
  const kept = [...places.keys()].sort((a, b) => calls[b] - calls[a]).slice(0, MOST).sort((a, b) => a - b);
  const at = new Map(kept.map((old, now) => [old, now]));
  return {
    places: kept.map((old) => places[old]),
    edges: edges.filter(({ from, to }) => at.has(from) && at.has(to)).map((edge) => ({ ...edge, from: at.get(edge.from), to: at.get(edge.to) })),
  };
}

function draw(all) {
  const told = busiest(all);
  const level = layers(told);
  const filled = [];
  const places = told.places.map(([kind, name], at) => {
    const row = filled[level[at]] ?? 0;
    filled[level[at]] = row + 1;
    return { kind, name, x: 10 + level[at] * ACROSS, y: 10 + row * DOWN };
  });
  const width = 20 + Math.max(...places.map((place) => place.x)) + WIDTH;
  const height = 10 + Math.max(...filled.filter(Boolean)) * DOWN;
  const most = Math.max(...told.edges.map((edge) => edge.calls), 1);
  return svg('svg', { width, height, role: 'img', 'aria-label': 'map' },
    told.edges.map((edge) => {
      const [from, to] = [places[edge.from], places[edge.to]];
      const [x1, y1, x2, y2] = [from.x + WIDTH, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2];
      const bend = Math.max(40, Math.abs(x2 - x1) / 2);
      const title = `${from.name} → ${to.name}: ${edge.calls} calls, ${edge.errors} errors, median ${duration(edge.p50_ns)}`;
      return svg('g', null, svg('path', { class: edge.errors ? 'error' : '', d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, 'stroke-width': (1 + 3 * edge.calls / most).toFixed(1) }, svg('title', null, title)),
        svg('text', { class: 'small', x: x2 - 6, y: y2 - 4, 'text-anchor': 'end' }, `${count(edge.calls)}${edge.errors ? ` · ${edge.errors} ✗` : ''}`));
    }),
    places.map(({ kind, name, x, y }) => svg('g', null, svg('rect', { class: kind, x, y, width: WIDTH, height: HEIGHT }),
      svg('text', { class: 'small', x: x + 8, y: y + 14 }, kind), svg('text', { x: x + 8, y: y + 30 }, name.length > 24 ? `${name.slice(0, 23)}…` : name, svg('title', null, name)))));
}
