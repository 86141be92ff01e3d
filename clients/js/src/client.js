// The client.

import { Calls, closed } from "./calls.js";
import { Connection } from "./connection.js";
import { AgentComError, ClosedError, InvalidRequestError, RequestTimeoutError, UnavailableError } from "./errors.js";
import { HttpClient } from "./http.js";
import { Inbox } from "./inbox.js";
import * as operations from "./operations.js";
import { SessionEnded } from "./sessions.js";
import { GivenUp, deadline } from "./waiting.js";

/** @typedef {import("./messages.js").Message} Message */

// The hub remembers an idempotency key for two minutes; a retry after that would be stored twice.
const maxSendTimeoutMs = 100_000;

/**
 * Times are in milliseconds.
 * @typedef {object} ClientOptions
 * @property {unknown} [name] any JSON value of at most 4 KiB, shown to other agents
 * @property {unknown} [status] the same
 * @property {unknown} [capabilities] the same
 * @property {boolean} [presence] false; true: "agent_joined", "agent_left" and "status_changed" are told
 * @property {(event: import("./messages.js").HubEvent) => void} [onEvent] called for "connected" (`transport`,
 *   `truncated`), "disconnected" (`reason`), "polling" (`reason`: why not WebSocket), "truncated" (unread messages
 *   were lost to the mailbox's cap or time-to-live), "channel_agent_joined", "hub_error" (`code`, `reason`), and
 *   with `presence` also "agent_joined", "agent_left", "status_changed" and "agents" (a list of who is online instead of
 *   many changes). Data is as in the protocol's frames
 * @property {"auto" | "websocket" | "poll"} [transport] "auto": WebSocket, and long polls where that is not possible
 * @property {import("./messages.js").Position | null} [position] where an earlier process was; messages up to it are
 *   not handled again
 * @property {number} [connectTimeout] 30,000; Infinity: the first connection may take as long as it needs
 * @property {number} [requestTimeout] 30,000; default of every call's `timeout`, over all attempts
 * @property {number} [closeTimeout] 5,000
 * @property {[number, number]} [backoff] [200, 30000]; shortest and longest delay between attempts to connect
 * @property {number} [pollWait] 25,000; how long one long poll waits, 1,000 to 60,000
 * @property {number} [webSocketRetry] 5,000; while polling: how soon WebSocket is tried again, doubling up to 300,000
 * @property {number} [heartbeat] 20,000; a connection that is silent for this long is asked whether it lives
 * @property {number} [maxQueuedMessages] 10,000; what may wait for the handler. What does not fit stays in the hub's
 *   mailbox and is fetched when there is room
 * @property {number} [maxQueuedBytes] 64 MiB; the same in bytes
 * @property {number} [maxInFlight] 128; calls that may wait for an answer; more wait for their turn
 * @property {number} [maxIncomingBytes] 64 MiB; the largest frame or HTTP answer that is taken. Browsers give no such
 *   limit for frames
 */

/**
 * @typedef {object} SendOptions
 * @property {string} [type] "chat"
 * @property {string} [replyTo] id of the message that is answered
 * @property {string} [idempotencyKey] made up when left out
 * @property {number} [timeout] milliseconds, at most 100,000
 */

/**
 * One agent's connection to the hub. It connects with connect() or run(), and then keeps itself
 * connected until it is closed, replaced by a newer connection of the same agent, or its token is
 * revoked.
 */
export class Client {
  #agentId;
  #inbox;
  #setup;
  #calls;
  #connection;
  #connectTimeout;
  #requestTimeout;
  #closeTimeout;
  #onEvent;
  /** @type {Promise<void> | null} */
  #keeping = null;
  /** @type {AgentComError | null} */
  #failure = null;
  /** @type {Promise<void> | null} */
  #closingPromise = null;
  #running = false;
  #inHandler = false;
  #consumer = 0; // the number of the iterator that may take messages
  /** @type {import("./inbox.js").Entry | null} */
  #entry = null; // what that iterator gave last

