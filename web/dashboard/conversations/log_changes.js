// When the hub's log has grown, for what is read anew then and costs the hub more than a page.
// It is read anew as well when the hub is back after it was away.

import { useEffect, useRef, useState } from "../base/dom.js";
import { useStore } from "../live/store.js";

/**
 * A number that changes when messages have come, but no oftener than every `ms`; and, where `atLeast`
 * is given, after so long without any, because what is shown depends on the time.
 * @param {number} ms
 * @param {number} [atLeast]
 */
export function useLogChanges(ms, atLeast) {
  const head = useStore((state) => state.overview?.head_seq ?? 0);
  const returns = useStore((state) => state.returns);
  const [change, setChange] = useState({ head, number: 0 });
  const last = useRef(performance.now());
  useEffect(() => {
    const wanted = head !== change.head ? ms : atLeast;
    if (wanted === undefined) return undefined;
    const timer = setTimeout(() => {
      last.current = performance.now();
      setChange({ head, number: change.number + 1 });
    }, Math.max(0, last.current + wanted - performance.now()));
    return () => clearTimeout(timer);
  }, [head, change, ms, atLeast]);
  return change.number + returns;
}
