// The pages, the keys that all of them have, and what is followed while agents run.
import { get } from '/static/api.js';
import { h, replace } from '/static/dom.js';
import * as compare from '/static/compare.js';
import * as conversation from '/static/conversation.js';
import * as conversations from '/static/conversations.js';
import * as list from '/static/list.js';
import * as map from '/static/map.js';
import * as metrics from '/static/metrics.js';
import * as trace from '/static/trace.js';

const POLL_MS = 1000;
const ROUTES = [
  [/^\/$/, 'list', list],
  [/^\/trace\/([^/]+)$/, 'list', trace],
  [/^\/compare\/([^/]+)\/([^/]+)$/, 'list', compare],
  [/^\/conversations$/, 'conversations', conversations],
  [/^\/conversation\/(.+)$/, 'conversations', conversation],
  [/^\/map$/, 'map', map],
  [/^\/metrics$/, 'metrics', metrics],
];

const root = document.getElementById('page');
let page = {};
let turn = 0;

async function show() {
  const mine = ++turn;
  page.stop?.();
  page = {};
  const [found, name, module] = ROUTES.map(([pattern, ...rest]) => [location.pathname.match(pattern), ...rest])
    .find(([match]) => match) ?? [[], 'list', list];
  for (const each of document.querySelectorAll('nav a')) {
    if (each.dataset.page === name) each.setAttribute('aria-current', 'page');
    else each.removeAttribute('aria-current');
  }
  document.title = 'obs-run';
  replace(root);
  root.className = '';
  try {
    const shown = await module.show(root, found.slice(1).map((one) => decodeURIComponent(one)), { go, fail });
    if (mine === turn) page = shown ?? {};
    else shown?.stop?.();
  } catch (error) {
    if (mine !== turn) return;
    fail(error);
    page = { refresh: show }; // it may be there later
  }
}

function fail(error) {
  root.querySelector('.failure')?.remove();
  root.prepend(h('p', { class: 'failure', role: 'alert' }, error.message));
}

export function go(path, { replaced = false } = {}) {
  history[replaced ? 'replaceState' : 'pushState'](null, '', path);
  if (!replaced) show();
}

document.addEventListener('click', (event) => {
  const anchor = event.target.closest?.('a[href]');
  if (!anchor || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  const address = new URL(anchor.href);
  if (address.origin !== location.origin || anchor.hasAttribute('download')) return;
  event.preventDefault();
  go(address.pathname + address.search);
});
addEventListener('popstate', show);

// Live: one small question a second; the page asks for what it shows only when something was recorded.
const live = document.getElementById('live');
let version = null;
let busy = false;

function isLive() {
  return live.getAttribute('aria-pressed') === 'true';
}

function follow() {
  live.setAttribute('aria-pressed', String(!isLive()));
}

async function poll() {
  if (document.hidden || busy || !isLive()) return;
  busy = true;
  try {
    const now = (await get('/data/version')).version;
    root.querySelector('.failure.lost')?.remove();
    if (version !== null && now !== version) await page.refresh?.();
    version = now;
  } catch (error) {
    if (!root.querySelector('.failure')) {
      fail(error);
      root.querySelector('.failure').classList.add('lost');
    }
  } finally {
    busy = false;
  }
}
setInterval(poll, POLL_MS);
poll();
live.addEventListener('click', follow);

const theme = document.getElementById('theme');
const chosen = localStorage.getItem('theme');
if (chosen) document.documentElement.dataset.theme = chosen;

function turnTheme() {
  const dark = document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  const other = dark === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = other;
  localStorage.setItem('theme', other);
}
theme.addEventListener('click', turnTheme);

const KEYS = [
  ['?', 'these keys'], ['g t, g c, g m, g s', 'traces, conversations, map, metrics (series)'], ['/', 'search'],
  ['j k ↓ ↑', 'next, previous'], ['Enter', 'open'], ['Esc', 'close, or back'], ['f', 'follow live or not'],
  ['t', 'light or dark'], ['x', 'list: mark for comparison; two marked are compared'],
  ['← →', 'trace: fold, unfold'], ['[ ]', 'trace: fold all, unfold all'], ['c', 'trace: conversation or waterfall'],
  ['l', 'trace: log lines as rows'], ['p', 'trace: critical path'], ['e', 'trace: next error'],
  ['n N', 'trace: next, previous found'], ['+ − 0', 'trace: zoom in, out, all (or drag over the times)'], ['d', 'comparison: only differences'],
];
const help = h('dialog', { class: 'help' }, h('table', null, KEYS.map(([key, what]) => h('tr', null, h('th', null, key), h('td', null, what)))));
document.body.append(help);
help.addEventListener('click', () => help.close());
document.getElementById('help').addEventListener('click', () => help.showModal());

const GO = { t: '/', c: '/conversations', m: '/map', s: '/metrics' };
const COMMON = { '?': () => help.showModal(), f: follow, t: turnTheme };
let afterG = false;

document.addEventListener('keydown', (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || help.open) return;
  const typing = event.target.closest?.('input, select, textarea');
  if (typing) {
    if (event.key === 'Escape') typing.blur();
    return;
  }
  const key = event.key;
  if (afterG) {
    afterG = false;
    if (GO[key]) {
      event.preventDefault();
      go(GO[key]);
      return;
    }
  }
  if (key === 'g') {
    afterG = true;
    return;
  }
  if (key === '/') {
    const search = root.querySelector('.search');
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    return;
  }
  const handler = page.keys?.[key] ?? COMMON[key];
  if (handler && handler(event) !== false) event.preventDefault();
});

show();
