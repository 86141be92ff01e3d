// One message in full, beside the list.

import { ask, HubError, path, reasonOf } from "../base/api.js";
import { html, useEffect, useReducer, useRef } from "../base/dom.js";
import { dateTime } from "../base/format.js";
import { Empty, Loading, Name, Notice } from "../base/parts.js";
import { href, setParams } from "../base/route.js";
import { Ago } from "../live/ago.js";
import { useStore } from "../live/store.js";
import { parseExactly } from "./exact_json.js";
import { rowOf } from "./filters.js";
import { FromTo } from "./message_row.js";
import { Payload } from "./payload_view.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Row} Row */

/**
 * @typedef {object} Shown
 * @property {string} id             which one was asked for
 * @property {Message | null} message
 * @property {unknown} error
 */

/**
 * The message with this id. While another one is asked for, the one before stays.
 * @param {string} id
 * @returns {Shown & { loading: boolean }}
 */
export function useMessage(id) {
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const shown = useRef(/** @type {Shown} */ ({ id: "", message: null, error: null }));
  const returns = useStore((state) => state.returns);
  useEffect(() => {
    if (shown.current.id === id && shown.current.message) return undefined;
    const going = new AbortController();
    const show = (/** @type {Shown} */ next) => {
      if (going.signal.aborted) return;
      shown.current = next;
      redraw(0);
    };
    ask("GET", path`/api/message/${id}`, { signal: going.signal, parse: parseExactly })
      .then(({ message }) => show({ id, message, error: null }))
      .catch((error) => show({ id, message: null, error }));
    return () => going.abort();
  }, [id, returns]);
  return { ...shown.current, loading: shown.current.id !== id };
}

/**
 * @param {{ id: string, inThread: boolean, writing: boolean, onMessage: (row: Row) => void, onAnswer: (row: Row) => void }} props
 */
export function MessagePane({ id, inThread, writing, onMessage, onAnswer }) {
  const { message, error, loading } = useMessage(id);
  const role = useStore((state) => state.session?.role);
  useEffect(() => {
    if (message) onMessage(rowOf(message));
  }, [message]);
  if (error) return html`<h2>Message</h2><${NotShown} error=${error} />`;
  if (!message) return html`<h2>Message</h2><${Loading} />`;
  const row = rowOf(message);
  return html`<article aria-busy=${loading} aria-label="Message">
    <h2><${FromTo} row=${row} /></h2>
    <p class="quiet"><time datetime=${new Date(row.timestamp).toISOString()}>${dateTime(row.timestamp)}</time>,
      ${" "}<${Ago} at=${row.timestamp} /></p>
    ${!writing && html`<div class="buttons">
      ${role !== "observer" && html`<button type="button" class="button primary" title="r" onClick=${() => onAnswer(row)}>Answer</button>`}
      ${!inThread && html`<a class="button" title="t" href=${threadOf(row.id)}>Thread</a>`}
      ${row.channel !== null && html`<a class="button" href=${href("channels", row.channel, { id: row.id })}>#${row.channel}</a>`}
    </div>`}
    ${role === "observer" && html`<p class="quiet">You are logged in with an observer's token, which reads and does not send.</p>`}
    <${Payload} key=${message.id} payload=${message.payload} />
    <dl class="facts">
      <dt>From</dt><dd><a href=${href("agents", row.from)}><${Name} text=${row.from} /></a></dd>
      <dt>To</dt><dd>${receiver(row)}</dd>
      <dt>Type</dt><dd><${Name} text=${row.type} /></dd>
      ${row.reply_to !== null && html`<dt>Answers</dt><dd><button type="button" class="link mono"
        onClick=${() => setParams({ id: row.reply_to })}><${Name} text=${row.reply_to} /></button></dd>`}
      <dt>Id</dt><dd class="mono">${row.id}</dd>
      <dt>Place in the log</dt><dd class="mono">${row.seq}${row.channelSeq !== null ? `, in the channel ${row.channelSeq}` : ""}</dd>
    </dl>
  </article>`;
}

/** The thread that a message belongs to, with the message open. @param {string} id */
export function threadOf(id) {
  return href("threads", id, { id });
}

/** @param {Row} row */
function receiver(row) {
  if (row.channel !== null) return html`<a href=${href("channels", row.channel)}>#${row.channel}</a>`;
  if (row.to === null || row.to === "broadcast") return "everyone";
  return html`<a href=${href("agents", row.to)}><${Name} text=${row.to} /></a>`;
}

/** @param {{ error: unknown }} props */
function NotShown({ error }) {
  if (error instanceof HubError && error.status === 404) {
    return html`<${Empty} title="This message is not shown.">
      <p>It is older than the hub's history, its id is not one of this hub's, or your token may not read it.</p><//>`;
  }
  return html`<${Notice} kind="critical">${reasonOf(error)}<//>`;
}
