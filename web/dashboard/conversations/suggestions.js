// Names that are offered while one is typed. A browser's list with more would be slow. Pure.

export const mostOffered = 200;

/**
 * Those in which something of what is typed occurs, letter case aside; with nothing typed the first ones.
 * @param {Iterable<string>} names
 * @param {string[]} typed
 */
export function fitting(names, typed) {
  const wanted = typed.filter(Boolean).map((text) => text.toLowerCase());
  const found = [];
  for (const name of names) {
    if (found.length >= mostOffered) break;
    if (wanted.length === 0 || wanted.some((text) => name.toLowerCase().includes(text))) found.push(name);
  }
  return found;
}
