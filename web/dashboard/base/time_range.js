// Which times a chart shows. Pure.

/**
 * From the first point to the end of the last: a bar begins at its time and lasts.
 * @param {number | null} first in seconds; null: there are no points
 * @param {number | null} last
 * @param {number} lasts how long what a bar stands for lasts, in seconds
 * @returns {[number | null, number | null]}
 */
export function timeRange(first, last, lasts) {
  return [first, last === null ? null : last + lasts];
}
