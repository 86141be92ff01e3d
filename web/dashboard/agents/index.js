import { html } from "../base/dom.js";

/** @param {{ route: import("../base/route.js").Route }} props */
export function Agents({ route }) {
  return html`<h1>${route.rest[0] ?? "Agents"}</h1>`;
}
