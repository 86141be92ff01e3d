// What the views of conversations have in common: a list of messages that is walked through by
// keyboard, and beside it (on a phone before it) the message that is open or the one that is written.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../base/dom.js";
import { useKeys } from "../base/keys.js";
import { Notice } from "../base/parts.js";
import { go, setParams } from "../base/route.js";
import { rem, scrollToRow, VirtualList } from "../base/virtual_list.js";
import { useNow, useStore } from "../live/store.js";
import { Composer } from "./composer.js";
import { draftAnswering, draftTo } from "./drafts.js";
import { MessagePane, threadOf } from "./message_pane.js";
import { MessageRow } from "./message_row.js";

/** @typedef {import("../base/route.js").Route} Route */
/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./types.js").Row} Row */

/// Below this width the open message covers the list.
const narrow = matchMedia("(max-width: 60rem)");
/// How long after the pointer last moved over the list somebody is taken to read it, in milliseconds.
const restMs = 4000;

export const rowRem = 3.5;

/**
 * @param {object} props
 * @param {Route} props.route
 * @param {Row[]} props.rows
 * @param {string} props.label            of the list
 * @param {string | null} [props.start]   the message at which walking begins; it is scrolled to once it is there
 * @param {string} [props.receiver]       to whom a new message goes, unless said otherwise
 * @param {boolean} [props.inThread]
 * @param {boolean} [props.inChannel]     all messages go to one channel, which need not be said again
 * @param {"listbox" | "tree"} [props.role]
 * @param {(row: Row, index: number) => { content?: any, props?: Record<string, unknown>, note?: string, class?: string }} [props.look]
 *   what a row has besides
 * @param {(row: Row, index: number, key: string) => boolean} [props.onRowKey]  true: the key did something
 * @param {(reading: boolean) => void} [props.onReading]
 * @param {(write: () => void) => any} props.head  above it all; `write` opens the form for a new message
 * @param {any} [props.above]             above the list
 * @param {any} [props.foot]              below the list
 * @param {() => void} [props.onFirst]    called when the first row is to be shown: what waits comes in
 */
