// Who talks to whom, laid out as a matrix: a row for each sender, a column for each receiver.

/** @typedef {import("./types.js").Pair} Pair */

/**
 * @typedef {object} Cell
 * @property {number} row
 * @property {number} column
 * @property {string} from
 * @property {string} to
 * @property {number} messages
 * @property {number} bytes
 * @property {number} lastAt
 * @property {number} level     1 to `levels`: how dark it is drawn
 */

/**
 * @typedef {object} Matrix
 * @property {string[]} senders
 * @property {string[]} receivers
 * @property {Cell[]} cells
 * @property {number} messages      in all cells
 * @property {number} leftOut       messages of pairs for which there was no room
 */

export const levels = 5;
/// As many rows and as many columns as one can still read.
export const matrixSide = 30;

/**
 * @param {Pair[]} pairs
 * @param {Matrix | null} [before]  what was shown: who is still there keeps the place, so that nothing jumps
 * @param {number} [side]
 * @returns {Matrix}
 */
export function matrixOf(pairs, before = null, side = matrixSide) {
  const sent = totalsOf(pairs, ({ from }) => from);
  const received = totalsOf(pairs, ({ to }) => to);
  const senders = ordered(busiest(sent, side), sent, before?.senders ?? []);
  const receivers = columns(busiest(received, side), received, senders, before?.receivers ?? []);
  const rows = new Map(senders.map((name, index) => [name, index]));
  const places = new Map(receivers.map((name, index) => [name, index]));
  const most = pairs.reduce((found, { messages }) => Math.max(found, messages), 1);
  /** @type {Cell[]} */
  const cells = [];
  let messages = 0;
  let leftOut = 0;
  for (const pair of pairs) {
    const row = rows.get(pair.from);
    const column = places.get(pair.to);
    if (row === undefined || column === undefined) {
      leftOut += pair.messages;
      continue;
    }
    messages += pair.messages;
    cells.push({
      row, column, from: pair.from, to: pair.to, messages: pair.messages, bytes: pair.bytes,
      lastAt: pair.last_at, level: levelOf(pair.messages, most),
    });
  }
  cells.sort((a, b) => a.row - b.row || a.column - b.column);
  return { senders, receivers, cells, messages, leftOut };
}

/**
 * By the logarithm: between busy pairs the quiet ones are still told apart.
 * @param {number} messages  of a pair
 * @param {number} most      of the busiest pair
 */
export function levelOf(messages, most) {
  if (most <= 1) return levels;
  return 1 + Math.round((levels - 1) * Math.log(Math.max(1, messages)) / Math.log(most));
}

/**
 * @param {Pair[]} pairs
 * @param {(pair: Pair) => string} name
 */
function totalsOf(pairs, name) {
  /** @type {Map<string, number>} */
  const totals = new Map();
  for (const pair of pairs) totals.set(name(pair), (totals.get(name(pair)) ?? 0) + pair.messages);
  return totals;
}

/**
 * @param {Map<string, number>} totals
 * @param {number} count
 */
function busiest(totals, count) {
  return [...totals.keys()].sort(byTotal(totals)).slice(0, count);
}

/** @param {Map<string, number>} totals @returns {(a: string, b: string) => number} */
function byTotal(totals) {
  return (a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0) || (a < b ? -1 : 1);
}

/**
 * @param {string[]} names
 * @param {Map<string, number>} totals
 * @param {string[]} before
 */
function ordered(names, totals, before) {
  const there = new Set(names);
  const kept = before.filter((name) => there.has(name));
  const known = new Set(kept);
  return kept.concat(names.filter((name) => !known.has(name)).sort(byTotal(totals)));
}

/**
 * Agents in the order of the rows, so that both directions of a conversation lie across the diagonal;
 * then those that only receive, channels, and everyone.
 * @param {string[]} names
 * @param {Map<string, number>} totals
 * @param {string[]} senders
 * @param {string[]} before
 */
function columns(names, totals, senders, before) {
  /** @param {string} name */
  const group = (name) => (name === "*" ? 3 : name.startsWith("#") ? 2 : senders.includes(name) ? 0 : 1);
  const places = new Map(ordered(names, totals, before).map((name, index) => [name, index]));
  const rows = new Map(senders.map((name, index) => [name, index]));
  return [...names].sort((a, b) => {
    if (group(a) !== group(b)) return group(a) - group(b);
    if (group(a) === 0) return (rows.get(a) ?? 0) - (rows.get(b) ?? 0);
    return (places.get(a) ?? 0) - (places.get(b) ?? 0);
  });
}

/** @param {string} to */
export function receiverName(to) {
  return to === "*" ? "everyone" : to;
}
