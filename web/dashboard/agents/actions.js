// What an administrator can do to an agent as a whole.

import { ask, path } from "../base/api.js";
import { html, useEffect, useState } from "../base/dom.js";
import { plural } from "../base/format.js";
import { Confirm, Name } from "../base/parts.js";
import { go, href } from "../base/route.js";

/** How long it says what happened, in milliseconds. */
const saidMs = 8000;

/** @param {{ agent: import("../live/types.js").Agent }} props */
export function Actions({ agent }) {
  const [asking, ask_] = useState("");
  const [said, say] = useState("");
  const { id } = agent;
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => say(""), saidMs);
    return () => clearTimeout(timer);
  }, [said]);
  const disconnect = async () => {
    const { closed } = await ask("POST", path`/admin/agents/${id}/disconnect`, { body: {} });
    say(closed === 0 ? "It was not connected." : `${plural(closed, "connection")} closed.`);
  };
  const remove = async () => {
    await ask("DELETE", path`/admin/agents/${id}`);
    go(href("agents"));
  };
  return html`<div class="buttons">
    <span role="status" class="quiet">${said}</span>
    <button type="button" class="button small" onClick=${() => ask_("disconnect")} disabled=${agent.connections === 0}>Close connections</button>
    <button type="button" class="button small danger" onClick=${() => ask_("remove")}>Remove agent</button>
    ${asking === "disconnect" && html`<${Confirm} title="Close its connections?" action="Close connections" onConfirm=${disconnect} onClose=${() => ask_("")}>
      <p>The WebSocket connections and event streams of <strong><${Name} text=${id} /></strong> are closed. Nothing is lost, and its
        tokens stay good: a client that reconnects by itself is back in a moment. To keep it out, revoke its tokens.</p><//>`}
    ${asking === "remove" && html`<${Confirm} title="Remove this agent?" action="Remove agent" word=${id} onConfirm=${remove} onClose=${() => ask_("")}>
      <p><strong><${Name} text=${id} /></strong> loses its tokens, its connections, its subscriptions and its mailbox with
        ${agent.unread ? ` ${plural(agent.unread, "unread message")}` : " what is in it"}. Its messages stay with those they were sent to. This cannot be undone.</p><//>`}
  </div>`;
}
