// One interface to the browser's WebSocket and to the one for Node.js.

/**
 * @typedef {object} SocketEvents
 * @property {(text: string) => void} onText
 * @property {(end: SocketEnd) => void} onEnd called once, after the last onText
 */

/**
 * How a connection ended. `code` is the close code, null when the connection broke; `tooLarge`: this
 * side closed it because of a message over maxBytes.
 * @typedef {{ code: number | null, reason: string, tooLarge?: boolean }} SocketEnd
 */

/**
 * @typedef {object} Socket
 * @property {(text: string) => void} send
 * @property {() => Promise<void>} close closes with 1000 and waits until it is closed, not for ever
 * @property {() => void} abort ends it at once
 */

/**
 * Why there is no connection.
 * @typedef {Error & { status?: number, retryAfter?: string | null, refused?: boolean }} HandshakeError
 */

const inNode = typeof process === "object" && Boolean(process.versions?.node);

/**
 * Connects. Events may come as soon as this has returned.
 * @param {string} url
 * @param {SocketEvents} events
 * @param {number} maxBytes
 * @param {AbortSignal} signal
 * @returns {Promise<Socket>}
 */
export async function openSocket(url, events, maxBytes, signal) {
  // Node.js has had a WebSocket since 22, but without a limit for what comes in.
  const { open } = inNode ? await import("./node_websocket.js") : await import("./browser_websocket.js");
  return open(url, events, maxBytes, signal);
}
