// Requests to the hub. The browser adds the session's cookie; the page never holds a token.

/** How long the hub may take to answer, in milliseconds. */
const answerMs = 20_000;

/** Why a request failed: the hub's code and text, or one of the page's own codes. */
export class HubError extends Error {
  /**
   * @param {string} code one of the hub's, or `unreachable`, `timeout`, `bad_answer`
   * @param {string} message a sentence for people
   * @param {number} status of HTTP, 0 when there was no answer
   */
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/**
 * The page is at .../dashboard, whatever a proxy has put before that, and the hub's paths begin
 * where it does.
 * @param {string} pathname of the page
 */
export function rootOf(pathname) {
  return pathname.replace(/\/*$/, "").replace(/[^/]*$/, "").replace(/^\/+/, "/").replace(/\/$/, "");
}

/**
 * A path with its values encoded: path`/api/directory/${id}`.
 * @param {TemplateStringsArray} texts
 * @param {...(string | number)} values
 */
export function path(texts, ...values) {
  return texts.reduce((all, text, i) => all + encodeURIComponent(values[i - 1]) + text);
}

/** @type {() => void} */
let sessionEnded = () => {};

/**
 * What happens when the hub answers that nobody is logged in.
 * @param {() => void} then
 */
export function onSessionEnd(then) {
  sessionEnded = then;
}

/** @type {string | null} */
let speaker = null;

/**
 * As whom the page speaks from now on. The cookie is the whole browser's and may have become another
 * agent's in another tab: the hub refuses what is asked as somebody else than the cookie stands for.
 * @param {string | null} agentId null: nobody is shown as logged in
 */
export function speakAs(agentId) {
  speaker = agentId;
}

/**
 * What a request says of the page. Pages of other sites cannot send this header, so it stands before
 * whatever changes something, also when nobody is logged in yet.
 * @param {string} method
 * @returns {Record<string, string>}
 */
export function pageHeaders(method) {
  if (speaker !== null) return { "X-AgentCom-Page": encodeURIComponent(speaker) };
  return method === "GET" ? {} : { "X-AgentCom-Page": "1" };
}

/** @type {() => void} */
let sessionChanged = () => {};

/**
 * What happens when the hub answers that the browser is logged in as somebody else by now.
 * @param {() => void} then
 */
export function onSessionChange(then) {
  sessionChanged = then;
}

/**
 * The answer, when its status says that it is one.
 * @param {string} method
 * @param {string} where beginning with a slash
 * @param {{ body?: unknown, json?: string, query?: Record<string, string | number | null | undefined>, signal?: AbortSignal }} [options]
 *   values of `query` that are empty are left out; `json` is a body that is JSON text already
 * @returns {Promise<Response>}
 * @throws {HubError} and what the signal was aborted with
 */
export async function request(method, where, { body, json = body === undefined ? undefined : JSON.stringify(body), query, signal } = {}) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  const headers = pageHeaders(method);
  const asWhom = speaker;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(rootOf(location.pathname) + where + (search && "?" + search), {
      method, headers, signal, cache: "no-store", credentials: "same-origin", redirect: "error",
      body: json,
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new HubError("unreachable", "The hub cannot be reached.");
  }
  if (!answer.ok) {
    const failure = await failureOf(answer);
    // Unless the page has learnt it by another request meanwhile.
    if (failure.status === 409 && failure.code === "session_changed" && asWhom === speaker) sessionChanged();
    throw failure;
  }
  return answer;
}

/** @param {Response} answer */
async function failureOf(answer) {
  let code = "http_" + answer.status;
  let message = `The hub answers with status ${answer.status}.`;
  try {
    const said = await answer.json();
    if (typeof said.error === "string") code = said.error;
    if (typeof said.message === "string") message = said.message;
  } catch {
    // Something between the page and the hub answered, such as a proxy whose hub is down.
    if (answer.status >= 502) return new HubError("unreachable", "The hub cannot be reached.", answer.status);
  }
  return new HubError(code, message, answer.status);
}

/**
 * What the hub answers, as JSON; undefined when it has nothing to say. Ends the page's session when
 * the hub says that it is over.
 * @param {string} method
 * @param {string} where
 * @param {{ body?: unknown, json?: string, query?: Record<string, string | number | null | undefined>, signal?: AbortSignal,
 *   signsIn?: boolean, parse?: (text: string) => any }} [options] `signsIn`: a 401 concerns the token that is sent, not
 *   the session; `parse` reads the answer otherwise than JSON.parse does
 * @returns {Promise<any>}
 */
export async function ask(method, where, { signsIn = false, parse = JSON.parse, ...options } = {}) {
  const late = AbortSignal.timeout(answerMs);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  try {
    const answer = await request(method, where, { ...options, signal });
    if (answer.status === 204) return undefined;
    return parse(await answer.text());
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (late.aborted) throw new HubError("timeout", "The hub does not answer.");
    if (error instanceof HubError) {
      if (error.status === 401 && !signsIn) sessionEnded();
      throw error;
    }
    throw new HubError("bad_answer", "The hub's answer broke off.");
  }
}

/**
 * @param {string} where
 * @param {Record<string, string | number | null | undefined>} [query]
 * @param {AbortSignal} [signal]
 */
export function get(where, query, signal) {
  return ask("GET", where, { query, signal });
}

/**
 * @param {string} where
 * @param {unknown} [body]
 */
export function post(where, body) {
  return ask("POST", where, { body: body ?? {} });
}

/** A sentence for people about what was thrown. @param {unknown} error */
export function reasonOf(error) {
  if (error instanceof HubError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Where the hub is, as commands are told: without a slash at the end. */
export function hubUrl() {
  return location.origin + rootOf(location.pathname);
}

/** A word as a shell takes it literally. @param {string} text */
export function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
