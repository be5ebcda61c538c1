// How durations, money, counts and moments are written.

export function duration(ns) {
  if (ns === null || ns === undefined) return '…';
  const sign = ns < 0 ? '-' : '';
  const ms = Math.abs(ns) / 1e6;
  if (ms === 0) return '0';
  if (ms < 0.001) return `${sign}${Math.round(ms * 1e6)}ns`;
  if (ms < 1) return `${sign}${three(ms * 1000)}µs`;
  if (ms < 1000) return `${sign}${three(ms)}ms`;
  if (ms < 60000) return `${sign}${three(ms / 1000)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  return `${sign}${Math.floor(seconds / 3600)}h${pad(Math.floor(seconds % 3600 / 60))}m`;
}

function three(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function pad(value) {
  return String(value).padStart(2, '0');
}

export function money(dollars) {
  if (dollars === null || dollars === undefined) return '';
  if (dollars === 0 || dollars >= 1) return `$${dollars.toFixed(2)}`;
  let places = 4;
  while (places < 10 && dollars < 10 ** (1 - places)) places += 1;
  return `$${dollars.toFixed(places)}`;
}

export function count(value) {
  if (value === null || value === undefined) return '';
  if (value < 10000) return String(value);
  return value < 1e6 ? `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)}k` : `${(value / 1e6).toFixed(1)}M`;
}

export function tokens(input, output) {
  if ((input ?? null) === null && (output ?? null) === null) return '';
  return `${count(input ?? 0)} → ${count(output ?? 0)}`;
}

const today = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

export function clock(ms) {
  const date = new Date(ms);
  const time = `${today.format(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

export function asText(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
