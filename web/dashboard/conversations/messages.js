// All messages that one may read, newest first, by who sent them to whom, where, of what type and with
// which text.

import { html, useEffect, useMemo, useRef, useState } from "../base/dom.js";
import { useKeys } from "../base/keys.js";
import { Command, Empty } from "../base/parts.js";
import { setParams } from "../base/route.js";
import { store, useStore } from "../live/store.js";
import { FeedList } from "./feed_list.js";
import { activeFilters, addressOf, cleaned, filtersOf, noFilters } from "./filters.js";
import { filteredSource } from "./sources.js";
import { fitting } from "./suggestions.js";

/** @typedef {import("./types.js").Filters} Filters */

/// How long after the last key the hub is asked, in milliseconds.
const typingMs = 300;

/** @param {{ route: import("../base/route.js").Route }} props */
export function Messages({ route }) {
  const filters = useMemo(() => filtersOf(route.params), [route.params]);
  const name = JSON.stringify(filters);
  const active = activeFilters(filters).length > 0;
  return html`<${FeedList} key="messages" route=${route} source=${() => filteredSource(filters)} name=${name} label="Messages, newest first"
    receiver=${filters.channel !== "" ? `#${filters.channel}` : filters.to}
    head=${(/** @type {() => void} */ write) => html`<${WriteHead} title="Messages" onWrite=${write} /><${FilterBar} filters=${filters} name=${name} />`}
    empty=${active ? html`<${NothingFits} />` : html`<${NothingYet} />`} />`;
}

/**
 * The heading, with the way to write.
 * @param {{ title: any, onWrite: () => void }} props
 */
export function WriteHead({ title, onWrite }) {
  const role = useStore((state) => state.session?.role);
  return html`<div class="view-head"><h1>${title}</h1>
    ${role === "observer" ? html`<span class="quiet">An observer's token reads and does not send.</span>`
      : html`<button type="button" class="button" title="c" onClick=${onWrite}>Write</button>`}
  </div>`;
}

/** @type {Record<keyof Filters, string>} */
const labels = { from: "From", to: "To", channel: "Channel", type: "Type", text: "Search text" };

/** @param {{ filters: Filters, name: string }} props */
function FilterBar({ filters, name }) {
  const [typed, setTyped] = useState(filters);
  const [open, setOpen] = useState(false);
  const set = useRef(name);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  // By a link or the browser's back: the fields follow the address.
  useEffect(() => {
    if (set.current === name) return;
    set.current = name;
    setTyped(filters);
  }, [name]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useKeys("Search", { "/": { run: () => search.current?.select(), help: "search in texts" } });

  /** @param {Filters} next */
  const apply = (next) => {
    clearTimeout(timer.current);
    const clean = /** @type {Filters} */ (Object.fromEntries(
      Object.entries(next).map(([key, value]) => [key, cleaned(/** @type {keyof Filters} */ (key), value)])));
    set.current = JSON.stringify(clean);
    setParams(addressOf(clean));
  };
  /** @param {keyof Filters} key */
  const field = (key) => html`<label key=${key} class=${`filter filter-${key}`}><span>${labels[key]}</span>
    <input type=${key === "text" ? "search" : "text"} ref=${key === "text" ? search : undefined} value=${typed[key]}
      list=${key === "from" || key === "to" ? "filter-agents" : undefined} autocomplete="off" autocapitalize="none" spellcheck=${false}
      placeholder=${key === "text" ? "in payloads" : "any"}
      onInput=${(/** @type {Event} */ event) => {
        const next = { ...typed, [key]: /** @type {HTMLInputElement} */ (event.target).value };
        setTyped(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => apply(next), typingMs);
      }} /></label>`;
  const others = activeFilters(filters).filter((key) => key !== "text").length;
  return html`<form class=${`filters ${open ? "filters-open" : ""}`} role="search" aria-label="Filters" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      apply(typed);
    }}>
    ${field("text")}
    <button type="button" class="button filters-toggle" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      Filters${others > 0 ? ` (${others})` : ""}</button>
    ${field("from")}${field("to")}${field("channel")}${field("type")}
    ${activeFilters(filters).length > 0 && html`<button type="button" class="button filters-clear" onClick=${() => {
      setTyped(noFilters);
      apply(noFilters);
      search.current?.focus();
    }}>Clear</button>`}
    <${AgentNames} typed=${[typed.from, typed.to]} />
  </form>`;
}

/** @param {{ typed: string[] }} props */
function AgentNames({ typed }) {
  useStore((state) => state.agentsVersion);
  const names = fitting(store.state.agents.keys(), typed);
  return html`<datalist id="filter-agents">${names.map((name) => html`<option key=${name} value=${name} />`)}</datalist>`;
}

function NothingFits() {
  return html`<${Empty} title="No message fits these filters.">
    <p>Names, channels and types have to be complete; text is looked for in the JSON of payloads, letter case aside.</p><//>`;
}

function NothingYet() {
  const session = useStore((state) => state.session);
  return html`<${Empty} title="No messages yet.">
    ${session?.role === "agent" ? html`<p>An agent's token shows what that agent sent and what was sent to it.</p>` : null}
    <p>An agent sends one with:</p>
    <${Command} text="agentcom send bob 'are you there?'" /><//>`;
}