export function Workspace({
  route, rows, label, start = null, receiver = "", inThread = false, inChannel = false, role = "listbox", look, onRowKey, onReading,
  head, above, foot, onFirst,
}) {
  const open = route.params.get("id");
  const me = useStore((state) => state.session?.agent_id ?? "");
  const observer = useStore((state) => state.session?.role === "observer");
  const [cursor, setCursorState] = useState(open ?? start);
  const [draft, setDraft] = useState(/** @type {Draft | null} */ (null));
  const [said, say] = useState(/** @type {{ id: string, text: string } | null} */ (null));
  const [shown, setShown] = useState(/** @type {Row | null} */ (null));
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const pane = useRef(/** @type {HTMLElement | null} */ (null));
  // Where the cursor is before the view has been drawn again: keys may come faster.
  const here = useRef(cursor);
  /** @param {string | null} id */
  const setCursor = (id) => {
    here.current = id;
    setCursorState(id);
  };
  const focusWanted = useRef(/** @type {"row" | "pane" | ""} */ (""));
  const now = useNow(60_000);
  const paneOpen = draft !== null || open !== null;
  const at = cursor === null ? -1 : rows.findIndex(({ id }) => id === cursor);
  useReading(place, paneOpen, onReading);

  useLayoutEffect(() => {
    const wanted = focusWanted.current;
    focusWanted.current = "";
    // Not its heading, which is another one once the message has come.
    if (wanted === "pane") pane.current?.focus({ preventScroll: true });
    if (wanted === "row" && at >= 0) {
      scrollToRow(place.current?.querySelector(".virtual") ?? null, at, rowRem);
      rowElement(cursor)?.focus({ preventScroll: true });
    }
  });
  const startShown = useRef(start === null);
  useEffect(() => {
    if (startShown.current || at < 0) return;
    startShown.current = true;
    scrollToRow(place.current?.querySelector(".virtual") ?? null, at, rowRem);
  }, [at]);
  useEffect(() => {
    // A link from elsewhere: #/messages?write=bob
    const to = route.params.get("write");
    if (to === null) return;
    write(to);
    setParams({ write: null });
  }, [route.params]);

  /** @param {string | null} id */
  const rowElement = (id) =>
    [.../** @type {NodeListOf<HTMLElement>} */ (place.current?.querySelectorAll(".virtual-row") ?? [])].find(({ dataset }) => dataset.id === id);
  /** @param {number} index */
  const goTo = (index) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    setCursor(row.id);
    if (open !== null) setParams({ id: row.id });
    const element = rowElement(row.id);
    if (narrow.matches && open !== null) {
      focusWanted.current = "pane";
    } else if (element) {
      scrollToRow(place.current?.querySelector(".virtual") ?? null, rows.indexOf(row), rowRem);
      element.focus({ preventScroll: true });
    } else {
      focusWanted.current = "row";
    }
  };
  /** @param {number} by */
  const step = (by) => {
    const from = here.current === null ? -1 : rows.findIndex(({ id }) => id === here.current);
    goTo(from < 0 ? firstSeen(place.current, rows.length) : from + by);
  };
  /** @param {Row} row */
  const show = (row) => {
    setCursor(row.id);
    setDraft(null);
    say(null);
    setParams({ id: row.id });
    if (narrow.matches) focusWanted.current = "pane";
  };
  const close = () => {
    const { activeElement } = document;
    if (draft === null && activeElement instanceof HTMLInputElement && !place.current?.contains(activeElement)) {
      activeElement.blur();  // out of the search, so that keys walk through what it found
      return;
    }
    if (draft !== null) setDraft(null);
    else if (open !== null) setParams({ id: null });
    else if (cursor !== null) setCursor(null);
    if (paneOpen) focusWanted.current = draft !== null && open !== null ? "pane" : "row";
  };
  /** @param {string} to */
  const write = (to) => {
    if (!observer) setDraft(draftTo(to));
  };
  /** @param {Row} row */
  const answer = (row) => {
    if (!observer) setDraft(draftAnswering(row, me));
  };
  const current = rows[at] ?? (shown?.id === open ? shown : null);

  useKeys("Messages", {
    j: { run: () => step(1), help: "next message; Enter opens it" },
    k: { run: () => step(-1), help: "message before" },
    n: { run: () => first(), help: inThread ? "" : "newest messages" },
    t: { run: () => current && !inThread && go(threadOf(current.id)), help: inThread ? "" : "thread of the message" },
    ...(observer ? {} : {
      r: { run: () => current && answer(current), help: "answer the message" },
      c: { run: () => write(receiver), help: "write a message" },
    }),
    Escape: { run: close, help: "close what is open", whileTyping: true },
  });
  const first = () => {
    onFirst?.();
    scrollTo(0, 0);
    setCursor(null);
    // Whoever wants the newest does not read what stands there.
    const { activeElement } = document;
    if (activeElement instanceof HTMLElement && place.current?.contains(activeElement)) activeElement.blur();
  };

  /** @param {Row} row @param {number} index */
  const rowProps = (row, index) => {
    const more = look?.(row, index);
    return {
      role: role === "tree" ? "treeitem" : "option",
      class: `virtual-row message-row ${row.id === open ? "open" : row.id === cursor ? "cursor" : ""} ${more?.class ?? ""}`,
      "aria-selected": row.id === open, "data-id": row.id,
      tabindex: index === (at < 0 ? 0 : at) ? 0 : -1,
      onClick: () => show(row),
      onFocus: () => setCursor(row.id),
      onKeyDown: (/** @type {KeyboardEvent} */ event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const steps = /** @type {Record<string, number>} */ ({
          ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1, PageDown: index + 10, PageUp: index - 10,
        });
        const to = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
        if (to !== undefined) goTo(to);
        else if (event.key === "Enter" || event.key === " ") show(row);
        else if (!onRowKey?.(row, index, event.key)) return;
        event.preventDefault();
      },
      ...more?.props,
    };
  };
  return html`${head(() => write(receiver))}
  <div class=${`split ${paneOpen ? "split-open" : ""}`}>
    <div class="split-list" ref=${place}>
      ${above}
      ${said && !paneOpen && html`<${SentNotice} said=${said} />`}
      ${rows.length > 0 && html`<${VirtualList} items=${rows} rowRem=${rowRem} role=${role} label=${label} class="messages"
        keyOf=${(/** @type {Row} */ row) => row.id} keep=${at < 0 ? 0 : at} rowProps=${rowProps}
        row=${(/** @type {Row} */ row, /** @type {number} */ index) => {
          const more = look?.(row, index);
          return html`${more?.content}<${MessageRow} row=${row} now=${now} note=${more?.note} inChannel=${inChannel} inThread=${inThread} />`;
        }} />`}
      ${foot}
    </div>
    ${paneOpen && html`<aside class="split-pane card" aria-label=${draft ? "Write" : "Message"} ref=${pane} tabindex="-1">
      <div class="pane-bar"><button type="button" class="button small" onClick=${close} title="Esc" aria-label="Close">
        <span aria-hidden="true">✕</span></button></div>
      ${said && html`<${SentNotice} said=${said} />`}
      ${draft && html`<${Composer} key=${draft.answers?.id ?? ""} draft=${draft} onClose=${close} onSent=${(/** @type {import("./composer.js").Sent} */ sent) => {
        say(sent);
        setDraft(null);
        focusWanted.current = open !== null ? "pane" : "row";
      }} />`}
      ${open !== null && html`<div hidden=${draft !== null && draft.answers?.id !== open}>
        <${MessagePane} id=${open} inThread=${inThread} writing=${draft !== null} onMessage=${setShown} onAnswer=${answer} /></div>`}
    </aside>`}
  </div>`;
}

