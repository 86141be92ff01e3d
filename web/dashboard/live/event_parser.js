// text/event-stream, as the hub sends it. EventSource would do, but says neither why the hub refused
// a stream nor when it was last heard of.

/** The longest event that is taken, in characters; the hub's snapshots come in smaller parts. */
const mostCharacters = 32 * 1024 * 1024;

/** Cuts a stream of text into events, wherever the pieces begin and end. */
export class EventParser {
  #rest = "";
  /** @type {string[]} */
  #data = [];
  #size = 0;
  #event = "";
  #emit;

  /** @param {(event: string, data: string) => void} emit */
  constructor(emit) {
    this.#emit = emit;
  }

  /** @param {string} text @throws {RangeError} when an event has no end */
  feed(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (this.#rest.length + this.#size > mostCharacters) throw new RangeError("an event of the stream has no end");
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      if (this.#data.length) this.#emit(this.#event || "message", this.#data.join("\n"));
      this.#data = [];
      this.#size = 0;
      this.#event = "";
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;  // a comment, which keeps the connection alive
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") this.#event = value;
    if (field === "data") {
      this.#data.push(value);
      this.#size += value.length;
    }
  }
}
