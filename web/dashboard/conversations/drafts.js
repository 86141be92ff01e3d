// Drafts that were put aside: Escape closes a form, and what was written is there again when it is
// opened. They last as long as the page.

import { answerTo, newDraft } from "./draft.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./types.js").Row} Row */

const most = 20;

/** @type {Map<string, Draft>} */
const aside = new Map();

/** @param {Draft} draft */
const placeOf = (draft) => draft.answers?.id ?? "";

/** @param {Draft} draft */
export function putAside(draft) {
  const place = placeOf(draft);
  aside.delete(place);
  if (draft.body.trim() === "") return;
  aside.set(place, draft);
  const oldest = aside.keys().next();
  if (aside.size > most && !oldest.done) aside.delete(oldest.value);
}

/** Nothing of it is left, because it was sent. @param {Draft} draft */
export function forget(draft) {
  aside.delete(placeOf(draft));
}

/** @param {string} to */
export function draftTo(to) {
  const draft = aside.get("");
  if (!draft) return newDraft({ to });
  return to === "" ? draft : { ...draft, to };
}

/** @param {Row} message @param {string} me */
export function draftAnswering(message, me) {
  return aside.get(message.id) ?? answerTo(message, me);
}
