/**
 * The platform gives no limit for what comes in, so maxBytes is not used.
 * @param {string} url
 * @param {import("./websocket.js").SocketEvents} events
 * @param {number} _maxBytes
 * @param {AbortSignal} signal
 * @returns {Promise<import("./websocket.js").Socket>}
 */
export function open(url: string, events: import("./websocket.js").SocketEvents, _maxBytes: number, signal: AbortSignal): Promise<import("./websocket.js").Socket>;
