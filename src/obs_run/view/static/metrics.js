// Metrics: what there is, and the series of one.
import { get } from '/static/api.js';
import { h, replace, svg, table } from '/static/dom.js';
import { asText, clock, count } from '/static/format.js';

const WIDTH = 160;
const HEIGHT = 20;

export async function show(root, _, { go, fail }) {
  const list = h('div', { class: 'metrics' });
  const series = h('div', { class: 'series' });
  replace(root, h('div', { class: 'columns' }, list, series));
  let chosen = new URLSearchParams(location.search).get('name');

  async function load() {
    const { metrics } = await get('/data/metrics');
    chosen ??= metrics[0]?.name ?? null;
    replace(list, metrics.length ? table([['metric', 'wide'], ['series', 'number']], metrics.map((one) => ({
      class: one.name === chosen ? 'selected' : '', title: `${one.description ?? ''}\n${one.kind} ${one.unit ?? ''}, last ${clock(one.last_ms)}`,
      onclick: () => { chosen = one.name; go(`/metrics?name=${encodeURIComponent(one.name)}`, { replaced: true }); load().catch(fail); },
      cells: [one.name, count(one.series)],
    })), { class: 'list' }) : h('p', { class: 'dim note' }, 'no metric was recorded'));
    if (chosen) await draw();
  }

  async function draw() {
    const one = await get('/data/metric', { name: chosen });
    const isHistogram = one.series.some((each) => each.buckets.length);
    replace(series, h('h2', null, one.name, ' ', h('span', { class: 'dim' }, `${one.kind ?? ''} ${one.unit ?? ''}`)),
      one.description ? h('p', { class: 'dim' }, one.description) : null,
      table([['service', ''], ['attributes', 'free'], ['last', 'number'], ...(isHistogram ? [['count', 'number'], ['mean', 'number'], ['buckets', '']] : []), ['', '']],
        one.series.map((each) => ({ cells: row(each, isHistogram) })), { class: 'list' }),
      one.more ? h('p', { class: 'dim' }, `and ${one.more} more series`) : null);
  }

  function row({ service, attributes, points, buckets }, isHistogram) {
    const [, value, number] = points.at(-1);
    const cells = [service, h('span', { class: 'pairs' }, attributes.map(([key, text]) => h('span', { class: 'pair' }, `${key}=`, h('b', null, asText(text))))), figure(value)];
    if (isHistogram) cells.push(count(number), number ? figure(value / number) : '', bars(buckets));
    return [...cells, line(points.map(([, at]) => at))];
  }

  await load();
  const choices = () => [...list.querySelectorAll('tbody tr')];
  const step = (by) => choices()[choices().findIndex((each) => each.classList.contains('selected')) + by]?.click();
  return { refresh: load, keys: { j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), Escape: () => go('/') } };
}

function figure(value) {
  if (typeof value !== 'number') return asText(value ?? '');
  return Number.isInteger(value) ? value.toLocaleString() : String(Number(value.toPrecision(4)));
}

function line(values) {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length < 2) return '';
  const low = Math.min(...numbers);
  const range = Math.max(...numbers) - low || 1;
  const points = numbers.map((value, at) => `${(at / (numbers.length - 1) * WIDTH).toFixed(1)},${(HEIGHT - 1 - (value - low) / range * (HEIGHT - 2)).toFixed(1)}`);
  return svg('svg', { class: 'line', width: WIDTH, height: HEIGHT, role: 'img', 'aria-label': `from ${figure(numbers[0])} to ${figure(numbers.at(-1))}` }, svg('polyline', { points: points.join(' ') }));
}

function bars(buckets) {
  const most = Math.max(1, ...buckets.map(([, number]) => number));
  const step = WIDTH / Math.max(1, buckets.length);
  return svg('svg', { class: 'bars', width: WIDTH, height: HEIGHT }, buckets.map(([bound, number], at) => svg('rect', { x: at * step, width: Math.max(1, step - 1), y: HEIGHT - number / most * HEIGHT, height: number / most * HEIGHT }, svg('title', null, `${bound === null ? 'above' : `≤ ${figure(bound)}`}: ${number}`))));
}
