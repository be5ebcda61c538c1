// What the pages ask the server for.

export async function get(path, query) {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of [value].flat()) if (one) parts.append(name, one);
  }
  const address = parts.size ? `${path}?${parts}` : path;
  let response;
  try {
    response = await fetch(address, { credentials: 'same-origin' });
  } catch {
    throw new Error('obsctl view does not answer: it has ended, or is busy');
  }
  if (response.ok) return response.json();
  const text = await response.text();
  let said = text;
  try {
    said = JSON.parse(text).error ?? text;
  } catch { /* it is a plain text */ }
  throw new Error(said || `${response.status}`);
}
