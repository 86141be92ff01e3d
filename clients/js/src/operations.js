// What an agent can ask of the hub, once as a frame and once as an HTTP request.

import { toMessage } from "./messages.js";

/**
 * @template T
 * @typedef {object} Operation
 * @property {Record<string, unknown> | null} frame null: only HTTP has it
 * @property {string} method empty: only WebSocket has it
 * @property {string} path
 * @property {Record<string, unknown> | null} body
 * @property {(answer: any) => T} parse understands the reply frame and the HTTP answer
 */

const segment = encodeURIComponent;

/** @param {Record<string, any>} fields */
function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/**
 * @param {string} to
 * @param {unknown} payload
 * @param {{ type: string, replyTo?: string, key: string }} options
 * @returns {Operation<import("./messages.js").Sent>}
 */
export function send(to, payload, { type, replyTo, key }) {
  const common = { to, payload, reply_to: replyTo, idempotency_key: key };
  return {
    frame: { type: "message", message_type: type, ...common },
    method: "POST",
    path: "/api/message",
    body: { type, ...common },
    // Over HTTP `status` is the word "sent".
    parse: (answer) => ({ id: answer.id, status: answer.delivery ?? answer.status, seq: answer.seq }),
  };
}

/**
 * @param {string} channel
 * @param {object} payload
 * @param {{ type: string, replyTo?: string, key: string }} options
 * @returns {Operation<import("./messages.js").Published>}
 */
export function publish(channel, payload, { type, replyTo, key }) {
  const common = { payload, reply_to: replyTo, idempotency_key: key };
  return {
    frame: { type: "channel_publish", channel, message_type: type, ...common },
    method: "POST",
    path: `/api/channels/${segment(channel)}/publish`,
    body: { type, ...common },
    parse: (answer) => ({ id: answer.id, channel: answer.channel ?? channel, seq: answer.seq }),
  };
}

/**
 * @param {string} channel
 * @returns {Operation<boolean>}
 */
export function subscribe(channel) {
  return {
    frame: { type: "channel_subscribe", channel },
    method: "POST",
    path: `/api/channels/${segment(channel)}/subscribe`,
    body: {},
    parse: (answer) => ![answer.note, answer.status].includes("already_subscribed"),
  };
}

/**
 * @param {string} channel
 * @returns {Operation<void>}
 */
export function unsubscribe(channel) {
  return {
    frame: { type: "channel_unsubscribe", channel },
    method: "POST",
    path: `/api/channels/${segment(channel)}/unsubscribe`,
    body: {},
    parse: () => undefined,
  };
}

/**
 * @param {string} name
 * @param {string} description
 * @returns {Operation<string>}
 */
export function createChannel(name, description) {
  return {
    frame: null,
    method: "POST",
    path: "/api/channels",
    body: { name, description },
    parse: (answer) => String(answer.channel),
  };
}

/**
 * @param {string} channel
 * @returns {Operation<void>}
 */
export function deleteChannel(channel) {
  return {
    frame: { type: "channel_delete", channel },
    method: "DELETE",
    path: `/api/channels/${segment(channel)}`,
    body: null,
    parse: () => undefined,
  };
}

/** @returns {Operation<import("./messages.js").Channel[]>} */
export function listChannels() {
  return {
    frame: { type: "list_channels" },
    method: "GET",
    path: "/api/channels",
    body: null,
    parse: (answer) => answer.channels.map((/** @type {any} */ channel) => ({
      name: channel.name,
      description: channel.description,
      subscriberCount: channel.subscriber_count,
      createdAt: channel.created_at,
    })),
  };
}

/** @returns {Operation<import("./messages.js").Agent[]>} */
export function listAgents() {
  return {
    frame: { type: "list_agents" },
    method: "GET",
    path: "/api/agents",
    body: null,
    parse: (answer) => answer.agents.map((/** @type {any} */ agent) => ({
      agentId: agent.agent_id,
      name: agent.name,
      status: agent.status,
      capabilities: agent.capabilities,
      connectedAt: agent.connected_at,
    })),
  };
}

/**
 * @param {unknown} status
 * @returns {Operation<void>}
 */
export function setStatus(status) {
  return { frame: { type: "status", status }, method: "", path: "", body: null, parse: () => undefined };
}

/**
 * @param {string} channel
 * @param {number | undefined} since
 * @param {number} limit
 * @returns {Operation<import("./messages.js").HistoryPage>}
 */
export function channelHistory(channel, since, limit) {
  return {
    frame: { type: "channel_history", channel, limit, since },
    method: "GET",
    path: `/api/channels/${segment(channel)}/history?${query({ since, limit })}`,
    body: null,
    parse: (answer) => {
      const messages = answer.messages.map((/** @type {any} */ entry) => toMessage(entry.message));
      return { messages, cursor: messages.at(-1)?.channelSeq ?? since ?? 0 };
    },
  };
}
