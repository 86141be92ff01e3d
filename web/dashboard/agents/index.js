// Agents: the table, and the page of each one.

import { html } from "../base/dom.js";
import { AgentPage } from "./page.js";
import { AgentsTable } from "./table.js";

/** @param {{ route: import("../base/route.js").Route }} props */
export function Agents({ route }) {
  const [id] = route.rest;
  return id === undefined ? html`<${AgentsTable} route=${route} />` : html`<${AgentPage} key=${id} id=${id} />`;
}
