// HTTP to the hub with fetch: no redirects, bounded answers.

import { AgentComError, InvalidRequestError, TooLargeError, httpError, hubError, unreachable } from "./errors.js";
import { GivenUp } from "./waiting.js";

/**
 * `http(s)://host[:port][/prefix]` without a slash at its end; ws and wss are understood.
 * @param {string | URL} text
 */
export function normalisedUrl(text) {
  let url;
  try {
    url = new URL(String(text).replace(/^ws/, "http"));
  } catch {
    url = null;
  }
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new TypeError(`the hub's URL must look like http://host:4000, not ${JSON.stringify(String(text))}`);
  }
  if (url.search || url.hash || url.username || url.password) {
    throw new TypeError("the hub's URL has no query, no fragment and no user");
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/**
 * `Retry-After` in milliseconds, from either of its two forms.
 * @param {string | null | undefined} value
 */
export function retryAfterMs(value) {
  if (value === null || value === undefined) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const when = Date.parse(value);
  return Number.isNaN(when) ? null : Math.max(0, when - Date.now());
}

/**
 * JSON as it goes over the wire.
 * @param {Record<string, unknown>} value
 */
export function encode(value) {
  if ("payload" in value && value.payload === undefined) {
    throw new InvalidRequestError("missing_field", "there is no payload", { field: "payload" });
  }
  let text;
  try {
    text = JSON.stringify(value, (_, part) => {
      if (typeof part === "number" && !Number.isFinite(part)) throw new TypeError(`${part} is no JSON number`);
      return part;
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidRequestError("invalid_json", `not a JSON value: ${reason}`, { cause: error });
  }
  return text;
}

/** The innermost reason: fetch wraps it. @param {any} error @returns {string} */
export function reasonOf(error) {
  const cause = error?.cause ?? error?.errors?.[0];
  if (cause) return reasonOf(cause);
  return error?.message || error?.code || String(error);
}

/** Requests to one hub as one agent. */
export class HttpClient {
  #token;
  #maxAnswerBytes;

  /**
   * @param {string | URL} url
   * @param {string} token
   * @param {number} maxAnswerBytes
   */
  constructor(url, token, maxAnswerBytes) {
    this.url = normalisedUrl(url);
    this.#token = token;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  /**
   * The JSON object that the hub answers. Rejects with AgentComError (connection trouble is
   * UnavailableError with code "unreachable") or GivenUp.
   * @param {string} method
   * @param {string} path
   * @param {Record<string, unknown> | null} body
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async request(method, path, body, signal) {
    const where = `${method} ${path.split("?")[0]}`;
    const text = body === null ? undefined : encode(body);
    try {
      const answer = await fetch(this.url + path, {
        method,
        body: text,
        headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
        redirect: "manual", // It would carry the token to another host.
        cache: "no-store",
        signal,
      });
      return this.#understood(answer.status, answer.headers, await this.#text(answer, where), where);
    } catch (error) {
      if (signal?.aborted) throw new GivenUp();
      if (error instanceof AgentComError) throw error;
      throw unreachable(`cannot reach the hub at ${this.url}: ${reasonOf(error)}`, error);
    }
  }

  /**
   * @param {Response} answer
   * @param {string} where
   */
  async #text(answer, where) {
    if (answer.body === null) return "";
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (let bytes = 0; ;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > this.#maxAnswerBytes) {
        await reader.cancel();
        const reason = `the answer to ${where} is larger than maxIncomingBytes; ask for less`;
        throw new TooLargeError("answer_too_large", reason);
      }
      text += decoder.decode(value, { stream: true });
    }
  }

  /**
   * @param {number} status
   * @param {Headers} headers
   * @param {string} text
   * @param {string} where
   */
  #understood(status, headers, text, where) {
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      // Not the hub's, then.
    }
    const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
    if (status >= 200 && status < 300 && isObject) return body;
    const retryAfter = retryAfterMs(headers.get("Retry-After"));
    if (isObject && typeof body.error === "string") throw hubError(body, status, retryAfter);
    throw httpError(status, where, retryAfter);
  }
}
