// Keys that do something, wherever the focus is but in a field that is typed into. What views
// register is also what the help (`?`) shows.

import { useEffect, useRef } from "./dom.js";

/**
 * @typedef {object} KeyAction
 * @property {(event: KeyboardEvent) => void} run
 * @property {string} help what it does, for the list; empty: not listed
 * @property {boolean} [whileTyping] also when a field has the focus (Escape)
 */

/** @typedef {Record<string, KeyAction>} KeyMap keys by name: `/`, `j`, `Escape`, or two in a row, `g a` */

/** How long the second of two keys may take, in milliseconds. */
const secondKeyMs = 1500;

/** @type {{ title: string, keys: () => KeyMap }[]} */
const registered = [];
let prefix = "";
let prefixAt = 0;

/** @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "reset"].includes(target.type);
}

/** @param {string} key @returns {KeyAction | undefined} the newest registration wins */
function find(key) {
  for (let i = registered.length - 1; i >= 0; --i) {
    const action = registered[i].keys()[key];
    if (action) return action;
  }
  return undefined;
}

/** @param {string} key */
function begins(key) {
  return registered.some(({ keys }) => Object.keys(keys()).some((name) => name.startsWith(key + " ")));
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;  // it has keys of its own
  const two = prefix && event.timeStamp - prefixAt < secondKeyMs ? `${prefix} ${event.key}` : "";
  prefix = "";
  const action = (two && find(two)) || find(event.key);
  if (takesText(event.target) && !action?.whileTyping) return;
  if (action) {
    event.preventDefault();
    action.run(event);
  } else if (begins(event.key)) {
    prefix = event.key;
    prefixAt = event.timeStamp;
  }
}

/** Listens from now on. */
export function startKeys() {
  document.addEventListener("keydown", pressed);
}

/**
 * Registers keys while the component is shown.
 * @param {string} title of the group in the help
 * @param {KeyMap} keys
 */
export function useKeys(title, keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const entry = { title, keys: () => latest.current };
    registered.push(entry);
    return () => void registered.splice(registered.indexOf(entry), 1);
  }, [title]);
}

/** What the help shows: groups with their keys. */
export function keyHelp() {
  return registered
    .map(({ title, keys }) => ({
      title, keys: Object.entries(keys()).filter(([, action]) => action.help).map(([key, { help }]) => ({ key, help })),
    }))
    .filter(({ keys }) => keys.length);
}
