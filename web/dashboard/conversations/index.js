// What agents say to one another: messages, channels, threads, and who talks to whom.

import { html } from "../base/dom.js";
import { Empty } from "../base/parts.js";

/** @typedef {import("../base/route.js").Route} Route */

/** @param {{ route: Route }} props */
function Messages({ route }) {
  return html`<h1>Messages</h1><${Empty} title=${route.view} />`;
}

/**
 * Views by the first part of their address. `nav`: what the navigation calls them, and the key that goes there
 * behind `g`; without it a view is reached by links only.
 * @type {import("../shell/app.js").Views}
 */
export const conversationViews = {
  messages: { title: "Messages", component: Messages, nav: { label: "Messages", key: "m" } },
  channels: { title: "Channels", component: Messages, nav: { label: "Channels", key: "c" } },
  threads: { title: "Thread", component: Messages },
  map: { title: "Map", component: Messages, nav: { label: "Map", key: "p" } },
};
