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
    /**
     * @param {string | URL} url the hub's, as in "http://127.0.0.1:4000"
     * @param {string} agentId
     * @param {string} token
     * @param {ClientOptions} [options]
     */
    constructor(url: string | URL, agentId: string, token: string, options?: ClientOptions);
    get agentId(): string;
    /** "websocket" or "poll"; null while there is no connection. */
    get transport(): string | null;
    /**
     * Up to where messages were handled, or null before the first connection. Kept with the results
     * of the handler and given to the next process, it keeps a message from being handled again
     * after a crash.
     */
    get position(): {
        epoch: string;
        seq: number;
    } | null;
    /**
     * Resolves when the hub has accepted the agent. Rejects with AuthenticationError and the like at
     * once, with UnavailableError after connectTimeout, with ClosedError when it was stopped or closed
     * meanwhile.
     */
    connect(): Promise<void>;
    /**
     * No message is handed out any more: run() returns and messages() ends after the present one.
     * For handlers and signal handlers; returns at once.
     */
    stop(): void;
    /**
     * Waits (closeTimeout) for the present handler, calls under way and acknowledgements, then closes
     * the connection. In a handler use stop(): there close() would wait for the handler it is in.
     * @returns {Promise<void>}
     */
    close(): Promise<void>;
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
    run(handler: (message: Message) => unknown, { onError }?: {
        onError?: (message: Message, error: unknown) => unknown;
    }): Promise<void>;
    /**
     * `for await (const message of client.messages())`: a message counts as handled when the next one
     * is asked for, or with ack(); one that the loop was left with comes again.
     * @returns {AsyncIterableIterator<Message>}
     */
    messages(): AsyncIterableIterator<Message>;
    /**
     * Marks the message that messages() gave last as handled, so that the loop can be left. It is
     * acknowledged in the background, by close() at the latest.
     * @param {Message} message
     */
    ack(message: Message): void;
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
    send(to: string, payload: unknown, { type, replyTo, idempotencyKey, timeout }?: SendOptions): Promise<import("./messages.js").Sent>;
    /**
     * Answers a message: to its sender, also when it came from a channel.
     * @param {Message} message
     * @param {unknown} payload
     * @param {Omit<SendOptions, "replyTo">} [options]
     */
    reply(message: Message, payload: unknown, options?: Omit<SendOptions, "replyTo">): Promise<import("./messages.js").Sent>;
    /**
     * Sends, and resolves with the first message that answers it (`replyTo`). That one does not go to
     * the handler; one that comes after the timeout does. May be used in a handler.
     * @param {string} to
     * @param {unknown} payload
     * @param {{ type?: string, timeout?: number }} [options]
     * @returns {Promise<Message>}
     */
    request(to: string, payload: unknown, { type, timeout }?: {
        type?: string;
        timeout?: number;
    }): Promise<Message>;
    /**
     * Publishes to a channel, once, as send() sends.
     * @param {string} channel
     * @param {Record<string, unknown>} payload
     * @param {SendOptions} [options]
     */
    publish(channel: string, payload: Record<string, unknown>, { type, replyTo, idempotencyKey, timeout }?: SendOptions): Promise<import("./messages.js").Published>;
    /**
     * Shows a status, any JSON value, to others, also after reconnecting. While polling there is no
     * connection that could show it; it is shown once there is.
     * @param {unknown} status
     * @param {{ timeout?: number }} [options]
     */
    setStatus(status: unknown, { timeout }?: {
        timeout?: number;
    }): Promise<void>;
    /**
     * Resolves with the channel's name as the hub spells it. ConflictError: it exists already, which
     * after a lost connection may be the doing of this very call.
     * @param {string} name
     * @param {string} [description]
     * @param {{ timeout?: number }} [options]
     */
    createChannel(name: string, description?: string, { timeout }?: {
        timeout?: number;
    }): Promise<string>;
    /**
     * For who made it, and administrators; PermissionDeniedError for others. What its subscribers had
     * not read stays in their mailboxes.
     * @param {string} channel
     * @param {{ timeout?: number }} [options]
     */
    deleteChannel(channel: string, { timeout }?: {
        timeout?: number;
    }): Promise<void>;
    /**
     * From now on the channel's messages come to the mailbox, also those of times without a
     * connection. False: it was so already.
     * @param {string} channel
     * @param {{ timeout?: number }} [options]
     */
    subscribe(channel: string, { timeout }?: {
        timeout?: number;
    }): Promise<boolean>;
    /**
     * @param {string} channel
     * @param {{ timeout?: number }} [options]
     */
    unsubscribe(channel: string, { timeout }?: {
        timeout?: number;
    }): Promise<void>;
    /** @param {{ timeout?: number }} [options] */
    channels({ timeout }?: {
        timeout?: number;
    }): Promise<import("./messages.js").Channel[]>;
    /**
     * Without `since` the newest messages, with it the first after that place in the channel; at most
     * `limit` (200), oldest first. The page's `cursor` is the next `since`.
     * @param {string} channel
     * @param {{ since?: number, limit?: number, timeout?: number }} [options]
     */
    history(channel: string, { since, limit, timeout }?: {
        since?: number;
        limit?: number;
        timeout?: number;
    }): Promise<import("./messages.js").HistoryPage>;
    /**
     * Everything after `since`, oldest first, fetched page by page.
     * @param {string} channel
     * @param {{ since?: number, page?: number }} [options]
     * @returns {AsyncGenerator<Message, void, void>}
     */
    iterHistory(channel: string, { since, page }?: {
        since?: number;
        page?: number;
    }): AsyncGenerator<Message, void, void>;
    /**
     * Who is connected over WebSocket.
     * @param {{ timeout?: number }} [options]
     */
    agents({ timeout }?: {
        timeout?: number;
    }): Promise<import("./messages.js").Agent[]>;
    #private;
}
export type Message = import("./messages.js").Message;
/**
 * Times are in milliseconds.
 */
