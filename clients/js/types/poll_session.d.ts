/** @typedef {import("./sessions.js").Setup} Setup */
/** @typedef {import("./sessions.js").Ending} Ending */
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
export type Setup = import("./sessions.js").Setup;
export type Ending = import("./sessions.js").Ending;
import { Condition } from "./waiting.js";
