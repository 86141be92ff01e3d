/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void>;
/**
 * A signal for the time after which to give up; Infinity: never. clear() when it is over.
 * @param {number} ms
 */
export function deadline(ms: number): {
    signal: AbortSignal;
    giveUp: () => void;
    clear: () => void;
};
/** The call's time is over. */
export class GivenUp extends Error {
}
/** Something that holds or does not; those who wait are woken in their order. */
export class Condition {
    /** @param {boolean} [holds] */
    constructor(holds?: boolean);
    get holds(): boolean;
    /** @param {boolean} holds */
    set(holds: boolean): void;
    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<void>}
     */
    wait(signal?: AbortSignal): Promise<void>;
    #private;
}
/** As many as may go at once; the others wait in their order. */
export class Turns {
    /** @param {number} atOnce */
    constructor(atOnce: number);
    /** @param {AbortSignal} [signal] */
    take(signal?: AbortSignal): Promise<void>;
    release(): void;
    #private;
}
/**
 * A promise that others settle. A rejection that nobody waits for is no error of the program.
 * @template T
 */
export class Deferred<T> {
    settled: boolean;
    /** @type {Promise<T>} */
    promise: Promise<T>;
    /** @param {T} value */
    resolve: (value: T) => void;
    /** @param {unknown} error */
    reject: (error: unknown) => void;
    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<T>}
     */
    wait(signal?: AbortSignal): Promise<T>;
}
/** How long to wait before the next attempt: exponential, with jitter between half of the step and all of it. */
export class Backoff {
    /**
     * @param {number} initial milliseconds
     * @param {number} maximum milliseconds
     */
    constructor(initial: number, maximum: number);
    reset(): void;
    /**
     * The next delay; what the hub asked for (`Retry-After`) is a lower bound.
     * @param {number | null} [atLeast] milliseconds
     */
    next(atLeast?: number | null): number;
    #private;
}
