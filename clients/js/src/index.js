// Client of the AgentCom message hub, for Node.js 20 and newer and for browsers.

export { Client } from "./client.js";
export * from "./errors.js";

/** @typedef {import("./messages.js").Agent} Agent */
/** @typedef {import("./messages.js").Channel} Channel */
/** @typedef {import("./messages.js").HistoryPage} HistoryPage */
/** @typedef {import("./messages.js").HubEvent} HubEvent */
/** @typedef {import("./messages.js").Message} Message */
/** @typedef {import("./messages.js").Position} Position */
/** @typedef {import("./messages.js").Published} Published */
/** @typedef {import("./messages.js").Sent} Sent */
/** @typedef {import("./client.js").ClientOptions} ClientOptions */
/** @typedef {import("./client.js").SendOptions} SendOptions */
