// What agents say to one another: messages, channels, threads, and who talks to whom.

import { Channels } from "./channels.js";
import { Messages } from "./messages.js";
import { TalkMap } from "./talk_map.js";
import { Thread } from "./thread.js";

/**
 * Views by the first part of their address. `nav`: what the navigation calls them, and the key that goes there
 * behind `g`; without it a view is reached by links only.
 * @type {import("../shell/app.js").Views}
 */
export const conversationViews = {
  messages: { title: "Messages", component: Messages, nav: { label: "Messages", key: "m" } },
  channels: { title: "Channels", component: Channels, nav: { label: "Channels", key: "c" } },
  threads: { title: "Thread", component: Thread },
  map: { title: "Who talks to whom", component: TalkMap, nav: { label: "Map", key: "p" } },
};
