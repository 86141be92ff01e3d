// A WebSocket client (RFC 6455) on node:http and node:https, for Node.js before it had one. No
// extensions are offered. Text only: that is what the hub speaks.

import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** How long the closing handshake may take. */
const closeTimeoutMs = 2_000;

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** A violation by the other side; the code is the one to close with. */
class Violation extends Error {
  /**
   * @param {number} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param {string} url
 * @param {import("./websocket.js").SocketEvents} events
 * @param {number} maxBytes of one message, over all its fragments
 * @param {AbortSignal} signal ends the attempt, not the connection
 * @returns {Promise<import("./websocket.js").Socket>}
 */
export function open(url, events, maxBytes, signal) {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString("base64");
    const secure = url.startsWith("wss:");
    const request = (secure ? https : http).request(url.replace(/^ws/, "http"), {
      agent: false,
      signal,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
      },
    });
    /** @param {string} message @param {object} [details] */
    const fail = (message, details = {}) => {
      request.destroy();
      reject(Object.assign(new Error(message), details));
    };
    request.on("error", (error) => {
      reject(Object.assign(error, { refused: /** @type {any} */ (error).code === "ECONNREFUSED" }));
    });
    request.on("response", (answer) => {
      const status = answer.statusCode;
      const retryAfter = answer.headers["retry-after"] ?? null;
      fail(`the upgrade to WebSocket was answered with status ${status}`, { status, retryAfter });
    });
    request.on("upgrade", (answer, stream, head) => {
      const expected = createHash("sha1").update(key + acceptSuffix).digest("base64");
      if (answer.headers.upgrade?.toLowerCase() !== "websocket") return fail("this is no upgrade to WebSocket");
      if (answer.headers["sec-websocket-accept"] !== expected) return fail("the upgrade has a wrong Sec-WebSocket-Accept");
      if (answer.headers["sec-websocket-extensions"]) return fail("an extension was agreed on that was not offered");
      const socket = new NodeSocket(stream, events, maxBytes);
      resolve(socket);
      // Whoever waits for the socket has it before the first message.
      setImmediate(() => socket.start(head));
    });
    request.end();
  });
}

class NodeSocket {
  #stream;
  #events;
  #parser;
  #ended = false;
  #closeSent = false;
  #tooLarge = false;
  /** @type {{ code: number | null, reason: string } | null} */
  #closeReceived = null;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {(() => void)[]} */
  #waiting = [];

