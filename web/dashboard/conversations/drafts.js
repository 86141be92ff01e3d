// Drafts that were put aside: Escape closes a form, and what was written is there again when it is
// opened. They last as long as the person is logged in.

import { answerTo, newDraft } from "./draft.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./types.js").Row} Row */

const most = 20;

/** @type {Map<string, Draft>} */
const aside = new Map();

/** @param {Draft} draft */
const placeOf = (draft) => draft.answers?.id ?? "";

let person = 0;

/** A number that another person, or the same after a new login, does not have. */
export function whose() {
  return person;
}

/** Nobody finds what the one before wrote: called when a session is over. */
export function forgetAll() {
  aside.clear();
  ++person;
}

/**
 * @param {Draft} draft
 * @param {number} owner  whose() when the form was opened: forms close after the session is over
 */
export function putAside(draft, owner) {
  if (owner !== person) return;
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
