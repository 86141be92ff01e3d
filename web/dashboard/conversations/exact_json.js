// JSON whose numbers stay as they were sent: an id of twenty digits is more than a number of the
// browser's holds, and would be shown as another one.

/** A number that the browser's numbers do not hold exactly. */
export class ExactNumber {
  /** @param {string} source  as it stands in the JSON text */
  constructor(source) {
    this.source = source;
  }

  toJSON() {
    return Number(this.source);
  }
}

/**
 * JSON.parse, with an ExactNumber where a number would come out different. Browsers that do not tell
 * a number's source give the nearest number.
 * @param {string} text
 * @returns {any}
 */
export function parseExactly(text) {
  return JSON.parse(text, /** @type {(this: any, key: string, value: any) => any} */ (
    /** @param {string} _ @param {any} value @param {{ source?: string }} [context] */
    (_, value, context) => {
      const source = context?.source;
      if (typeof value !== "number" || source === undefined || isSame(value, source)) return value;
      return new ExactNumber(source);
    }));
}

/**
 * Whether a number's usual spelling has the digits of the source: 1.50 and 1.5e0 are 1.5.
 * @param {number} value
 * @param {string} source
 */
function isSame(value, source) {
  if (!Number.isFinite(value)) return false;
  const digits = (/** @type {string} */ spelled) =>
    spelled.replace(/e.*$/iu, "").replace(/[-.]/gu, "").replace(/^0+|0+$/gu, "");
  return digits(String(value)) === digits(source);
}

/**
 * A value as indented JSON text, exact numbers as they came.
 * @param {unknown} value
 */
export function jsonText(value) {
  /** @type {string[]} */
  const sources = [];
  // A mark that no text of the value can be: it is made anew where it occurs.
  let mark = "\u0000exact";
  const plain = JSON.stringify(value) ?? "null";
  while (plain.includes(JSON.stringify(mark).slice(1, -1))) mark += "_";
  const text = JSON.stringify(value, /** @this {any} */ function replace(key, member) {
    const before = this[key];
    if (!(before instanceof ExactNumber)) return member;
    sources.push(before.source);
    return mark;
  }, 2) ?? "null";
  if (sources.length === 0) return text;
  let next = 0;
  return text.split(JSON.stringify(mark)).reduce((all, part) => all + sources[next++] + part);
}
