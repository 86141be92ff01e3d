// Who talks to whom over a chosen time: a matrix to look at, and the same as a table.

import { get, reasonOf } from "../base/api.js";
import { classes, html, useEffect, useMemo, useReducer, useRef, useState } from "../base/dom.js";
import { bytes, count, plural } from "../base/format.js";
import { Empty, Loading, Name, Notice } from "../base/parts.js";
import { href, setParams } from "../base/route.js";
import { Ago } from "../live/ago.js";
import { store, useStore } from "../live/store.js";
import { receiverFilter } from "./filters.js";
import { useLogChanges } from "./log_changes.js";
import { matrixOf, receiverName } from "./talk_matrix.js";
import { MatrixPicture } from "./matrix_picture.js";

/** @typedef {import("./types.js").Pair} Pair */
/** @typedef {import("./talk_matrix.js").Matrix} Matrix */

const hourMs = 3_600_000;
/** @type {Record<string, { label: string, ms: number }>} */
const periods = {
  "15min": { label: "15 min", ms: hourMs / 4 },
  "1h": { label: "1 h", ms: hourMs },
  "6h": { label: "6 h", ms: 6 * hourMs },
  "24h": { label: "24 h", ms: 24 * hourMs },
  "7d": { label: "7 days", ms: 7 * 24 * hourMs },
};
const usual = "24h";
/// How often the picture is made anew at most, and when nothing was sent, because the time it shows moves on.
const renewMs = 10_000;
const idleMs = 60_000;
const listed = 100;
/// As many receivers as leave the table room beside the picture.
const besideTable = 16;

/** @param {{ route: import("../base/route.js").Route }} props */
export function TalkMap({ route }) {
  const role = useStore((state) => state.session?.role);
  const asked = route.params.get("period") ?? usual;
  const period = Object.hasOwn(periods, asked) ? asked : usual;
  return html`<div class="view-head"><h1>Who talks to whom</h1>
      ${role !== "agent" && html`<fieldset class="choice"><legend class="hidden-text">Time</legend>
        ${Object.entries(periods).map(([name, { label }]) => html`<label key=${name}><input type="radio" name="period" checked=${name === period}
          onChange=${() => setParams({ period: name === usual ? null : name })} /><span>${label}</span></label>`)}</fieldset>`}
    </div>
    ${role === "agent" ? html`<${Empty} title="This picture is for observers and administrators.">
        <p>It shows who talks to whom in the whole hub. An agent's token reads its own messages: <a href=${href("messages")}>Messages</a>.</p><//>`
      : html`<${Picture} key=${period} ms=${/** @type {{ ms: number }} */ (periods[period]).ms} />`}`;
}

/** @param {{ ms: number }} props */
function Picture({ ms }) {
  const { pairs, truncated, scanned, error, loading } = usePairs(ms);
  const before = useRef(/** @type {Matrix | null} */ (null));
  const matrix = useMemo(() => {
    before.current = matrixOf(pairs, before.current);
    return before.current;
  }, [pairs]);
  if (loading) return html`<${Loading} />`;
  return html`${error && html`<${Notice} kind="critical">${error}<//>`}
    ${pairs.length === 0 && !error && html`<${Empty} title="Nobody sent anything in this time." />`}
    ${pairs.length > 0 && html`<div class=${classes("talk", matrix.receivers.length > besideTable && "talk-wide")}>
      <${MatrixPicture} matrix=${matrix} />
      <${PairTable} pairs=${pairs} />
    </div>
    <p class="quiet">${matrix.leftOut > 0 && `The picture has room for the busiest ${matrix.senders.length} senders and ${matrix.receivers.length} receivers; ${plural(matrix.leftOut, "message")} of others are not in it. `}
      ${truncated && `Only the newest ${count(scanned)} messages were counted, or the busiest ${count(pairs.length)} pairs are shown.`}</p>`}`;
}

/**
 * Pairs of the time up to now, asked for again when something was sent.
 * @param {number} ms
 */
function usePairs(ms) {
  const change = useLogChanges(renewMs, idleMs);
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const state = useRef({ pairs: /** @type {Pair[]} */ ([]), truncated: false, scanned: 0, error: "", loading: true });
  useEffect(() => {
    const going = new AbortController();
    const now = store.now();
    get("/api/observe/pairs", { since: Math.round(now - ms), until: Math.round(now) }, going.signal).then(
      ({ pairs, truncated, scanned }) => {
        state.current = { pairs, truncated: truncated === true, scanned: scanned ?? 0, error: "", loading: false };
        redraw(0);
      },
      (error) => {
        if (going.signal.aborted) return;
        state.current = { ...state.current, error: reasonOf(error), loading: false };
        redraw(0);
      });
    return () => going.abort();
  }, [ms, change]);
  return state.current;
}

/** @param {{ pairs: Pair[] }} props */
function PairTable({ pairs }) {
  const [all, showAll] = useState(false);
  const shown = all ? pairs : pairs.slice(0, listed);
  const most = pairs[0]?.messages ?? 1;
  return html`<div class="pairs"><table><caption>${plural(pairs.length, "pair")}, the busiest first</caption>
    <thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col" class="number">Messages</th><th scope="col" class="number">Size</th>
      <th scope="col">Last</th></tr></thead>
    <tbody>${shown.map(({ from, to, messages, bytes: size, last_at }) => html`<tr key=${`${from}\n${to}`}>
      <td><${Name} text=${from} /></td><td><${Name} text=${receiverName(to)} /></td>
      <td class="number"><a href=${href("messages", { from, ...receiverFilter(to) })}
          aria-label=${`${plural(messages, "message")} from ${from} to ${receiverName(to)}`}>${count(messages)}</a>
        <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="bar-all" width="100" height="8"
          /><rect class="bar-part" width=${Math.max(1, 100 * messages / most)} height="8" /></svg></td>
      <td class="number">${bytes(size)}</td><td><${Ago} at=${last_at} /></td></tr>`)}</tbody></table>
    ${!all && pairs.length > listed && html`<button type="button" class="button" onClick=${() => showAll(true)}>Show all ${count(pairs.length)}</button>`}
  </div>`;
}
