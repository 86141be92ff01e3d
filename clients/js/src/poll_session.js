// Connected over HTTP.

import { AgentComError, AuthenticationError, TokenRevokedError, UnavailableError } from "./errors.js";
import { toMailboxMessage } from "./messages.js";
import { SessionEnded, callHttp, cannotConnect } from "./sessions.js";
import { Condition, GivenUp, deadline, sleep } from "./waiting.js";

/** @typedef {import("./sessions.js").Setup} Setup */
/** @typedef {import("./sessions.js").Ending} Ending */

/** Long polls of the mailbox; everything else is one HTTP request each. */
export class PollSession {
  transport = "poll";
  truncated;
  ended = new Condition();
  #setup;
  #until;
  #stop = new AbortController();

  /**
   * @param {Setup} setup
   * @param {any} first
   * @param {number | null} until time at which WebSocket is tried again
   */
  constructor(setup, first, until) {
    this.#setup = setup;
    this.#until = until;
    this.truncated = first.truncated === true;
  }

  /**
   * Asks for the mailbox once. Rejects with AgentComError.
   * @param {Setup} setup
   * @param {number | null} until
   */
  static async open(setup, until) {
    const limit = deadline(setup.openTimeout);
    try {
      const answer = await setup.http.request("GET", mailbox(setup, "?limit=1"), null, limit.signal);
      setup.inbox.begin(epochOf(answer));
      if (answer.truncated === true && answer.messages.length === 0) {
        setup.inbox.lost(Number(answer.last_seq));
      }
      return new PollSession(setup, answer, until);
    } catch (error) {
      throw error instanceof GivenUp ? cannotConnect(setup, error, true) : error;
    } finally {
      limit.clear();
    }
  }

  /**
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async call(operation, signal) {
    // There is no connection that could have a status; the next WebSocket tells it.
    if (operation.method === "") return operation.parse({});
    return callHttp(this.#setup, operation, signal);
  }

  /** @param {number} seq */
  async acknowledge(seq) {
    const limit = deadline(this.#setup.openTimeout);
    try {
      await this.#setup.http.request("POST", mailbox(this.#setup, "/ack"), { seq }, limit.signal);
    } catch (error) {
      if (error instanceof AgentComError) throw error;
      throw new SessionEnded("no answer to an acknowledgement");
    } finally {
      limit.clear();
    }
  }

  async flush() {}

  /** @returns {Promise<Ending>} */
  async run() {
    try {
      return await this.#poll();
    } catch (error) {
      if (this.#stop.signal.aborted) return { reason: "closed" };
      if (error instanceof AuthenticationError) {
        const reason = `the hub does not take the token any more: ${error.reason}`;
        return { reason, fatal: new TokenRevokedError("token_revoked", reason) };
      }
      if (error instanceof AgentComError) return { reason: error.message, fatal: error.retry ? undefined : error };
      if (error instanceof GivenUp) return { reason: "a poll was not answered" };
      throw error;
    } finally {
      this.#setup.sessionEnded();
      this.ended.set(true);
    }
  }

  async close() {
    this.#stop.abort();
  }

  /**
   * @param {string} path
   * @param {number} ms
   */
  async #get(path, ms) {
    const limit = deadline(ms);
    this.#stop.signal.addEventListener("abort", limit.giveUp);
    try {
      return await this.#setup.http.request("GET", path, null, limit.signal);
    } finally {
      this.#stop.signal.removeEventListener("abort", limit.giveUp);
      limit.clear();
    }
  }

  /** @returns {Promise<Ending>} */
  async #poll() {
    const { inbox, emit, pollWait } = this.#setup;
    for (;;) {
      await inbox.drained.wait(this.#stop.signal);
      if (inbox.behind) return { reason: "caught up with the queue", atOnce: true };
      let wait = pollWait;
      if (this.#until !== null) {
        wait = Math.min(wait, (this.#until - performance.now()) / 1000);
        if (wait <= 0) return { reason: "trying WebSocket again", atOnce: true };
      }
      const started = performance.now();
      const limit = Math.min(50, inbox.room());
      const query = `?since=${inbox.queued}&limit=${limit}&wait=${Math.max(1, Math.floor(wait))}`;
      const answer = await this.#get(mailbox(this.#setup, query), (wait + 15) * 1000);
      if (epochOf(answer) !== inbox.epoch) return { reason: "the store is another one", atOnce: true };
      for (const body of answer.messages) {
        inbox.offer(toMailboxMessage(body), JSON.stringify(body.payload).length);
      }
      if (answer.truncated === true && !this.truncated) emit("truncated");
      this.truncated = answer.truncated === true;
      if (this.truncated && answer.messages.length === 0) inbox.lost(Number(answer.last_seq));
      // A hub that stops answers empty polls at once.
      if (answer.messages.length === 0 && performance.now() - started < 500) {
        await sleep(1000, this.#stop.signal);
      }
    }
  }
}

/**
 * @param {Setup} setup
 * @param {string} rest
 */
function mailbox(setup, rest) {
  return `/api/mailbox/${encodeURIComponent(setup.agentId)}${rest}`;
}

/** @param {any} answer @returns {string} */
function epochOf(answer) {
  if (typeof answer.epoch !== "string" || !Array.isArray(answer.messages)) {
    throw new UnavailableError("unreachable", "this is no AgentCom hub", { retry: true });
  }
  return answer.epoch;
}
