// Text that others wrote, made safe to look at: what turns the direction of a line, has no width or
// moves the cursor is shown as a mark with its number instead of taking effect, and a text of any
// length is given out in portions. Everything here is data; views turn it into text nodes.

/**
 * A stretch of plain text, or a mark in the place of characters that must not take effect.
 * @typedef {{ text: string } | { mark: string, title: string }} Piece
 */

/**
 * How much of a text one portion holds at most.
 * @typedef {object} Portion
 * @property {number} characters UTF-16 units
 * @property {number} lines
 * @property {number} marks
 */

/** @type {Portion} What a message shows at first. */
export const firstPortion = { characters: 4000, lines: 80, marks: 200 };
/** @type {Portion} What "show more" adds. */
export const portion = { characters: 20_000, lines: 400, marks: 500 };

/** @type {Portion} */
const unlimited = { characters: Infinity, lines: Infinity, marks: Infinity };

/// Controls but tab and line feed; soft hyphen, zero width space, marks, embeddings, overrides and
/// isolates of bidirectional text, invisible operators, annotations, tags; halves of characters; and
/// more combining characters on top of each other than any language needs. The joiners of emoji and
/// of Persian stay.
const special = new RegExp(
  "\\r\\n|[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e" +
  "\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb" +
  "\\u{e0000}-\\u{e007f}\\ud800-\\udfff]|\\p{M}{9,}", "gu");

/** @type {Record<string, string>} */
const names = {
  "0000": "null", "0007": "bell", "0008": "backspace", "000D": "carriage return", "001B": "escape",
  "007F": "delete", "00AD": "soft hyphen", "061C": "Arabic letter mark", "200B": "zero width space",
  "200E": "left-to-right mark", "200F": "right-to-left mark", "2028": "line separator",
  "2029": "paragraph separator", "202A": "left-to-right embedding", "202B": "right-to-left embedding",
  "202C": "end of embedding or override", "202D": "left-to-right override", "202E": "right-to-left override",
  "2060": "word joiner", "2066": "left-to-right isolate", "2067": "right-to-left isolate",
  "2068": "first strong isolate", "2069": "end of isolate", "FEFF": "zero width no-break space",
};

/** @param {string} found  What `special` has found, but a line break. @returns {{ mark: string, title: string }} */
function markOf(found) {
  const point = found.codePointAt(0) ?? 0;
  const count = [...found].length;
  if (count > 1) return { mark: `${count} combining`, title: `${count} combining characters on one another` };
  const number = point.toString(16).toUpperCase().padStart(4, "0");
  const name = names[number] ?? (point >= 0xd800 && point <= 0xdfff ? "half of a character" : "invisible character");
  return { mark: `U+${number}`, title: `${name} (U+${number})` };
}

/**
 * @param {string} text
 * @param {number} from   where the portion begins: 0, or `next` of the portion before
 * @param {Portion} limit
 * @returns {{ pieces: Piece[], next: number | null }}  `next` is null where the text ends
 */
export function present(text, from = 0, limit = portion) {
  const stop = endOf(text, from, limit);
  /** @type {Piece[]} */
  const pieces = [];
  /** @type {{ mark: string, title: string, times: number } | null} */
  let run = null;  // the same mark again and again is one mark
  let marks = 0;
  let at = from;
  const endRun = () => {
    if (!run) return;
    const times = run.times > 1 ? ` ×${run.times}` : "";
    pieces.push({ mark: run.mark + times, title: run.title + times });
    run = null;
  };
  special.lastIndex = from;
  for (let found = special.exec(text); found && found.index < stop; found = special.exec(text)) {
    if (found.index > at) {
      endRun();
      pieces.push({ text: text.slice(at, found.index) });
    }
    if (found[0] === "\r\n") {
      endRun();
      pieces.push({ text: "\n" });
    } else {
      const mark = markOf(found[0]);
      if (run !== null && run.mark === mark.mark) {
        run.times += 1;
      } else {
        endRun();
        if (++marks > limit.marks) return { pieces, next: found.index };
        run = { ...mark, times: 1 };
      }
    }
    at = found.index + found[0].length;
  }
  endRun();
  if (at < stop) pieces.push({ text: text.slice(at, stop) });
  const end = Math.max(at, stop);
  return { pieces, next: end < text.length ? end : null };
}

/**
 * Where a portion ends at the latest: behind a whole character.
 * @param {string} text
 * @param {number} from
 * @param {Portion} limit
 */
function endOf(text, from, limit) {
  let stop = Math.min(text.length, from + limit.characters);
  if (limit.lines < stop - from) {
    let line = from - 1;
    for (let count = 0; count < limit.lines; ++count) {
      line = text.indexOf("\n", line + 1);
      if (line < 0 || line >= stop) break;
    }
    if (line >= 0 && line < stop) stop = line + 1;
  }
  const last = text.charCodeAt(stop - 1);
  const inside = stop < text.length && last >= 0xd800 && last < 0xdc00;
  return inside && stop - 1 > from ? stop - 1 : stop;
}

/**
 * A short text, such as a name, complete and on one line: line breaks and tabs are marks, too.
 * @param {string} text
 * @returns {Piece[]}
 */
export function presentName(text) {
  return present(text, 0, unlimited).pieces.flatMap((piece) =>
    "text" in piece ? piece.text.split(/([\t\n])/u).filter(Boolean).map(onOneLine) : [piece]);
}

/** @param {string} text @returns {Piece} */
function onOneLine(text) {
  if (text === "\n") return { mark: "U+000A", title: "line break (U+000A)" };
  if (text === "\t") return { mark: "U+0009", title: "tab (U+0009)" };
  return { text };
}

/**
 * Whether a name is what it looks like, so that it can be typed.
 * @param {string} text
 */
export function isPlain(text) {
  return presentName(text).every((piece) => "text" in piece);
}

/**
 * The same as one string, for titles and labels of controls.
 * @param {string} text
 */
export function plainName(text) {
  return presentName(text).map((piece) => ("text" in piece ? piece.text : `[${piece.mark}]`)).join("");
}
