// The order of the table: calm. While somebody is in the table it stays; otherwise it follows what
// changes every few seconds, and at once when an agent comes or goes. A pointer that was left lying on
// a second screen is nobody.

import { useEffect, useReducer, useRef } from "../base/dom.js";
import { store, useStore } from "../live/store.js";
import { held, sorted } from "./rows.js";

/** @typedef {import("./rows.js").Filter} Filter */

/** How long an order stays although values have changed. */
const calmMs = 5000;

/** How long somebody who does not move is there, in milliseconds. */
const presentMs = 60_000;

/**
 * @param {Filter} filter
 * @returns {{ ids: string[], holding: boolean, hold: Record<string, (event: any) => void> }} `hold`: listeners for the
 *   element within which the order stays
 */
export function useRows(filter) {
  const version = useStore((state) => state.agentsVersion);
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const inside = useRef({ pointer: false, focus: false, at: 0 });
  const made = useRef({ filter: "", version: -1, at: 0, ids: /** @type {string[]} */ ([]) });

  const text = JSON.stringify(filter);
  const now = performance.now();
  const holding = (inside.current.pointer || inside.current.focus) && now - inside.current.at < presentMs;
  const last = made.current;
  if (last.filter !== text) {
    made.current = { filter: text, version, at: now, ids: sorted(store.state.agents, filter) };
  } else if (last.version !== version || (!holding && now - last.at >= calmMs)) {
    const ids = sorted(store.state.agents, filter);
    const calm = holding || now - last.at < calmMs;
    const others = ids.length !== last.ids.length || new Set([...ids, ...last.ids]).size !== ids.length;
    const order = holding || (calm && !others) ? held(last.ids, ids) : ids;
    made.current = { filter: text, version, at: order === ids ? now : last.at, ids: order };
  }

  useEffect(() => {
    const timer = setInterval(() => redraw(0), calmMs);
    return () => clearInterval(timer);
  }, []);

  /** @param {"pointer" | "focus"} what @param {boolean} is */
  const set = (what, is) => {
    inside.current.at = performance.now();
    if (inside.current[what] === is) return;
    inside.current[what] = is;
    redraw(0);
  };
  return {
    ids: made.current.ids, holding,
    hold: {
      onPointerMove: (/** @type {PointerEvent} */ event) => set("pointer", event.pointerType === "mouse"),
      onKeyDown: () => set("focus", true),
      onPointerLeave: () => set("pointer", false),
      onFocusIn: () => set("focus", true),
      onFocusOut: (/** @type {FocusEvent} */ event) => {
        const target = /** @type {Node | null} */ (event.relatedTarget);
        if (!(event.currentTarget instanceof Node && event.currentTarget.contains(target))) set("focus", false);
      },
    },
  };
}
