// All agents: searched, filtered and sorted by what is in the address.

import { html, useCallback, useEffect, useMemo, useRef, useState } from "../base/dom.js";
import { ago, count, dateTime, duration, none, plural, short } from "../base/format.js";
import { useKeys } from "../base/keys.js";
import { useMedia } from "../base/media.js";
import { Empty, Name } from "../base/parts.js";
import { href, setParams } from "../base/route.js";
import { scrollToRow, VirtualList } from "../base/virtual_list.js";
import { store, useNow, useStore } from "../live/store.js";
import { filterOf } from "./rows.js";
import { useRows } from "./use_rows.js";

/** @typedef {import("../live/types.js").Agent} Agent */
/** @typedef {import("./rows.js").SortKey} SortKey */

/** @type {{ key: SortKey | null, label: string, class?: string }[]} */
const columns = [
  { key: "id", label: "Agent" }, { key: "state", label: "State" }, { key: null, label: "Capabilities", class: "wide-only" },
  { key: "seen", label: "Here since" }, { key: "sent", label: "Sent, 24 h", class: "number" },
  { key: "received", label: "Received, 24 h", class: "number" }, { key: "unread", label: "Unread", class: "number" },
  { key: "oldest", label: "Oldest unread", class: "number" },
];

/** What is shown with the largest first, unless it is reversed. */
const largestFirst = new Set(["sent", "received", "unread", "oldest"]);

const stateNames = {
  "": "All agents", online: "Online", working: "Working", idle: "Idle", offline: "Offline", unread: "With unread mail",
  unknown: "Unknown names",
};

/** As in agents.css: below these widths a row is a card, of four and then of five lines. */
const narrow = matchMedia("(max-width: 60rem)");
const veryNarrow = matchMedia("(max-width: 26rem)");

/** @param {{ route: import("../base/route.js").Route }} props */
export function AgentsTable({ route }) {
  const filter = useMemo(() => filterOf(route.params), [route]);
  const total = useStore((state) => state.agents.size);
  const complete = useStore((state) => state.complete);
  const leftOut = useStore((state) => state.overview?.agents_left_out ?? 0);
  const now = useNow(5000);
  const cards = useMedia(narrow);
  const tight = useMedia(veryNarrow);
  const { ids, holding, hold } = useRows(filter);
  const [current, setCurrent] = useState("");
  const table = useRef(/** @type {HTMLDivElement | null} */ (null));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const rowRem = cards ? (tight ? 7.4 : 6.2) : 3.25;
  const at = current ? ids.indexOf(current) : -1;

  const move = (/** @type {number} */ by) => {
    const index = Math.min(ids.length - 1, Math.max(0, at < 0 ? 0 : at + by));
    if (ids[index] !== undefined) setCurrent(ids[index]);
  };
  useEffect(() => {
    if (at < 0) return;
    scrollToRow(table.current?.querySelector(".virtual") ?? null, at, rowRem);
    /** @type {HTMLElement | null | undefined} */ (table.current?.querySelector("a[data-current]"))?.focus({ preventScroll: true });
  }, [current]);
  useKeys("Agents", {
    "/": { run: () => search.current?.focus(), help: "search" },
    j: { run: () => move(1), help: "next agent (Enter opens it)" },
    k: { run: () => move(-1), help: "agent before" },
    Escape: { run: () => leaveSearch(search.current), help: "leave the search", whileTyping: true },
  });

  const row = useCallback(
    (/** @type {string} */ id) => html`<${AgentRow} id=${id} now=${now} current=${id === current} />`, [now, current]);
  return html`<div class="agents">
    <div class="title-line"><h1>Agents</h1>
      <span class="quiet">${ids.length === total ? count(total) : `${count(ids.length)} of ${count(total)}`}${complete ? "" : ", more are coming"}</span>
      <${Found} filter=${filter} found=${ids.length} total=${total} /></div>
    <div class="tools" role="search">
      <input ref=${search} type="search" class="grow" placeholder="Name, status or capability" aria-label="Search agents" value=${filter.q}
        autocomplete="off" spellcheck=${false}
        onInput=${(/** @type {InputEvent} */ event) => setParams({ q: /** @type {HTMLInputElement} */ (event.target).value })} />
      <select aria-label="Show" value=${filter.state}
        onChange=${(/** @type {Event} */ event) => setParams({ state: /** @type {HTMLSelectElement} */ (event.target).value })}>
        ${Object.entries(stateNames).map(([value, label]) => html`<option key=${value} value=${value} selected=${value === filter.state}>${label}</option>`)}
      </select>
      ${cards && html`<select aria-label="Sort by" value=${filter.sort}
        onChange=${(/** @type {Event} */ event) => setParams({ sort: /** @type {HTMLSelectElement} */ (event.target).value, reverse: false })}>
        ${columns.map(({ key, label }) => key && html`<option key=${key} value=${key} selected=${key === filter.sort}>By ${label.toLowerCase()}</option>`)}
      </select>`}
    </div>
    ${leftOut > 0 && html`<p class="quiet">The hub shows the most recently active agents only; ${plural(leftOut, "other")} are left out (<code>limits.observed_agents</code>).</p>`}
    ${ids.length === 0 ? html`<${NoAgents} total=${total} complete=${complete} filter=${filter} />` : html`
      <div class="agent-table" role="table" aria-label="Agents" aria-rowcount=${ids.length + 1} ref=${table} ...${hold}>
        ${!cards && html`<${Headings} filter=${filter} holding=${holding} />`}
        <${VirtualList} items=${ids} rowRem=${rowRem} keyOf=${itself} role="rowgroup" keep=${at}
          rowProps=${rowProps}
          row=${row} />
      </div>`}
  </div>`;
}

