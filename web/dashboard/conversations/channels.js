// Channels, and the history of one.

import { get, path, reasonOf } from "../base/api.js";
import { html, useEffect, useMemo, useReducer, useRef, useState } from "../base/dom.js";
import { plural } from "../base/format.js";
import { useKeys } from "../base/keys.js";
import { Command, Empty, Loading, Name, Notice } from "../base/parts.js";
import { href, setParams } from "../base/route.js";
import { VirtualList } from "../base/virtual_list.js";
import { Ago } from "../live/ago.js";
import { useAnswer } from "../live/store.js";
import { FeedList } from "./feed_list.js";
import { useLogChanges } from "./log_changes.js";
import { WriteHead } from "./messages.js";
import { Pieces } from "../base/pieces.js";
import { channelSource, publishCommand } from "./sources.js";
import { plainName, presentName } from "../base/visible_text.js";

/** @typedef {import("../base/route.js").Route} Route */

/**
 * @typedef {object} Channel
 * @property {string} name
 * @property {string} description
 * @property {number} subscriber_count
 * @property {number} created_at
 * @property {boolean} [private]
 */

const channelRem = 3.5;
/// How often the list is read anew at most, in milliseconds.
const renewMs = 10_000;
/// Of this many more are named than counted: "and 12 others".
const namedSubscribers = 12;

/** @param {{ route: Route }} props */
export function Channels({ route }) {
  const name = route.rest[0];
  return name === undefined ? html`<${ChannelList} route=${route} />` : html`<${ChannelHistory} key=${name} route=${route} name=${name} />`;
}

/** @param {{ route: Route }} props */
function ChannelList({ route }) {
  const { channels, more, error, loading, showMore } = useChannels();
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const wanted = (route.params.get("q") ?? "").toLowerCase();
  const shown = useMemo(() => channels.filter(({ name, description }) =>
    `${name}\n${description}`.toLowerCase().includes(wanted)), [channels, wanted]);
  useKeys("Search", { "/": { run: () => search.current?.select(), help: "search among channels" } });
  return html`<div class="view-head"><h1>Channels</h1>
      <label class="head-search"><span class="hidden-text">Search among channels</span>
        <input type="search" ref=${search} value=${route.params.get("q") ?? ""} placeholder="Search" autocomplete="off"
          autocapitalize="none" spellcheck=${false}
          onInput=${(/** @type {Event} */ event) => setParams({ q: /** @type {HTMLInputElement} */ (event.target).value })} /></label></div>
    ${error && html`<${Notice} kind="critical">${error}<//>`}
    ${loading ? html`<${Loading} />`
      : shown.length > 0 ? html`<${VirtualList} items=${shown} rowRem=${channelRem} label="Channels" class="channels"
          keyOf=${(/** @type {Channel} */ { name }) => name} row=${(/** @type {Channel} */ channel) => html`<${ChannelRow} channel=${channel} />`} />`
      : wanted ? html`<${Empty} title="No channel fits what you search." />`
      : !error && html`<${Empty} title="No channels yet."><p>A channel is made with its first message:</p>
          <${Command} text="echo 'build is green' | agentcom publish builds --create" /><//>`}
    ${more && html`<p><button type="button" class="button" onClick=${showMore}>Show more channels</button></p>`}`;
}

/** Channels as far as they were asked for, page by page; the first pages again when there is something new. */
function useChannels() {
  const change = useLogChanges(renewMs);
  const [pages, setPages] = useState(1);
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const state = useRef({ channels: /** @type {Channel[]} */ ([]), more: false, error: "", loading: true });
  useEffect(() => {
    const going = new AbortController();
    void (async () => {
      try {
        /** @type {Channel[]} */
        const channels = [];
        let cursor;
        for (let i = 0; i === 0 || (i < pages && cursor !== undefined); ++i) {
          const answer = await get("/api/channels", { limit: 1000, cursor }, going.signal);
          channels.push(...answer.channels);
          cursor = answer.cursor;
        }
        channels.sort((a, b) => (a.name < b.name ? -1 : 1));
        state.current = { channels, more: cursor !== undefined, error: "", loading: false };
      } catch (error) {
        if (going.signal.aborted) return;
        state.current = { ...state.current, error: reasonOf(error), loading: false };
      }
      redraw(0);
    })();
    return () => going.abort();
  }, [pages, change]);
  return { ...state.current, showMore: () => setPages(pages + 1) };
}

/** @param {{ channel: Channel }} props */
function ChannelRow({ channel }) {
  return html`<a class="channel-row" href=${href("channels", channel.name)}>
    <span class="channel-name">#${channel.name}${channel.private && html` <span class="tag">private</span>`}</span>
    <span class="channel-size quiet">${plural(channel.subscriber_count, "subscriber")}</span>
    <span class="channel-about quiet" dir="auto"><${Pieces} pieces=${presentName(channel.description)} /></span></a>`;
}

/** @param {{ route: Route, name: string }} props */
function ChannelHistory({ route, name }) {
  const { data, error } = useAnswer(path`/api/channels/${name}?limit=${namedSubscribers}`);
  const crumbs = html`<p class="crumbs"><a href=${href("channels")}>Channels</a></p>`;
  if (error && !data) {
    return html`${crumbs}<div class="view-head"><h1>Channel</h1></div><${Empty} title="This channel is not shown."><p>${error}</p>
      <p>A private channel is there for its members, for observers and administrators.</p><//>`;
  }
  // What stands in the address may be anybody's: only a name that the hub knows is a title, a receiver or in a command.
  /** @type {string} */
  const known = data?.name ?? "";
  const title = known === "" ? "Channel" : html`#<${Name} text=${known} />`;
  const head = (/** @type {() => void} */ write) => html`${crumbs}<${WriteHead} title=${title} onWrite=${write} />
    ${data && html`<${ChannelFacts} channel=${data} />`}`;
  return html`<${FeedList} route=${route} source=${() => channelSource(name)} name=${`channel ${name}`}
    label=${known === "" ? "Messages, newest first" : `Messages in #${plainName(known)}, newest first`}
    receiver=${known && `#${known}`} inChannel=${true} head=${head}
    empty=${known && html`<${Empty} title="Nothing has been published here."><${Command} text=${publishCommand(known)} /><//>`} />`;
}

/** @param {{ channel: any }} props */
function ChannelFacts({ channel }) {
  /** @type {string[]} */
  const subscribers = channel.subscribers;
  const others = channel.subscriber_count - subscribers.length;
  return html`<div class="channel-facts">
    ${channel.description && html`<p dir="auto"><${Pieces} pieces=${presentName(channel.description)} /></p>`}
    <p class="quiet">${channel.private && "Private. "}${channel.publishers === "members" && "Only members publish. "}Made
      ${" "}<${Ago} at=${channel.created_at} />${channel.created_by && html` by <a href=${href("agents", channel.created_by)}><${Name} text=${channel.created_by} /></a>`}.
      ${" "}${subscribers.length === 0 ? "Nobody subscribes." : html`Read by ${subscribers.map((agent, i) => html`${i > 0 && ", "}<a key=${agent}
        href=${href("agents", agent)}><${Name} text=${agent} /></a>`)}${others > 0 && ` and ${plural(others, "other")}`}.`}</p>
  </div>`;
}
