// Waiting: for a state, for time to pass, for one's turn. Everything can be given up by a signal.

/** The call's time is over. */
export class GivenUp extends Error {}

/**
 * Calls `start(settle)`, which arranges for settle() to be called; its result cleans up.
 * @param {AbortSignal | undefined} signal
 * @param {(settle: () => void) => () => void} start
 * @returns {Promise<void>}
 */
function waitFor(signal, start) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new GivenUp());
    const end = () => {
      signal?.removeEventListener("abort", giveUp);
      cleanUp();
    };
    const giveUp = () => {
      end();
      reject(new GivenUp());
    };
    signal?.addEventListener("abort", giveUp);
    const cleanUp = start(() => {
      end();
      resolve();
    });
  });
}

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export function sleep(ms, signal) {
  return waitFor(signal, (settle) => {
    const timer = setTimeout(settle, ms);
    return () => clearTimeout(timer);
  });
}

// The longest that a timer of the platform takes; it makes more than that 1 ms.
const longestTimerMs = 2 ** 31 - 1;

/**
 * A signal for the time after which to give up; Infinity: never. clear() when it is over.
 * @param {number} ms
 */
export function deadline(ms) {
  const controller = new AbortController();
  const timer = ms > longestTimerMs ? undefined : setTimeout(() => controller.abort(), ms);
  return {
    signal: controller.signal,
    giveUp: () => controller.abort(),
    clear: () => clearTimeout(timer),
  };
}

/** Something that holds or does not; those who wait are woken in their order. */
export class Condition {
  #holds;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {boolean} [holds] */
  constructor(holds = false) {
    this.#holds = holds;
  }

  get holds() {
    return this.#holds;
  }

  /** @param {boolean} holds */
  set(holds) {
    this.#holds = holds;
    if (!holds) return;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const settle of woken) settle();
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<void>}
   */
  wait(signal) {
    if (this.#holds) return Promise.resolve();
    return waitFor(signal, (settle) => {
      this.#waiting.add(settle);
      return () => this.#waiting.delete(settle);
    });
  }
}

/** As many as may go at once; the others wait in their order. */
export class Turns {
  #free;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {number} atOnce */
  constructor(atOnce) {
    this.#free = atOnce;
  }

  /** @param {AbortSignal} [signal] */
  async take(signal) {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await waitFor(signal, (settle) => {
      this.#waiting.add(settle);
      return () => this.#waiting.delete(settle);
    });
  }

  release() {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/**
 * A promise that others settle. A rejection that nobody waits for is no error of the program.
 * @template T
 */
export class Deferred {
  settled = false;

  constructor() {
    /** @type {Promise<T>} */
    this.promise = new Promise((resolve, reject) => {
      /** @param {T} value */
      this.resolve = (value) => {
        this.settled = true;
        resolve(value);
      };
      /** @param {unknown} error */
      this.reject = (error) => {
        this.settled = true;
        reject(error);
      };
    });
    this.promise.catch(() => {});
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async wait(signal) {
    await waitFor(signal, (settle) => {
      this.promise.then(settle, settle);
      return () => {};
    });
    return this.promise;
  }
}

// Whatever somebody on the way asks for.
const longestRetryAfterMs = 300_000;

/** How long to wait before the next attempt: exponential, with jitter between half of the step and all of it. */
export class Backoff {
  #initial;
  #maximum;
  #step;

  /**
   * @param {number} initial milliseconds
   * @param {number} maximum milliseconds
   */
  constructor(initial, maximum) {
    if (!(initial > 0 && initial <= maximum)) {
      throw new RangeError("backoff: 0 < initial <= maximum must hold");
    }
    this.#initial = initial;
    this.#maximum = maximum;
    this.#step = initial;
  }

  reset() {
    this.#step = this.#initial;
  }

  /**
   * The next delay; what the hub asked for (`Retry-After`) is a lower bound.
   * @param {number | null} [atLeast] milliseconds
   */
  next(atLeast = null) {
    if (atLeast !== null) atLeast = Math.min(atLeast, longestRetryAfterMs);
    const delay = this.#step / 2 + (Math.random() * this.#step) / 2;
    this.#step = Math.min(this.#step * 2, this.#maximum);
    // Jitter here, too: a thousand clients were told the same second.
    return atLeast !== null && atLeast > delay ? atLeast + Math.random() * this.#initial : delay;
  }
}
