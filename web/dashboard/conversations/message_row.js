// One message on two lines of a list.

import { html } from "../base/dom.js";
import { time } from "../base/format.js";
import { Name } from "../base/parts.js";
import { receiverText } from "./filters.js";
import { presentName } from "./visible_text.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./visible_text.js").Piece} Piece */

const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** The time, before today with its day. @param {number} at @param {number} now */
export function shortTime(at, now) {
  const day = dayFormat.format(at);
  return day === dayFormat.format(now) ? time(at) : `${day} ${time(at)}`;
}

/**
 * Text of others, with marks in the place of what must not take effect.
 * @param {{ pieces: Piece[] }} props
 */
export function Pieces({ pieces }) {
  return pieces.map((piece, i) => "text" in piece ? piece.text
    : html`<span key=${i} class="char-mark" title=${piece.title}>${piece.mark}</span>`);
}

/** @param {{ row: Pick<Row, "from" | "to" | "channel">, strong?: boolean }} props */
export function FromTo({ row }) {
  return html`<span class="from-to"><${Name} text=${row.from} class="from" /><span class="arrow" aria-hidden="true"> → </span
    ><span class="hidden-text"> to </span><${Name} text=${receiverText(row)} class=${isEveryone(row) ? "quiet" : ""} /></span>`;
}

/** @param {Pick<Row, "to" | "channel">} row */
function isEveryone(row) {
  return row.channel === null && (row.to === null || row.to === "broadcast");
}

/** @param {{ row: Row, now: number, note?: string }} props */
export function MessageRow({ row, now, note }) {
  return html`<span class="message-head">
      <${FromTo} row=${row} />
      ${row.type !== "chat" && html`<bdi class="tag">${row.type}</bdi>`}
      ${row.reply_to !== null && html`<span class="quiet" aria-hidden="true" title="An answer">↩</span><span class="hidden-text">, an answer</span>`}
      ${note && html`<span class="quiet note">${note}</span>`}
      <time class="quiet" datetime=${new Date(row.timestamp).toISOString()}>${shortTime(row.timestamp, now)}</time>
    </span>
    <span class="message-preview" dir="auto"><${Pieces} pieces=${presentName(row.preview)} /></span>`;
}
