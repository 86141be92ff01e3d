// What the two ways to be connected have in common: a WebSocket, and long polls over HTTP. Both
// have the same methods.

import { AgentComError, ProtocolError, UnavailableError, unreachable } from "./errors.js";
import { reasonOf, retryAfterMs } from "./http.js";

/** The session broke before the answer came; the next one may take the request. */
export class SessionEnded extends Error {}

/**
 * How a session ended. `fatal`: do not connect again; `atOnce`: connect again without a delay;
 * `code`: the close code.
 * @typedef {{ reason: string, fatal?: AgentComError, atOnce?: boolean, code?: number | null }} Ending
 */

/**
 * What sessions need to know of their client.
 * @typedef {object} Setup
 * @property {string} agentId
 * @property {string} token
 * @property {Record<string, unknown>} profile of `identify`; the client changes `status` in it
 * @property {import("./http.js").HttpClient} http
 * @property {import("./inbox.js").Inbox} inbox
 * @property {(kind: string, data?: Record<string, any>) => void} emit
 * @property {() => void} sessionEnded called when a session takes no more requests, before those in flight fail
 * @property {number} openTimeout
 * @property {number} pollWait seconds
 * @property {number} heartbeat
 * @property {number} maxIncomingBytes
 */

/**
 * @typedef {import("./websocket_session.js").WebSocketSession | import("./poll_session.js").PollSession} Session
 */

/**
 * An operation over HTTP.
 * @template T
 * @param {Setup} setup
 * @param {import("./operations.js").Operation<T>} operation
 * @param {AbortSignal} [signal]
 */
export async function callHttp(setup, operation, signal) {
  try {
    const answer = await setup.http.request(operation.method, operation.path, operation.body, signal);
    return parsed(operation, answer);
  } catch (error) {
    if (error instanceof UnavailableError && error.code === "unreachable") throw new SessionEnded(error.reason);
    throw error;
  }
}

/**
 * @template T
 * @param {import("./operations.js").Operation<T>} operation
 * @param {any} answer
 */
export function parsed(operation, answer) {
  try {
    return operation.parse(answer);
  } catch (error) {
    throw new ProtocolError("unexpected_answer", `the hub's answer is not understood: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * @param {Setup} setup
 * @param {any} error
 * @param {boolean} late
 */
export function cannotConnect(setup, error, late) {
  const what = late ? `no answer within ${setup.openTimeout / 1000} s` : reasonOf(error);
  return unreachable(`cannot connect to ${setup.http.url}: ${what}`, error, {
    status: error?.status ?? null,
    retryAfter: retryAfterMs(error?.retryAfter),
  });
}
