// What the window is like, followed as it changes.

import { useEffect, useState } from "./dom.js";

/** Whether it is so; the view is drawn again when that changes. @param {MediaQueryList} query */
export function useMedia(query) {
  const [is, set] = useState(query.matches);
  useEffect(() => {
    const follow = () => set(query.matches);
    follow();
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return is;
}
