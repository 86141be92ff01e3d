// The page's one state: who is logged in, how the connection is, and what the stream says. Views
// take from it what they show and are drawn again when that changes.

import { ask, get, HubError, onSessionChange, onSessionEnd, reasonOf, speakAs } from "../base/api.js";
import { useEffect, useReducer, useRef } from "../base/dom.js";
import { LiveConnection } from "./connection.js";
import { apply, changedText, initialState, nothing } from "./model.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Session} Session */

export class Store {
  state = initialState(Date.now());
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #connection;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** Whom the page showed when the hub said that the browser is logged in as somebody else. */
  #before = "";
  #ended = () => {};

  constructor() {
    this.#connection = new LiveConnection({
      onEvent: (event, data) => this.#set(apply(this.state, event, data, Date.now())),
      onAway: (reason) => this.#away(reason),
      onRest: () => this.#set({ ...this.state, connection: { ...this.state.connection, state: "starting", since: Date.now(), reason: "" } }),
      onRefused: () => this.#end("The hub has ended your session: the token was revoked, or its time was over."),
    });
    onSessionEnd(() => {
      if (this.state.session) this.#end("The hub has ended your session: the token was revoked, or its time was over.");
    });
    onSessionChange(() => this.#changed());
  }

  /** @param {() => void} listener called after each change @returns {() => void} takes it away */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks who is logged in, until the hub answers. */
  async start() {
    clearTimeout(this.#retry);
    try {
      this.#begin(await ask("GET", "/api/session", { signsIn: true }));
    } catch (error) {
      if (error instanceof HubError && error.status === 401) {
        this.#before = "";
        this.#set({ ...this.state, session: null, connection: { state: "live", since: Date.now(), reason: "" } });
        return;
      }
      this.#away(reasonOf(error));
      this.#retry = setTimeout(() => void this.start(), 3000);
    }
  }

  /** @param {string} token @throws {HubError} */
  async signIn(token) {
    this.#begin(await ask("POST", "/api/session", { body: { token }, signsIn: true }));
  }

  /** Ends the session at the hub as well; when the hub cannot be reached, the page forgets what it shows anyway. */
  async signOut() {
    this.#connection.stop();
    try {
      await ask("DELETE", "/api/session", { signsIn: true });
      this.#end("");
    } catch (error) {
      // Somebody else's session is not ended: the page shows them instead.
      if (error instanceof HubError && error.code === "session_changed") return;
      this.#end(`The hub could not be told that you logged out: ${reasonOf(error)} Your session may go on until its time is over.`);
    }
  }

  /** Tries to reach the hub at once. */
  tryNow() {
    if (this.state.session) this.#connection.tryNow();
    else void this.start();
  }

  /** Whoever is logged in has read that it was somebody else before. */
  changeRead() {
    this.#set({ ...this.state, changed: "" });
  }

  /** The hub's clock, in milliseconds since 1970. */
  now() {
    return Date.now() + this.state.skew;
  }

  /** @param {Session} session */
  #begin(session) {
    const changed = changedText(this.#before, session.agent_id);
    this.#before = "";
    speakAs(session.agent_id);
    this.#set({ ...this.state, session, farewell: "", changed, connection: { state: "starting", since: Date.now(), reason: "" } });
    this.#connection.start();
  }

  /** @param {string} farewell */
  #end(farewell) {
    this.#forget({ session: null, farewell, connection: { state: "live", since: Date.now(), reason: "" } });
  }

  /** The browser is logged in as somebody else: asks as whom, and shows what that one may see. */
  #changed() {
    if (!this.state.session) return;
    this.#before = this.state.session.agent_id;
    this.#forget({ session: undefined, connection: { state: "starting", since: Date.now(), reason: "" } });
    void this.start();
  }

  /** @param {() => void} then called when a session is over, before views hear of it */
  onEnd(then) {
    this.#ended = then;
  }

  /** Nothing of the session that is over stays. @param {Partial<State>} next */
  #forget(next) {
    this.#ended();
    this.#connection.stop();
    speakAs(null);
    this.#set({ ...this.state, ...nothing(), changed: "", ...next });
  }

  /** @param {string} reason */
  #away(reason) {
    const { connection } = this.state;
    const since = connection.state === "away" ? connection.since : Date.now();
    this.#set({ ...this.state, connection: { ...connection, state: "away", since, reason } });
  }

  /** @param {State} state */
  #set(state) {
    if (state === this.state) return;
    this.state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** The only one. */
export const store = new Store();

/**
 * What a view takes from the state; it is drawn again when that is another value.
 * @template T
 * @param {(state: State) => T} select
 * @returns {T}
 */
export function useStore(select) {
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const selector = useRef(select);
  selector.current = select;
  const selected = select(store.state);
  const shown = useRef(selected);
  shown.current = selected;
  useEffect(() => {
    const look = () => {
      if (!Object.is(selector.current(store.state), shown.current)) redraw(0);
    };
    look();
    return store.subscribe(look);
  }, []);
  return selected;
}

/**
 * The hub's clock, for ages: the view is drawn again every `everyMs`, and has the same time until then.
 * @param {number} [everyMs]
 */
export function useNow(everyMs = 1000) {
  const [tick, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => redraw(0), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const now = useRef({ tick: -1, at: 0 });
  if (now.current.tick !== tick) now.current = { tick, at: store.now() };
  return now.current.at;
}

/**
 * What the hub answers to a GET, asked again when the path or `again` changes, and when the hub is
 * back after it was away. While it is asked again the last answer stays.
 * @param {string | null} where null: nothing is asked
 * @param {unknown} [again]
 * @returns {{ data: any, error: string, loading: boolean }}
 */
export function useAnswer(where, again) {
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const returns = useStore((state) => state.returns);
  const shown = useRef({ where: /** @type {string | null} */ (null), data: /** @type {any} */ (undefined), error: "", loading: true });
  if (shown.current.where !== where) shown.current = { where, data: undefined, error: "", loading: true };
  useEffect(() => {
    if (where === null) return undefined;
    const going = new AbortController();
    get(where, undefined, going.signal).then(
      (data) => {
        shown.current = { where, data, error: "", loading: false };
        redraw(0);
      },
      (error) => {
        if (going.signal.aborted) return;
        shown.current = { ...shown.current, error: reasonOf(error), loading: false };
        redraw(0);
      });
    return () => going.abort();
  }, [where, again, returns]);
  return shown.current;
}
