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
export function callHttp<T>(setup: Setup, operation: import("./operations.js").Operation<T>, signal?: AbortSignal): Promise<T>;
/**
 * @template T
 * @param {import("./operations.js").Operation<T>} operation
 * @param {any} answer
 */
export function parsed<T>(operation: import("./operations.js").Operation<T>, answer: any): T;
/**
 * @param {Setup} setup
 * @param {any} error
 * @param {boolean} late
 */
export function cannotConnect(setup: Setup, error: any, late: boolean): UnavailableError;
/** The session broke before the answer came; the next one may take the request. */
export class SessionEnded extends Error {
}
/**
 * How a session ended. `fatal`: do not connect again; `atOnce`: connect again without a delay;
 * `code`: the close code.
 */
export type Ending = {
    reason: string;
    fatal?: AgentComError;
    atOnce?: boolean;
    code?: number | null;
};
/**
 * What sessions need to know of their client.
 */
export type Setup = {
    agentId: string;
    token: string;
    /**
     * of `identify`; the client changes `status` in it
     */
    profile: Record<string, unknown>;
    http: import("./http.js").HttpClient;
    inbox: import("./inbox.js").Inbox;
    emit: (kind: string, data?: Record<string, any>) => void;
    /**
     * called when a session takes no more requests, before those in flight fail
     */
    sessionEnded: () => void;
    openTimeout: number;
    /**
     * seconds
     */
    pollWait: number;
    heartbeat: number;
    maxIncomingBytes: number;
};
export type Session = import("./websocket_session.js").WebSocketSession | import("./poll_session.js").PollSession;
import { UnavailableError } from "./errors.js";
import { AgentComError } from "./errors.js";
