// Which keys there are.

import { Fragment, html } from "../base/dom.js";
import { keyHelp } from "../base/keys.js";
import { Dialog } from "../base/parts.js";

/** @param {{ onClose: () => void }} props */
export function Help({ onClose }) {
  return html`<${Dialog} title="Keys" onClose=${onClose} class="help">
    ${keyHelp().map(({ title, keys }) => html`<section key=${title}><h3>${title}</h3><dl class="keys">
      ${keys.map(({ key, help }) => html`<${Fragment} key=${key}><dt>${key.split(" ").map((one) => html`<kbd>${label(one)}</kbd> `)}</dt><dd>${help}</dd><//>`)}
    </dl></section>`)}
  <//>`;
}

/** @param {string} key */
function label(key) {
  return { Escape: "Esc", ArrowDown: "↓", ArrowUp: "↑", " ": "Space" }[key] ?? key;
}
