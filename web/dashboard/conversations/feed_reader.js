// Keeps a feed up to date: reads pages as one scrolls and what came since when the hub's stream says
// that something did. One request at a time at either end.

import { reasonOf } from "../base/api.js";
import { useEffect, useReducer, useRef } from "../base/dom.js";
import { begun, emptyFeed, shown, withNewer, withOlder, withSkipped } from "./feed.js";
import { newsSize } from "./sources.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./sources.js").Source} Source */

/// What is asked for at once of what came since; beyond that the newest page is read anew.
const newsPages = 3;
/// Pages without a message in them that are passed over by themselves: the hub looks at so many
/// messages for an answer, and a filter may fit none of them.
const emptyPages = 5;

export class FeedReader {
  /** @type {Feed} */
  feed = emptyFeed;
  loading = true;
  loadingOlder = false;
  /// Nothing was found in a long stretch: a person says whether to look further back.
  paused = false;
  error = "";
  #source;
  #changed;
  #going = new AbortController();
  #readingNews = false;
  #head = 0;

  /**
   * @param {Source} source
   * @param {() => void} changed
   * @param {Feed} [before]  what is shown until the first page is there
   */
  constructor(source, changed, before = emptyFeed) {
    this.#source = source;
    this.#changed = changed;
    this.feed = { ...emptyFeed, rows: before.rows };
  }

  /** Reads the newest page. @param {number} head  the hub's newest message */
  async start(head) {
    this.#going.abort();
    const going = this.#going = new AbortController();
    this.#head = Math.max(this.#head, head);
    const from = this.#head;
    this.loading = true;
    this.#readingNews = false;
    this.#changed();
    try {
      const page = await this.#source.page(null, going.signal);
      this.feed = begun(page.rows, this.#source.inLog ? from : 0, page.older);
      this.error = "";
      this.loading = false;
      this.loadingOlder = false;
      this.paused = false;
      this.#changed();
      if (page.rows.length === 0) await this.older();
      if (this.#head > from) await this.#news();
    } catch (error) {
      if (going.signal.aborted) return;
      // Rows of another source are not this one's.
      if (this.feed.newest === 0) this.feed = emptyFeed;
      this.error = reasonOf(error);
      this.loading = false;
      this.#changed();
    }
  }

  /** The hub's log has grown to here. @param {number} head */
  headIs(head) {
    if (head <= this.#head) return;
    this.#head = head;
    if (!this.loading) void this.#news();
  }

  async #news() {
    if (this.#readingNews || this.feed.skipped) return;
    this.#readingNews = true;
    const { signal } = this.#going;
    try {
      for (let upTo = -1; upTo < this.#head;) {
        upTo = this.#head;
        let more = true;
        if (this.#source.all && upTo - this.feed.newest > newsPages * newsSize) {
          this.feed = withSkipped(this.feed, upTo);
          this.#changed();
          break;
        }
        for (let i = 0; more && i < newsPages; ++i) {
          const news = await this.#source.news(this.feed.newest, signal);
          this.feed = withNewer(this.feed, news.rows, news.newest);
          ({ more } = news);
        }
        if (more) this.feed = withSkipped(this.feed, this.#source.inLog ? this.#head : 0);
        this.error = "";
        this.#changed();
        if (more) break;
      }
    } catch (error) {
      // The next change tries again from where it was.
      if (signal.aborted) return;
      this.error = reasonOf(error);
      this.#changed();
    } finally {
      if (!signal.aborted) this.#readingNews = false;
    }
  }

  /** Reads on towards older messages. */
  async older() {
    if (this.loading || this.loadingOlder || this.feed.older === null || this.feed.full) return;
    this.loadingOlder = true;
    this.paused = false;
    this.#changed();
    const { signal } = this.#going;
    try {
      const before = this.feed.rows.length;
      for (let i = 0; this.feed.older !== null && this.feed.rows.length === before; ++i) {
        if (i === emptyPages) {
          this.paused = true;
          break;
        }
        const page = await this.#source.page(this.feed.older, signal);
        this.feed = withOlder(this.feed, page.rows, page.older);
      }
      this.error = "";
    } catch (error) {
      if (signal.aborted) return;
      this.error = reasonOf(error);
      this.paused = true;
    }
    this.loadingOlder = false;
    this.#changed();
  }

  /** Tries again what failed; what is shown stays. */
  retry() {
    if (this.feed.newest === 0 && this.feed.rows.length === 0) {
      void this.start(this.#head);
      return;
    }
    this.error = "";
    this.#changed();
    void this.#news();
    if (this.paused) void this.older();
  }

  /** The hub is back after it was away: what failed meanwhile is asked for again. */
  hubIsBack() {
    if (this.error !== "") this.retry();
  }

  /** What waited comes into the list. */
  showWaiting() {
    if (this.feed.skipped) {
      void this.start(this.#head);
      return;
    }
    const feed = shown(this.feed);
    if (feed === this.feed) return;
    this.feed = feed;
    this.#changed();
  }

  stop() {
    this.#going.abort();
  }
}

/**
 * A reader for as long as the view shows the same source.
 * @param {() => Source} source
 * @param {string} name   another one is another source
 * @param {number} head   `head_seq` of the hub's stream
 * @param {boolean} reading  somebody reads: what comes waits
 * @param {number} returns  changes when the hub is back after it was away
 */
export function useFeed(source, name, head, reading, returns) {
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const current = useRef(/** @type {{ name: string, reader: FeedReader } | null} */ (null));
  if (current.current?.name !== name) {
    const before = current.current?.reader;
    before?.stop();
    current.current = { name, reader: new FeedReader(source(), () => redraw(0), before?.feed) };
  }
  const { reader } = current.current;
  useEffect(() => {
    void reader.start(head);
    return () => reader.stop();
  }, [reader]);
  useEffect(() => reader.headIs(head), [reader, head]);
  useEffect(() => reader.hubIsBack(), [reader, returns]);
  const { waiting, skipped } = reader.feed;
  useEffect(() => {
    if (!reading && (waiting.length > 0 || skipped)) reader.showWaiting();
  }, [reader, reading, waiting, skipped]);
  return reader;
}
