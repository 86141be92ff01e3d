// Is the hub well, and which agents need somebody to look?

import { html, useMemo } from "../base/dom.js";
import { count, duration, latency, plural, rate, short, time } from "../base/format.js";
import { Name } from "../base/parts.js";
import { href } from "../base/route.js";
import { store, useNow, useStore } from "../live/store.js";
import { needAttention } from "./attention.js";
import { Chart } from "../base/chart.js";
import { FirstStart } from "./first_start.js";
import { countsByHour, latencies, peak, ratesByMinute } from "./series.js";
import { Facts, Tiles } from "./tiles.js";

/** @typedef {import("../live/types.js").Overview} OverviewData */

/** @type {import("../base/chart.js").Line[]} */
const rateLines = [{ label: "messages a second", color: 1 }];
/** @type {import("../base/chart.js").Line[]} */
const hourLines = [{ label: "messages", color: 1, bars: 3600 }];
/** @type {import("../base/chart.js").Line[]} */
const latencyLines = [
  { label: "delivery p50", color: 1, dashed: true }, { label: "p99", color: 1 },
  { label: "commit p50", color: 2, dashed: true }, { label: "p99", color: 2 },
];

export function Overview() {
  const overview = useStore((state) => state.overview);
  const hub = useStore((state) => state.hub);
  const restarted = useStore((state) => state.connection.restarted ?? false);
  const others = useStore(({ agents, session }) => agents.size - (session && agents.has(session.agent_id) ? 1 : 0));
  if (!overview || !hub) return null;
  const fresh = overview.head_seq === 0 && others === 0;
  return html`<div class="overview">
    <h1 class="hidden-text">Overview</h1>
    ${restarted && html`<p class="quiet">The hub was restarted at ${time(hub.started_at)}; the page has gone on by itself.</p>`}
    ${fresh && html`<${FirstStart} />`}
    <${Tiles} overview=${overview} />
    ${!fresh && html`<${Attention} overview=${overview} />`}
    <${Charts} />
    <${Facts} overview=${overview} hub=${hub} />
  </div>`;
}

function Charts() {
  const series = useStore((state) => state.series);
  const rates = useMemo(() => ratesByMinute(series), [series]);
  const hours = useMemo(() => countsByHour(series), [series]);
  const delays = useMemo(() => latencies(series), [series]);
  const most = peak(rates[0], rates[1]);
  const mostHour = peak(hours[0], hours[1]);
  const slowest = peak(delays[0], delays[2]);
  return html`<section class="charts" aria-label="Charts">
    <${Chart} title="Last hour" unit="messages a second" lines=${rateLines} data=${rates} format=${rate}
      summary=${most ? `${rate(rates[1].at(-1))} now, at most ${rate(most.value)} at ${time(most.at)}` : "no messages"} />
    <${Chart} title="Last 24 hours" unit="messages an hour" lines=${hourLines} data=${hours} format=${short}
      summary=${mostHour ? `at most ${count(mostHour.value)} in the hour from ${time(mostHour.at)}` : "no messages"} />
    <${Chart} title="Latency" unit="last hour" lines=${latencyLines} data=${delays} format=${latency}
      summary=${slowest ? `p99 of deliveries at most ${latency(slowest.value)} at ${time(slowest.at)}` : "nothing was delivered"} />
  </section>`;
}

/** @param {{ overview: OverviewData }} props */
function Attention({ overview }) {
  const agentsVersion = useStore((state) => state.agentsVersion);
  const now = useNow(5000);
  const { worst, others } = useMemo(() => needAttention(store.state.agents.values(), overview, now), [agentsVersion, overview, now]);
  return html`<section class="card attention" aria-label="Agents that need attention">
    <h2>Who is stuck</h2>
    ${worst.length === 0 ? html`<p class="quiet">Nobody: no mail waits for more than five minutes, and no mailbox grows.</p>`
      : html`<ul>${worst.map(({ agent, why, grew }) => html`<li key=${agent.id}>
          <a href=${href("agents", agent.id)}><${Name} text=${agent.id} /></a>
          <span class="why">${why}</span>
          <span class="number">${short(agent.unread)}${agent.unread_more ? "+" : ""} <span class="quiet">unread</span></span>
          <span class="number">${agent.oldest_unread_at ? html`<span class="quiet">for</span> ${duration(now - agent.oldest_unread_at)}` : ""}</span>
          <span class="number grew">${grew ? `+${short(grew)}` : ""}<span class="hidden-text">${grew ? ` ${plural(grew, "message")} more in the last minutes` : ""}</span></span>
        </li>`)}</ul>`}
    ${others > 0 && html`<p><a href=${href("agents", { state: "unread", sort: "unread" })}>and ${plural(others, "other")}</a></p>`}
  </section>`;
}
