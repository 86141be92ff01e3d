// The messages of one view, newest first: a stretch of the log without gaps, which grows at its old
// end as one scrolls and at its new end as messages come. Data only, no requests, no clock.

import { plural } from "../base/format.js";

/** @typedef {import("./types.js").Row} Row */

/**
 * @typedef {object} Feed
 * @property {Row[]} rows          newest first
 * @property {Row[]} waiting       came while somebody was reading; newest first, newer than all rows
 * @property {boolean} skipped     more came than is kept waiting: to show them the newest are asked for anew
 * @property {number} newest       up to which seq the log has been looked at
 * @property {number | null} older where to go on for older ones; null at the beginning of the history
 * @property {boolean} full        the list holds as many as it may
 */

/// As many as a list holds: the hub's history has 10,000 unless it is set otherwise.
export const feedLimit = 20_000;
/// As many as are kept while somebody reads.
export const waitingLimit = 500;

/** @type {Feed} */
export const emptyFeed = { rows: [], waiting: [], skipped: false, newest: 0, older: null, full: false };

/**
 * A feed begins with the newest page.
 * @param {Row[]} page          newest first
 * @param {number} newest       the hub's newest message when the page was asked for
 * @param {number | null} older
 * @returns {Feed}
 */
export function begun(page, newest, older) {
  return { ...emptyFeed, rows: page, newest: Math.max(newest, page[0]?.seq ?? 0), older };
}

/**
 * @param {Feed} feed
 * @param {Row[]} page          newest first
 * @param {number | null} older
 * @returns {Feed}
 */
export function withOlder(feed, page, older) {
  const last = feed.rows.at(-1)?.seq ?? Infinity;
  const fresh = page.filter(({ seq }) => seq < last);
  const rows = fresh.length > 0 ? feed.rows.concat(fresh).slice(0, feedLimit) : feed.rows;
  return { ...feed, rows, older, full: rows.length >= feedLimit };
}

/**
 * What came since, to wait until it is shown.
 * @param {Feed} feed
 * @param {Row[]} page     newest first
 * @param {number} newest  up to which seq the log has now been looked at
 * @returns {Feed}
 */
export function withNewer(feed, page, newest) {
  const first = feed.waiting[0]?.seq ?? feed.rows[0]?.seq ?? 0;
  const fresh = page.filter(({ seq }) => seq > first);
  const waiting = fresh.length > 0 ? fresh.concat(feed.waiting) : feed.waiting;
  return {
    ...feed, newest: Math.max(feed.newest, newest), waiting: waiting.slice(0, waitingLimit),
    skipped: feed.skipped || waiting.length > waitingLimit,
  };
}

/**
 * More came than can be asked for in between: what waits has a gap behind it.
 * @param {Feed} feed
 * @param {number} newest
 * @returns {Feed}
 */
export function withSkipped(feed, newest) {
  return { ...feed, newest: Math.max(feed.newest, newest), skipped: true };
}

/**
 * What waited is shown. Where something was skipped the caller asks for the newest page instead.
 * @param {Feed} feed
 * @returns {Feed}
 */
export function shown(feed) {
  if (feed.waiting.length === 0) return feed;
  const rows = feed.waiting.concat(feed.rows);
  if (rows.length <= feedLimit) return { ...feed, rows, waiting: [] };
  const kept = rows.slice(0, feedLimit);
  return { ...feed, rows: kept, waiting: [], older: kept.at(-1)?.seq ?? null, full: true };
}

/** @param {Feed} feed */
export function waitingText(feed) {
  const count = feed.waiting.length;
  if (count === 0 && !feed.skipped) return "";
  if (feed.skipped) return count < waitingLimit ? "Many new messages" : `More than ${count} new messages`;
  return plural(count, "new message");
}
