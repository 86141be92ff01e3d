// Connected over WebSocket.

import { AgentComError, ProtocolError, ReplacedError, TokenRevokedError, TooLargeError, hubError } from "./errors.js";
import { encode, reasonOf } from "./http.js";
import { toMessage } from "./messages.js";
import { channelHistory } from "./operations.js";
import { SessionEnded, callHttp, cannotConnect, parsed } from "./sessions.js";
import { Condition, Deferred, deadline } from "./waiting.js";
import { openSocket } from "./websocket.js";

/** @typedef {import("./sessions.js").Setup} Setup */
/** @typedef {import("./sessions.js").Ending} Ending */

// `ref` of acknowledgements: they have no answer, but the hub may refuse one.
const ackRef = "ack";
// Until one that was refused is sent again.
const ackAgainMs = 1_000;

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
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again;
  #resyncing = false;
  #over = new AbortController();

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
    this.#socket?.send(encode({ type: "ack", seq, ref: ackRef }));
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
    if (this.truncated) this.#setup.inbox.lost(Number(frame.last_seq ?? 0));
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
    if (frame.ref === ackRef) {
      this.#report(frame);
      this.#again = setTimeout(() => this.#setup.inbox.refused(), ackAgainMs);
      return;
    }
    if (frame.ref !== undefined) return this.#pending.get(frame.ref)?.resolve(frame);
    if (frame.type === "error") return this.#report(frame);
    if (frame.type === "pong") {
      this.#asked = false;
      return;
    }
    const { type, ...data } = frame;
    this.#setup.emit(type, data);
  }

  /** @param {any} frame */
  #report(frame) {
    const { code, reason } = hubError(frame);
    this.#setup.emit("hub_error", { code, reason });
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
    try {
      await inbox.turnedAway.wait(this.#over.signal);
      await inbox.drained.wait(this.#over.signal);
    } catch {
      return; // The connection has ended by itself.
    }
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
    clearTimeout(this.#again);
    this.#over.abort();
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
