// Two ways to be connected, behind one interface: a WebSocket, and long polls over HTTP.

import {
  AgentComError, AuthenticationError, ProtocolError, ReplacedError, TokenRevokedError, TooLargeError,
  UnavailableError, hubError,
} from "./errors.js";
import { encode, reasonOf, retryAfterMs } from "./http.js";
import { toMailboxMessage, toMessage } from "./messages.js";
import { channelHistory } from "./operations.js";
import { Condition, Deferred, GivenUp, deadline, sleep } from "./waiting.js";
import { openSocket } from "./websocket.js";

/** The session broke before the answer came; the next one may take the request. */
export class SessionEnded extends Error {}

/**
 * How a session ended. `fatal`: do not connect again; `atOnce`: connect again without a delay;
 * `code`: the close code.
 * @typedef {{ reason: string, fatal?: AgentComError, atOnce?: boolean, code?: number | null }} Ending
 */

/**
 * What sessions need to know of their client.
 * @typedef {object} Setup
 * @property {string} agentId
 * @property {string} token
 * @property {Record<string, unknown>} profile of `identify`; the client changes `status` in it
 * @property {import("./http.js").HttpClient} http
 * @property {import("./inbox.js").Inbox} inbox
 * @property {(kind: string, data?: Record<string, any>) => void} emit
 * @property {() => void} sessionEnded called when a session takes no more requests, before those in flight fail
 * @property {number} openTimeout
 * @property {number} pollWait seconds
 * @property {number} heartbeat
 * @property {number} maxIncomingBytes
 */

/** @typedef {WebSocketSession | PollSession} Session */

/**
 * An operation over HTTP.
 * @template T
 * @param {Setup} setup
 * @param {import("./operations.js").Operation<T>} operation
 * @param {AbortSignal} [signal]
 */
async function callHttp(setup, operation, signal) {
  try {
    const answer = await setup.http.request(operation.method, operation.path, operation.body, signal);
    return parsed(operation, answer);
  } catch (error) {
    if (error instanceof UnavailableError && error.code === "unreachable") throw new SessionEnded(error.reason);
    throw error;
  }
}

/**
 * @template T
 * @param {import("./operations.js").Operation<T>} operation
 * @param {any} answer
 */
function parsed(operation, answer) {
  try {
    return operation.parse(answer);
  } catch (error) {
    throw new ProtocolError("unexpected_answer", `the hub's answer is not understood: ${reasonOf(error)}`, { cause: error });
  }
}

/** One connection, identified with `acks`. */
export class WebSocketSession {
  transport = "websocket";
  truncated = false;
  /** It takes no more requests. */
  ended = new Condition();
  #setup;
  /** @type {import("./websocket.js").Socket | undefined} */
  #socket;
  #maxFrameBytes = 0;
  #nextRef = 0;
  /** @type {Map<number, Deferred<any>>} */
  #pending = new Map();
  /** @type {Deferred<any>} */
  #identified = new Deferred();
  /** @type {Deferred<Ending>} */
  #ending = new Deferred();
  #heardOf = true; // since the last beat
  #asked = false; // a ping waits for its pong
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heart;
  #resyncing = false;

  /** @param {Setup} setup */
  constructor(setup) {
    this.#setup = setup;
  }

  /**
   * Connects and identifies. Rejects with AgentComError.
   * @param {Setup} setup
   * @param {AbortSignal} closing
   */
  static async open(setup, closing) {
    const session = new WebSocketSession(setup);
    const limit = deadline(setup.openTimeout);
    closing.addEventListener("abort", limit.giveUp);
    try {
      const url = `${setup.http.url.replace(/^http/, "ws")}/ws`;
      const events = {
        onText: (/** @type {string} */ text) => session.#arrived(text),
        onEnd: (/** @type {import("./websocket.js").SocketEnd} */ end) => session.#end(session.#understoodEnd(end)),
      };
      session.#socket = await openSocket(url, events, setup.maxIncomingBytes, limit.signal);
      const { agentId, token, profile } = setup;
      session.#socket.send(encode({ type: "identify", agent_id: agentId, token, acks: true, echo: false, ...profile }));
      await session.#identified.wait(limit.signal);
      return session;
    } catch (error) {
      session.#socket?.abort();
      if (error instanceof AgentComError) throw error;
      throw cannotConnect(setup, error, limit.signal.aborted);
    } finally {
      limit.clear();
      closing.removeEventListener("abort", limit.giveUp);
    }
  }

