// The stream for observers, kept open: when it breaks off it is asked for again, at first after a
// second, then after longer, and at once when the browser is back online or the page is looked at. A
// page that nobody has looked at for a while rests: browsers open six connections to a hub, and tabs
// in the background would leave none for the one that is used.

import { HubError, reasonOf, request } from "../base/api.js";
import { EventParser } from "./event_parser.js";

/** The hub says something every 5 s, and a comment every 15 s when it has nothing to say. */
const silenceMs = 20_000;
const firstWaitMs = 1000;
const mostWaitMs = 15_000;
/** How long a page stays connected while nobody sees it. */
export const hiddenMs = 30_000;

/**
 * How long to wait before a try, in milliseconds. Spread, so that a hundred open pages do not all
 * come at once to a hub that was restarted.
 * @param {number} failures in a row, from 1
 * @param {number} chance from 0 to 1
 */
export function waitBefore(failures, chance) {
  const most = Math.min(mostWaitMs, firstWaitMs * 2 ** (failures - 1));
  return Math.round(most * (0.75 + 0.5 * chance));
}

export class LiveConnection {
  #onEvent;
  #onAway;
  #onRefused;
  #onRest;
  #page;
  #resting = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rest;
  #failures = 0;
  #wanted = false;
  /** @type {AbortController | null} */
  #running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watch;

  /**
   * @param {object} what
   * @param {(event: string, data: unknown) => void} what.onEvent
   * @param {(reason: string) => void} what.onAway each time that a try failed or the stream ended
   * @param {() => void} what.onRefused the session is over; the stream is not asked for again
   * @param {() => void} what.onRest the page has been hidden: there is no stream until it is looked at again
   * @param {Document} [page]
   */
  constructor({ onEvent, onAway, onRefused, onRest }, page = document) {
    this.#onEvent = onEvent;
    this.#onAway = onAway;
    this.#onRefused = onRefused;
    this.#onRest = onRest;
    this.#page = page;
    addEventListener("online", () => this.tryNow());
    page.addEventListener("visibilitychange", () => this.#look());
  }

  /** Whether anybody sees the page: begins again, or goes to rest after a while. */
  #look() {
    clearTimeout(this.#rest);
    if (this.#page.visibilityState === "visible") {
      this.#resting = false;
      this.tryNow();
    } else if (this.#wanted && !this.#resting) {
      this.#rest = setTimeout(() => {
        this.#resting = true;
        this.#interrupt();
        this.#onRest();
      }, hiddenMs);
    }
  }

  start() {
    this.#wanted = true;
    this.#failures = 0;
    this.#resting = false;
    this.tryNow();
    this.#look();
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#rest);
    this.#interrupt();
  }

  #interrupt() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#running?.abort();
    this.#running = null;
  }

  /** Does not wait any longer; does nothing while the stream runs or the page rests. */
  tryNow() {
    if (!this.#wanted || this.#resting || this.#running) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#run();
  }

  async #run() {
    const running = new AbortController();
    this.#running = running;
    let reason = "The hub ended the connection.";
    let refused = false;
    try {
      await this.#read(running);
    } catch (error) {
      if (!this.#wanted || this.#running !== running) return;
      refused = error instanceof HubError && error.status === 401;
      reason = reasonOf(error);
    } finally {
      clearTimeout(this.#watch);
    }
    if (!this.#wanted || this.#running !== running) return;
    this.#running = null;
    if (refused) {
      this.#wanted = false;
      this.#onRefused();
      return;
    }
    this.#onAway(reason);
    this.#retry = setTimeout(() => this.tryNow(), waitBefore(++this.#failures, Math.random()));
  }

  /** @param {AbortController} running */
  async #read(running) {
    const heard = () => {
      clearTimeout(this.#watch);
      this.#watch = setTimeout(
        () => running.abort(new HubError("timeout", "The hub has not been heard of for 20 seconds.")), silenceMs);
    };
    heard();
    const answer = await request("GET", "/api/observe", { signal: running.signal });
    const parser = new EventParser((event, data) => {
      this.#failures = 0;
      this.#onEvent(event, JSON.parse(data));
    });
    const decoder = new TextDecoder();
    const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        heard();
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } catch (error) {
      if (running.signal.aborted) throw running.signal.reason;
      if (error instanceof TypeError) throw new HubError("unreachable", "The connection to the hub broke off.");
      throw error;
    } finally {
      running.abort();
    }
  }
}
