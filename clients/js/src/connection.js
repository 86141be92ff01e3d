// Keeps an agent connected: chooses the transport, reconnects, acknowledges.

import { AgentComError, UnavailableError } from "./errors.js";
import { PollSession } from "./poll_session.js";
import { SessionEnded } from "./sessions.js";
import { Backoff, GivenUp, sleep } from "./waiting.js";
import { WebSocketSession } from "./websocket_session.js";

// A connection that lived this long makes the next attempts begin with the shortest delay again.
const stableAfterMs = 5_000;
const longestWebSocketRetryMs = 300_000;
// At the first connection a mistake in the set-up; later a hub whose certificate is being renewed.
const certificate = "untrusted_certificate";

/** @typedef {import("./sessions.js").Session} Session */

export class Connection {
  #setup;
  #calls;
  #transport;
  #backoffRange;
  #backoff;
  #webSocketRetry;
  /** @type {number | null} */
  #webSocketAt = null; // while polling: when WebSocket is tried again
  #closing = new AbortController();
  #wasConnected = false;
  /** @type {AgentComError | null} */
  lastCause = null;

  /**
   * @param {import("./sessions.js").Setup} setup
   * @param {import("./calls.js").Calls} calls
   * @param {{ transport: string, backoff: [number, number], webSocketRetry: number }} options
   */
  constructor(setup, calls, { transport, backoff, webSocketRetry }) {
    this.#setup = setup;
    this.#calls = calls;
    this.#transport = transport;
    this.#backoffRange = backoff;
    this.#backoff = new Backoff(...backoff);
    this.#webSocketRetry = new Backoff(webSocketRetry, Math.max(webSocketRetry, longestWebSocketRetryMs));
  }

  /** Stays connected until close(). Rejects with what makes further attempts useless. */
  async keep() {
    while (!this.#closing.signal.aborted) await this.#oneSession();
  }

  async close() {
    this.#closing.abort();
    await this.#calls.session?.close();
  }

  /** Connects and stays as long as it goes; then waits until the next attempt is due. */
  async #oneSession() {
    let session;
    try {
      session = await this.#open();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!(error instanceof AgentComError)) throw error;
      if (!error.retry && !(this.#wasConnected && error.code === certificate)) throw error;
      this.lastCause = error;
      return this.#pause(this.#backoff.next(error.retryAfter));
    }
    if (this.#closing.signal.aborted) return session.close();
    const opened = performance.now();
    this.#wasConnected = true;
    const { transport, truncated } = session;
    if (!session.ended.holds) this.#calls.use(session);
    this.#setup.emit("connected", { transport, truncated });
    if (truncated) this.#setup.emit("truncated");
    const acknowledging = new AbortController();
    this.#acknowledge(session, acknowledging.signal);
    const ending = await session.run();
    acknowledging.abort();
    this.#setup.emit("disconnected", { reason: ending.reason });
    if (ending.fatal) throw ending.fatal;
    if (performance.now() - opened >= stableAfterMs) this.#backoff.reset();
    if (ending.atOnce) return;
    const delay = this.#backoff.next();
    if (ending.code === 4008) this.#calls.slowDown(delay);
    await this.#pause(delay);
  }

  /**
   * Rejects with AgentComError; `retry` says whether to try again.
   * @returns {Promise<Session>}
   */
  async #open() {
    if (this.#transport === "poll") return PollSession.open(this.#setup, null);
    if (this.#webSocketAt !== null && performance.now() < this.#webSocketAt) {
      return PollSession.open(this.#setup, this.#webSocketAt);
    }
    let reason;
    try {
      const session = await WebSocketSession.open(this.#setup, this.#closing.signal);
      this.#webSocketAt = null;
      this.#webSocketRetry.reset();
      return session;
    } catch (error) {
      if (this.#transport === "websocket" || !(error instanceof UnavailableError) || !error.retry) throw error;
      // Nobody listens there: a poll would tell the same.
      if (/** @type {any} */ (error.cause)?.refused) throw error;
      reason = error;
    }
    const at = performance.now() + this.#webSocketRetry.next();
    try {
      const polls = await PollSession.open(this.#setup, at);
      this.#webSocketAt = at;
      this.#setup.emit("polling", { reason: reason.reason });
      return polls;
    } catch (error) {
      if (error instanceof AgentComError && !error.retry && !error.code.startsWith("http_")) throw error;
      throw reason;
    }
  }

  /** @param {number} ms */
  async #pause(ms) {
    try {
      await sleep(ms, this.#closing.signal);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    }
  }

  /**
   * Acknowledges what was handled; what is handled meanwhile is one acknowledgement.
   * @param {Session} session
   * @param {AbortSignal} signal
   */
  async #acknowledge(session, signal) {
    const { inbox } = this.#setup;
    const backoff = new Backoff(...this.#backoffRange);
    try {
      for (;;) {
        await inbox.ackWanted.wait(signal);
        const seq = inbox.ackDue();
        if (seq === null) continue;
        try {
          await session.acknowledge(seq);
          if (signal.aborted) return;
          inbox.acked(seq);
          backoff.reset();
        } catch (error) {
          if (!(error instanceof SessionEnded || error instanceof AgentComError)) throw error;
          await sleep(backoff.next(), signal); // It goes with the next one.
        }
      }
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    }
  }
}
