// Elements and texts. Nothing here or elsewhere makes markup out of a text.

export function h(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) set(element, key, value);
  append(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(name, properties, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  append(element, children);
  return element;
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === 'class') element.className = value;
  else if (key === 'style') for (const [name, text] of Object.entries(value)) element.style.setProperty(name, text);
  else if (key === 'data') Object.assign(element.dataset, value);
  else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
  else if (key in element && typeof value !== 'string') element[key] = value;
  else element.setAttribute(key, value === true ? '' : value);
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

export function table(columns, rows, properties) {
  const head = h('tr', null, columns.map(([name, kind]) => h('th', { class: kind }, name)));
  const body = rows.map(({ cells, ...row }) => h('tr', row, cells.map((cell, at) => h('td', { class: columns[at][1] }, cell))));
  return h('table', properties, h('thead', null, head), h('tbody', null, body));
}

// An in-page link; the address never comes from what was recorded, except as one encoded piece of a path.
export function link(path, properties, ...children) {
  return h('a', { ...properties, href: path }, ...children);
}

export const piece = encodeURIComponent;
