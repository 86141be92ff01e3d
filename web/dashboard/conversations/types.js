// The shapes of what the hub answers, and of what the views of conversations keep of it.

/**
 * A message as the hub gives it.
 * @typedef {object} Message
 * @property {string} id
 * @property {number} seq
 * @property {string} from
 * @property {string | null} to
 * @property {string} type
 * @property {unknown} payload
 * @property {string | null} reply_to
 * @property {number} timestamp          Unix milliseconds
 * @property {string} [channel]
 * @property {number} [channel_seq]
 */

/**
 * What is kept of a message in a list: its payload may be a megabyte, and a list holds ten thousand.
 * @typedef {object} Row
 * @property {string} id
 * @property {number} seq
 * @property {string} from
 * @property {string | null} to          an agent; null and "broadcast" are everyone, null also a channel
 * @property {string | null} channel
 * @property {number | null} channelSeq
 * @property {string} type
 * @property {string | null} reply_to
 * @property {number} timestamp
 * @property {string} preview
 */

/**
 * @typedef {object} Filters
 * @property {string} from
 * @property {string} to
 * @property {string} channel
 * @property {string} type
 * @property {string} text
 */

/**
 * @typedef {object} Pair
 * @property {string} from
 * @property {string} to                 an agent, "#channel" or "*" for everyone
 * @property {number} messages
 * @property {number} bytes
 * @property {number} last_at            Unix milliseconds
 */

export {};
