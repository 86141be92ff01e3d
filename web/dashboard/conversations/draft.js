// A message that a person writes: what stands in the form, and what is asked of the hub for it.

import { receiverText } from "./filters.js";
import { isObject } from "./payload.js";

/** @typedef {import("./types.js").Row} Row */

/**
 * @typedef {object} Draft
 * @property {string} to            an agent's name, "#channel", or "broadcast" for everyone
 * @property {string} type
 * @property {"text" | "json"} form how `body` is meant
 * @property {string} body
 * @property {Row | null} answers   the message that is answered
 * @property {string} key           idempotency key: sending a draft twice sends one message
 */

/**
 * @param {Partial<Draft>} [some]
 * @returns {Draft}
 */
export function newDraft(some = {}) {
  return { to: "", type: "", form: "text", body: "", answers: null, key: newKey(), ...some };
}

/// Not randomUUID: browsers have that over HTTPS and on this machine only.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * An answer goes where it is read: to the channel, or to who sent the message. A person's answer to a
 * message of their own goes to whom that went.
 * @param {Row} message
 * @param {string} me  the agent that answers
 */
export function answerTo(message, me) {
  if (message.channel !== null) return newDraft({ to: `#${message.channel}`, answers: message });
  if (message.from !== me) return newDraft({ to: message.from, answers: message });
  const receiver = receiverText(message);
  return newDraft({ to: receiver === "everyone" ? "broadcast" : receiver, answers: message });
}

/**
 * @typedef {object} Send
 * @property {string} path
 * @property {string} json  the request's body. A JSON payload stands in it as it was typed: an id of twenty digits is more
 *   than a number of the browser's holds
 */

/**
 * What is asked of the hub, or the sentence that says what is missing.
 * @param {Draft} draft
 * @returns {{ send: Send } | { problem: string, field: "to" | "body" }}
 */
export function sendOf(draft) {
  const to = draft.to.trim();
  if (to === "") return { problem: "Say to whom it goes.", field: "to" };
  const payload = payloadOf(draft);
  if ("problem" in payload) return { problem: payload.problem, field: "body" };
  /** @type {Record<string, unknown>} */
  const body = { idempotency_key: draft.key };
  if (draft.type.trim() !== "") body.type = draft.type.trim();
  if (draft.answers) body.reply_to = draft.answers.id;
  if (to.startsWith("#")) {
    const channel = to.slice(1);
    if (channel === "") return { problem: "The channel has no name.", field: "to" };
    if (!isObject(payload.value)) return { problem: "The payload of a channel's message is an object: {...}.", field: "body" };
    return { send: { path: `/api/channels/${encodeURIComponent(channel)}/publish`, json: withPayload(body, payload.json) } };
  }
  return { send: { path: "/api/message", json: withPayload({ ...body, to }, payload.json) } };
}

/**
 * @param {Record<string, unknown>} body
 * @param {string} payload  a whole JSON value
 */
function withPayload(body, payload) {
  return `{"payload":${payload},${JSON.stringify(body).slice(1)}`;
}

/**
 * @param {Draft} draft
 * @returns {{ value: unknown, json: string } | { problem: string }}
 */
function payloadOf(draft) {
  if (draft.body.trim() === "") return { problem: "There is nothing to send yet." };
  if (draft.form === "text") {
    const value = { text: draft.body };
    return { value, json: JSON.stringify(value) };
  }
  try {
    return { value: JSON.parse(draft.body), json: draft.body.trim() };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : error}` };
  }
}
