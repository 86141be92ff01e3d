// The numbers at the top of the overview.

import { html, useMemo } from "../base/dom.js";
import { bytes, count, latency, longDuration, plural, rate, short } from "../base/format.js";
import { href } from "../base/route.js";
import { Ago } from "../live/ago.js";
import { useNow } from "../live/store.js";
import { storeBar } from "./series.js";

/** @typedef {import("../live/types.js").Overview} Overview */
/** @typedef {import("../base/dom.js").Children} Children */

/** @param {{ title: string, value: Children, kind?: string, link?: string, children?: Children }} props */
function Tile({ title, value, kind = "", link, children }) {
  return html`<div class="card tile ${kind}">
    <h2>${link ? html`<a href=${link}>${title}</a>` : title}</h2>
    <p class="big">${value}</p>
    <div class="quiet tile-more">${children}</div>
  </div>`;
}

/** @param {{ overview: Overview }} props */
export function Tiles({ overview }) {
  const { agents, messages, latency_ms: { commit, delivery }, unread } = overview;
  return html`<section class="tiles" aria-label="Numbers">
    <${Tile} title="Agents online" value=${html`${count(agents.online)} <small>of ${count(agents.total)}</small>`} link=${href("agents")}>
      <ul class="states">
        <li><a class="state working" href=${href("agents", { state: "working" })}>${count(agents.working)} working</a></li>
        <li><a class="state idle" href=${href("agents", { state: "idle" })}>${count(agents.online - agents.working)} idle</a></li>
        <li><a class="state offline" href=${href("agents", { state: "offline" })}>${count(agents.offline)} offline</a></li>
      </ul><//>
    <${Tile} title="Messages a second" value=${rate(messages.per_second)} link=${href("messages")}>
      ${count(messages.total_24h)} in 24 hours${overview.counting ? ", still counting" : ""}<//>
    <${Tile} title="Unread" value=${unread.messages === null ? html`<small>counting</small>` : short(unread.messages)}
        link=${href("agents", { sort: "unread" })}
        kind=${unread.growing.length ? "warning" : ""}>
      ${unread.messages === null ? "" : unread.messages === 0 ? "Every mailbox is read."
        : html`in ${plural(unread.agents ?? 0, "mailbox", "mailboxes")}, oldest <${Ago} at=${unread.oldest_at} />`}<//>
    <${Tile} title="Delivery" value=${html`${latency(delivery?.p50)} <small>p50</small>`}>
      ${latency(delivery?.p99)} p99, last minute<//>
    <${Tile} title="Commit" value=${html`${latency(commit?.p50)} <small>p50</small>`}>
      ${latency(commit?.p99)} p99, last minute<//>
    <${StoreTile} store=${overview.store} />
  </section>`;
}

/** What there is room for, on the disk and below the file's bound; and how large the file is. @param {{ store: Overview["store"] }} props */
function StoreTile({ store }) {
  const { share, bad } = storeBar(store);
  const words = { ok: "", full: "Full: what does not fit is refused.", failed: "Failed: nothing is stored any more." };
  return html`<${Tile} title="Store" kind=${store.state === "ok" ? "" : "critical"}
      value=${store.state === "ok" ? html`${bytes(store.room_bytes)} <small>room</small>` : store.state === "full" ? "Full" : "Failed"}>
    <progress class="store-bar ${bad ? "bad" : ""}" max="1" value=${share} aria-label="How large the file is, of what it may be"></progress>
    ${words[store.state] || html`${bytes(store.file_bytes)} of at most ${bytes(store.max_bytes)}`}<//>`;
}

/** What one looks up now and then. @param {{ overview: Overview, hub: import("../live/types.js").HubFacts }} props */
export function Facts({ overview, hub }) {
  const now = useNow(30_000);
  const { connections, store } = overview;
  const groups = useMemo(() => [
    { title: "Connections", rows: [
      ["WebSocket", count(connections.websocket)], ["HTTP", count(connections.http)], ["Event streams", count(connections.streams)],
      ["Long polls", count(connections.long_polls)], ["Dashboards", count(connections.observers)],
    ] },
    { title: "Store", rows: [
      ["File", bytes(store.file_bytes)],
      ["Log", store.log_max_bytes ? `${bytes(store.log_bytes)} of ${bytes(store.log_max_bytes)}` : bytes(store.log_bytes)],
      ["Messages", store.messages_max ? `${short(store.messages)} of ${short(store.messages_max)}` : count(store.messages)],
      ["Readers behind by", plural(store.reader_lag, "write")],
    ] },
    { title: "Hub", rows: [
      ["Version", hub.version], ["Running for", longDuration(now - hub.started_at)], ["Newest message", `seq ${count(overview.head_seq)}`],
      ["Rows left out", overview.agents_left_out ? plural(overview.agents_left_out, "agent") : ""],
    ] },
  ], [overview, hub, now]);
  return html`<section class="hub-facts" aria-label="The hub">
    ${groups.map(({ title, rows }) => html`<div class="card" key=${title}><h2>${title}</h2><dl>
      ${rows.filter(([, value]) => value !== "").map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl></div>`)}
  </section>`;
}
