// Messages that answer one another, as a tree.

import { get, path, reasonOf } from "../base/api.js";
import { html, useEffect, useMemo, useReducer, useRef, useState } from "../base/dom.js";
import { plural } from "../base/format.js";
import { Empty, Loading, Notice } from "../base/parts.js";
import { href } from "../base/route.js";
import { useStore } from "../live/store.js";
import { rowOf } from "./filters.js";
import { aboveOf, branchesOf, unfolded } from "./thread_tree.js";
import { Workspace } from "./workspace.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Row} Row */

/// As many messages of a thread as are read without being asked.
const threadLimit = 10_000;
const pageSize = 500;
/// Deeper ones are not moved further to the right: there would be no room for their text.
const deepestIndent = 8;

/** @param {{ route: import("../base/route.js").Route }} props */
export function Thread({ route }) {
  const id = route.rest[0] ?? "";
  return html`<${ThreadOf} key=${id} id=${id} route=${route} />`;
}

/** @param {{ id: string, route: import("../base/route.js").Route }} props */
function ThreadOf({ id, route }) {
  const { messages, error, loading, cut } = useThread(id);
  const [folded, setFolded] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const branches = useMemo(() => branchesOf(messages), [messages]);
  const shown = useMemo(() => unfolded(branches, folded), [branches, folded]);
  const rows = useMemo(() => shown.map(({ message }) => message), [shown]);

  /** @param {string} message @param {boolean} fold */
  const setFold = (message, fold) => {
    const next = new Set(folded);
    if (fold) next.add(message);
    else next.delete(message);
    setFolded(next);
  };
  /** @param {Row} row @param {number} index @param {string} key */
  const onRowKey = (row, index, key) => {
    const branch = shown[index];
    if (key === "ArrowLeft" && branch && branch.answers > 0 && !folded.has(row.id)) setFold(row.id, true);
    else if (key === "ArrowLeft") focusRow(aboveOf(shown, index));
    else if (key === "ArrowRight") setFold(row.id, false);
    else return false;
    return true;
  };
  /** @param {Row} row @param {number} index */
  const look = (row, index) => {
    const branch = shown[index];
    if (!branch) return {};
    const isFolded = folded.has(row.id);
    return {
      class: `indent-${Math.min(branch.depth, deepestIndent)} ${branch.answers > 0 ? "has-answers" : ""}`,
      props: { "aria-level": branch.depth + 1, "aria-expanded": branch.answers > 0 ? !isFolded : undefined,
        "aria-setsize": undefined, "aria-posinset": undefined },
      content: branch.answers > 0 ? html`<span class="fold" aria-hidden="true" title="Left and right arrow keys" onClick=${(/** @type {Event} */ event) => {
        event.stopPropagation();
        setFold(row.id, !isFolded);
      }}>${isFolded ? "▸" : "▾"}</span>` : null,
      note: isFolded ? plural(branch.below, "answer") : branch.missing ? "answers a message that is not shown"
        : branch.depth > deepestIndent ? `level ${branch.depth + 1}` : undefined,
    };
  };
  const agents = useMemo(() => new Set(messages.map(({ from }) => from)).size, [messages]);
  const head = () => html`<p class="crumbs"><a href=${href("messages")}>Messages</a></p>
    <div class="view-head"><h1>Thread</h1>
      ${messages.length > 0 && html`<p class="quiet">${plural(messages.length, "message")} of ${plural(agents, "agent")}${cut && ", cut there"}</p>`}</div>
    ${error && html`<${Notice} kind="critical">${error}<//>`}`;
  const foot = loading ? html`<${Loading} />` : messages.length === 0 && !error
    ? html`<${Empty} title="This thread is not shown."><p>Its first message is older than the hub's history, its id is not one
        of this hub's, or your token may not read it.</p><//>` : null;
  return html`<${Workspace} route=${route} rows=${rows} label="Thread" start=${id} role="tree" inThread=${true} look=${look} onRowKey=${onRowKey}
    head=${head} foot=${foot} />`;
}

/** @param {string | null} id */
function focusRow(id) {
  for (const row of document.querySelectorAll(".virtual-row")) {
    if (row instanceof HTMLElement && row.dataset.id === id) row.focus();
  }
}

/**
 * The messages of the thread that a message belongs to, and those that come.
 * @param {string} id
 */
function useThread(id) {
  const head = useStore((state) => state.overview?.head_seq ?? 0);
  const returns = useStore((state) => state.returns);
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const state = useRef({ messages: /** @type {Row[]} */ ([]), error: "", loading: true, cut: false });
  const root = useRef("");
  const going = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => {
    // The next change of the log comes within seconds; a thread that was cut grows no further.
    if (going.current || state.current.cut) return;
    const mine = going.current = new AbortController();
    void (async () => {
      try {
        if (!root.current) root.current = (await get(path`/api/threads/${id}/root`, {}, mine.signal)).root;
        let { messages } = state.current;
        let cursor = messages.at(-1)?.seq;
        do {
          const answer = await get(path`/api/threads/${root.current}`, { limit: pageSize, cursor }, mine.signal);
          const rows = answer.messages.map(rowOf);
          if (rows.length > 0) messages = messages.concat(rows);
          cursor = answer.cursor;
        } while (cursor !== undefined && messages.length < threadLimit);
        state.current = { messages, error: "", loading: false, cut: cursor !== undefined };
      } catch (error) {
        if (mine.signal.aborted) return;
        const missing = /** @type {{ status?: number }} */ (error).status === 404;
        state.current = { ...state.current, error: missing ? "" : reasonOf(error), loading: false };
      }
      going.current = null;
      redraw(0);
    })();
  }, [id, head, returns]);
  useEffect(() => () => going.current?.abort(), []);
  return state.current;
}
