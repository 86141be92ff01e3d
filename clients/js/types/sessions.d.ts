/** The session broke before the answer came; the next one may take the request. */
export class SessionEnded extends Error {
}
/** One connection, identified with `acks`. */
export class WebSocketSession {
    /**
     * Connects and identifies. Rejects with AgentComError.
     * @param {Setup} setup
     * @param {AbortSignal} closing
     */
    static open(setup: Setup, closing: AbortSignal): Promise<WebSocketSession>;
    /** @param {Setup} setup */
    constructor(setup: Setup);
    transport: string;
    truncated: boolean;
    /** It takes no more requests. */
    ended: Condition;
    /**
     * Rejects with SessionEnded when the session broke, AgentComError when the hub refused.
     * @template T
     * @param {import("./operations.js").Operation<T>} operation
     * @param {AbortSignal} [signal]
     * @returns {Promise<T>}
     */
    call<T>(operation: import("./operations.js").Operation<T>, signal?: AbortSignal): Promise<T>;
    /** @param {number} seq */
    acknowledge(seq: number): Promise<void>;
    /**
     * Resolves when what was acknowledged is stored.
     * @param {AbortSignal} [signal]
     */
    flush(signal?: AbortSignal): Promise<void>;
    /** Resolves when the connection has ended. */
    run(): Promise<Ending>;
    close(): Promise<void>;
    #private;
}
/** Long polls of the mailbox; everything else is one HTTP request each. */
export class PollSession {
    /**
     * Asks for the mailbox once. Rejects with AgentComError.
     * @param {Setup} setup
     * @param {number | null} until
     */
    static open(setup: Setup, until: number | null): Promise<PollSession>;
    /**
     * @param {Setup} setup
     * @param {any} first
     * @param {number | null} until time at which WebSocket is tried again
     */
    constructor(setup: Setup, first: any, until: number | null);
    transport: string;
    truncated: boolean;
    ended: Condition;
    /**
     * @template T
     * @param {import("./operations.js").Operation<T>} operation
     * @param {AbortSignal} [signal]
     * @returns {Promise<T>}
     */
    call<T>(operation: import("./operations.js").Operation<T>, signal?: AbortSignal): Promise<T>;
    /** @param {number} seq */
    acknowledge(seq: number): Promise<void>;
    flush(): Promise<void>;
    /** @returns {Promise<Ending>} */
    run(): Promise<Ending>;
    close(): Promise<void>;
    #private;
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
export type Session = WebSocketSession | PollSession;
import { Condition } from "./waiting.js";
import { AgentComError } from "./errors.js";
