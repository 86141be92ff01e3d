// A plain banner when something is wrong.

import { html } from "../base/dom.js";
import { Name } from "../base/parts.js";
import { href } from "../base/route.js";
import { Ago } from "../live/ago.js";
import { useStore } from "../live/store.js";

/** How many of an alarm's agents are named. */
const mostNames = 5;

/** @type {import("../live/types.js").Alarm[]} */
const noAlarms = [];

export function Alarms() {
  const alarms = useStore((state) => state.overview?.alarms ?? noAlarms);
  const sorted = [...alarms].sort((a, b) => rank(a) - rank(b) || a.since - b.since);
  return html`<div class="alarms" role="region" aria-label="Alarms">
    ${sorted.map((alarm) => html`<${AlarmLine} key=${alarm.code} alarm=${alarm} />`)}
  </div>`;
}

/** @param {import("../live/types.js").Alarm} alarm */
function rank(alarm) {
  return alarm.severity === "critical" ? 0 : 1;
}

/** @param {{ alarm: import("../live/types.js").Alarm }} props */
function AlarmLine({ alarm }) {
  const agents = alarm.agents ?? [];
  return html`<div class="notice ${alarm.severity === "critical" ? "critical" : "warning"}">
    <span role="alert"><strong>${alarm.severity === "critical" ? "Critical" : "Warning"}</strong> ${alarm.text}</span>
    ${agents.length > 0 && html`<span class="alarm-agents"> ${agents.slice(0, mostNames).map((id, i) => html`${i ? ", " : ""}<a
        href=${href("agents", id)}><${Name} text=${id} /></a>`)}${agents.length > mostNames ? ` and ${agents.length - mostNames} more` : ""}</span>`}
    <span class="quiet"> <${Ago} at=${alarm.since} /></span>
  </div>`;
}
