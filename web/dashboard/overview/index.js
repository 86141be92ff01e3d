import { html } from "../base/dom.js";

export function Overview() {
  return html`<h1>Overview</h1>`;
}
