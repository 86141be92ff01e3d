// The matrix as SVG: rows send, columns receive, and the darker a square the more messages. Whoever
// does not see it has the table beside it, which says the same.

import { html, useState } from "../base/dom.js";
import { count, plural } from "../base/format.js";
import { go, href } from "../base/route.js";
import { receiverFilter } from "./filters.js";
import { levels, receiverName } from "./talk_matrix.js";
import { plainName } from "../base/visible_text.js";

/** @typedef {import("./talk_matrix.js").Cell} Cell */

/// In pixels. Where there are few, squares are larger.
const sides = [{ upTo: 12, side: 40 }, { upTo: 20, side: 32 }, { upTo: Infinity, side: 26 }];
const letter = 7.2;
const longestName = 18;
/// How steeply names of columns rise, as the sine and cosine of 45 degrees.
const slope = Math.SQRT1_2;

/** @param {string} name */
function shortName(name) {
  const plain = [...plainName(name)];
  return plain.length > longestName ? plain.slice(0, longestName - 1).join("") + "…" : plain.join("");
}

/** @param {{ matrix: import("./talk_matrix.js").Matrix }} props */
export function MatrixPicture({ matrix }) {
  const [at, setAt] = useState(/** @type {Cell | null} */ (null));
  const rowNames = matrix.senders.map(shortName);
  const columnNames = matrix.receivers.map((to) => shortName(receiverName(to)));
  const most = Math.max(rowNames.length, columnNames.length);
  const side = sides.find(({ upTo }) => most <= upTo)?.side ?? 26;
  const longest = (/** @type {string[]} */ names) => names.reduce((most, name) => Math.max(most, [...name].length), 0) * letter;
  const left = longest(rowNames) + 12;
  const top = longest(columnNames) * slope + 20;
  const width = left + side * columnNames.length + longest(columnNames.slice(-1)) * slope + 16;
  const height = top + side * rowNames.length + 4;
  const here = at && matrix.cells.find(({ from, to }) => from === at.from && to === at.to);
  return html`<figure class="matrix">
    <div class="matrix-scroll"><svg viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} aria-hidden="true" focusable="false">
      ${rowNames.map((name, row) => html`<text key=${`r${row}`} class=${`axis ${here?.row === row ? "axis-here" : ""}`} text-anchor="end"
        x=${left - 8} y=${top + row * side + side / 2} dominant-baseline="central">${name}</text>`)}
      ${columnNames.map((name, column) => html`<text key=${`c${column}`} class=${`axis ${here?.column === column ? "axis-here" : ""}`}
        transform=${`translate(${left + column * side + side / 2} ${top - 8}) rotate(-45)`}>${name}</text>`)}
      <path class="matrix-lines" d=${lines(left, top, side, rowNames.length, columnNames.length)} />
      ${matrix.cells.map((cell) => html`<rect key=${`${cell.from}\n${cell.to}`} class=${`cell level-${cell.level}`} rx="3"
        x=${left + cell.column * side + 1.5} y=${top + cell.row * side + 1.5} width=${side - 3} height=${side - 3}
        onPointerEnter=${() => setAt(cell)} onClick=${() => go(href("messages", { from: cell.from, ...receiverFilter(cell.to) }))} />`)}
    </svg></div>
    <figcaption><span class="matrix-here">${here ? html`<bdi>${plainName(here.from)}</bdi> to <bdi>${plainName(receiverName(here.to))}</bdi>:
        ${" "}<strong>${plural(here.messages, "message")}</strong>` : html`${plural(matrix.messages, "message")}. Rows send, columns receive; a click shows the messages.`}</span>
      <span class="matrix-key" aria-hidden="true">few <svg width=${levels * 18} height="14" focusable="false">${Array.from({ length: levels }, (_, i) =>
        html`<rect key=${i} class=${`level-${i + 1}`} x=${i * 18 + 1} y="0" width="14" height="14" rx="3" />`)}</svg> many${matrix.cells.length > 0
        && ` (${count(Math.max(...matrix.cells.map(({ messages }) => messages)))})`}</span></figcaption>
  </figure>`;
}

/**
 * @param {number} left @param {number} top @param {number} side @param {number} rows @param {number} columns
 */
function lines(left, top, side, rows, columns) {
  let path = "";
  for (let row = 0; row <= rows; ++row) path += `M${left} ${top + row * side}h${columns * side}`;
  for (let column = 0; column <= columns; ++column) path += `M${left + column * side} ${top}v${rows * side}`;
  return path;
}
