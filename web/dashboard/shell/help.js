// Who is logged in, for which the bar of a phone has no room, and which keys there are.

import { Fragment, html } from "../base/dom.js";
import { keyHelp } from "../base/keys.js";
import { Dialog, Name } from "../base/parts.js";
import { useStore } from "../live/store.js";

/** @param {{ onClose: () => void }} props */
export function Help({ onClose }) {
  const session = useStore((state) => state.session);
  return html`<${Dialog} title="Keys" onClose=${onClose} class="help">
    ${session && html`<p>You are logged in as <strong><${Name} text=${session.agent_id} /></strong> (${session.role}).</p>`}
    ${keyHelp().map(({ title, keys }) => html`<section key=${title}><h3>${title}</h3><dl class="keys">
      ${keys.map(({ key, help }) => html`<${Fragment} key=${key}><dt>${key.split(" ").map((one) => html`<kbd>${label(one)}</kbd> `)}</dt><dd>${help}</dd><//>`)}
    </dl></section>`)}
  <//>`;
}

/** @param {string} key */
function label(key) {
  return { Escape: "Esc", ArrowDown: "↓", ArrowUp: "↑", " ": "Space" }[key] ?? key;
}
