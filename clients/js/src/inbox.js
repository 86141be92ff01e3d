// What has arrived and was not handled yet: bounded, in order, each message once.

import { Condition, Deferred } from "./waiting.js";

/** @typedef {import("./messages.js").Message} Message */

/**
 * `answered`: a waiting request() took it, the handler must not see it.
 * @typedef {{ message: Message, size: number, epoch: string, answered: boolean }} Entry
 */

/**
 * Positions, the queue, and replies that somebody waits for.
 *
 * An acknowledgement counts for everything up to its number, so messages become handled in their
 * order only; a reply that was taken out of turn is acknowledged when its turn comes.
 */
export class Inbox {
  #maxMessages;
  #maxBytes;
  /** @type {Entry[]} */
  #queue = [];
  #head = 0; // Where the queue begins: shift() of a long array moves it all.
  #bytes = 0;
  #epoch;
  #queued; // highest seq that was queued or handled
  #handled;
  #acknowledged = 0;
  #behind = false;
  /** @type {Entry | null} */
  #current = null;
  /** @type {Map<string, Deferred<Message>>} */
  #requests = new Map();
  #sendingRequests = 0;
  /** @type {Set<number>} */
  #answeredEarly = new Set(); // seqs of replies taken while behind

  stopped = new Condition();
  changed = new Condition();
  ackWanted = new Condition();
  /** Everything handled was acknowledged. */
  settled = new Condition(true);
  /** There is room, or, when behind, everything queued was handled. */
  drained = new Condition(true);
  /** The same as `behind`. */
  turnedAway = new Condition();
  /** No handler has a message. */
  idle = new Condition(true);

  /**
   * @param {number} maxMessages
   * @param {number} maxBytes
   * @param {import("./messages.js").Position | null} position
   */
  constructor(maxMessages, maxBytes, position) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
    this.#epoch = position?.epoch ?? "";
    this.#queued = this.#handled = position?.seq ?? 0;
  }

  // Positions.

  get position() {
    return this.#epoch ? { epoch: this.#epoch, seq: this.#handled } : null;
  }

  get epoch() {
    return this.#epoch;
  }

  /** Polls continue after this number. */
  get queued() {
    return this.#queued;
  }

  /** Something was turned away because the queue was full. */
  get behind() {
    return this.#behind;
  }

  get length() {
    return this.#queue.length - this.#head;
  }

  /**
   * A new connection, to the store of this epoch.
   * @param {string} epoch
   */
  begin(epoch) {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#queued = this.#handled = 0;
      this.#answeredEarly.clear();
    }
    this.#behind = false;
    this.#acknowledged = 0; // What an earlier connection acknowledged may not have arrived.
    this.#update();
  }

  // Arrivals.

  /** How many messages more are welcome. */
  room() {
    return this.#bytes >= this.#maxBytes ? 0 : Math.max(0, this.#maxMessages - this.length);
  }

  /**
   * Takes a message, unless it was seen or there is no room; then the reader is behind and nothing
   * is taken until the next connection, so that nothing is skipped.
   * @param {Message} message
   * @param {number} size
   */
  offer(message, size) {
    const seq = message.seq ?? 0;
    if (seq <= this.#queued) return;
    let answered = this.#answer(message);
    const full = this.length > 0 && (this.room() === 0 || this.#bytes + size > this.#maxBytes);
    if (this.#behind || full) {
      this.#behind = true;
      if (answered) this.#answeredEarly.add(seq);
      return this.#update();
    }
    this.#queued = seq;
    if (this.#answeredEarly.delete(seq)) answered = true;
    this.#queue.push({ message, size, epoch: this.#epoch, answered });
    this.#bytes += size;
    this.#update();
  }

  /**
   * The hub has lost what was unread up to this number: nothing of it will come, and the usual
   * acknowledgement settles it.
   * @param {number} upTo
   */
  lost(upTo) {
    if (this.#behind || upTo <= this.#queued) return;
    this.#queued = upTo;
    if (this.length === 0) this.#handled = upTo;
    this.#update();
  }

  // The handler's side.

  /** take() gives null from now on. */
  stop() {
    this.stopped.set(true);
    this.#update();
  }

  /**
   * The next message to handle; it stays queued until done(). Null: stopped, or no longer wanted.
   * @param {() => boolean} wanted
   * @returns {Promise<Entry | null>}
   */
  async take(wanted) {
    while (wanted() && !this.stopped.holds) {
      const head = this.#queue[this.#head];
      // A reply may arrive before the number of what it answers: its request() comes first.
      const held = head?.message.replyTo && this.#sendingRequests > 0;
      if (head !== undefined && !held) {
        this.#current = head;
        this.idle.set(false);
        return head;
      }
      this.changed.set(false);
      await this.changed.wait();
    }
    return null;
  }

  /**
   * The message was handled: it will be acknowledged.
   * @param {Entry} entry
   */
  done(entry) {
    if (this.#current !== entry) return;
    this.#current = null;
    this.idle.set(true);
    this.#pop();
    this.#update();
  }

  /** The message was not handled: the next take() gets it again. */
  putBack() {
    this.#current = null;
    this.idle.set(true);
    this.#update();
  }

  // Acknowledgements.

  /** The number to acknowledge now, or null. */
  ackDue() {
    return this.#handled > this.#acknowledged ? this.#handled : null;
  }

  /** What this connection has acknowledged; 0: nothing yet. */
  get acknowledged() {
    return this.#acknowledged;
  }

  /** @param {number} seq */
  acked(seq) {
    this.#acknowledged = Math.max(this.#acknowledged, seq);
    this.#update();
  }

  /** The hub did not take an acknowledgement: it is due again. */
  refused() {
    this.#acknowledged = 0;
    this.#update();
  }

  // Replies that somebody waits for.

  requestBegins() {
    this.#sendingRequests += 1;
  }

  /**
   * The number is known (or, null, there is none): the reply to it settles the promise.
   * @param {string | null} messageId
   * @returns {Deferred<Message>}
   */
  requestSent(messageId) {
    this.#sendingRequests -= 1;
    /** @type {Deferred<Message>} */
    const reply = new Deferred();
    if (messageId !== null) {
      this.#requests.set(messageId, reply);
      for (const entry of this.#queue.slice(this.#head)) {
        if (entry !== this.#current && !entry.answered && this.#answer(entry.message)) {
          entry.answered = true;
          break;
        }
      }
    }
    this.#update();
    return reply;
  }

  /** @param {string} messageId */
  requestEnds(messageId) {
    this.#requests.delete(messageId);
  }

  /** @param {() => Error} error */
  failRequests(error) {
    for (const reply of this.#requests.values()) reply.reject(error());
    this.#requests.clear();
  }

  /** @param {Message} message */
  #answer(message) {
    const reply = message.replyTo === null ? undefined : this.#requests.get(message.replyTo);
    if (reply === undefined || reply.settled) return false;
    reply.resolve(message);
    return true;
  }

  #pop() {
    const entry = this.#queue[this.#head];
    this.#head += 1;
    if (this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    this.#bytes -= entry.size;
    if (entry.epoch === this.#epoch) this.#handled = Math.max(this.#handled, entry.message.seq ?? 0);
  }

  #update() {
    while (this.#current === null && this.#queue[this.#head]?.answered) this.#pop();
    const due = this.ackDue() !== null;
    this.ackWanted.set(due);
    this.settled.set(!due);
    this.drained.set(this.#behind ? this.length === 0 && !due : this.room() > 0);
    this.turnedAway.set(this.#behind);
    this.changed.set(true);
  }
}