  /**
   * @param {import("node:stream").Duplex} stream
   * @param {import("./websocket.js").SocketEvents} events
   * @param {number} maxBytes
   */
  constructor(stream, events, maxBytes) {
    this.#stream = stream;
    this.#events = events;
    this.#parser = new FrameParser(maxBytes, (opcode, data) => this.#arrived(opcode, data));
    /** @type {any} */ (stream).setNoDelay?.(true);
    /** @type {any} */ (stream).setTimeout?.(0);
    stream.on("error", () => {}); // "close" follows
    stream.on("close", () => this.#finish());
    stream.on("end", () => this.#stream.end());
  }

  /** @param {Buffer} head what came with the answer to the upgrade */
  start(head) {
    if (this.#stream.destroyed) return this.#finish();
    this.#stream.on("data", (/** @type {Buffer} */ data) => this.#read(data));
    if (head.length > 0) this.#read(head);
  }

  /** @param {string} text */
  send(text) {
    if (!this.#closeSent) this.#write(opcodes.text, Buffer.from(text));
  }

  /** @returns {Promise<void>} */
  close() {
    return new Promise((resolve) => {
      if (this.#ended) return resolve();
      this.#waiting.push(resolve);
      this.#sendClose(1000);
    });
  }

  abort() {
    this.#stream.destroy();
    this.#finish();
  }

  /** @param {Buffer} data */
  #read(data) {
    if (this.#ended || this.#closeReceived !== null) return;
    try {
      this.#parser.push(data);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#tooLarge = error.code === 1009;
      this.#closeReceived = { code: this.#tooLarge ? null : error.code, reason: error.message };
      this.#sendClose(error.code);
      this.#stream.end();
      this.#stream.resume();
    }
  }

  /**
   * @param {number} opcode
   * @param {Buffer} data
   */
  #arrived(opcode, data) {
    if (this.#closeReceived !== null) return;
    if (opcode === opcodes.ping) {
      if (!this.#closeSent) this.#write(opcodes.pong, data);
    } else if (opcode === opcodes.close) {
      this.#closeReceived = readClose(data);
      this.#sendClose(this.#closeReceived.code ?? 1000);
      this.#stream.end();
    } else if (opcode === opcodes.text) {
      this.#events.onText(utf8(data));
    }
  }

  /** @param {number} code */
  #sendClose(code) {
    if (this.#closeSent) return;
    this.#write(opcodes.close, Buffer.from([code >> 8, code & 0xff]));
    this.#closeSent = true;
    this.#timer = setTimeout(() => this.abort(), closeTimeoutMs);
  }

  /**
   * @param {number} opcode
   * @param {Buffer} data
   */
  #write(opcode, data) {
    if (this.#stream.writable) this.#stream.write(maskedFrame(opcode, data));
  }

  #finish() {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const { code, reason } = this.#closeReceived ?? { code: null, reason: "" };
    this.#events.onEnd({ code, reason, tooLarge: this.#tooLarge });
    for (const resolve of this.#waiting) resolve();
  }
}

/**
 * @param {number} opcode
 * @param {Buffer} data
 */
function maskedFrame(opcode, data) {
  const extra = data.length < 126 ? 0 : data.length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + 4 + data.length);
  frame[0] = 0x80 | opcode;
  if (extra === 0) frame[1] = 0x80 | data.length;
  if (extra === 2) frame[1] = 0x80 | 126, frame.writeUInt16BE(data.length, 2);
  if (extra === 8) frame[1] = 0x80 | 127, frame.writeBigUInt64BE(BigInt(data.length), 2);
  const mask = randomBytes(4);
  const start = 2 + extra + 4;
  mask.copy(frame, start - 4);
  for (let i = 0; i < data.length; i += 1) frame[start + i] = data[i] ^ mask[i & 3];
  return frame;
}

/** @param {Buffer} data */
function utf8(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Violation(1007, "a text is not UTF-8");
  }
}

/**
 * @param {Buffer} data
 * @returns {{ code: number | null, reason: string }}
 */
function readClose(data) {
  if (data.length === 0) return { code: null, reason: "" };
  const code = data.length === 1 ? 0 : data.readUInt16BE(0);
  const assigned = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (!assigned) throw new Violation(1002, "a close frame has no valid code");
  return { code, reason: utf8(data.subarray(2)) };
}

/** Cuts a stream of bytes into messages: whole texts, pings, pongs and closes. Throws Violation. */
export class FrameParser {
  #maxBytes;
  #onMessage;
  /** @type {Buffer[]} */
  #chunks = [];
  #available = 0;
  /** @type {{ final: boolean, opcode: number, length: number } | null} */
  #frame = null;
  /** @type {Buffer[]} */
  #fragments = [];
  #fragmentBytes = 0;
  #inMessage = false;

  /**
   * @param {number} maxBytes
   * @param {(opcode: number, data: Buffer) => void} onMessage
   */
  constructor(maxBytes, onMessage) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#available += chunk.length;
    for (;;) {
      this.#frame ??= this.#header();
      if (this.#frame === null || this.#available < this.#frame.length) return;
      const { final, opcode, length } = this.#frame;
      this.#frame = null;
      this.#payload(final, opcode, this.#take(length));
    }
  }

  /** The next header, or null while it is not there. */
  #header() {
    if (this.#available < 2) return null;
    const [first, second] = this.#peek(2);
    if (second & 0x80) throw new Violation(1002, "a frame of the hub is masked");
    const short = second & 0x7f;
    const size = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.#available < size) return null;
    const header = this.#take(size);
    const length = short === 126 ? header.readUInt16BE(2) : short === 127 ? Number(header.readBigUInt64BE(2)) : short;
    const frame = { final: (first & 0x80) !== 0, opcode: first & 0x0f, length };
    this.#check(frame, first);
    return frame;
  }

  /**
   * @param {{ final: boolean, opcode: number, length: number }} frame
   * @param {number} first
   */
  #check({ final, opcode, length }, first) {
    if (first & 0x70) throw new Violation(1002, "a frame has bits of an extension");
    if (opcode >= 8) {
      if (opcode > opcodes.pong) throw new Violation(1002, "a frame has an unknown opcode");
      if (!final || length > 125) throw new Violation(1002, "a control frame is fragmented or too long");
      return;
    }
    if (opcode === opcodes.binary) throw new Violation(1003, "a message is binary");
    if (opcode > opcodes.binary) throw new Violation(1002, "a frame has an unknown opcode");
    if ((opcode === opcodes.continuation) !== this.#inMessage) throw new Violation(1002, "fragments are out of order");
    if (this.#fragmentBytes + length > this.#maxBytes) throw new Violation(1009, "a message is larger than maxIncomingBytes");
  }

  /**
   * @param {boolean} final
   * @param {number} opcode
   * @param {Buffer} data
   */
  #payload(final, opcode, data) {
    if (opcode >= 8) return this.#onMessage(opcode, data);
    this.#inMessage = !final;
    if (final && this.#fragments.length === 0) return this.#onMessage(opcodes.text, data);
    if (data.length > 0) this.#fragments.push(data);
    this.#fragmentBytes += data.length;
    if (!final) return;
    const whole = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#fragmentBytes = 0;
    this.#onMessage(opcodes.text, whole);
  }

  /** @param {number} size */
  #peek(size) {
    if (this.#chunks[0].length < size) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0].subarray(0, size);
  }

  /** @param {number} size */
  #take(size) {
    if (size === 0) return Buffer.alloc(0);
    if (this.#chunks[0].length < size) this.#chunks = [Buffer.concat(this.#chunks)];
    const [first] = this.#chunks;
    this.#available -= size;
    if (first.length === size) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(size);
    return first.subarray(0, size);
  }
}
