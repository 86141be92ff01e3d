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
    /**
     * @param {number} maxMessages
     * @param {number} maxBytes
     * @param {import("./messages.js").Position | null} position
     */
    constructor(maxMessages: number, maxBytes: number, position: import("./messages.js").Position | null);
    stopped: Condition;
    changed: Condition;
    ackWanted: Condition;
    /** Everything handled was acknowledged. */
    settled: Condition;
    /** There is room, or, when behind, everything queued was handled. */
    drained: Condition;
    /** The same as `behind`. */
    turnedAway: Condition;
    /** No handler has a message. */
    idle: Condition;
    get position(): {
        epoch: string;
        seq: number;
    } | null;
    get epoch(): string;
    /** Polls continue after this number. */
    get queued(): number;
    /** Something was turned away because the queue was full. */
    get behind(): boolean;
    get length(): number;
    /**
     * A new connection, to the store of this epoch.
     * @param {string} epoch
     */
    begin(epoch: string): void;
    /** How many messages more are welcome. */
    room(): number;
    /**
     * Takes a message, unless it was seen or there is no room; then the reader is behind and nothing
     * is taken until the next connection, so that nothing is skipped.
     * @param {Message} message
     * @param {number} size
     */
    offer(message: Message, size: number): void;
    /**
     * The hub has lost what was unread up to this number: nothing of it will come, and the usual
     * acknowledgement settles it.
     * @param {number} upTo
     */
    lost(upTo: number): void;
    /** take() gives null from now on. */
    stop(): void;
    /**
     * The next message to handle; it stays queued until done(). Null: stopped, or no longer wanted.
     * @param {() => boolean} wanted
     * @returns {Promise<Entry | null>}
     */
    take(wanted: () => boolean): Promise<Entry | null>;
    /**
     * The message was handled: it will be acknowledged.
     * @param {Entry} entry
     */
    done(entry: Entry): void;
    /** The message was not handled: the next take() gets it again. */
    putBack(): void;
    /** The number to acknowledge now, or null. */
    ackDue(): number | null;
    /** What this connection has acknowledged; 0: nothing yet. */
    get acknowledged(): number;
    /** @param {number} seq */
    acked(seq: number): void;
    /** The hub did not take an acknowledgement: it is due again. */
    refused(): void;
    requestBegins(): void;
    /**
     * The number is known (or, null, there is none): the reply to it settles the promise.
     * @param {string | null} messageId
     * @returns {Deferred<Message>}
     */
    requestSent(messageId: string | null): Deferred<Message>;
    /** @param {string} messageId */
    requestEnds(messageId: string): void;
    /** @param {() => Error} error */
    failRequests(error: () => Error): void;
    #private;
}
export type Message = import("./messages.js").Message;
/**
 * `answered`: a waiting request() took it, the handler must not see it.
 */
export type Entry = {
    message: Message;
    size: number;
    epoch: string;
    answered: boolean;
};
import { Condition } from "./waiting.js";
import { Deferred } from "./waiting.js";
