// One message on two lines of a list.

import { html } from "../base/dom.js";
import { time } from "../base/format.js";
import { Name } from "../base/parts.js";
import { receiverText } from "./filters.js";
import { Pieces } from "../base/pieces.js";
import { presentName } from "../base/visible_text.js";

/** @typedef {import("./types.js").Row} Row */

const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** The time, before today with its day. @param {number} at @param {number} now */
export function shortTime(at, now) {
  const day = dayFormat.format(at);
  return day === dayFormat.format(now) ? time(at) : `${day} ${time(at)}`;
}

/** @param {{ row: Pick<Row, "from" | "to" | "channel"> }} props */
export function FromTo({ row }) {
  return html`<span class="from-to"><${Name} text=${row.from} class="from" /><span class="arrow" aria-hidden="true"> → </span
    ><span class="hidden-text"> to </span><${Name} text=${receiverText(row)} class=${isEveryone(row) ? "quiet" : ""} /></span>`;
}

/** @param {Pick<Row, "to" | "channel">} row */
function isEveryone(row) {
  return row.channel === null && (row.to === null || row.to === "broadcast");
}

/** @param {{ row: Row, now: number, note?: string, inChannel?: boolean, inThread?: boolean }} props */
export function MessageRow({ row, now, note, inChannel = false, inThread = false }) {
  return html`<span class="message-head">
      ${inChannel ? html`<span class="from-to"><${Name} text=${row.from} class="from" /></span>` : html`<${FromTo} row=${row} />`}
      ${row.type !== "chat" && html`<span class="tag"><${Name} text=${row.type} /></span>`}
      ${row.reply_to !== null && !inThread && html`<span class="quiet" aria-hidden="true" title="An answer">↩</span><span class="hidden-text">, an answer</span>`}
      ${note && html`<span class="quiet note">${note}</span>`}
      <time class="quiet" datetime=${new Date(row.timestamp).toISOString()}>${shortTime(row.timestamp, now)}</time>
    </span>
    <span class="message-preview" dir="auto"><${Pieces} pieces=${presentName(row.preview)} /></span>`;
}
