// Says that what is shown is not up to date, since when and why.

import { html } from "../base/dom.js";
import { duration, time } from "../base/format.js";
import { store, useNow, useStore } from "../live/store.js";

/** What is over sooner is not worth counting, in milliseconds. */
const leastMs = 5000;

export function Away() {
  const connection = useStore((state) => state.connection);
  const at = useStore((state) => state.at);
  const skew = useStore((state) => state.skew);
  if (connection.state !== "away") return null;
  return html`<div class="notice critical away">
    <div><p role="alert"><strong>Not connected</strong> since ${time(connection.since)}. ${connection.reason} Trying again.</p>
      <p><${Since} since=${connection.since} />
      ${at ? ` What is shown below is from ${time(at - skew)}.` : ""}</p></div>
    <button type="button" class="button small" onClick=${() => store.tryNow()}>Try now</button>
  </div>`;
}

/** Outside of what is read out: it changes each second. @param {{ since: number }} props */
function Since({ since }) {
  useNow(1000);
  const ms = Date.now() - since;
  return ms < leastMs ? null : html`<span>${duration(ms)} without the hub.</span>`;
}
