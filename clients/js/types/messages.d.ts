/**
 * A message of the mailbox or of a channel's history.
 * @typedef {object} Message
 * @property {string} id
 * @property {string} from the agent whose token was used
 * @property {string | null} to an agent id, "broadcast" or null: null and "broadcast" are everyone; null for a channel's
 * @property {string} type
 * @property {any} payload
 * @property {string | null} replyTo id of the message that this one answers
 * @property {number} timestamp
 * @property {number | null} seq place in the hub's log; null in a channel's history
 * @property {string | null} channel
 * @property {number | null} channelSeq place in the channel
 */
/**
 * Up to where messages were handled, in the store that `epoch` names.
 * @typedef {{ epoch: string, seq: number }} Position
 */
/**
 * A stored message. `status` is "delivered" to a live connection, "queued" in the mailbox, or "broadcast".
 * @typedef {{ id: string, status: string, seq: number }} Sent
 */
/**
 * A stored channel message; `seq` is its place in the channel.
 * @typedef {{ id: string, channel: string, seq: number }} Published
 */
/**
 * An agent that is connected over WebSocket.
 * @typedef {{ agentId: string, name: any, status: any, capabilities: any, connectedAt: number }} Agent
 */
/** @typedef {{ name: string, description: string, subscriberCount: number, createdAt: number }} Channel */
/**
 * Some messages of a channel, oldest first. Give `cursor` as `since` to read on.
 * @typedef {{ messages: Message[], cursor: number }} HistoryPage
 */
/**
 * Something that is no message; see `ClientOptions.onEvent` for the kinds.
 * @typedef {{ kind: string, data: Record<string, any> }} HubEvent
 */
/**
 * A message from a pushed frame, a poll or a history.
 * @internal
 * @param {any} body
 * @returns {Message}
 */
export function toMessage(body: any): Message;
/**
 * A message as a mailbox poll shows it: the channel's name is repeated inside the payload, which
 * pushed frames do not do. One form for both.
 * @internal
 * @param {any} body
 */
export function toMailboxMessage(body: any): Message;
/**
 * A message of the mailbox or of a channel's history.
 */
export type Message = {
    id: string;
    /**
     * the agent whose token was used
     */
    from: string;
    /**
     * an agent id, "broadcast" or null: null and "broadcast" are everyone; null for a channel's
     */
    to: string | null;
    type: string;
    payload: any;
    /**
     * id of the message that this one answers
     */
    replyTo: string | null;
    timestamp: number;
    /**
     * place in the hub's log; null in a channel's history
     */
    seq: number | null;
    channel: string | null;
    /**
     * place in the channel
     */
    channelSeq: number | null;
};
/**
 * Up to where messages were handled, in the store that `epoch` names.
 */
export type Position = {
    epoch: string;
    seq: number;
};
/**
 * A stored message. `status` is "delivered" to a live connection, "queued" in the mailbox, or "broadcast".
 */
export type Sent = {
    id: string;
    status: string;
    seq: number;
};
/**
 * A stored channel message; `seq` is its place in the channel.
 */
export type Published = {
    id: string;
    channel: string;
    seq: number;
};
/**
 * An agent that is connected over WebSocket.
 */
export type Agent = {
    agentId: string;
    name: any;
    status: any;
    capabilities: any;
    connectedAt: number;
};
export type Channel = {
    name: string;
    description: string;
    subscriberCount: number;
    createdAt: number;
};
/**
 * Some messages of a channel, oldest first. Give `cursor` as `since` to read on.
 */
export type HistoryPage = {
    messages: Message[];
    cursor: number;
};
/**
 * Something that is no message; see `ClientOptions.onEvent` for the kinds.
 */
export type HubEvent = {
    kind: string;
    data: Record<string, any>;
};
