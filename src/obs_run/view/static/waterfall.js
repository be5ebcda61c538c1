// The waterfall: only the rows in sight are elements, so that a trace of 10,000 spans scrolls as one of ten.
import { h, replace } from '/static/dom.js';
import { count, duration, money, tokens } from '/static/format.js';

const ROW = 22; // pixels, as in style.css
const AHEAD = 12;
const DEEPEST = 40; // levels that are indented
const MOST_DOTS = 60;
const WARN = 13;
const ERROR = 17;
const KINDS = {
  chat: 'model', text_completion: 'model', generate_content: 'model', embeddings: 'model', rerank: 'model',
  execute_tool: 'tool', invoke_agent: 'agent', create_agent: 'agent', invoke_workflow: 'agent', plan: 'agent',
  retrieval: 'store', search_memory: 'store', update_memory: 'store',
};
const SIGNS = { model: '✦', tool: '⚒', agent: '◉', store: '▤', '': '' };

export function kindOf(operation) {
  return KINDS[operation] ?? '';
}

export class Waterfall {
  constructor({ select, found }) {
    this.tell = { select, found };
    this.options = { logs: false, path: true };
    this.folded = new Set();
    this.hits = [];
    this.wanted = '';
    this.selected = null;
    this.zoom = null;
    this.pool = [];
    this.axis = h('div', { class: 'axis' });
    this.brush = h('div', { class: 'brush', hidden: true });
    this.head = h('div', { class: 'head' }, h('div', { class: 'name' }, 'span'), h('div', { class: 'figure' }, 'took'),
      h('div', { class: 'figure', title: 'self time: without what its children cover' }, 'self'),
      h('div', { class: 'figure wider', title: 'tokens of the span and all below it' }, 'tokens'),
      h('div', { class: 'figure cost', title: 'cost of the span and all below it' }, 'cost'), h('div', { class: 'times' }, this.axis, this.brush));
    this.rows = h('div', { class: 'rows' });
    this.scroller = h('div', { class: 'scroller', onscroll: () => this.soon() }, this.head, this.rows);
    this.element = h('div', { class: 'waterfall', role: 'tree' }, this.scroller);
    this.rows.addEventListener('click', (event) => this.clicked(event));
    this.head.lastChild.addEventListener('pointerdown', (event) => this.drag(event));
    this.head.lastChild.addEventListener('dblclick', () => this.zoomBy(Infinity));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.scroller);
  }

  stop() {
    this.observer.disconnect();
  }

  show(data) {
    this.data = data;
    this.size = data.spans.id.length;
    this.rowOf = new Map(data.spans.id.map((id, row) => [id, row]));
    this.path = Array.from({ length: this.size }, () => null);
    for (const [row, start, end] of data.path) (this.path[row] ??= []).push([start, end]);
    this.logsOf = new Map();
    data.logs.forEach(([row], at) => {
      if (!this.logsOf.has(row)) this.logsOf.set(row, []);
      this.logsOf.get(row).push(at);
    });
    this.took = Math.max(1, data.took_ns);
    if (this.wanted) this.find(this.wanted, true);
    this.arrange();
    this.drawAxis();
  }

  name(row) {
    return this.data.names[this.data.spans.name[row]];
  }

  // Visible rows: a span's number, or -1 - n for log line n.
  arrange() {
    const { depth, id } = this.data.spans;
    const visible = [];
    if (this.options.logs) for (const at of this.logsOf.get(-1) ?? []) visible.push(-1 - at);
    for (let row = 0; row < this.size;) {
      visible.push(row);
      if (this.options.logs) for (const at of this.logsOf.get(row) ?? []) visible.push(-1 - at);
      row = this.folded.has(id[row]) ? this.after(row) : row + 1;
    }
    this.visible = visible;
    this.rows.style.setProperty('height', `${visible.length * ROW}px`);
    this.hasChildren = (row) => row + 1 < this.size && depth[row + 1] > depth[row];
    this.draw();
  }

  after(row) {
    const { depth } = this.data.spans;
    let next = row + 1;
    while (next < this.size && depth[next] > depth[row]) next += 1;
    return next;
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.fillRows();
    });
  }

  resize() {
    if (this.data) this.fillRows();
  }

  draw() {
    this.drawn = (this.drawn ?? 0) + 1;
    this.fillRows();
  }

  // What is filled already stays: while scrolling only the rows that come into sight are written.
  fillRows() {
    const height = this.scroller.clientHeight || 600;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - AHEAD);
    const last = Math.min(this.visible.length, Math.ceil((this.scroller.scrollTop + height) / ROW) + AHEAD);
    while (this.pool.length < last - first) this.pool.push(this.newRow());
    // A row keeps its element while it is in sight: an element belongs to the rows of one remainder.
    const length = this.pool.length;
    for (let at = 0; at < length; at += 1) {
      const index = first + ((at - first) % length + length) % length;
      const element = this.pool[at];
      element.hidden = index >= last;
      if (element.hidden || (element.filled === index && element.drawn === this.drawn)) continue;
      [element.filled, element.drawn] = [index, this.drawn];
      this.fill(element, index);
    }
  }

  newRow() {
    const parts = ['name', 'figure', 'figure', 'figure wider', 'figure cost', 'times'].map((kind) => h('div', { class: kind }));
    const element = h('div', { class: 'row', role: 'treeitem' }, parts);
    this.rows.append(element);
    return element;
  }

  fill(element, index) {
    const row = this.visible[index];
    element.style.setProperty('transform', `translateY(${index * ROW}px)`);
    element.dataset.index = index;
    const isSelected = row === this.selected;
    element.setAttribute('aria-selected', String(isSelected));
    if (row < 0) this.fillLog(element, -1 - row, isSelected);
    else this.fillSpan(element, row, isSelected);
  }

  fillSpan(element, row, isSelected) {
    const { spans, names } = this.data;
    const kind = kindOf(names[spans.operation[row]]);
    const [name, took, self, used, cost, times] = element.children;
    const isFolded = this.folded.has(spans.id[row]);
    const hasChildren = this.hasChildren(row);
    element.className = ['row', isSelected ? 'selected' : '', spans.status[row] === 2 ? 'failed' : '', this.hitSet?.has(row) ? 'hit' : ''].join(' ');
    element.setAttribute('aria-level', spans.depth[row] + 1);
    if (hasChildren) element.setAttribute('aria-expanded', String(!isFolded));
    else element.removeAttribute('aria-expanded');
    name.style.setProperty('--depth', Math.min(spans.depth[row], DEEPEST));
    const model = names[spans.model[row]];
    const service = row === 0 || spans.service[row] !== this.serviceAbove(row) ? names[spans.service[row]] : null;
    replace(name, h('span', { class: 'fold' }, hasChildren ? (isFolded ? '▸' : '▾') : ''), h('span', { class: `sign ${kind}` }, SIGNS[kind]),
      h('span', { class: 'text', title: this.name(row) }, this.name(row) || '(no name)'),
      model && !isSaid(model, this.name(row)) ? h('span', { class: 'pill' }, model) : null,
      service ? h('span', { class: 'dim service' }, service) : null,
      isFolded ? h('span', { class: 'pill' }, `${this.after(row) - row - 1}`) : null,
      spans.orphan[row] ? h('span', { class: 'dim', title: 'its parent was not recorded, or has not ended yet' }, '⋯') : null);
    took.textContent = duration(spans.took[row]);
    self.textContent = duration(spans.self[row]);
    used.textContent = tokens(spans.input[row], spans.output[row]);
    cost.textContent = money(spans.cost[row]);
    replace(times, this.bar(row, kind), this.options.path ? this.pathOf(row) : null, this.dots(row));
  }

  serviceAbove(row) {
    const { depth, service } = this.data.spans;
    for (let above = row - 1; above >= 0; above -= 1) if (depth[above] < depth[row]) return service[above];
    return null;
  }

  fillLog(element, at, isSelected) {
    const [row, time, severity, logger, text] = this.data.logs[at];
    const [name, took, self, used, cost, times] = element.children;
    element.className = ['row log', severityOf(severity), isSelected ? 'selected' : ''].join(' ');
    element.removeAttribute('aria-expanded');
    name.style.setProperty('--depth', row < 0 ? 0 : Math.min(this.data.spans.depth[row] + 1, DEEPEST));
    replace(name, h('span', { class: 'fold' }), h('span', { class: 'sign' }, '·'), h('span', { class: 'text', title: `${logger}\n${text}` }, text));
    took.textContent = `+${duration(time)}`;
    self.textContent = used.textContent = cost.textContent = '';
    replace(times, this.dot(at));
  }

  window() {
    return this.zoom ?? [0, this.took];
  }

  place(start, end) {
    const [from, to] = this.window();
    const width = to - from;
    const left = Math.max(0, (start - from) / width);
    const right = Math.min(1, (end - from) / width);
    return right < 0 || left > 1 ? null : { left: `${left * 100}%`, width: `max(2px, ${Math.max(0, right - left) * 100}%)` };
  }

  bar(row, kind) {
    const { start, took, status, open } = this.data.spans;
    const place = this.place(start[row], start[row] + took[row]);
    if (!place) return null;
    const classes = ['span', kind, status[row] === 2 ? 'failed' : '', open[row] ? 'open' : ''];
    return h('div', { class: classes.join(' '), style: place });
  }

  pathOf(row) {
    return this.path[row]?.map(([start, end]) => {
      const place = this.place(start, end);
      return place && h('div', { class: 'path', style: place });
    });
  }

  dots(row) {
    const own = this.logsOf.get(row);
    return own ? this.thinned(own).map((at) => this.dot(at)) : null;
  }

  // A row has room for so many dots; warnings and errors stay.
  thinned(all) {
    if (all.length <= MOST_DOTS) return all;
    const grave = all.filter((at) => this.data.logs[at][2] >= WARN).slice(0, MOST_DOTS);
    const step = all.length / MOST_DOTS;
    return [...Array.from({ length: MOST_DOTS }, (_, at) => all[Math.floor(at * step)]), ...grave];
  }

  dot(at) {
    const [, time, severity, logger, text] = this.data.logs[at];
    const place = this.place(time, time);
    return place && h('i', { class: `dot ${severityOf(severity)}`, style: { left: place.left }, title: `+${duration(time)} ${logger}\n${text}` });
  }

  drawAxis() {
    const [from, to] = this.window();
    replace(this.axis, [0, 0.25, 0.5, 0.75, 1].map((part) => h('span', { style: { left: `${part * 100}%` } }, duration(Math.round(from + (to - from) * part)))));
    this.axis.title = 'drag to zoom, double click for all';
  }

  drag(event) {
    const area = this.head.lastChild.getBoundingClientRect();
    const part = (one) => Math.min(1, Math.max(0, (one.clientX - area.left) / area.width));
    const begin = part(event);
    const [from, to] = this.window();
    const move = (one) => {
      const [low, high] = [begin, part(one)].sort((a, b) => a - b);
      this.brush.hidden = false;
      this.brush.style.setProperty('left', `${low * 100}%`);
      this.brush.style.setProperty('width', `${(high - low) * 100}%`);
    };
    const end = (one) => {
      removeEventListener('pointermove', move);
      this.brush.hidden = true;
      const [low, high] = [begin, part(one)].sort((a, b) => a - b);
      if (high - low > 0.005) this.zoomTo(from + (to - from) * low, from + (to - from) * high);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end, { once: true });
    event.preventDefault();
  }

  zoomTo(from, to) {
    this.zoom = to - from >= this.took ? null : [Math.max(0, from), Math.min(this.took, to)];
    this.drawAxis();
    this.draw();
  }

  zoomBy(factor) {
    if (factor === Infinity) return this.zoomTo(0, this.took);
    const [from, to] = this.window();
    const { start, took } = this.data.spans;
    const middle = this.selected === null || this.selected < 0 ? (from + to) / 2 : start[this.selected] + took[this.selected] / 2;
    const half = Math.max(1, (to - from) * factor / 2);
    const low = Math.min(Math.max(0, middle - half), Math.max(0, this.took - 2 * half));
    return this.zoomTo(low, Math.min(this.took, low + 2 * half));
  }

  clicked(event) {
    const element = event.target.closest('.row');
    if (!element) return;
    const row = this.visible[Number(element.dataset.index)];
    this.selected = row;
    if (row >= 0 && event.target.closest('.fold')) this.turn(row);
    else {
      this.draw();
      this.open();
    }
  }

  turn(row, folded = !this.folded.has(this.data.spans.id[row])) {
    if (!this.hasChildren(row)) return;
    this.folded[folded ? 'add' : 'delete'](this.data.spans.id[row]);
    this.arrange();
  }

  fold() {
    if (this.selected === null || this.selected < 0) return;
    const isOpen = this.hasChildren(this.selected) && !this.folded.has(this.data.spans.id[this.selected]);
    if (isOpen) return void this.turn(this.selected, true);
    const { depth } = this.data.spans;
    for (let above = this.selected - 1; above >= 0; above -= 1) {
      if (depth[above] < depth[this.selected]) return void this.go(above);
    }
  }

  unfold() {
    if (this.selected !== null && this.selected >= 0) this.turn(this.selected, false);
  }

  foldAll() {
    const { depth, id } = this.data.spans;
    this.folded = new Set(id.filter((_, row) => depth[row] >= 1 && this.hasChildren(row)));
    this.arrange();
  }

  unfoldAll() {
    this.folded.clear();
    this.arrange();
  }

  toggle(name) {
    this.options[name] = !this.options[name];
    this.arrange();
  }

  move(by) {
    const at = this.selected === null ? -1 : this.visible.indexOf(this.selected);
    const next = Math.min(this.visible.length - 1, Math.max(0, at + by));
    this.selected = this.visible[next] ?? null;
    this.reveal(next);
  }

  reveal(index) {
    const top = index * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + 2 * ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + 2 * ROW - clientHeight; // the head is in it
    this.draw();
  }

  go(row) {
    for (let above = row - 1, level = this.data.spans.depth[row]; above >= 0 && level > 0; above -= 1) {
      if (this.data.spans.depth[above] < level) {
        level = this.data.spans.depth[above];
        this.folded.delete(this.data.spans.id[above]);
      }
    }
    this.arrange();
    this.selected = row;
    this.reveal(this.visible.indexOf(row));
  }

  choose(id) {
    if (!this.rowOf.has(id)) return false;
    this.go(this.rowOf.get(id));
    return true;
  }

  open() {
    if (this.selected === null) return;
    const row = this.selected >= 0 ? this.selected : this.data.logs[-1 - this.selected][0];
    if (row >= 0) this.tell.select(this.data.spans.id[row]);
  }

  nextError() {
    this.jump(this.data.spans.status.flatMap((status, row) => (status === 2 ? [row] : [])), 1);
  }

  find(text, quiet = false) {
    this.wanted = text;
    const low = text.toLowerCase();
    const { names, spans, logs } = this.data;
    const rows = new Set();
    if (low) {
      const fits = names.map((name) => name.toLowerCase().includes(low));
      for (let row = 0; row < this.size; row += 1) {
        if (fits[spans.name[row]] || fits[spans.service[row]] || fits[spans.model[row]] || spans.id[row] === low) rows.add(row);
      }
      for (const [row, , , , line] of logs) if (row >= 0 && line.toLowerCase().includes(low)) rows.add(row);
    }
    this.hitSet = rows;
    this.hits = [...rows].sort((a, b) => a - b);
    this.tell.found(low ? `${count(rows.size)} found` : '');
    if (quiet) return;
    if (this.hits.length) this.go(this.hits.find((row) => row >= (this.selected ?? 0)) ?? this.hits[0]);
    else this.draw();
  }

  next(step) {
    this.jump(this.hits, step);
  }

  jump(rows, step) {
    if (!rows.length) return;
    const at = this.selected ?? -1;
    const next = step > 0 ? rows.find((row) => row > at) ?? rows[0] : [...rows].reverse().find((row) => row < at) ?? rows.at(-1);
    this.go(next);
  }
}

// A name that ends with the model that was asked for says enough of the one that answered.
function isSaid(model, name) {
  return model.startsWith(name.split(' ').at(-1) || '?');
}

function severityOf(severity) {
  return severity >= ERROR ? 'error' : severity >= WARN ? 'warn' : 'info';
}