  /**
   * @param {string | URL} url the hub's, as in "http://127.0.0.1:4000"
   * @param {string} agentId
   * @param {string} token
   * @param {ClientOptions} [options]
   */
  constructor(url, agentId, token, options = {}) {
    const {
      name, status, capabilities, presence = false, onEvent, transport = "auto", position = null,
      connectTimeout = 30_000, requestTimeout = 30_000, closeTimeout = 5_000, backoff = [200, 30_000],
      pollWait = 25_000, webSocketRetry = 5_000, heartbeat = 20_000, maxQueuedMessages = 10_000,
      maxQueuedBytes = 64 * 1024 * 1024, maxInFlight = 128, maxIncomingBytes = 64 * 1024 * 1024,
    } = options;
    if (!["auto", "websocket", "poll"].includes(transport)) {
      throw new TypeError(`transport is auto, websocket or poll, not ${transport}`);
    }
    if (!(pollWait >= 1_000 && pollWait <= 60_000)) throw new RangeError("pollWait must be between 1,000 and 60,000 ms");
    if (!(Math.min(maxQueuedMessages, maxQueuedBytes, maxInFlight, maxIncomingBytes, heartbeat) >= 1)) {
      throw new RangeError("limits must be at least 1");
    }
    this.#agentId = agentId;
    this.#onEvent = onEvent;
    this.#connectTimeout = connectTimeout;
    this.#requestTimeout = requestTimeout;
    this.#closeTimeout = closeTimeout;
    this.#inbox = new Inbox(maxQueuedMessages, maxQueuedBytes, position);
    this.#calls = new Calls(backoff, maxInFlight);
    /** @type {import("./sessions.js").Setup} */
    this.#setup = {
      agentId,
      token,
      profile: { presence, name, status, capabilities },
      http: new HttpClient(url, token, maxIncomingBytes),
      inbox: this.#inbox,
      emit: (/** @type {string} */ kind, data = {}) => this.#emit(kind, data),
      sessionEnded: () => this.#calls.use(null),
      openTimeout: 10_000,
      pollWait: pollWait / 1000,
      heartbeat,
      maxIncomingBytes,
    };
    this.#connection = new Connection(this.#setup, this.#calls, { transport, backoff, webSocketRetry });
  }

  get agentId() {
    return this.#agentId;
  }

  /** "websocket" or "poll"; null while there is no connection. */
  get transport() {
    return this.#calls.session?.transport ?? null;
  }

  /**
   * Up to where messages were handled, or null before the first connection. Kept with the results
   * of the handler and given to the next process, it keeps a message from being handled again
   * after a crash.
   */
  get position() {
    return this.#inbox.position;
  }

  // Life.

  /**
   * Resolves when the hub has accepted the agent. Rejects with AuthenticationError and the like at
   * once, with UnavailableError after connectTimeout, with ClosedError when it was stopped or closed
   * meanwhile.
   */
  async connect() {
    if (this.#keeping === null && this.#closingPromise === null) {
      this.#keeping = this.#connection.keep().catch((error) => this.#fail(error));
    }
    const limit = deadline(this.#connectTimeout);
    try {
      const stopped = this.#inbox.stopped.wait(limit.signal);
      stopped.then(limit.giveUp, () => {});
      await this.#calls.ready(limit.signal);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
      if (this.#inbox.stopped.holds) throw closed("the client was stopped before it was connected");
      await this.close();
      const cause = this.#connection.lastCause;
      const reason = cause?.reason ?? `no answer from ${this.#setup.http.url}`;
      const tried = `${reason}; tried for ${this.#connectTimeout / 1000} s`;
      throw new UnavailableError("unreachable", tried, { retry: true, cause });
    } finally {
      limit.giveUp(); // Nobody waits for stop() any more, either.
      limit.clear();
    }
  }

  /**
   * No message is handed out any more: run() returns and messages() ends after the present one.
   * For handlers and signal handlers; returns at once.
   */
  stop() {
    this.#inbox.stop();
  }

  /**
   * Waits (closeTimeout) for the present handler, calls under way and acknowledgements, then closes
   * the connection. In a handler use stop(): there close() would wait for the handler it is in.
   * @returns {Promise<void>}
   */
  close() {
    this.#closingPromise ??= this.#close();
    return this.#closingPromise;
  }

  async #close() {
    this.stop();
    const limit = deadline(this.#closeTimeout);
    const { signal } = limit;
    try {
      if (this.#inHandler) await this.#inbox.idle.wait(signal);
      if (this.#failure === null) await this.#calls.none.wait(signal);
      if (this.#calls.session !== null) {
        await this.#inbox.settled.wait(signal);
        if (this.#inbox.acknowledged > 0) await this.#calls.session?.flush(signal);
      }
    } catch (error) {
      // Too late for that; what was not acknowledged comes again.
      if (!(error instanceof GivenUp || error instanceof SessionEnded || error instanceof AgentComError)) throw error;
    } finally {
      limit.clear();
    }
    const error = () => closed("the client is closed");
    this.#calls.end(error);
    await this.#connection.close();
    await this.#keeping;
    this.#inbox.failRequests(error);
  }

  // Receiving.

  /**
   * Connects if necessary and calls the handler for each message, one after the other. When it has
   * returned, and the promise it returned is resolved, the message is acknowledged.
   *
   * Resolves after stop() and rejects with what ended the client otherwise; the client is closed
   * then. What the handler throws goes to onError, and when that returns the message counts as
   * handled; without onError it is thrown here and the message comes again next time.
   * @param {(message: Message) => unknown} handler
   * @param {{ onError?: (message: Message, error: unknown) => unknown }} [options]
   */
  async run(handler, { onError } = {}) {
    if (this.#running) throw new TypeError("run() of this client is running already");
    this.#running = true;
    try {
      try {
        await this.connect();
      } catch (error) {
        if (!(error instanceof ClosedError) || this.#closingPromise !== null || !this.#inbox.stopped.holds) throw error;
      }
      for await (const message of this.messages()) {
        this.#inHandler = true;
        try {
          await handler(message);
        } catch (error) {
          if (onError === undefined) throw error;
          await onError(message, error);
        } finally {
          this.#inHandler = false;
        }
      }
    } finally {
      this.#running = false;
      this.#inbox.putBack();
      await this.close();
    }
  }

  /**
   * `for await (const message of client.messages())`: a message counts as handled when the next one
   * is asked for, or with ack(); one that the loop was left with comes again.
   * @returns {AsyncIterableIterator<Message>}
   */
  messages() {
    this.#consumer += 1;
    const number = this.#consumer;
    this.#entry = null;
    this.#inbox.putBack();
    /** @type {AsyncIterableIterator<Message>} */
    const iterator = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        const superseded = () => new TypeError("another messages() of this client took over");
        const wanted = () => number === this.#consumer;
        if (!wanted()) throw superseded();
        if (this.#entry !== null) this.#inbox.done(this.#entry);
        this.#entry = null;
        const entry = await this.#inbox.take(wanted);
        if (!wanted()) throw superseded();
        if (entry !== null) {
          this.#entry = entry;
          return { done: false, value: entry.message };
        }
        if (this.#failure !== null) throw this.#failure.again();
        return { done: true, value: undefined };
      },
      return: async () => {
        if (number === this.#consumer) {
          this.#entry = null;
          this.#inbox.putBack();
        }
        return { done: true, value: undefined };
      },
    };
    return iterator;
  }

  /**
   * Marks the message that messages() gave last as handled, so that the loop can be left. It is
   * acknowledged in the background, by close() at the latest.
   * @param {Message} message
   */
  ack(message) {
    if (this.#entry?.message === message) {
      this.#inbox.done(this.#entry);
      this.#entry = null;
    }
  }

  // Sending.

  /**
   * Sends to an agent, or with "broadcast" to everyone. Resolves when it is stored.
   *
   * It is stored once, however often the connection breaks. With RequestTimeoutError it may or may
   * not be stored; another call with the error's `idempotencyKey` within two minutes of the first
   * settles it.
   * @param {string} to
   * @param {unknown} payload any JSON value
   * @param {SendOptions} [options]
   */
  async send(to, payload, { type = "chat", replyTo, idempotencyKey, timeout } = {}) {
    if (!to) {
      // Null is everyone on the wire: a name that is missing by mistake must not be that.
      throw new InvalidRequestError("invalid_recipient", 'name the agent, or "broadcast" for everyone', { field: "to" });
    }
    const key = idempotencyKey ?? makeKey();
    return this.#callOnce(operations.send(to, payload, { type, replyTo, key }), key, timeout);
  }

  /**
   * Answers a message: to its sender, also when it came from a channel.
   * @param {Message} message
   * @param {unknown} payload
   * @param {Omit<SendOptions, "replyTo">} [options]
   */
  reply(message, payload, options = {}) {
    return this.send(message.from, payload, { ...options, replyTo: message.id });
  }

  /**
   * Sends, and resolves with the first message that answers it (`replyTo`). That one does not go to
   * the handler; one that comes after the timeout does. May be used in a handler.
   * @param {string} to
   * @param {unknown} payload
   * @param {{ type?: string, timeout?: number }} [options]
   * @returns {Promise<Message>}
   */
  async request(to, payload, { type = "chat", timeout = this.#requestTimeout } = {}) {
    const limit = deadline(timeout);
    this.#inbox.requestBegins();
    /** @type {import("./messages.js").Sent | null} */
    let sent = null;
    let reply;
    try {
      sent = await this.send(to, payload, { type, timeout: Math.min(timeout, maxSendTimeoutMs) });
    } finally {
      reply = this.#inbox.requestSent(sent?.id ?? null);
      if (sent === null) limit.clear();
    }
    try {
      return await reply.wait(limit.signal);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
      const reason = `${to} did not answer message ${sent.id} within ${timeout / 1000} s`;
      throw new RequestTimeoutError("timeout", reason, { retry: true });
    } finally {
      limit.clear();
      this.#inbox.requestEnds(sent.id);
    }
  }

  /**
   * Publishes to a channel, once, as send() sends.
   * @param {string} channel
   * @param {Record<string, unknown>} payload
   * @param {SendOptions} [options]
   */
  async publish(channel, payload, { type = "chat", replyTo, idempotencyKey, timeout } = {}) {
    const key = idempotencyKey ?? makeKey();
    return this.#callOnce(operations.publish(channel, payload, { type, replyTo, key }), key, timeout);
  }

  /**
   * Shows a status, any JSON value, to others, also after reconnecting. While polling there is no
   * connection that could show it; it is shown once there is.
   * @param {unknown} status
   * @param {{ timeout?: number }} [options]
   */
  async setStatus(status, { timeout } = {}) {
    await this.#call(operations.setStatus(status), timeout);
    this.#setup.profile.status = status;
  }

  // Channels and agents.

  /**
   * Resolves with the channel's name as the hub spells it. ConflictError: it exists already, which
   * after a lost connection may be the doing of this very call.
   * @param {string} name
   * @param {string} [description]
   * @param {{ timeout?: number }} [options]
   */
  createChannel(name, description = "", { timeout } = {}) {
    return this.#call(operations.createChannel(name, description), timeout);
  }

  /**
   * For who made it, and administrators; PermissionDeniedError for others. What its subscribers had
   * not read stays in their mailboxes.
   * @param {string} channel
   * @param {{ timeout?: number }} [options]
   */
  deleteChannel(channel, { timeout } = {}) {
    return this.#call(operations.deleteChannel(channel), timeout);
  }

  /**
   * From now on the channel's messages come to the mailbox, also those of times without a
   * connection. False: it was so already.
   * @param {string} channel
   * @param {{ timeout?: number }} [options]
   */
  subscribe(channel, { timeout } = {}) {
    return this.#call(operations.subscribe(channel), timeout);
  }

  /**
   * @param {string} channel
   * @param {{ timeout?: number }} [options]
   */
  unsubscribe(channel, { timeout } = {}) {
    return this.#call(operations.unsubscribe(channel), timeout);
  }

  /** @param {{ timeout?: number }} [options] */
  channels({ timeout } = {}) {
    return this.#call(operations.listChannels(), timeout);
  }

  /**
   * Without `since` the newest messages, with it the first after that place in the channel; at most
   * `limit` (200), oldest first. The page's `cursor` is the next `since`.
   * @param {string} channel
   * @param {{ since?: number, limit?: number, timeout?: number }} [options]
   */
  history(channel, { since, limit = 50, timeout } = {}) {
    return this.#call(operations.channelHistory(channel, since, limit), timeout);
  }

  /**
   * Everything after `since`, oldest first, fetched page by page.
   * @param {string} channel
   * @param {{ since?: number, page?: number }} [options]
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async *iterHistory(channel, { since = 0, page = 100 } = {}) {
    for (let place = since; ;) {
      const { messages, cursor } = await this.history(channel, { since: place, limit: page });
      yield* messages;
      // A page may be shorter than asked for; only an empty one is the end.
      if (messages.length === 0 || cursor <= place) return;
      place = cursor;
    }
  }

  /**
   * Who is connected over WebSocket.
   * @param {{ timeout?: number }} [options]
   */
  agents({ timeout } = {}) {
    return this.#call(operations.listAgents(), timeout);
  }

  /**
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {string} key
   * @param {number} [timeout]
   */
  async #callOnce(operation, key, timeout = this.#requestTimeout) {
    if (timeout > maxSendTimeoutMs) throw new RangeError(`a send's timeout is at most ${maxSendTimeoutMs} ms`);
    try {
      return await this.#call(operation, timeout);
    } catch (error) {
      if (error instanceof AgentComError) error.idempotencyKey = key;
      throw error;
    }
  }

  /**
   * @template T
   * @param {import("./operations.js").Operation<T>} operation
   * @param {number} [timeout]
   */
  async #call(operation, timeout = this.#requestTimeout) {
    if (this.#keeping === null && this.#closingPromise === null) {
      throw closed("the client is not connected yet; call connect() first");
    }
    return this.#calls.make(operation, timeout);
  }

  /** @param {unknown} error */
  #fail(error) {
    const failure = error instanceof AgentComError
      ? error
      : new AgentComError("internal_client", `a mistake in the client: ${error}`, { cause: error });
    this.#failure = failure;
    this.#calls.end(() => failure.again());
    this.#inbox.stop();
    this.#inbox.failRequests(() => failure.again());
  }

  /**
   * @param {string} kind
   * @param {Record<string, any>} data
   */
  #emit(kind, data) {
    if (this.#onEvent === undefined) return;
    try {
      this.#onEvent({ kind, data });
    } catch (error) {
      // A listener's mistake is the program's, not the connection's.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function makeKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
