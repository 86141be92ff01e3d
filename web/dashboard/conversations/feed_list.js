// A feed of messages in the workspace: what comes waits while somebody reads, and older pages come as
// one scrolls.

import { html, useEffect, useRef, useState } from "../base/dom.js";
import { count } from "../base/format.js";
import { Loading, Notice } from "../base/parts.js";
import { useStore } from "../live/store.js";
import { useFeed } from "./feed_reader.js";
import { feedLimit, waitingText } from "./feed.js";
import { Workspace } from "./workspace.js";

/**
 * @param {object} props
 * @param {import("../base/route.js").Route} props.route
 * @param {() => import("./sources.js").Source} props.source
 * @param {string} props.name       another name is another source
 * @param {string} props.label
 * @param {string} [props.receiver]
 * @param {boolean} [props.inChannel]
 * @param {(write: () => void) => any} props.head
 * @param {any} props.empty         what stands there when there are no messages
 */
export function FeedList({ route, source, name, label, receiver, inChannel = false, head, empty }) {
  const headSeq = useStore((state) => state.overview?.head_seq ?? 0);
  const epoch = useStore((state) => state.hub?.epoch ?? "");
  const returns = useStore((state) => state.returns);
  const [reading, setReading] = useState(false);
  const reader = useFeed(source, `${epoch} ${name}`, headSeq, reading, returns);
  const { feed } = reader;
  const waiting = waitingText(feed);
  const showNew = () => {
    reader.showWaiting();
    scrollTo(0, 0);
  };
  const above = html`${waiting && html`<div class="new-messages"><button type="button" class="button primary" title="n" onClick=${showNew}>${waiting}</button></div>`}
    ${reader.error && html`<${Notice} kind="critical">${reader.error}
      ${" "}<button type="button" class="link" onClick=${() => reader.retry()}>Try again</button><//>`}`;
  const below = reader.loading ? html`<${Loading} />`
    : html`<${Older} reader=${reader} />
      ${feed.rows.length === 0 && feed.older === null && !reader.error && empty}`;
  return html`<${Workspace} route=${route} rows=${feed.rows} label=${label} receiver=${receiver} head=${head} above=${above} foot=${below}
    inChannel=${inChannel} onReading=${setReading} onFirst=${() => reader.showWaiting()} />`;
}

/**
 * The old end of the list: the next page is read when it comes near the window.
 * @param {{ reader: import("./feed_reader.js").FeedReader }} props
 */
function Older({ reader }) {
  const end = useRef(/** @type {HTMLDivElement | null} */ (null));
  const { feed, paused, loadingOlder } = reader;
  const wanted = feed.older !== null && !paused && !loadingOlder && !feed.full;
  useEffect(() => {
    if (!wanted || !end.current) return undefined;
    const seen = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void reader.older();
    }, { rootMargin: "1500px" });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [reader, wanted, feed.older]);
  return html`<div ref=${end} class="list-end">
    ${loadingOlder ? html`<p class="quiet">Looking further back…</p>`
      : paused ? html`<p class="quiet">Nothing more was found so far.
          ${" "}<button type="button" class="button small" onClick=${() => reader.older()}>Look further back</button></p>`
      : feed.full ? html`<p class="quiet">These are ${count(feedLimit)} messages, as many as are shown at once. Filters find older ones.</p>`
      : feed.older === null && feed.rows.length > 0 ? html`<p class="quiet">This is where the history begins.</p>` : null}
  </div>`;
}
