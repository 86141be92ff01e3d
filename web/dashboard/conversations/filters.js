// Which messages are shown, as it stands in the address and as it is asked of the hub.

import { previewOf } from "./payload.js";

/** @typedef {import("./types.js").Filters} Filters */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Row} Row */

/** @type {(keyof Filters)[]} */
export const filterNames = ["from", "to", "channel", "type", "text"];

/** @type {Filters} */
export const noFilters = { from: "", to: "", channel: "", type: "", text: "" };

/// The hub takes no longer ones.
const longest = 128;

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
  return (name === "channel" ? trimmed.replace(/^#+/u, "") : trimmed).slice(0, longest);
}

/** @param {Filters} filters */
export function activeFilters(filters) {
  return filterNames.filter((name) => filters[name] !== "");
}

/**
 * The address of the stream with these filters; what is empty is left out, so that equal filters have
 * equal addresses.
 * @param {Partial<Filters>} filters
 * @param {string | null} [selected]  id of a message
 */
export function messagesAddress(filters, selected) {
  const query = new URLSearchParams();
  for (const name of filterNames) {
    const value = filters[name];
    if (value) query.set(name, value);
  }
  if (selected) query.set("id", selected);
  const text = query.toString();
  return text === "" ? "#/messages" : `#/messages?${text}`;
}

/** @param {string} id */
export const threadAddress = (id) => `#/threads/${encodeURIComponent(id)}`;

/** @param {string} name */
export const channelAddress = (name) => `#/channels/${encodeURIComponent(name)}`;

/** @param {string} id */
export const agentAddress = (id) => `#/agents/${encodeURIComponent(id)}`;

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
 * The query for `GET /api/messages`.
 * @param {Filters} filters
 * @param {Record<string, string | number>} page
 */
export function messagesQuery(filters, page) {
  const query = new URLSearchParams();
  for (const name of filterNames) if (filters[name] !== "") query.set(name, filters[name]);
  for (const [name, value] of Object.entries(page)) query.set(name, String(value));
  return query.toString();
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
