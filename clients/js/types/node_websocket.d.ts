/**
 * @param {string} url
 * @param {import("./websocket.js").SocketEvents} events
 * @param {number} maxBytes of one message, over all its fragments
 * @param {AbortSignal} signal ends the attempt, not the connection
 * @returns {Promise<import("./websocket.js").Socket>}
 */
export function open(url: string, events: import("./websocket.js").SocketEvents, maxBytes: number, signal: AbortSignal): Promise<import("./websocket.js").Socket>;
/** Cuts a stream of bytes into messages: whole texts, pings, pongs and closes. Throws Violation. */
export class FrameParser {
    /**
     * @param {number} maxBytes
     * @param {(opcode: number, data: Buffer) => void} onMessage
     */
    constructor(maxBytes: number, onMessage: (opcode: number, data: Buffer) => void);
    /** @param {Buffer} chunk */
    push(chunk: Buffer): void;
    #private;
}
