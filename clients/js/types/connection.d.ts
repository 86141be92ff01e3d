/** @typedef {import("./sessions.js").Session} Session */
export class Connection {
    /**
     * @param {import("./sessions.js").Setup} setup
     * @param {import("./calls.js").Calls} calls
     * @param {{ transport: string, backoff: [number, number], webSocketRetry: number }} options
     */
    constructor(setup: import("./sessions.js").Setup, calls: import("./calls.js").Calls, { transport, backoff, webSocketRetry }: {
        transport: string;
        backoff: [number, number];
        webSocketRetry: number;
    });
    /** @type {AgentComError | null} */
    lastCause: AgentComError | null;
    /** Stays connected until close(). Rejects with what makes further attempts useless. */
    keep(): Promise<void>;
    close(): Promise<void>;
    #private;
}
export type Session = import("./sessions.js").Session;
import { AgentComError } from "./errors.js";
