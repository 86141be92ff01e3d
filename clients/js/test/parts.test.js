// What needs no hub: the tables, the WebSocket client, and answers that a hub gives rarely.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, describe, test } from "node:test";

import { AgentComError, Client, ProtocolError, TooLargeError, UnavailableError } from "../src/index.js";
import { codes, hubError } from "../src/errors.js";
import { HttpClient, normalisedUrl, retryAfterMs } from "../src/http.js";
import { FrameParser, open } from "../src/node_websocket.js";
import { Backoff } from "../src/waiting.js";
import { Hub, listener, within } from "./hub.js";

const servers = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return `http://127.0.0.1:${server.address().port}`;
}

/// One frame as a server sends it.
function frame(opcode, data, { final = true, bits = 0, masked = false } = {}) {
  const body = Buffer.from(data);
  const head = [(final ? 0x80 : 0) | bits | opcode];
  if (body.length < 126) head.push(body.length);
  else if (body.length < 65_536) head.push(126, body.length >> 8, body.length & 0xff);
  else head.push(127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (body.length >> shift) & 0xff));
  if (masked) head[1] |= 0x80, head.push(0, 0, 0, 0);
  return Buffer.concat([Buffer.from(head), body]);
}

const closeFrame = (code, reason = "") => frame(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

/// A server that upgrades and then does what it is told. `client.next()` gives the client's frames.
async function socketServer(behave) {
  const server = http.createServer();
  server.on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`);
    const frames = [];
    let grown = () => {};
    let rest = Buffer.alloc(0);
    socket.on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      for (;;) {
        const short = rest.length < 2 ? 0 : rest[1] & 0x7f;
        const start = { 126: 4, 127: 10 }[short] ?? 2;
        if (rest.length < start + 4) break;
        assert.ok(rest[1] & 0x80, "a client masks its frames");
        const length = start === 4 ? rest.readUInt16BE(2) : start === 10 ? Number(rest.readBigUInt64BE(2)) : short;
        if (rest.length < start + 4 + length) break;
        const mask = rest.subarray(start, start + 4);
        const body = Buffer.from(rest.subarray(start + 4, start + 4 + length)).map((byte, i) => byte ^ mask[i % 4]);
        frames.push({ opcode: rest[0] & 0x0f, final: (rest[0] & 0x80) !== 0, body });
        rest = rest.subarray(start + 4 + length);
        grown();
      }
    });
    const next = async () => {
      while (frames.length === 0) {
        await new Promise((resolve) => {
          grown = resolve;
        });
      }
      return frames.shift();
    };
    behave(socket, next);
  });
  return listening(server);
}

/// What a WebSocket client that is connected to such a server sees.
async function conversation(behave, maxBytes = 100_000) {
  const texts = [];
  let ended;
  const end = new Promise((resolve) => {
    ended = resolve;
  });
  const url = await socketServer(behave);
  const socket = await open(url.replace("http", "ws"), { onText: (text) => texts.push(text), onEnd: ended }, maxBytes,
    AbortSignal.timeout(5_000));
  return { socket, texts, end: within(end, "end of the connection") };
}

describe("tables", () => {
  test("every error of the protocol has its class", () => {
    const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
    const table = page.split("\n## Errors\n")[1].split("\n## ")[0];
    const rows = [...table.matchAll(/^\| `(\w+)` \| \d+ \| (yes|no) \|/gm)].map(([, code, retry]) => [code, retry]);
    assert.ok(rows.length > 20);
    const known = Object.entries(codes).map(([code, [, retry]]) => [code, retry ? "yes" : "no"]);
    assert.deepEqual(known.toSorted(), rows.toSorted(), "src/errors.js and docs/protocol.md differ");
  });

  test("fields in wire names are understood", () => {
    const error = hubError({ error: "missing required field: payload", field: "payload" });
    assert.deepEqual([error.code, error.field], ["missing_field", "payload"]);
  });

  test("an unknown code goes by its status", () => {
    assert.equal(hubError({ error: "brand_new" }, 503).retry, true);
    assert.equal(hubError({ error: "constructor" }, 400).retry, false);
  });

  test("the version is the package's, and what is exported is there", async () => {
    const description = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    assert.equal(description.private, true);
    const module = await import(new URL(`../${description.exports["."].default}`, import.meta.url));
    assert.equal(typeof module.Client, "function");
    assert.ok(readFileSync(new URL(`../${description.types}`, import.meta.url), "utf8").includes("Client"));
  });
});

describe("waiting", () => {
  test("the back-off doubles up to its maximum with jitter", () => {
    const backoff = new Backoff(1, 8);
    for (const step of [1, 2, 4, 8, 8]) {
      const delay = backoff.next();
      assert.ok(delay >= step / 2 && delay <= step, String(delay));
    }
    backoff.reset();
    assert.ok(backoff.next() <= 1);
    const asked = new Backoff(1, 8).next(7);
    assert.ok(asked >= 7 && asked <= 8);
  });

  test("Retry-After has two forms", () => {
    assert.equal(retryAfterMs("120"), 120_000);
    assert.equal(retryAfterMs("Wed, 21 Oct 2015 07:28:00 GMT"), 0);
    assert.ok(retryAfterMs("Wed, 21 Oct 2099 07:28:00 GMT") > 1e9);
    assert.equal(retryAfterMs("soon"), null);
    assert.equal(retryAfterMs(null), null);
  });
});

describe("options", () => {
  test("URLs", () => {
    assert.equal(normalisedUrl("ws://host:4000/"), "http://host:4000");
    assert.equal(normalisedUrl(new URL("https://host/hub/")), "https://host/hub");
    for (const bad of ["host:4000", "ftp://host", "http://user:password@host", "http://host/?x", ""]) {
      assert.throws(() => normalisedUrl(bad), TypeError);
    }
  });

  test("options that make no sense are refused", () => {
    for (const options of [{ transport: "pigeon" }, { pollWait: 90_000 }, { maxQueuedMessages: 0 }, { backoff: [2, 1] }]) {
      assert.throws(() => new Client("http://127.0.0.1:1", "a", "t", options));
    }
  });
});

describe("the WebSocket client", () => {
  test("fragments make one message, pings are answered in between", async () => {
    const { texts, end, socket } = await conversation(async (stream, next) => {
      assert.equal((await next()).body.toString(), "hello");
      const bytes = Buffer.from("grüße");
      stream.write(frame(1, bytes.subarray(0, 3), { final: false }));
      stream.write(frame(9, "are you there"));
      const pong = await next();
      assert.deepEqual([pong.opcode, pong.body.toString()], [10, "are you there"]);
      stream.write(frame(0, "", { final: false }));
      stream.write(frame(0, bytes.subarray(3)));
      const big = frame(1, "x".repeat(70_000));
      // Byte by byte around the header.
      for (let i = 0; i < 12; i += 1) stream.write(big.subarray(i, i + 1));
      stream.write(Buffer.concat([big.subarray(12), frame(1, "y".repeat(200)), frame(1, "")]));
      stream.write(closeFrame(4004, "slow"));
      assert.deepEqual([...(await next()).body], [4004 >> 8, 4004 & 0xff]);
      stream.end();
    });
    socket.send("hello");
    assert.deepEqual(await end, { code: 4004, reason: "slow", tooLarge: false });
    assert.deepEqual(texts, ["grüße", "x".repeat(70_000), "y".repeat(200), ""]);
  });

  test("it masks frames of every length", async () => {
    const received = [];
    const { socket, end } = await conversation(async (stream, next) => {
      for (let i = 0; i < 4; i += 1) received.push((await next()).body.length);
      assert.equal((await next()).opcode, 8);
      stream.end(closeFrame(1000));
    });
    for (const length of [0, 125, 126, 70_000]) socket.send("z".repeat(length));
    await socket.close();
    assert.deepEqual(received, [0, 125, 126, 70_000]);
    assert.equal((await end).code, 1000);
    socket.send("too late"); // and no error
  });

  const violations = [
    ["a masked frame", frame(1, "x", { masked: true }), 1002],
    ["bits of an extension", frame(1, "x", { bits: 0x40 }), 1002],
    ["an unknown opcode", frame(3, "x"), 1002],
    ["an unknown control opcode", frame(11, ""), 1002],
    ["a fragmented ping", frame(9, "x", { final: false }), 1002],
    ["a long ping", frame(9, "x".repeat(126)), 1002],
    ["a continuation of nothing", frame(0, "x"), 1002],
    ["a message inside a message", Buffer.concat([frame(1, "x", { final: false }), frame(1, "y")]), 1002],
    ["a close code of one byte", frame(8, "x"), 1002],
    ["a close code that is not assigned", closeFrame(1005), 1002],
    ["a text that is not UTF-8", frame(1, Buffer.from([0xc3, 0x28])), 1007],
    ["a binary message", frame(2, "x"), 1003],
  ];
  for (const [what, bytes, code] of violations) {
    test(`${what} is closed with ${code}`, async () => {
      let answer;
      const { end } = await conversation(async (stream, next) => {
        stream.write(bytes);
        answer = (await next()).body.readUInt16BE(0);
        stream.end();
      });
      assert.equal((await end).code, code);
      assert.equal(answer, code);
    });
  }

  test("a message over the limit is closed with 1009 before it is there", async () => {
    const { end, texts } = await conversation(async (stream, next) => {
      stream.write(frame(1, "x".repeat(600), { final: false }));
      stream.write(frame(0, "x".repeat(600)).subarray(0, 8));
      assert.equal((await next()).body.readUInt16BE(0), 1009);
      stream.end();
    }, 1000);
    assert.deepEqual(await end, { code: null, reason: "a message is larger than maxIncomingBytes", tooLarge: true });
    assert.deepEqual(texts, []);
    assert.throws(() => new FrameParser(10, () => {}).push(Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255])));
  });

  test("a server that does not close is not waited for", async () => {
    const { socket, end } = await conversation(() => {});
    await within(socket.close());
    assert.equal((await end).code, null);
  });

  test("a handshake that is no handshake is an error", async () => {
    const url = (await listening(http.createServer((_, answer) => {
      answer.writeHead(503, { "Retry-After": "7" }).end();
    }))).replace("http", "ws");
    const events = { onText() {}, onEnd() {} };
    await assert.rejects(open(url, events, 1000, AbortSignal.timeout(5000)), { status: 503, retryAfter: "7" });
    await assert.rejects(open("ws://127.0.0.1:1", events, 1000, AbortSignal.timeout(5000)), { refused: true });
    const wrong = http.createServer();
    wrong.on("upgrade", (_, socket) => socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"));
    const wrongUrl = (await listening(wrong)).replace("http", "ws");
    await assert.rejects(open(wrongUrl, events, 1000, AbortSignal.timeout(5000)), /Sec-WebSocket-Accept/);
    const silent = http.createServer();
    silent.on("upgrade", () => {});
    const silentUrl = (await listening(silent)).replace("http", "ws");
    await assert.rejects(open(silentUrl, events, 1000, AbortSignal.timeout(50)), /abort/i);
  });

  test("the browser's WebSocket does as well", async () => {
    const hub = await Hub.start();
    try {
      const { id, token } = await hub.agent();
      const program = `
        await fetch("data:,"); // Node.js makes its fetch at the first use
        Object.defineProperty(process, "versions", { value: {} }); // so that this is a browser
        const { Client } = await import(${JSON.stringify(new URL("../src/index.js", import.meta.url).href)});
        const [url, id, token] = process.argv.slice(1);
        const client = new Client(url, id, token, { transport: "websocket" });
        await client.connect();
        await client.send(id, "to myself");
        for await (const message of client.messages()) {
          console.log(client.transport, message.payload);
          client.ack(message);
          break;
        }
        await client.close();
        await new Client(url, id, "0".repeat(64)).connect().catch((error) => console.log(error.code));
        const nobody = new Client("http://127.0.0.1:1", id, token, { connectTimeout: 500, backoff: [10, 20] });
        await nobody.connect().catch((error) => console.log(error.code));`;
      const child = spawn(process.execPath,
        ["--experimental-websocket", "--no-warnings", "--input-type=module", "--eval", program, hub.url, id, token]);
      let output = "";
      child.stdout.on("data", (data) => {
        output += data;
      });
      child.stderr.pipe(process.stderr);
      await within(once(child, "close"), "end of the program");
      assert.equal(output, "websocket to myself\ninvalid_token\nunreachable\n");
      assert.deepEqual(await hub.unread({ id, token }), []);
    } finally {
      await hub.remove();
    }
  });
});

describe("rare answers over HTTP", () => {
  const later = JSON.stringify({ error: "overloaded", message: "too many" });
  const sent = JSON.stringify({ status: "sent", id: "1", delivery: "queued", seq: 1 });
  const mailbox = JSON.stringify({ epoch: "e", messages: [], last_seq: 0 });

  /// A polling client of a stand-in for the hub, which gives these answers to sends.
  async function stranger(answers, options) {
    const seen = [];
    const url = await listening(http.createServer(async (request, answer) => {
      if (request.method === "GET") {
        if (!request.url.includes("wait=")) answer.end(mailbox); // Polls wait for ever.
        return;
      }
      let body = "";
      for await (const part of request) body += part;
      seen.push(JSON.parse(body));
      const [status, headers, text] = answers.shift();
      answer.writeHead(status, headers).end(text);
    }));
    const client = new Client(url, "a", "t", { transport: "poll", backoff: [10, 20], ...options });
    await client.connect();
    return { client, seen };
  }

  test("later means later, and the key stays", async () => {
    const { client, seen } = await stranger([[503, { "Retry-After": "0" }, later], [200, {}, sent]]);
    assert.equal((await client.send("b", 1)).id, "1");
    assert.equal(seen.length, 2);
    assert.equal(seen[0].idempotency_key, seen[1].idempotency_key);
    await client.close();
  });

  test("when later is too late the error says how late", async () => {
    const { client } = await stranger([[503, { "Retry-After": "70" }, later]]);
    await assert.rejects(client.send("b", 1), (error) => {
      assert.ok(error instanceof UnavailableError);
      assert.deepEqual([error.code, error.retryAfter], ["overloaded", 70_000]);
      return true;
    });
    await client.close();
  });

  test("a redirect does not get the token", async () => {
    const { client } = await stranger([[307, { Location: "http://127.0.0.1:9/" }, ""]]);
    await assert.rejects(client.send("b", 1), { code: "http_307", message: /proxy/ });
    await client.close();
  });

  test("an answer has a bound", async () => {
    const { client } = await stranger([[200, {}, sent + " ".repeat(5000)]], { maxIncomingBytes: 1000 });
    await assert.rejects(client.send("b", 1), TooLargeError);
    await client.close();
  });

  test("a body that is not UTF-8 or not JSON is somebody else's", async () => {
    const url = await listening(http.createServer((_, answer) => answer.end("<html>")));
    const error = await new HttpClient(url, "t", 1000).request("GET", "/x", null).catch((caught) => caught);
    assert.ok(error instanceof AgentComError);
    assert.equal(error.code, "http_200");
  });
});

describe("close codes", () => {
  /// A client of a stand-in for the hub that identifies and then behaves so.
  async function stranger(behave, options) {
    const url = await socketServer(async (stream, next) => {
      const identify = JSON.parse((await next()).body);
      assert.equal(identify.acks, true);
      const limits = { max_frame_bytes: 1000, messages_per_second: 0 };
      stream.write(frame(1, JSON.stringify({ type: "identified", epoch: "e", limits })));
      await behave(stream, next);
    });
    return new Client(url, "a", "t", { transport: "websocket", backoff: [10, 50], ...options });
  }

  test("it connects again after ends that pass", async () => {
    const remaining = [1001, 1011, 4002, 4003, 4004, 4008, 1009];
    const expected = [...remaining];
    const onEvent = listener();
    const client = await stranger((stream) => {
      if (remaining.length > 0) stream.end(closeFrame(remaining.shift(), "reason"));
    }, { onEvent });
    await client.connect();
    for (const code of expected) assert.match((await onEvent.next("disconnected")).reason, new RegExp(`^closed with ${code}`));
    await onEvent.next("connected");
    await client.close();
  });

  for (const code of [1002, 1007]) {
    test(`it stops after ${code}, which says it is at fault`, async () => {
      const client = await stranger((stream) => stream.end(closeFrame(code)));
      await assert.rejects(within(client.run(() => {})), ProtocolError);
    });
  }

  test("what is no hub is not believed", async () => {
    const client = await stranger((stream) => stream.write(frame(1, "<html>")));
    await assert.rejects(within(client.run(() => {})), { name: "ProtocolError", code: "unexpected_frame" });
  });

  test("a hub that is full says when to come back", async () => {
    const url = await listening(http.createServer((_, answer) => {
      answer.writeHead(503, { "Retry-After": "7" }).end();
    }));
    const client = new Client(url, "a", "t", { transport: "websocket", connectTimeout: 1000 });
    await assert.rejects(client.connect(), (error) => {
      assert.match(error.message, /503/);
      assert.equal(error.cause.retryAfter, 7000);
      return true;
    });
  });

  test("frames over the hub's limit are not sent", async () => {
    const client = await stranger(() => {});
    await client.connect();
    await assert.rejects(client.send("b", "x".repeat(1000)), { name: "TooLargeError", message: /1000/ });
    await assert.rejects(client.send("b", "ü".repeat(500)), TooLargeError);
    await client.close();
  });

  test("the same seq twice is handled once, and an old position counts", async () => {
    const acked = [];
    let refused = false;
    let allAcked;
    const end = new Promise((resolve) => {
      allAcked = resolve;
    });
    const client = await stranger(async (stream, next) => {
      for (const seq of [3, 5, 5, 4, 6]) {
        const message = { id: String(seq), from: "b", to: "a", message_type: "chat", payload: seq, reply_to: null, timestamp: 1, seq };
        stream.write(frame(1, JSON.stringify({ type: "message", ...message })));
      }
      for (;;) {
        const { opcode, body } = await next();
        if (opcode === 8) return stream.end(closeFrame(1000));
        const { type, seq, ref } = JSON.parse(body);
        if (type === "ack" && seq === 6 && !refused) {
          refused = true;
          stream.write(frame(1, JSON.stringify({ type: "error", error: "rate_limited", message: "slower", ref })));
        } else if (type === "ack") {
          acked.push(seq);
          if (seq === 6) allAcked();
        } else stream.write(frame(1, JSON.stringify({ type: "channel_history", ref, messages: [] })));
      }
    }, { position: { epoch: "e", seq: 3 } });
    const seen = [];
    const running = client.run(({ payload }) => seen.push(payload));
    await within(end);
    client.stop();
    await within(running);
    assert.deepEqual(seen, [5, 6]);
    // An acknowledgement that the hub refuses is sent again.
    assert.ok(refused && acked.includes(6));
    assert.deepEqual(client.position, { epoch: "e", seq: 6 });
  });
});
