// A time by the hub's clock, as people say it.

import { html } from "../base/dom.js";
import { ago, dateTime } from "../base/format.js";
import { useNow } from "./store.js";

/**
 * How long ago, kept up to date; the whole date as a tooltip.
 * @param {{ at: number | null | undefined }} props
 */
export function Ago({ at }) {
  const now = useNow(5000);
  return html`<time title=${at ? dateTime(at) : undefined}
    datetime=${at ? new Date(at).toISOString() : undefined}>${ago(at, now)}</time>`;
}
