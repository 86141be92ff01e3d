// The bar at the top: navigation, how the connection is, who is logged in.

import { html } from "../base/dom.js";
import { Name } from "../base/parts.js";
import { href } from "../base/route.js";
import { store, useStore } from "../live/store.js";
import { views } from "./app.js";

/** @param {{ current: string, onHelp: () => void }} props */
export function TopBar({ current, onHelp }) {
  const session = useStore((state) => state.session);
  const active = current === "threads" ? "messages" : current;
  return html`<header class="topbar">
    <div class="topbar-inner">
      <a class="brand" href=${href("overview")}>AgentCom</a>
      <nav aria-label="Views"><ul>
        ${Object.entries(views).map(([name, { nav }]) => nav && html`<li key=${name}><a href=${href(name)}
          aria-current=${active === name ? "page" : undefined}>${nav.label}</a></li>`)}
      </ul></nav>
      <${LiveState} />
      <div class="who">
        ${session && html`<span class="who-name" title="Whose token you are logged in with"><${Name} text=${session.agent_id} />
          <span class="quiet"> ${session.role}</span></span>`}
        <button type="button" class="button small" onClick=${onHelp} aria-label="Keys" title="Keys (?)">?</button>
        <button type="button" class="button small" onClick=${() => store.signOut()}>Log out</button>
      </div>
    </div>
  </header>`;
}

/** Green only while the stream runs and the store takes messages. */
function LiveState() {
  const connection = useStore((state) => state.connection.state);
  const stored = useStore((state) => state.overview?.store.state ?? "ok");
  const critical = useStore((state) => state.overview?.alarms.some(({ severity }) => severity === "critical") ?? false);
  const [text, kind] =
    connection === "starting" ? ["Connecting", "idle"]
    : connection === "away" ? ["Not connected", "bad"]
    : stored === "failed" ? ["Store failed", "bad"]
    : stored === "full" ? ["Store full", "bad"]
    : critical ? ["Live, alarm", "bad"]
    : ["Live", "good"];
  return html`<p class="live ${kind}" id="state" role="status">${text}</p>`;
}
