// Text of others, with marks in the place of what must not take effect.

import { html } from "./dom.js";

/** @param {{ pieces: import("./visible_text.js").Piece[] }} props */
export function Pieces({ pieces }) {
  return pieces.map((piece, i) => "text" in piece ? piece.text
    : html`<span key=${i} class="char-mark" title=${piece.title}>${piece.mark}</span>`);
}