/** @param {string} id */
const itself = (id) => id;
const rowProps = () => ({ class: "virtual-row agent-row" });

/** @param {HTMLInputElement | null} field */
function leaveSearch(field) {
  if (!field || document.activeElement !== field) return;
  if (field.value) setParams({ q: "" });
  else field.blur();
}

/** Says what a search has found when it changes, not when agents come and go.
 * @param {{ filter: import("./rows.js").Filter, found: number, total: number }} props */
function Found({ filter, found, total }) {
  const [said, say] = useState("");
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const timer = setTimeout(() => say(`${found} of ${plural(total, "agent")}`), 500);
    return () => clearTimeout(timer);
  }, [filter.q, filter.state]);
  return html`<span class="hidden-text" role="status">${said}</span>`;
}

/** @param {{ filter: import("./rows.js").Filter, holding: boolean }} props */
function Headings({ filter, holding }) {
  return html`<div role="rowgroup" class="headings-group"><div role="row" class="agent-row headings" aria-rowindex="1">
    ${columns.map(({ key, label, class: name }) => {
      const active = key === filter.sort;
      const direction = active ? (largestFirst.has(key ?? "") === filter.reverse ? "ascending" : "descending") : undefined;
      if (!key) return html`<span role="columnheader" key=${label} class=${name}>${label}</span>`;
      return html`<span role="columnheader" key=${label} class=${name} aria-sort=${direction}>
        <button type="button" onClick=${() => setParams({ sort: key, reverse: active && !filter.reverse })}>${label}</button></span>`;
    })}
  </div><span class="hold-note quiet" aria-hidden="true" title="Rows stay where they are while you are in the table">${holding ? "order held" : ""}</span></div>`;
}

/** @param {{ id: string, now: number, current: boolean }} props */
function AgentRow({ id, now, current }) {
  const agent = useStore((state) => state.agents.get(id));
  if (!agent) return null;
  const late = agent.oldest_unread_at !== null && now - agent.oldest_unread_at > 3_600_000;
  return html`
    <span role="cell" class="who-cell"><a href=${href("agents", id)} data-current=${current || undefined}><${Name} text=${id} /></a>
      ${(agent.status || agent.known === false) && html`<span class="status-text">${agent.status
        ? html`<${Name} text=${agent.status} />` : "Nobody has this name: mail for it waits."}</span>`}</span>
    <span role="cell"><span class="state ${agent.state}">${agent.state}</span></span>
    <span role="cell" class="wide-only capabilities">${agent.capabilities.map((one) => html`<${Name} text=${one} class="tag" key=${one} />`)}</span>
    <span role="cell" class="seen">${seen(agent, now)}</span>
    <span role="cell" class="number"><span class="label">sent</span> ${short(agent.sent_24h)}</span>
    <span role="cell" class="number"><span class="label">received</span> ${short(agent.received_24h)}</span>
    <span role="cell" class="number ${agent.unread ? "some" : "quiet"}"><span class="label">unread</span> ${agent.unread === null ? none : `${short(agent.unread)}${agent.unread_more ? "+" : ""}`}</span>
    <span role="cell" class="number ${late ? "late" : "quiet"}"><span class="label">oldest</span> ${agent.oldest_unread_at === null ? none : duration(now - agent.oldest_unread_at)}</span>`;
}

/** @param {Agent} agent @param {number} now */
function seen(agent, now) {
  if (agent.connected_since !== null) {
    return html`<time title="Connected since ${dateTime(agent.connected_since)}">${duration(now - agent.connected_since)}</time>`;
  }
  if (agent.last_seen === null) return html`<span class="quiet">never seen</span>`;
  return html`<time class="quiet" title="Last seen ${dateTime(agent.last_seen)}">seen ${ago(agent.last_seen, now)}</time>`;
}

/** @param {{ total: number, complete: boolean, filter: import("./rows.js").Filter }} props */
function NoAgents({ total, complete, filter }) {
  if (total === 0 && complete) {
    return html`<${Empty} title="No agent has been here yet.">
      <p><a href=${href("overview")}>The overview</a> says how to connect the first one. It then appears here by itself.</p><//>`;
  }
  return html`<${Empty} title=${filter.q ? `No agent matches “${filter.q}”${filter.state ? " in this state" : ""}.` : "No agent is in this state."}>
    <button type="button" class="button" onClick=${() => setParams({ q: "", state: "" })}>Show all ${count(store.state.agents.size)}</button><//>`;
}
