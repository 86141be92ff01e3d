import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/overview.css";
import "./styles/agents.css";
import "./styles/conversations.css";

import { html, render } from "./base/dom.js";
import { startKeys } from "./base/keys.js";
import { forgetAll } from "./conversations/drafts.js";
import { store } from "./live/store.js";
import { App } from "./shell/app.js";

startKeys();
store.onEnd(forgetAll);
void store.start();
const place = /** @type {HTMLElement} */ (document.getElementById("app"));
place.replaceChildren();
render(html`<${App} />`, place);