  /**
   * Rejects with SessionEnded when the session broke, AgentComError when the hub refused.
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async call(operation, signal) {
    if (operation.frame === null) return callHttp(this.#setup, operation, signal);
    if (this.ended.holds) throw new SessionEnded("the connection is closed");
    this.#nextRef += 1;
    const ref = this.#nextRef;
    const text = encode({ ...operation.frame, ref });
    const bytes = text.length > this.#maxFrameBytes / 3 ? new TextEncoder().encode(text).length : text.length;
    if (bytes > this.#maxFrameBytes) {
      throw new TooLargeError("body_too_large", `the request has ${bytes} bytes, the hub takes ${this.#maxFrameBytes}`);
    }
    /** @type {Deferred<any>} */
    const reply = new Deferred();
    this.#pending.set(ref, reply);
    try {
      this.#socket?.send(text);
      const answer = await reply.wait(signal);
      if (answer.type === "error") throw hubError(answer);
      return parsed(operation, answer);
    } finally {
      this.#pending.delete(ref);
    }
  }

  /** @param {number} seq */
  async acknowledge(seq) {
    if (this.ended.holds) throw new SessionEnded("the connection is closed");
    this.#socket?.send(encode({ type: "ack", seq }));
  }

  /**
   * Resolves when what was acknowledged is stored.
   * @param {AbortSignal} [signal]
   */
  async flush(signal) {
    // Acknowledgements have no answer, but a read is answered after the writes before it.
    await this.call(channelHistory("flush", undefined, 1), signal);
  }

  /** Resolves when the connection has ended. */
  run() {
    return this.#ending.promise;
  }

  async close() {
    await this.#socket?.close();
  }

  /** @param {string} text */
  #arrived(text) {
    this.#heardOf = true;
    let frame;
    try {
      frame = JSON.parse(text);
      if (typeof frame?.type !== "string") throw new TypeError("not an object with a type");
      if (!this.#identified.settled) return this.#answerToIdentify(frame);
      this.#dispatch(frame, text.length);
    } catch (error) {
      const fatal = new ProtocolError("unexpected_frame", `a frame is not understood: ${reasonOf(error)}`, { cause: error });
      this.#identified.reject(fatal);
      this.#end({ reason: "a frame is not understood", fatal });
      this.#socket?.abort();
    }
  }

  /** @param {any} frame */
  #answerToIdentify(frame) {
    if (frame.type === "error") return this.#identified.reject(hubError(frame));
    if (frame.type !== "identified") throw new TypeError("no answer to identify");
    this.#maxFrameBytes = Number(frame.limits.max_frame_bytes);
    this.truncated = frame.truncated === true;
    this.#setup.inbox.begin(String(frame.epoch));
    this.#heart = setInterval(() => this.#beat(), this.#setup.heartbeat);
    this.#resyncWhenDrained();
    this.#identified.resolve(frame);
  }

  /**
   * @param {any} frame
   * @param {number} size
   */
  #dispatch(frame, size) {
    if (frame.type === "message" || frame.type === "channel_message") {
      return this.#setup.inbox.offer(toMessage(frame), size);
    }
    if (frame.ref !== undefined) return this.#pending.get(frame.ref)?.resolve(frame);
    if (frame.type === "error") {
      const error = hubError(frame);
      return this.#setup.emit("hub_error", { code: error.code, reason: error.reason });
    }
    if (frame.type === "pong") {
      this.#asked = false;
      return;
    }
    const { type, ...data } = frame;
    this.#setup.emit(type, data);
  }

  /** A connection that is silent is asked; one that does not answer is broken. */
  #beat() {
    if (this.#heardOf) {
      this.#heardOf = false;
      this.#asked = false;
    } else if (!this.#asked) {
      this.#asked = true;
      this.#socket?.send(encode({ type: "ping" }));
    } else {
      this.#end({ reason: "the hub does not answer any more" });
      this.#socket?.abort();
    }
  }

  /**
   * Messages were turned away for lack of room: the hub pushes them again on a new connection, as
   * soon as there is room for them.
   */
  async #resyncWhenDrained() {
    const { inbox } = this.#setup;
    await inbox.turnedAway.wait();
    await inbox.drained.wait();
    if (this.ended.holds) return;
    this.#resyncing = true;
    await this.close();
  }

  /**
   * @param {import("./websocket.js").SocketEnd} end
   * @returns {Ending}
   */
  #understoodEnd({ code, reason, tooLarge }) {
    if (tooLarge) return { reason: "a frame is larger than maxIncomingBytes", code: 1009 };
    if (this.#resyncing) return { reason: "caught up with the queue", atOnce: true };
    if (code === null) return { reason: "the connection broke" };
    const said = `closed with ${code} ${reason}`.trimEnd();
    if (code === 4000) {
      const fatal = new ReplacedError("replaced", "a newer connection of this agent took over");
      return { reason: said, fatal };
    }
    if (code === 4001) {
      const fatal = new TokenRevokedError("token_revoked", "an administrator revoked the token; ask for a new one");
      return { reason: said, fatal };
    }
    if ([1002, 1003, 1007].includes(code)) {
      return { reason: said, fatal: new ProtocolError("protocol_error", `the connection was ${said}`) };
    }
    return { reason: said, code };
  }

  /** @param {Ending} ending */
  #end(ending) {
    if (this.ended.holds) return;
    clearInterval(this.#heart);
    if (this.#identified.settled) this.#setup.sessionEnded();
    this.ended.set(true);
    this.#identified.reject(ending.fatal ?? new SessionEnded(ending.reason));
    for (const reply of this.#pending.values()) {
      // Not understood again when it is sent again, or too large again when it is asked again.
      if (ending.code === 1009) {
        reply.reject(new TooLargeError("frame_too_big", `${ending.reason}: the request or its answer is too large`));
      } else {
        reply.reject(ending.fatal?.again() ?? new SessionEnded(ending.reason));
      }
    }
    this.#ending.resolve(ending);
  }
}

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
      // A hub that stops, or that has to say `truncated`, answers empty polls at once.
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

/**
 * @param {Setup} setup
 * @param {any} error
 * @param {boolean} late
 */
function cannotConnect(setup, error, late) {
  const what = late ? `no answer within ${setup.openTimeout / 1000} s` : reasonOf(error);
  return new UnavailableError("unreachable", `cannot connect to ${setup.http.url}: ${what}`, {
    retry: true,
    status: error?.status ?? null,
    retryAfter: retryAfterMs(error?.retryAfter),
    cause: error,
  });
}
