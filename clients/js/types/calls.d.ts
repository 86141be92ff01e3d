/** The client was closed, or was never opened. @param {string} reason */
export function closed(reason: string): ClosedError;
/** @typedef {import("./sessions.js").Session} Session */
/** The calls of one client, and the session that they use. */
export class Calls {
    /**
     * @param {[number, number]} backoff
     * @param {number} maxInFlight
     */
    constructor(backoff: [number, number], maxInFlight: number);
    none: Condition;
    get session(): import("./sessions.js").Session | null;
    /** @param {Session | null} session */
    use(session: Session | null): void;
    /**
     * There will be no further session.
     * @param {() => AgentComError} error
     */
    end(error: () => AgentComError): void;
    /**
     * Calls go one by one, and not before so many milliseconds have passed.
     * @param {number} ms
     */
    slowDown(ms: number): void;
    /**
     * The session, as soon as there is one.
     * @param {AbortSignal} [signal]
     * @returns {Promise<Session>}
     */
    ready(signal?: AbortSignal): Promise<Session>;
    /**
     * @template T
     * @param {import("./operations.js").Operation<T>} operation
     * @param {number} timeout
     * @returns {Promise<T>}
     */
    make<T>(operation: import("./operations.js").Operation<T>, timeout: number): Promise<T>;
    #private;
}
export type Session = import("./sessions.js").Session;
import { ClosedError } from "./errors.js";
import { Condition } from "./waiting.js";
import { AgentComError } from "./errors.js";
