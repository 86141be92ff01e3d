/**
 * `http(s)://host[:port][/prefix]` without a slash at its end; ws and wss are understood.
 * @param {string | URL} text
 */
export function normalisedUrl(text: string | URL): string;
/**
 * `Retry-After` in milliseconds, from either of its two forms.
 * @param {string | null | undefined} value
 */
export function retryAfterMs(value: string | null | undefined): number | null;
/**
 * JSON as it goes over the wire.
 * @param {Record<string, unknown>} value
 */
export function encode(value: Record<string, unknown>): string;
/** The innermost reason: fetch wraps it. @param {any} error @returns {string} */
export function reasonOf(error: any): string;
/** Requests to one hub as one agent. */
export class HttpClient {
    /**
     * @param {string | URL} url
     * @param {string} token
     * @param {number} maxAnswerBytes
     */
    constructor(url: string | URL, token: string, maxAnswerBytes: number);
    url: string;
    /**
     * The JSON object that the hub answers. Rejects with AgentComError (connection trouble is
     * UnavailableError with code "unreachable") or GivenUp.
     * @param {string} method
     * @param {string} path
     * @param {Record<string, unknown> | null} body
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    request(method: string, path: string, body: Record<string, unknown> | null, signal?: AbortSignal): Promise<any>;
    #private;
}
