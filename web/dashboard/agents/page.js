// One agent: what it does, what waits for it, what it said lately; for administrators what they can
// do about it.

import { html, useMemo, useRef } from "../base/dom.js";
import { path } from "../base/api.js";
import { ago, count, dateTime, longDuration, none, plural, short } from "../base/format.js";
import { Empty, Loading, Name, Notice } from "../base/parts.js";
import { href } from "../base/route.js";
import { useAnswer, useNow, useStore } from "../live/store.js";
import { Chart } from "../base/chart.js";
import { Actions } from "./actions.js";
import { RecentMessages, Waiting } from "./mail.js";
import { Tokens } from "./tokens.js";

/** @typedef {import("../live/types.js").Agent} Agent */

/**
 * What the hub answers about one agent.
 * @typedef {Agent & { hours: [number, number, number][], subscriptions: string[], more_subscriptions?: boolean,
 *   connected_from?: string }} AgentDetails
 */

/** What is not in the stream is asked for again so often at most, in milliseconds, and only when the row has changed. */
const againMs = 10_000;

/** @type {import("../base/chart.js").Line[]} */
const hourLines = [{ label: "received directly", color: 2 }, { label: "sent", color: 1 }];

/**
 * A number that changes when the agent's row has changed, at most every `againMs`.
 * @param {Agent | undefined} row
 */
function useChanges(row) {
  const now = useNow(1000);
  const seen = useRef({ row, at: 0, n: 0 });
  if (seen.current.row !== row && now - seen.current.at >= againMs) seen.current = { row, at: now, n: seen.current.n + 1 };
  return seen.current.n;
}

/** @param {{ id: string }} props */
export function AgentPage({ id }) {
  const row = useStore((state) => state.agents.get(id));
  const role = useStore((state) => state.session?.role);
  const changes = useChanges(row);
  const { data, error, loading } = useAnswer(path`/api/observe/agents/${id}`, changes);
  /** @type {AgentDetails | undefined} */
  const details = data;
  const agent = row ?? details;
  if (!agent) {
    return html`<div class="agent-page"><${Back} /><h1><${Name} text=${id} /></h1>
      ${loading ? html`<${Loading} />` : html`<${Empty} title="The hub knows nothing of this agent.">
        <p>It has no token and no mail, and was not here in the last 24 hours. ${error && html`<span class="quiet">${error}</span>`}</p><//>`}</div>`;
  }
  return html`<div class="agent-page">
    <${Back} />
    <${Head} agent=${agent} role=${role} />
    ${error && html`<${Notice} kind="warning">Not all can be shown: ${error}<//>`}
    <${Numbers} agent=${agent} details=${details} />
    ${details && html`<${Hours} hours=${details.hours} />`}
    <div class="columns">
      <div class="column"><${Waiting} agent=${agent} changes=${changes} /><${Subscriptions} details=${details} /></div>
      <div class="column">${role === "admin" && html`<${Tokens} id=${id} />`}<${RecentMessages} id=${id} changes=${changes} /></div>
    </div>
  </div>`;
}

function Back() {
  return html`<p><a href=${href("agents")}>← All agents</a></p>`;
}

/** @param {{ agent: Agent, role: string | undefined }} props */
function Head({ agent, role }) {
  return html`<header class="agent-head">
    <div class="section-head"><h1><${Name} text=${agent.id} /></h1>
      ${role === "admin" && html`<${Actions} agent=${agent} />`}</div>
    <p><span class="state ${agent.state}">${agent.state}</span>
      ${agent.name && agent.name !== agent.id && html` <span class="quiet">calls itself</span> <${Name} text=${agent.name} />`}</p>
    ${agent.known === false && html`<${Notice} kind="warning">Nobody holds a token for this name: it was only written to. It may be misspelled.<//>`}
    ${agent.status && html`<p class="status-text"><${Name} text=${agent.status} /></p>`}
    ${agent.capabilities.length > 0 && html`<p aria-label="Capabilities">${agent.capabilities.map((one) => html`<${Name} text=${one} class="tag" key=${one} />`)}</p>`}
  </header>`;
}

/** @param {{ agent: Agent, details: AgentDetails | undefined }} props */
function Numbers({ agent, details }) {
  const now = useNow(5000);
  const since = agent.connected_since;
  const facts = [
    since !== null ? ["Connected for", longDuration(now - since), dateTime(since)]
      : ["Last seen", ago(agent.last_seen, now), dateTime(agent.last_seen)],
    ["Connections", count(agent.connections), ""],
    ["Connected from", details?.connected_from ?? "", ""],
    ["Sent, 24 h", count(agent.sent_24h), ""], ["Received, 24 h", count(agent.received_24h), "Direct messages, channels and broadcasts"],
    ["Unread", agent.unread === null ? none : `${count(agent.unread)}${agent.unread_more ? " or more" : ""}`, ""],
    ["Oldest unread", ago(agent.oldest_unread_at, now), agent.oldest_unread_at ? dateTime(agent.oldest_unread_at) : ""],
    ["Last read", ago(agent.last_read_at, now), agent.last_read_at ? dateTime(agent.last_read_at) : ""],
  ];
  return html`<dl class="card numbers">${facts.filter(([name, value]) => value !== "" || name !== "Connected from").map(([name, value, title]) =>
    html`<div key=${name}><dt>${name}</dt><dd title=${title || undefined}>${value}</dd></div>`)}</dl>`;
}

/** @param {{ hours: [number, number, number][] }} props */
function Hours({ hours }) {
  const data = useMemo(() => [hours.map(([at]) => at / 1000), hours.map(([, , received]) => received), hours.map(([, sent]) => sent)], [hours]);
  const sent = hours.reduce((sum, hour) => sum + hour[1], 0);
  const received = hours.reduce((sum, hour) => sum + hour[2], 0);
  return html`<${Chart} title="Last 24 hours" unit="messages an hour" lines=${hourLines} data=${data} format=${short}
    summary=${`${count(sent)} sent, ${count(received)} received directly`} />`;
}

/** @param {{ details: AgentDetails | undefined }} props */
function Subscriptions({ details }) {
  if (!details) return null;
  const { subscriptions } = details;
  return html`<section class="card"><h2>Channels it is subscribed to</h2>
    ${subscriptions.length === 0 ? html`<p class="quiet">None.</p>`
      : html`<ul class="links">${subscriptions.map((name) => html`<li key=${name}><a href=${href("channels", name)}><${Name} text=${name} /></a></li>`)}</ul>`}
    ${details.more_subscriptions && html`<p class="quiet">And more: ${plural(subscriptions.length, "channel")} are shown.</p>`}
  </section>`;
}
