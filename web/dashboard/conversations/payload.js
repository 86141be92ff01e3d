// What a payload is shown as. By convention payloads are objects with a `text`, but any JSON may come.

/**
 * @typedef {object} Shown
 * @property {string | null} text   what is read first, as text
 * @property {unknown} rest         what else there is, as JSON; undefined for nothing
 */

/// Members that hold what a person would read, the likeliest first.
const textual = ["text", "message", "content", "body", "summary"];

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} payload
 * @returns {Shown}
 */
export function shownOf(payload) {
  if (typeof payload === "string") return { text: payload, rest: undefined };
  if (!isObject(payload)) return { text: null, rest: payload };
  const key = textual.find((name) => Object.hasOwn(payload, name) && typeof payload[name] === "string");
  if (key === undefined) return { text: null, rest: payload };
  const entries = Object.entries(payload).filter(([name]) => name !== key);
  return { text: String(payload[key]), rest: entries.length > 0 ? withoutPrototype(entries) : undefined };
}

/// A member called __proto__ is a member like others.
/** @param {[string, unknown][]} entries */
function withoutPrototype(entries) {
  const made = Object.create(null);
  for (const [name, value] of entries) made[name] = value;
  return made;
}

export const previewCharacters = 240;

/**
 * The beginning of a payload on one line; the work is bounded by `limit`, not by the payload.
 * @param {unknown} payload
 * @param {number} limit
 */
export function previewOf(payload, limit = previewCharacters) {
  const { text } = shownOf(payload);
  if (text === null) return compact(payload, limit);
  const start = text.slice(0, limit * 4).replace(/\s+/gu, " ").trim();
  const cut = start.slice(0, limit);
  return cut.length < start.length || text.length > limit * 4 ? cut.replace(/[\ud800-\udbff]$/u, "") + "…" : cut;
}

/**
 * JSON on one line, cut behind `limit` characters.
 * @param {unknown} value
 * @param {number} limit
 */
export function compact(value, limit) {
  let out = "";
  /** @param {unknown} part @returns {boolean} whether there is room for more */
  const write = (part) => {
    if (Array.isArray(part)) {
      out += "[";
      for (let i = 0; i < part.length; ++i) {
        if (i > 0) out += ", ";
        if (!write(part[i])) return false;
      }
      out += "]";
    } else if (isObject(part)) {
      out += "{";
      let first = true;
      for (const key in part) {
        if (!Object.hasOwn(part, key)) continue;
        out += (first ? "" : ", ") + JSON.stringify(key.slice(0, limit)) + ": ";
        first = false;
        if (out.length > limit || !write(part[key])) return false;
      }
      out += "}";
    } else {
      out += JSON.stringify(typeof part === "string" ? part.slice(0, limit) : part);
    }
    return out.length <= limit;
  };
  return write(value) && out.length <= limit ? out : out.slice(0, limit).replace(/[\ud800-\udbff]$/u, "") + "…";
}

/// How many members or items a folded part shows at once.
export const membersAtOnce = 100;

/**
 * What stands for a folded object or list.
 * @param {object} value
 */
export function foldedLabel(value) {
  const count = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [one, many] = Array.isArray(value) ? ["item", "items"] : ["member", "members"];
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * Members or items from one place on.
 * @param {object} value
 * @param {number} count
 * @returns {{ key: string | null, value: unknown }[]}  without keys for a list
 */
export function membersOf(value, count) {
  if (Array.isArray(value)) return value.slice(0, count).map((item) => ({ key: null, value: item }));
  return Object.entries(value).slice(0, count).map(([key, member]) => ({ key, value: member }));
}

/**
 * Whether a part of a payload is shown open at first: the outermost, and small ones inside.
 * @param {unknown} value
 * @param {number} depth
 */
export function startsOpen(value, depth) {
  if (typeof value !== "object" || value === null) return true;
  return depth === 0 || (depth < 3 && Object.keys(value).length <= 8);
}
