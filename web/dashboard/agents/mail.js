// What waits in an agent's mailbox, and what it sent and got lately.

import { path } from "../base/api.js";
import { html } from "../base/dom.js";
import { count, plural } from "../base/format.js";
import { Loading, Notice } from "../base/parts.js";
import { href } from "../base/route.js";
import { rowOf } from "../conversations/filters.js";
import { MessageRow } from "../conversations/message_row.js";
import { Ago } from "../live/ago.js";
import { useAnswer, useNow, useStore } from "../live/store.js";

/** @typedef {import("../conversations/types.js").Message} Message */

const shownWaiting = 10;
const shownRecent = 10;

/** @param {{ messages: Message[], label: string }} props */
function MailList({ messages, label }) {
  const now = useNow(60_000);
  return html`<ul class="mail" aria-label=${label}>${messages.map((message) => html`<li key=${message.id}>
    <a href=${href("threads", message.id)}><${MessageRow} row=${rowOf(message)} now=${now} /></a></li>`)}</ul>`;
}

/**
 * Agents may look into their own mailboxes only.
 * @param {{ agent: import("../live/types.js").Agent, changes: number }} props
 */
export function Waiting({ agent, changes }) {
  const may = useStore(({ session }) => session?.role !== "agent" || session.agent_id === agent.id);
  const where = path`/api/agents/${agent.id}/waiting` + `?limit=${shownWaiting}`;
  const { data, error, loading } = useAnswer(may ? where : null, changes);
  /** @type {Message[]} */
  const messages = data?.messages ?? [];
  const waiting = agent.unread ?? messages.length;
  return html`<section class="card"><div class="section-head"><h2>Waiting in its mailbox</h2>
      <span class="quiet">${waiting > 0 ? html`${count(waiting)}${agent.unread_more ? "+" : ""} unread, oldest <${Ago} at=${agent.oldest_unread_at} />` : ""}</span></div>
    ${!may ? html`<p class="quiet">What waits for others is shown to administrators and observers.</p>`
      : error ? html`<${Notice} kind="info">${error}<//>`
      : loading && !data ? html`<${Loading} />`
      : messages.length === 0 ? html`<p class="quiet">Nothing: it has read all its mail.</p>`
      : html`<${MailList} messages=${messages} label="Waiting messages" />`}
    ${waiting > messages.length && messages.length > 0 && html`<p class="quiet">The oldest ${plural(messages.length, "message")} of ${count(waiting)}${agent.unread_more ? " or more" : ""}.</p>`}
  </section>`;
}

/** @param {{ id: string, changes: number }} props */
export function RecentMessages({ id, changes }) {
  const query = (/** @type {"from" | "to"} */ end) => `/api/messages?order=newest&limit=${shownRecent}&` + new URLSearchParams({ [end]: id });
  const from = useAnswer(query("from"), changes);
  const to = useAnswer(query("to"), changes);
  const error = from.error || to.error;
  /** @type {Map<string, Message>} */
  const all = new Map([...(from.data?.messages ?? []), ...(to.data?.messages ?? [])].map((message) => [message.id, message]));
  const messages = [...all.values()].sort((a, b) => b.seq - a.seq).slice(0, shownRecent);
  return html`<section class="card"><div class="section-head"><h2>Recent messages</h2>
      <span><a href=${href("messages", { from: id })}>all it sent</a> · <a href=${href("messages", { to: id })}>direct messages to it</a></span></div>
    ${error ? html`<${Notice} kind="info">${error}<//>`
      : from.loading && to.loading && messages.length === 0 ? html`<${Loading} />`
      : messages.length === 0 ? html`<p class="quiet">None.</p>`
      : html`<${MailList} messages=${messages} label="Recent messages" />`}
  </section>`;
}
