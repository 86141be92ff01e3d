// Small parts that views share.

import { classes, html, useEffect, useRef, useState } from "./dom.js";
import { reasonOf } from "./api.js";
import { Pieces } from "./pieces.js";
import { isPlain, presentName } from "./visible_text.js";

/** @typedef {import("./dom.js").Children} Children */

/**
 * A name that somebody chose: any text. It keeps its spaces, breaks where it must and does not turn
 * the direction of what stands beside it; what cannot be seen in it is shown as a mark.
 * @param {{ text: string, class?: string }} props
 */
export function Name({ text, class: className }) {
  return html`<bdi class=${classes("name", className)}><${Pieces} pieces=${presentName(text)} /></bdi>`;
}

/**
 * Something that a person should know. `critical` and `warning` are read out when they appear.
 * @param {{ kind?: "critical" | "warning" | "info" | "good", title?: string, quietly?: boolean, children?: Children }} props
 */
export function Notice({ kind = "info", title, quietly = false, children }) {
  const aloud = (kind === "critical" || kind === "warning") && !quietly;
  return html`<div class=${classes("notice", kind)} role=${aloud ? "alert" : undefined}>
    ${title && html`<strong>${title}</strong> `}${children}</div>`;
}

/**
 * What stands where there is nothing to show: why, and what to do.
 * @param {{ title: string, children?: Children }} props
 */
export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p>${children}</div>`;
}

/** @param {{ text?: string }} props */
export function Loading({ text = "Loading" }) {
  return html`<p class="loading" role="status">${text}…</p>`;
}

/**
 * Copies a text. Says that it did in its own label.
 * @param {{ text: string, label?: string, class?: string }} props
 */
export function CopyButton({ text, label = "Copy", class: className }) {
  const [said, say] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => say(""), 2500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => say((await copyText(text)) ? "Copied" : "Copying failed: select the text");
  return html`<button type="button" class=${classes("button small", className)} onClick=${copy}>
    <span aria-live="polite">${said || label}</span></button>`;
}

/**
 * Pages that came over plain http from another machine have no clipboard API.
 * @param {string} text
 */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "hidden-text";
    const active = document.activeElement;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (active instanceof HTMLElement) active.focus();
    return copied;
  }
}

/**
 * A command to copy. What cannot be seen in it is shown as a mark, and copied as it is.
 * @param {{ text: string, label?: string }} props
 */
export function Command({ text, label = "Copy" }) {
  return html`<div class="command"><code dir="ltr"><${Pieces} pieces=${presentName(text)} /></code><${CopyButton} text=${text} label=${label} /></div>`;
}

/**
 * A dialog: takes the focus, gives it back, and Escape closes it.
 * @param {{ title: string, onClose: () => void, class?: string, children?: Children }} props
 */
export function Dialog({ title, onClose, class: className, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    if (shown && !shown.open) shown.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${dialog} class=${classes("dialog", className)} aria-labelledby="dialog-title" onCancel=${cancel}>
    <div class="dialog-head"><h2 id="dialog-title">${title}</h2>
      <button type="button" class="button small" onClick=${onClose}>Close</button></div>
    ${children}
  </dialog>`;
}

/**
 * Asks before something that cannot be undone. When `word` is given it has to be typed, or ticked where it
 * holds what cannot be typed.
 * @param {{ title: string, action: string, word?: string, onConfirm: () => Promise<void>, onClose: () => void,
 *   children?: Children }} props
 */
export function Confirm({ title, action, word, onConfirm, onClose, children }) {
  const [typed, setTyped] = useState("");
  const [ticked, tick] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const typable = word === undefined || isPlain(word);
  const ready = word === undefined || (typable ? typed === word : ticked);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setError("");
    try {
      await onConfirm();
      onClose();
    } catch (reason) {
      setError(reasonOf(reason));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${submit}>
      ${children}
      ${!typable && html`<label><input type="checkbox" checked=${ticked} onChange=${() => tick(!ticked)} />
        ${" "}I mean <code><${Name} text=${word ?? ""} /></code>, with the characters that cannot be seen</label>`}
      ${word !== undefined && typable && html`<label class="field"><span>Type <code><${Name} text=${word} /></code> to confirm</span>
        <input value=${typed} autocomplete="off" spellcheck=${false}
          onInput=${(/** @type {InputEvent} */ event) => setTyped(/** @type {HTMLInputElement} */ (event.target).value)} /></label>`}
      ${error && html`<${Notice} kind="critical">${error}<//>`}
      <div class="buttons"><button type="submit" class="button danger" disabled=${!ready || busy}>${action}</button>
        <button type="button" class="button" onClick=${onClose}>Cancel</button></div>
    </form>
  <//>`;
}
