// Which messages are shown, as it stands in the address and as it is asked of the hub.

import { previewOf } from "./payload.js";

/** @typedef {import("./types.js").Filters} Filters */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Row} Row */

/** @type {(keyof Filters)[]} */
export const filterNames = ["from", "to", "channel", "type", "text"];

/** @type {Filters} */
export const noFilters = { from: "", to: "", channel: "", type: "", text: "" };

/** @type {Record<keyof Filters, number>} What the hub takes, in bytes. */
const longest = { from: 128, to: 128, channel: 128, type: 128, text: 256 };

/**
 * @param {URLSearchParams} address  the query of the fragment
 * @returns {Filters}
 */
export function filtersOf(address) {
  const filters = { ...noFilters };
  for (const name of filterNames) filters[name] = cleaned(name, address.get(name) ?? "");
  return filters;
}

/**
 * @param {keyof Filters} name
 * @param {string} value
 */
export function cleaned(name, value) {
  const trimmed = name === "text" ? value : value.trim();
  const bare = name === "channel" ? trimmed.replace(/^#+/u, "") : trimmed;
  return bare.slice(0, new TextEncoder().encodeInto(bare, new Uint8Array(longest[name])).read);
}

/** @param {Filters} filters */
export function activeFilters(filters) {
  return filterNames.filter((name) => filters[name] !== "");
}

/**
 * The parameters of the address; what is empty is left out.
 * @param {Partial<Filters>} filters
 */
export function addressOf(filters) {
  return Object.fromEntries(filterNames.map((name) => [name, filters[name] ?? ""]));
}

/**
 * Where one end of a pair leads: an agent's, a channel's or everyone's messages.
 * @param {string} to
 * @returns {Partial<Filters>}
 */
export function receiverFilter(to) {
  if (to === "*") return { to: "broadcast" };
  return to.startsWith("#") ? { channel: to.slice(1) } : { to };
}

/**
 * @param {Message} message
 * @returns {Row}
 */
export function rowOf(message) {
  return {
    id: message.id, seq: message.seq, from: message.from, to: message.to, channel: message.channel ?? null,
    channelSeq: message.channel_seq ?? null, type: message.type, reply_to: message.reply_to,
    timestamp: message.timestamp, preview: previewOf(message.payload),
  };
}

/**
 * To whom a message went, in words.
 * @param {Pick<Row, "to" | "channel">} message
 */
export function receiverText(message) {
  if (message.channel !== null && message.channel !== undefined) return `#${message.channel}`;
  return message.to === null || message.to === "broadcast" ? "everyone" : message.to;
}
