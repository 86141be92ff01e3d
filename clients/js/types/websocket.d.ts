/**
 * Connects. Events may come as soon as this has returned.
 * @param {string} url
 * @param {SocketEvents} events
 * @param {number} maxBytes
 * @param {AbortSignal} signal
 * @returns {Promise<Socket>}
 */
export function openSocket(url: string, events: SocketEvents, maxBytes: number, signal: AbortSignal): Promise<Socket>;
export type SocketEvents = {
    onText: (text: string) => void;
    /**
     * called once, after the last onText
     */
    onEnd: (end: SocketEnd) => void;
};
/**
 * How a connection ended. `code` is the close code, null when the connection broke; `tooLarge`: this
 * side closed it because of a message over maxBytes.
 */
export type SocketEnd = {
    code: number | null;
    reason: string;
    tooLarge?: boolean;
};
export type Socket = {
    send: (text: string) => void;
    /**
     * closes with 1000 and waits until it is closed, not for ever
     */
    close: () => Promise<void>;
    /**
     * ends it at once
     */
    abort: () => void;
};
/**
 * Why there is no connection.
 */
export type HandshakeError = Error & {
    status?: number;
    retryAfter?: string | null;
    refused?: boolean;
};
