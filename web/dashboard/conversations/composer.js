// The form in which a person writes a message, as the agent whose token they are logged in with.

import { ask, HubError, reasonOf } from "../base/api.js";
import { html, useId, useLayoutEffect, useRef, useState } from "../base/dom.js";
import { Name, Notice } from "../base/parts.js";
import { store, useAnswer, useStore } from "../live/store.js";
import { newDraft, sendOf } from "./draft.js";
import { forget, putAside, whose } from "./drafts.js";
import { fitting } from "./suggestions.js";
import { Pieces } from "../base/pieces.js";
import { presentName } from "../base/visible_text.js";

/** @typedef {import("./draft.js").Draft} Draft */

/**
 * @typedef {object} Sent
 * @property {string} id
 * @property {string} text  what became of it, as a sentence
 */

/**
 * @param {{ draft: Draft, onSent: (sent: Sent) => void, onClose: () => void }} props
 */
export function Composer({ draft: given, onSent, onClose }) {
  const [draft, setDraft] = useState(given);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {{ text: string, field: string }} */ ({ text: "", field: "" }));
  const me = useStore((state) => state.session?.agent_id ?? "");
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const id = useId();
  const tried = useRef(false);

  // Before the next key is read, which is meant for the field.
  useLayoutEffect(() => {
    const first = given.to === "" ? "to" : "body";
    focusField(form.current, first);
  }, []);
  const latest = useRef(draft);
  latest.current = draft;
  const owner = useRef(whose());
  // From the first moment on: a form may be closed before effects that wait for a frame have begun.
  useLayoutEffect(() => () => putAside(latest.current, owner.current), []);

  /** @param {Partial<Draft>} changes */
  const change = (changes) => {
    // What may have been stored keeps its key, so that it is not stored twice; another text is another message.
    const key = tried.current ? newDraft().key : latest.current.key;
    tried.current = false;
    latest.current = { ...latest.current, ...changes, key };
    setDraft(latest.current);
    setProblem({ text: "", field: "" });
  };
  const typed = (/** @type {"to" | "type" | "body"} */ field) => (/** @type {Event} */ event) =>
    change({ [field]: /** @type {HTMLInputElement} */ (event.target).value });

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    const made = sendOf(draft);
    if ("problem" in made) {
      setProblem({ text: made.problem, field: made.field });
      focusField(form.current, made.field);
      return;
    }
    setBusy(true);
    tried.current = true;
    try {
      const answer = await ask("POST", made.send.path, { json: made.send.json });
      forget(draft);
      latest.current = { ...draft, body: "" };
      onSent({ id: answer.id, text: sentText(draft.to.trim(), answer.delivery) });
    } catch (error) {
      const unknown = error instanceof HubError && ["unreachable", "timeout", "bad_answer"].includes(error.code);
      setProblem({ text: reasonOf(error) + (unknown ? " If you send this again unchanged within two minutes, it is stored once." : ""), field: "" });
      setBusy(false);
    }
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit(event);
  };
  const fieldProblem = (/** @type {string} */ field) => problem.field === field
    ? html`<span class="field-problem" id=${`${id}-${field}`}>${problem.text}</span>` : null;

  return html`<form class="composer" ref=${form} onSubmit=${submit} onKeyDown=${keys} aria-label=${draft.answers ? "Answer" : "New message"}>
    <h2>${draft.answers ? "Answer" : "New message"} <span class="quiet as-whom">as <${Name} text=${me} /></span></h2>
    ${draft.answers && html`<blockquote class="quote"><${Name} text=${draft.answers.from} />: <span class="quiet" dir="auto"><${Pieces}
      pieces=${presentName(draft.answers.preview)} /></span></blockquote>`}
    <div class="composer-line">
      <label class="field"><span>To</span>
        <input name="to" value=${draft.to} list=${`${id}-agents`} autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="129"
          placeholder="agent, #channel or broadcast" aria-invalid=${problem.field === "to"}
          aria-describedby=${problem.field === "to" ? `${id}-to` : undefined} onInput=${typed("to")} />${fieldProblem("to")}</label>
      <label class="field type-field"><span>Type</span>
        <input name="type" value=${draft.type} autocomplete="off" spellcheck=${false} maxlength="128" placeholder="chat" onInput=${typed("type")} /></label>
    </div>
    <${Receivers} id=${`${id}-agents`} typed=${draft.to} />
    <${Unknown} to=${draft.to.trim()} />
    <label class="field"><span>${draft.form === "text" ? "Text" : "JSON"}</span>
      <textarea name="body" rows="6" class=${draft.form === "json" ? "mono" : ""} dir="auto" spellcheck=${draft.form === "text"}
        aria-invalid=${problem.field === "body"} aria-describedby=${problem.field === "body" ? `${id}-body` : undefined}
        value=${draft.body} onInput=${typed("body")}></textarea>${fieldProblem("body")}</label>
    ${problem.text && !problem.field && html`<${Notice} kind="critical">${problem.text}<//>`}
    <div class="buttons">
      <button type="submit" class="button primary" disabled=${busy} title="Ctrl+Enter">${busy ? "Sending…" : "Send"}</button>
      <button type="button" class="button" onClick=${onClose}>Close</button>
      <label class="json-switch"><input type="checkbox" checked=${draft.form === "json"}
        onChange=${() => change({ form: draft.form === "json" ? "text" : "json" })} /> Payload as JSON</label>
    </div>
  </form>`;
}

/** @param {HTMLFormElement | null} form @param {string} name */
function focusField(form, name) {
  const field = form?.elements.namedItem(name);
  if (field instanceof HTMLElement) field.focus();
}

/** @param {string} to @param {string | undefined} delivery */
function sentText(to, delivery) {
  if (to.startsWith("#")) return `Published in ${to}.`;
  if (delivery === "broadcast") return "Sent to everyone.";
  return delivery === "delivered" ? `Sent: ${to} is connected and has been handed it.` : `Sent: it waits in the mailbox of ${to}.`;
}

/** @param {{ id: string, typed: string }} props */
function Receivers({ id, typed }) {
  useStore((state) => state.agentsVersion);
  const { data } = useAnswer("/api/channels?limit=200");
  /** @type {{ name: string }[]} */
  const channels = data?.channels ?? [];
  const names = fitting([...channels.map(({ name }) => `#${name}`), ...store.state.agents.keys()], [typed]);
  return html`<datalist id=${id}>${names.map((name) => html`<option key=${name} value=${name} />`)}
    <option value="broadcast">everyone</option></datalist>`;
}

/** A name nobody has is often a misspelled one. @param {{ to: string }} props */
function Unknown({ to }) {
  useStore((state) => state.agentsVersion);
  const leftOut = useStore((state) => state.overview?.agents_left_out ?? 0);
  const agent = store.state.agents.get(to);
  if (to === "" || to === "broadcast" || to.startsWith("#") || leftOut > 0) return null;
  if (agent && agent.known !== false) return null;
  return html`<p class="quiet unknown-receiver">Nobody called <${Name} text=${to} /> has been active here: a message
    would wait until an agent of that name comes.</p>`;
}
