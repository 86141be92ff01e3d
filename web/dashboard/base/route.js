// Views are addressed by the fragment: #/agents?sort=unread, #/agents/ID. Everything that a person
// set and would want back (search, order, filters) is in the address.

import { useEffect, useState } from "./dom.js";

/**
 * @typedef {object} Route
 * @property {string} view the first part, `overview` when there is none
 * @property {string[]} rest the parts behind it, decoded
 * @property {URLSearchParams} params
 */

/** @param {string} fragment with or without # @returns {Route} */
export function parseRoute(fragment) {
  const [way, search = ""] = fragment.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [view, ...rest] = way.split("/").map(decoded);
  return { view: view || "overview", rest: rest.filter((part) => part !== ""), params: new URLSearchParams(search) };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The address of a view, for links: href("agents", id), href("messages", { from: id }).
 * @param {string} view
 * @param {...(string | Record<string, string | number | boolean | null | undefined>)} parts further parts; the last may
 *   be the parameters, of which those that are empty or false are left out
 */
export function href(view, ...parts) {
  let address = "#/" + view;
  const params = new URLSearchParams();
  for (const part of parts) {
    if (typeof part === "string") {
      address += "/" + encodeURIComponent(part);
      continue;
    }
    for (const [key, value] of Object.entries(part)) {
      if (value !== undefined && value !== null && value !== "" && value !== false) params.set(key, String(value));
    }
  }
  const search = params.toString();
  return address + (search && "?" + search);
}

/** Goes to an address that href() made. @param {string} address */
export function go(address) {
  location.hash = address;
}

/**
 * Changes parameters of the view that is shown, without a new entry in the browser's history: what
 * is typed into a search should not have to be gone back through letter by letter.
 * @param {Record<string, string | number | boolean | null | undefined>} changes
 */
export function setParams(changes) {
  const { view, rest, params } = parseRoute(location.hash);
  const all = { ...Object.fromEntries(params), ...changes };
  history.replaceState(history.state, "", href(view, ...rest, all));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The route that is shown; follows the address. */
export function useRoute() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", follow);
    follow();
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}