/** @param {{ said: { id: string, text: string } }} props */
function SentNotice({ said }) {
  return html`<div role="status"><${Notice} kind="good">${said.text}
    ${" "}<button type="button" class="link" onClick=${() => setParams({ id: said.id })}>Show it</button><//></div>`;
}

/**
 * The first row below what is stuck to the top: where walking begins.
 * @param {HTMLElement | null} place
 * @param {number} count
 */
function firstSeen(place, count) {
  const top = place?.querySelector(".virtual")?.getBoundingClientRect().top ?? 0;
  const stuck = document.querySelector(".topbar")?.getBoundingClientRect().bottom ?? 0;
  return Math.max(0, Math.min(count - 1, Math.ceil((stuck - top) / (rowRem * rem()))));
}

/**
 * Somebody reads when the page is scrolled down, something is open, the focus is in the list or the
 * pointer has just moved over it.
 * @param {{ current: HTMLElement | null }} place
 * @param {boolean} paneOpen
 * @param {((reading: boolean) => void) | undefined} onReading
 */
function useReading(place, paneOpen, onReading) {
  useEffect(() => {
    if (!onReading) return undefined;
    const element = place.current;
    let moved = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const look = () => {
      const list = element?.querySelector(".virtual");
      onReading(paneOpen || moved || scrollY > 40 || Boolean(list?.contains(document.activeElement)));
    };
    const move = (/** @type {Event} */ event) => {
      if (!(event.target instanceof Element) || !event.target.closest(".virtual")) return;
      moved = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        moved = false;
        look();
      }, restMs);
      look();
    };
    const later = () => queueMicrotask(look);
    look();
    element?.addEventListener("pointermove", move);
    element?.addEventListener("focusin", later);
    element?.addEventListener("focusout", later);
    addEventListener("scroll", look, { passive: true });
    return () => {
      clearTimeout(timer);
      element?.removeEventListener("pointermove", move);
      element?.removeEventListener("focusin", later);
      element?.removeEventListener("focusout", later);
      removeEventListener("scroll", look);
    };
  }, [paneOpen, onReading]);
}
