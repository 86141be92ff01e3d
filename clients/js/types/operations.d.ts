/**
 * @param {string} to
 * @param {unknown} payload
 * @param {{ type: string, replyTo?: string, key: string }} options
 * @returns {Operation<import("./messages.js").Sent>}
 */
export function send(to: string, payload: unknown, { type, replyTo, key }: {
    type: string;
    replyTo?: string;
    key: string;
}): Operation<import("./messages.js").Sent>;
/**
 * @param {string} channel
 * @param {object} payload
 * @param {{ type: string, replyTo?: string, key: string }} options
 * @returns {Operation<import("./messages.js").Published>}
 */
export function publish(channel: string, payload: object, { type, replyTo, key }: {
    type: string;
    replyTo?: string;
    key: string;
}): Operation<import("./messages.js").Published>;
/**
 * @param {string} channel
 * @returns {Operation<boolean>}
 */
export function subscribe(channel: string): Operation<boolean>;
/**
 * @param {string} channel
 * @returns {Operation<void>}
 */
export function unsubscribe(channel: string): Operation<void>;
/**
 * @param {string} name
 * @param {string} description
 * @returns {Operation<string>}
 */
export function createChannel(name: string, description: string): Operation<string>;
/**
 * @param {string} channel
 * @returns {Operation<void>}
 */
export function deleteChannel(channel: string): Operation<void>;
/** @returns {Operation<import("./messages.js").Channel[]>} */
export function listChannels(): Operation<import("./messages.js").Channel[]>;
/** @returns {Operation<import("./messages.js").Agent[]>} */
export function listAgents(): Operation<import("./messages.js").Agent[]>;
/**
 * @param {unknown} status
 * @returns {Operation<void>}
 */
export function setStatus(status: unknown): Operation<void>;
/**
 * @param {string} channel
 * @param {number | undefined} since
 * @param {number} limit
 * @returns {Operation<import("./messages.js").HistoryPage>}
 */
export function channelHistory(channel: string, since: number | undefined, limit: number): Operation<import("./messages.js").HistoryPage>;
export type Operation<T> = {
    /**
     * null: only HTTP has it
     */
    frame: Record<string, unknown> | null;
    /**
     * empty: only WebSocket has it
     */
    method: string;
    path: string;
    body: Record<string, unknown> | null;
    /**
     * understands the reply frame and the HTTP answer
     */
    parse: (answer: any) => T;
};
