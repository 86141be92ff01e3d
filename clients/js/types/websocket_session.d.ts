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
    run(): Promise<import("./sessions.js").Ending>;
    close(): Promise<void>;
    #private;
}
export type Setup = import("./sessions.js").Setup;
export type Ending = import("./sessions.js").Ending;
import { Condition } from "./waiting.js";
