// Where the messages of a view come from: the hub's history by filters, or the history of a channel.
// Both are read newest first, a page at a time, and asked for what came since.

import { get, path, shellWord } from "../base/api.js";
import { activeFilters, rowOf } from "./filters.js";

/** @typedef {import("./types.js").Filters} Filters */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Row} Row */

/**
 * @typedef {object} Page
 * @property {Row[]} rows           newest first
 * @property {number | null} older  where older ones begin; null when there are none
 */

/**
 * @typedef {object} News
 * @property {Row[]} rows      newest first
 * @property {number} newest   up to where has been looked
 * @property {boolean} more    there is more behind that
 */

/**
 * @typedef {object} Source
 * @property {(before: number | null, signal: AbortSignal) => Promise<Page>} page
 * @property {(after: number, signal: AbortSignal) => Promise<News>} news
 * @property {boolean} inLog   positions are those of the hub's log, so `head_seq` says how far it is
 * @property {boolean} all     all of the log is read: so much as it has grown there is to read
 */

const pageSize = 200;
export const newsSize = 200;

/**
 * @param {Filters} filters
 * @returns {Source}
 */
export function filteredSource(filters) {
  return {
    inLog: true,
    all: activeFilters(filters).length === 0,
    async page(before, signal) {
      const answer = await get("/api/messages", { ...filters, order: "newest", before, limit: pageSize }, signal);
      /** @type {Message[]} */
      const messages = answer.messages;
      const more = answer.more === true || messages.length >= pageSize;
      return { rows: messages.map(rowOf), older: more ? answer.cursor : null };
    },
    async news(after, signal) {
      const answer = await get("/api/messages", { ...filters, cursor: after, limit: newsSize }, signal);
      /** @type {Message[]} */
      const messages = answer.messages;
      return {
        rows: messages.map(rowOf).reverse(), newest: answer.cursor ?? messages.at(-1)?.seq ?? after,
        more: answer.more === true || messages.length >= newsSize,
      };
    },
  };
}

/** What publishes a first message, for a shell. @param {string} channel */
export function publishCommand(channel) {
  return `agentcom publish ${shellWord(channel)} 'hello'`;
}

/**
 * @typedef {{ seq: number, message: Message }} ChannelEntry
 */

/**
 * @param {string} channel
 * @returns {Source}  its positions are the channel's
 */
export function channelSource(channel) {
  const where = path`/api/channels/${channel}/history`;
  /** @param {ChannelEntry[]} entries */
  const rows = (entries) =>
    entries.map(({ seq, message }) => ({ ...rowOf({ ...message, channel }), seq, channelSeq: seq })).reverse();
  return {
    inLog: false,
    all: false,
    async page(before, signal) {
      const answer = await get(where, { before, limit: pageSize }, signal);
      return { rows: rows(answer.messages), older: answer.before ?? null };
    },
    async news(after, signal) {
      const answer = await get(where, { since: after, limit: newsSize }, signal);
      const news = rows(answer.messages);
      return { rows: news, newest: news[0]?.seq ?? after, more: answer.cursor !== undefined };
    },
  };
}
