// The real hub as a child process, and a relay in front of it that can make trouble.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Client } from "../src/index.js";

const binary = process.env.AGENTCOM_BINARY ?? fileURLToPath(new URL("../../../build/release/agentcom", import.meta.url));

/// How long anything may take before a test gives up on it.
export const patienceMs = 20_000;

const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/// Rejects when `promise` takes too long.
export async function within(promise, what = "something") {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/// Only what the tests say reaches the hub, not what happens to be set where they run.
function environment(settings) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("AGENTCOM_") && name !== "PORT" && name !== "ADMIN_AGENTS");
  return { ...Object.fromEntries(inherited), ...settings };
}

export class Hub {
  directory = mkdtempSync(join(tmpdir(), "agentcom-js-"));
  port = 0;
  #settings;
  #process;
  #names = 0;
  #clients = [];
  #relays = [];

  /// `settings` are environment variables, such as AGENTCOM_MAILBOX_CAP.
  static async start(settings = {}) {
    const hub = new Hub(settings);
    await hub.start();
    return hub;
  }

  constructor(settings) {
    this.#settings = settings;
  }

  get url() {
    const scheme = "AGENTCOM_TLS_CERTIFICATE" in this.#settings ? "https" : "http";
    return `${scheme}://127.0.0.1:${this.port}`;
  }

  /// On the port and the data that it had, if it had any.
  async start() {
    const child = spawn(
      binary, ["serve", "--host", "127.0.0.1", "--port", String(this.port), "--data-dir", this.directory],
      { env: environment(this.#settings), stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    this.port = await within(new Promise((resolve, reject) => {
      let log = "";
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`the hub did not start: ${log}`)));
      child.stderr.setEncoding("utf8");
      child.stderr.on("data", (text) => {
        log += text;
        const found = /listening on https?:\/\/\S+:(\d+)/.exec(log);
        if (found) resolve(Number(found[1]));
      });
    }), "start of the hub");
    this.adminToken = this.#settings.AGENTCOM_ADMIN_TOKEN ?? readFileSync(join(this.directory, "admin_token"), "utf8").trim();
  }

  terminate() {
    return this.#end("SIGTERM");
  }

  kill() {
    return this.#end("SIGKILL");
  }

  async #end(signal) {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await within(exit, "end of the hub");
  }

  /// While it is down: the next start makes a new store.
  forgetEverything() {
    rmSync(this.directory, { recursive: true });
    mkdirSync(this.directory, { mode: 0o700 });
  }

  async remove() {
    for (const relay of this.#relays) relay.close();
    await Promise.allSettled(this.#clients.map((client) => client.close()));
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async ask(method, path, body, token = this.adminToken) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async issueToken(agentId) {
    return (await this.ask("POST", "/admin/tokens", { agent_id: agentId })).token;
  }

  /// A new agent: its id and its token.
  async agent(prefix = "agent") {
    this.#names += 1;
    const id = `${prefix}-${this.#names}`;
    return { id, token: await this.issueToken(id) };
  }

  /// A client that is closed with the hub.
  client({ id, token }, { url = this.url, ...options } = {}) {
    const client = new Client(url, id, token, { backoff: [20, 200], ...options });
    this.#clients.push(client);
    return client;
  }

  /// A relay in front of this hub.
  async relay() {
    const relay = await Relay.start(this.port);
    this.#relays.push(relay);
    return relay;
  }

  async send(to, payload, token) {
    return (await this.ask("POST", "/api/message", { to, payload }, token)).seq;
  }

  async unread({ id, token }) {
    const { messages } = await this.ask("GET", `/api/mailbox/${id}`, undefined, token);
    return messages.map(({ payload }) => payload);
  }

  /// Payloads of all messages of this sender, as the audit log has them.
  async stored(sender) {
    const { messages } = await this.ask("GET", `/api/messages?from=${sender.id}&limit=200`);
    return messages.map(({ payload }) => payload);
  }
}

/// A handler that keeps what it was given, and tells when there is enough.
export function keeper() {
  const messages = [];
  let grown = () => {};
  const handler = (message) => {
    messages.push(message);
    grown();
  };
  handler.messages = messages;
  handler.payloads = () => messages.map(({ payload }) => payload);
  handler.enough = async (wanted) => {
    while (messages.length < wanted) {
      await within(new Promise((resolve) => {
        grown = resolve;
      }), `message ${messages.length + 1} of ${wanted}`);
    }
    return handler.payloads();
  };
  return handler;
}

/// An onEvent that can be waited for.
export function listener() {
  const queue = [];
  let grown = () => {};
  const onEvent = (event) => {
    onEvent.seen.push(event.kind);
    queue.push(event);
    grown();
  };
  onEvent.seen = [];
  /// The data of the next event of this kind; others are passed over.
  onEvent.next = async (kind) => {
    for (;;) {
      while (queue.length === 0) {
        await within(new Promise((resolve) => {
          grown = resolve;
        }), `event ${kind}`);
      }
      const event = queue.shift();
      if (event.kind === kind) return event.data;
    }
  };
  return onEvent;
}

/// Passes bytes between clients and a hub, as a proxy does, and breaks what it is told to.
class Relay {
  refuseUpgrades = false;
  /// When a client sent this text, the hub's next bytes are dropped and the connection is cut.
  dropAnswersTo = null;
  dropped = 0;
  /// Nothing is passed on to clients.
  swallow = false;
  #sockets = new Set();

  static async start(port) {
    const relay = new Relay();
    relay.server = net.createServer((socket) => relay.#serve(socket, port));
    relay.server.listen(0, "127.0.0.1");
    await once(relay.server, "listening");
    relay.url = `http://127.0.0.1:${relay.server.address().port}`;
    return relay;
  }

  /// Breaks all connections, without a word to either side.
  cut() {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close() {
    this.server.close();
    this.cut();
  }

  #serve(client, port) {
    const hub = net.connect(port, "127.0.0.1");
    let drop = false;
    for (const [socket, other] of [[client, hub], [hub, client]]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (data) => {
      if (this.refuseUpgrades && /upgrade: websocket/i.test(data.toString("latin1"))) {
        client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      if (this.dropAnswersTo !== null && unmasked(data).includes(this.dropAnswersTo)) drop = true;
      hub.write(data);
    });
    hub.on("data", (data) => {
      if (this.swallow) return;
      if (!drop) return client.write(data);
      this.dropAnswersTo = null;
      this.dropped += 1;
      client.resetAndDestroy();
    });
  }
}

/// The payload of one short masked frame, enough to recognise what a test sends.
function unmasked(data) {
  if (data.length < 6 || !(data[1] & 0x80)) return data;
  const length = data[1] & 0x7f;
  const start = length < 126 ? 2 : length === 126 ? 4 : 10;
  const mask = data.subarray(start, start + 4);
  return Buffer.from(data.subarray(start + 4).map((byte, i) => byte ^ mask[i % 4]));
}
