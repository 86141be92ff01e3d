// A long list of which only the rows near the window are in the page. It scrolls with the page, not
// inside a box of its own, so that a phone has one thing to scroll. Rows have a height that is known
// beforehand, in rem, so that they grow with the reader's font.

import { html, useLayoutEffect, useReducer, useRef } from "./dom.js";

/** Rows drawn beyond the window's edges, so that scrolling does not show empty places. */
const spare = 8;

/** @returns {number} pixels */
export function rem() {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

/**
 * Which rows are near the window: from `first` up to, without, `end`.
 * @param {number} count of all rows
 * @param {number} height of a row, in pixels
 * @param {number} top of the list against the window's, in pixels; negative once it has been scrolled
 * @param {number} windowHeight in pixels
 */
export function rowsInWindow(count, height, top, windowHeight) {
  const first = Math.max(0, Math.floor(-top / height) - spare);
  const end = Math.min(count, Math.ceil((windowHeight - top) / height) + spare);
  return { first: Math.min(first, count), end: Math.max(end, Math.min(first, count)) };
}

/**
 * A row as it was drawn last: preact leaves alone what it is given once more.
 * @template T
 * @typedef {{ item: T, index: number, count: number, rowRem: number, node: unknown }} Drawn
 */

/**
 * @template T
 * @param {object} props
 * @param {T[]} props.items
 * @param {number} props.rowRem height of a row
 * @param {(item: T) => string} props.keyOf
 * @param {(item: T, index: number) => import("preact").ComponentChildren} props.row what is in the row; while this is the
 *   same function (useCallback) a row that stays in the window is not drawn again
 * @param {(item: T, index: number) => Record<string, unknown>} [props.rowProps] attributes of the row's element
 * @param {string} [props.role] of the list, `list` by default; `rowgroup` in a table
 * @param {string} [props.label]
 * @param {string} [props.class]
 * @param {number} [props.keep] index of a row that stays in the page wherever it is, such as the one with the focus
 */
export function VirtualList({ items, rowRem, keyOf, row, rowProps, role = "list", label, class: className, keep = -1 }) {
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const range = useRef({ first: 0, end: Math.min(items.length, 40) });
  const height = rowRem * rem();
  const drawn = useRef(/** @type {{ row: unknown, rows: Map<string, Drawn<T>> }} */ ({ row, rows: new Map() }));

  const look = () => {
    const top = list.current?.getBoundingClientRect().top ?? 0;
    return rowsInWindow(items.length, height, top, innerHeight);
  };
  const lookAgain = useRef(() => {});
  lookAgain.current = () => {
    const seen = look();
    if (seen.first === range.current.first && seen.end === range.current.end) return;
    range.current = seen;
    redraw(0);
  };
  useLayoutEffect(() => {
    const follow = () => lookAgain.current();
    addEventListener("scroll", follow, { passive: true });
    addEventListener("resize", follow, { passive: true });
    return () => {
      removeEventListener("scroll", follow);
      removeEventListener("resize", follow);
    };
  }, []);
  useLayoutEffect(() => lookAgain.current());

  const first = Math.min(range.current.first, items.length);
  const end = Math.min(range.current.end, items.length);
  const shown = [];
  for (let i = first; i < end; ++i) shown.push(i);
  if (keep >= 0 && keep < items.length && (keep < first || keep >= end)) keep < first ? shown.unshift(keep) : shown.push(keep);
  const inTable = role === "rowgroup";

  /** @type {Map<string, Drawn<T>>} */
  const rows = new Map();
  const before = drawn.current.row === row ? drawn.current.rows : rows;
  for (const i of shown) {
    const item = items[i];
    const key = keyOf(item);
    const same = before.get(key);
    const reuse = same && same.item === item && same.index === i && same.count === items.length && same.rowRem === rowRem;
    rows.set(key, reuse ? same : {
      item, index: i, count: items.length, rowRem,
      node: html`<div key=${key} role=${inTable ? "row" : "listitem"} class="virtual-row"
        aria-rowindex=${inTable ? i + 2 : undefined}
        aria-setsize=${inTable ? undefined : items.length} aria-posinset=${inTable ? undefined : i + 1}
        style=${{ height: `${rowRem}rem`, transform: `translateY(${i * rowRem}rem)` }}
        ...${rowProps?.(item, i)}>${row(item, i)}</div>`,
    });
  }
  drawn.current = { row, rows };
  return html`<div ref=${list} role=${role} aria-label=${label} class="virtual ${className ?? ""}"
      style=${{ height: `${items.length * rowRem}rem` }}>
    ${[...rows.values()].map(({ node }) => node)}
  </div>`;
}

/**
 * Scrolls the page so far that a row of a virtual list is in it, below what is stuck to the top.
 * @param {Element | null} list the element with the class `virtual`
 * @param {number} index
 * @param {number} rowRem
 */
export function scrollToRow(list, index, rowRem) {
  if (!list) return;
  const height = rowRem * rem();
  const stuck = document.querySelector(".topbar")?.getBoundingClientRect().height ?? 0;
  const top = list.getBoundingClientRect().top + index * height;
  const margin = height;
  if (top < stuck + margin) scrollBy(0, top - stuck - margin);
  else if (top + height > innerHeight - margin) scrollBy(0, top + height - innerHeight + margin);
}
