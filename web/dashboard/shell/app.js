// The frame around the views: who is logged in, how the connection is, where one can go.

import { Agents } from "../agents/index.js";
import { html, useEffect, useRef, useState } from "../base/dom.js";
import { useKeys } from "../base/keys.js";
import { Empty, Notice } from "../base/parts.js";
import { go, href, useRoute } from "../base/route.js";
import { plainName } from "../base/visible_text.js";
import { conversationViews } from "../conversations/index.js";
import { store, useStore } from "../live/store.js";
import { Overview } from "../overview/index.js";
import { Alarms } from "./alarms.js";
import { Away } from "./away.js";
import { Guard } from "./guard.js";
import { Help } from "./help.js";
import { Login } from "./login.js";
import { TopBar } from "./top_bar.js";

/**
 * @typedef {object} View
 * @property {string} title of the page while it is shown
 * @property {(props: { route: import("../base/route.js").Route }) => any} component begins with an h1
 * @property {{ label: string, key: string }} [nav]
 */

/** @typedef {Record<string, View>} Views */

/** @type {Views} */
export const views = {
  overview: { title: "Overview", component: Overview, nav: { label: "Overview", key: "o" } },
  agents: { title: "Agents", component: Agents, nav: { label: "Agents", key: "a" } },
  ...conversationViews,
};

export function App() {
  const session = useStore((state) => state.session);
  const away = useStore((state) => state.connection.state === "away");
  const known = useStore((state) => state.overview !== null);
  if (session === null) return html`<${Login} />`;
  if (session === undefined) {
    return away ? html`<main class="page narrow"><h1 class="brand">AgentCom</h1><${Away} /></main>` : null;
  }
  return html`<${Frame} known=${known} />`;
}

/** @param {{ known: boolean }} props */
function Frame({ known }) {
  const route = useRoute();
  const [help, showHelp] = useState(false);
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const view = Object.hasOwn(views, route.view) ? views[route.view] : undefined;
  const place = [route.view, ...route.rest].join("/");

  useKeys("Everywhere", {
    "?": { run: () => showHelp(true), help: "show these keys" },
    ...Object.fromEntries(Object.entries(views).filter(([, { nav }]) => nav).map(([name, { nav }]) => [
      `g ${nav?.key}`, { run: () => go(href(name)), help: `go to ${nav?.label}` },
    ])),
  });
  useTitle(route.rest[0] ?? view?.title ?? "Not found");
  // Whoever goes to another view by keyboard or with a screen reader begins at its heading.
  const firstPlace = useRef(place);
  useEffect(() => {
    if (firstPlace.current === place) return;
    firstPlace.current = place;
    scrollTo(0, 0);
    const heading = main.current?.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  }, [place]);

  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      main.current?.focus();
    }}>Skip to the content</a>
    <${TopBar} current=${route.view} onHelp=${() => showHelp(true)} />
    <main class="page" id="main" tabindex="-1" ref=${main}>
      <${Away} />
      <${Changed} />
      ${known && html`<${Alarms} />`}
      ${view ? (known ? html`<${Guard} key=${route.view}><${view.component} route=${route} /><//>`
                      : html`<h1 class="hidden-text">${view.title}</h1><p class="loading" role="status">Waiting for the hub…</p>`)
             : html`<h1>Not found</h1><${Empty} title="There is no such page here.">
                 <p><a href=${href("overview")}>Go to the overview</a></p><//>`}
    </main>
    ${help && html`<${Help} onClose=${() => showHelp(false)} />`}`;
}

/** Says that somebody else is logged in than this page showed. */
function Changed() {
  const changed = useStore((state) => state.changed);
  return changed && html`<${Notice} kind="warning">${changed}
    ${" "}<button type="button" class="link" onClick=${() => store.changeRead()}>Dismiss</button><//>`;
}

/** The tab's title begins with what needs looking at; a tab that rests knows of nothing. @param {string} title */
function useTitle(title) {
  const away = useStore((state) => state.connection.state === "away");
  const alarms = useStore((state) => (state.connection.state === "live" ? state.overview?.alarms.length ?? 0 : 0));
  useEffect(() => {
    const first = away ? "not connected · " : alarms ? `(${alarms}) ` : "";
    document.title = `${first}${plainName(title)} · AgentCom`;
  }, [title, away, alarms]);
}
