// A payload in full: its text as it is, never as markup, and other JSON folded. Both in portions, so
// that a megabyte costs no more than a screen until somebody asks for it.

import { html, useMemo, useState } from "../base/dom.js";
import { bytes, count } from "../base/format.js";
import { CopyButton } from "../base/parts.js";
import { ExactNumber, jsonText } from "./exact_json.js";
import { foldedLabel, membersAtOnce, membersOf, shownOf, startsOpen } from "./payload.js";
import { Pieces } from "../base/pieces.js";
import { firstPortion, portion, present } from "../base/visible_text.js";

/** @param {{ payload: unknown }} props */
export function Payload({ payload }) {
  const { text, rest } = useMemo(() => shownOf(payload), [payload]);
  const whole = useMemo(() => jsonText(payload), [payload]);
  const nothing = text === null && typeof rest === "object" && rest !== null && Object.keys(rest).length === 0;
  return html`<div class="payload">
    ${text !== null && html`<${LongText} text=${text} />`}
    ${nothing ? html`<p class="quiet">The payload is empty.</p>`
      : rest !== undefined && html`<div class="json"><${JsonPart} name=${null} value=${rest} depth=${0} /></div>`}
    <p class="payload-foot quiet"><span>${bytes(new Blob([whole]).size)}</span>
      ${text !== null && html`<${CopyButton} text=${text} label="Copy text" />`}
      <${CopyButton} text=${whole} label="Copy JSON" /></p>
  </div>`;
}

/** @param {{ text: string }} props */
function LongText({ text }) {
  const [portions, setPortions] = useState(1);
  const shown = useMemo(() => {
    /** @type {{ from: number, pieces: import("../base/visible_text.js").Piece[] }[]} */
    const parts = [];
    /** @type {number | null} */
    let from = 0;
    for (let i = 0; i < portions && from !== null; ++i) {
      const { pieces, next } = present(text, from, i === 0 ? firstPortion : portion);
      parts.push({ from, pieces });
      from = next;
    }
    return { parts, next: from };
  }, [text, portions]);
  return html`<div class="payload-text" dir="auto">${shown.parts.map(({ from, pieces }) =>
      html`<span key=${from}><${Pieces} pieces=${pieces} /></span>`)}</div>
    ${shown.next !== null && html`<p class="more"><span class="quiet">${count(text.length - shown.next)} more characters.</span>
      <button type="button" class="button small" onClick=${() => setPortions(portions + 1)}>Show more</button></p>`}`;
}

/**
 * A member of an object, an item of a list, or the whole.
 * @param {{ name: string | null, value: unknown, depth: number }} props
 */
function JsonPart({ name, value, depth }) {
  const key = name !== null && html`<span class="json-key"><${Pieces} pieces=${present(JSON.stringify(name)).pieces} />: </span>`;
  if (value instanceof ExactNumber) return html`<div class="json-line">${key}<span class="json-number">${value.source}</span></div>`;
  if (typeof value === "string") return html`<div class="json-line">${key}<${JsonText} text=${value} /></div>`;
  if (typeof value !== "object" || value === null) {
    return html`<div class="json-line">${key}<span class="json-number">${JSON.stringify(value)}</span></div>`;
  }
  return html`<${JsonBranch} label=${key} value=${value} depth=${depth} />`;
}

/** @param {{ text: string }} props */
function JsonText({ text }) {
  const [all, showAll] = useState(false);
  if (all) return html`<${LongText} text=${text} />`;
  const long = text.length > 2000;
  return html`<span class="json-text" dir="auto">"<${Pieces} pieces=${present(text.slice(0, 2000)).pieces} />${long ? "…" : '"'}</span>
    ${long && html` <button type="button" class="button small" onClick=${() => showAll(true)}>Show ${count(text.length)} characters</button>`}`;
}

/** @param {{ label: any, value: object, depth: number }} props */
function JsonBranch({ label, value, depth }) {
  const [open, setOpen] = useState(() => startsOpen(value, depth));
  const [members, setMembers] = useState(membersAtOnce);
  const [first, last] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const all = Array.isArray(value) ? value.length : Object.keys(value).length;
  if (all === 0) return html`<div class="json-line">${label}${first}${last}</div>`;
  return html`<div class="json-branch">
    <button type="button" class="json-fold" aria-expanded=${open} onClick=${() => setOpen(!open)}>${label}${first}${
      open ? "" : html`<span class="quiet"> ${foldedLabel(value)} </span>${last}`}</button>
    ${open && html`<div class="json-members">
        ${membersOf(value, members).map((member, i) =>
          html`<${JsonPart} key=${member.key ?? i} name=${member.key} value=${member.value} depth=${depth + 1} />`)}
        ${all > members && html`<button type="button" class="button small" onClick=${() => setMembers(members + 10 * membersAtOnce)}>
          ${count(all - members)} more</button>`}
      </div><div class="json-line">${last}</div>`}
  </div>`;
}