export type ClientOptions = {
    /**
     * any JSON value of at most 4 KiB, shown to other agents
     */
    name?: unknown;
    /**
     * the same
     */
    status?: unknown;
    /**
     * the same
     */
    capabilities?: unknown;
    /**
     * false; true: "agent_joined", "agent_left" and "status_changed" are told
     */
    presence?: boolean | undefined;
    /**
     * called for "connected" (`transport`,
     * `truncated`), "disconnected" (`reason`), "polling" (`reason`: why not WebSocket), "truncated" (unread messages
     * were lost to the mailbox's cap or time-to-live), "channel_agent_joined", "hub_error" (`code`, `reason`), and
     * with `presence` also "agent_joined", "agent_left", "status_changed" and "agents" (a list of who is online instead of
     * many changes). Data is as in the protocol's frames
     */
    onEvent?: ((event: import("./messages.js").HubEvent) => void) | undefined;
    /**
     * "auto": WebSocket, and long polls where that is not possible
     */
    transport?: "websocket" | "poll" | "auto" | undefined;
    /**
     * where an earlier process was; messages up to it are
     * not handled again
     */
    position?: import("./messages.js").Position | null | undefined;
    /**
     * 30,000; Infinity: the first connection may take as long as it needs
     */
    connectTimeout?: number | undefined;
    /**
     * 30,000; default of every call's `timeout`, over all attempts
     */
    requestTimeout?: number | undefined;
    /**
     * 5,000
     */
    closeTimeout?: number | undefined;
    /**
     * [200, 30000]; shortest and longest delay between attempts to connect
     */
    backoff?: [number, number] | undefined;
    /**
     * 25,000; how long one long poll waits, 1,000 to 60,000
     */
    pollWait?: number | undefined;
    /**
     * 5,000; while polling: how soon WebSocket is tried again, doubling up to 300,000
     */
    webSocketRetry?: number | undefined;
    /**
     * 20,000; a connection that is silent for this long is asked whether it lives
     */
    heartbeat?: number | undefined;
    /**
     * 10,000; what may wait for the handler. What does not fit stays in the hub's
     * mailbox and is fetched when there is room
     */
    maxQueuedMessages?: number | undefined;
    /**
     * 64 MiB; the same in bytes
     */
    maxQueuedBytes?: number | undefined;
    /**
     * 128; calls that may wait for an answer; more wait for their turn
     */
    maxInFlight?: number | undefined;
    /**
     * 64 MiB; the largest frame or HTTP answer that is taken. Browsers give no such
     * limit for frames
     */
    maxIncomingBytes?: number | undefined;
};
export type SendOptions = {
    /**
     * "chat"
     */
    type?: string | undefined;
    /**
     * id of the message that is answered
     */
    replyTo?: string | undefined;
    /**
     * made up when left out
     */
    idempotencyKey?: string | undefined;
    /**
     * milliseconds, at most 100,000
     */
    timeout?: number | undefined;
};
