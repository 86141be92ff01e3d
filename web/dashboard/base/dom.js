// What the views are made of: preact, with markup in tagged templates. Text that is put into a
// template is always text, never markup; nothing here or elsewhere sets innerHTML.

export { html } from "htm/preact";
export { Fragment, render } from "preact";
export {
  useCallback, useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "preact/hooks";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * Class names, without those that are false.
 * @param {...(string | false | null | undefined)} names
 */
export function classes(...names) {
  return names.filter(Boolean).join(" ");
}
