// Asking until there is an answer, over as many sessions as it takes.

import { AgentComError, ClosedError, RequestTimeoutError, isTransient } from "./errors.js";
import { SessionEnded } from "./sessions.js";
import { Backoff, Condition, GivenUp, Turns, deadline, sleep } from "./waiting.js";

/** @typedef {import("./sessions.js").Session} Session */

/** The calls of one client, and the session that they use. */
export class Calls {
  #backoff;
  #slots;
  #underWay = 0;
  #turns = new Turns(1);
  #turnTakers = 0;
  #limited = false; // the hub said rate_limited: calls go one by one
  #holdUntil = 0; // and not before this time
  /** @type {Session | null} */
  #session = null;
  /** @type {(() => AgentComError) | null} */
  #over = null;
  /** There is a session, or there never will be one. */
  #decided = new Condition();
  none = new Condition(true);

  /**
   * @param {[number, number]} backoff
   * @param {number} maxInFlight
   */
  constructor(backoff, maxInFlight) {
    this.#backoff = backoff;
    this.#slots = new Turns(maxInFlight);
  }

  get session() {
    return this.#session;
  }

  /** @param {Session | null} session */
  use(session) {
    this.#session = session;
    this.#decided.set(session !== null || this.#over !== null);
  }

  /**
   * There will be no further session.
   * @param {() => AgentComError} error
   */
  end(error) {
    this.#over ??= error;
    this.#decided.set(true);
  }

  /**
   * Calls go one by one, and not before so many milliseconds have passed.
   * @param {number} ms
   */
  slowDown(ms) {
    this.#limited = true;
    this.#holdUntil = Math.max(this.#holdUntil, performance.now() + ms);
  }

  /**
   * The session, as soon as there is one.
   * @param {AbortSignal} [signal]
   * @returns {Promise<Session>}
   */
  async ready(signal) {
    for (;;) {
      if (this.#over !== null) throw this.#over();
      if (this.#session !== null) return this.#session;
      await this.#decided.wait(signal);
    }
  }

  /**
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {number} timeout
   * @returns {Promise<T>}
   */
  async make(operation, timeout) {
    const limit = deadline(timeout);
    const call = { deadline: performance.now() + timeout, signal: limit.signal, tried: /** @type {Error | null} */ (null) };
    this.#underWay += 1;
    this.none.set(false);
    let hasSlot = false;
    try {
      await this.#slots.take(limit.signal);
      hasSlot = true;
      return await this.#attempts(operation, call, false);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
      const why = call.tried === null ? "" : `: ${call.tried.message}`;
      throw new RequestTimeoutError("timeout", `no answer within ${timeout / 1000} s${why}`, { retry: true, cause: call.tried });
    } finally {
      limit.clear();
      if (hasSlot) this.#slots.release();
      this.#underWay -= 1;
      this.none.set(this.#underWay === 0);
    }
  }

  /**
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {{ deadline: number, signal: AbortSignal, tried: Error | null }} call
   * @param {boolean} ownTurn
   * @returns {Promise<T>}
   */
  async #attempts(operation, call, ownTurn) {
    const backoff = new Backoff(...this.#backoff);
    for (;;) {
      const session = await this.ready(call.signal);
      if (this.#limited) {
        if (!ownTurn) return this.#inTurn(operation, call);
        const hold = this.#holdUntil - performance.now();
        if (hold > 0) {
          await sleep(hold, call.signal);
          continue;
        }
      }
      try {
        return await session.call(operation, call.signal);
      } catch (error) {
        if (error instanceof SessionEnded) {
          call.tried = error;
          if (session === this.#session) await sleep(backoff.next(), call.signal);
          continue;
        }
        if (!(error instanceof AgentComError) || !isTransient(error)) throw error;
        const delay = backoff.next(error.retryAfter);
        if (performance.now() + delay >= call.deadline) throw error;
        call.tried = error;
        if (error.code === "rate_limited") this.slowDown(delay);
        // The hub closes a WebSocket then, and the order is kept.
        else if (error.code === "shutting_down" && session.transport === "websocket") await session.ended.wait(call.signal);
        else await sleep(delay, call.signal);
      }
    }
  }

  /**
   * One by one, until nobody waits any more: all at once would be refused again, and a row of
   * refusals costs the connection.
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {{ deadline: number, signal: AbortSignal, tried: Error | null }} call
   * @returns {Promise<T>}
   */
  async #inTurn(operation, call) {
    this.#turnTakers += 1;
    try {
      await this.#turns.take(call.signal);
      try {
        return await this.#attempts(operation, call, true);
      } finally {
        this.#turns.release();
      }
    } finally {
      this.#turnTakers -= 1;
      if (this.#turnTakers === 0) this.#limited = false;
    }
  }
}

/** The client was closed, or was never opened. @param {string} reason */
export function closed(reason) {
  return new ClosedError("closed", reason);
}
