// The hub as a child process, and agents that talk to it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import WebSocket from "ws";

export const binary =
  process.env.AGENTCOM_BINARY ?? fileURLToPath(new URL("../../build/release/agentcom", import.meta.url));

/// How long anything may take before a test gives up on it.
export const patienceMs = 30_000;

const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/// Rejects when `promise` takes too long.
export async function within(promise, what) {
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

/// Repeats a check until it holds; then, or with its last failure, it returns.
export async function eventually(check) {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/// Only what the tests say reaches the hub, not what happens to be set where they run.
function environment(settings) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("AGENTCOM_") && name !== "PORT" && name !== "ADMIN_AGENTS");
  return { ...Object.fromEntries(inherited), ...settings };
}

export class Hub {
  #directory = mkdtempSync(join(tmpdir(), "agentcom-web-"));
  #settings;
  #process;
  #agents = [];

  /// `settings` are environment variables, such as AGENTCOM_AUTH_ANONYMOUS_READS.
  static async start(settings = {}) {
    const hub = new Hub(settings);
    await hub.restart();
    return hub;
  }

  constructor(settings) {
    this.#settings = settings;
  }

  /// Starts the hub on the data it had and, after the first time, on the port it had.
  async restart() {
    const port = this.url ? new URL(this.url).port : "0";
    this.#process = spawn(
      binary, ["serve", "--host", "127.0.0.1", "--port", port, "--data-dir", this.#directory],
      { env: environment(this.#settings), stdio: ["ignore", "ignore", "pipe"] });
    const child = this.#process;
    running.add(child);
    child.once("exit", () => running.delete(child));
    this.url = await within(this.#listening(), "start of the hub");
    this.adminToken = readFileSync(join(this.#directory, "admin_token"), "utf8").trim();
  }

  #listening() {
    return new Promise((resolve, reject) => {
      let log = "";
      this.#process.once("error", reject);
      this.#process.once("exit", () => reject(new Error("the hub did not start: " + log)));
      this.#process.stderr.setEncoding("utf8");
      this.#process.stderr.on("data", (text) => {
        log += text;
        const found = /listening on (http:\/\/\S+)/.exec(log);
        if (found) resolve(found[1]);
      });
    });
  }

  /// Ends the process; its data and its port are there for restart().
  async stop() {
    for (const agent of this.#agents.splice(0)) agent.terminate();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await within(exit, "end of the hub");
  }

  async remove() {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
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

  /// `options` are further fields, such as the role.
  async issueToken(agentId, options = {}) {
    return (await this.ask("POST", "/admin/tokens", { agent_id: agentId, ...options })).token;
  }

  /// Connects an agent over WebSocket; `options` are further fields of `identify`, such as `acks`.
  async connect(agentId, options = {}) {
    const token = await this.issueToken(agentId);
    const agent = new Agent(this.url.replace("http", "ws") + "/ws", token);
    this.#agents.push(agent);
    await within(agent.identify(agentId, token, options), "identification");
    return agent;
  }
}

/// A test with a hub of its own. `settings` are those of Hub.start().
export function testWithHub(name, settings, body) {
  test(name, { timeout: 120_000 }, async () => {
    const hub = await Hub.start(settings);
    try {
      await body(hub);
    } finally {
      await hub.remove();
    }
  });
}

class Agent {
  #socket;
  #waiting = [];  // { type, resolve, reject }, in the order of the calls

  constructor(url, token) {
    this.token = token;
    this.#socket = new WebSocket(url);
    this.#socket.on("message", (data) => this.#arrived(JSON.parse(data)));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  #arrived(frame) {
    if (frame.type === "error") this.#fail(new Error(`the hub answers ${frame.error}`));
    const index = this.#waiting.findIndex(({ type }) => type === frame.type);
    if (index >= 0) this.#waiting.splice(index, 1)[0].resolve(frame);
  }

  #fail(error) {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #next(type) {
    return new Promise((resolve, reject) => this.#waiting.push({ type, resolve, reject }));
  }

  async identify(agentId, token, options) {
    await once(this.#socket, "open");
    const identified = this.#next("identified");
    this.#socket.send(JSON.stringify({ type: "identify", agent_id: agentId, token, presence: false, ...options }));
    await identified;
  }

  /// Returns when the hub has stored the message.
  send(to, payload = { text: "hello" }) {
    const sent = this.#next("message_sent");
    this.#socket.send(JSON.stringify({ type: "message", to, payload }));
    return within(sent, "message_sent");
  }

  async setStatus(status) {
    const updated = this.#next("status_updated");
    this.#socket.send(JSON.stringify({ type: "status", status }));
    await within(updated, "status_updated");
  }

  /// The code with which the hub closes the connection.
  async closed() {
    const [code] = await within(once(this.#socket, "close"), "close by the hub");
    return code;
  }

  async close() {
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await within(closed, "close of the connection");
  }

  terminate() {
    this.#socket.terminate();
  }
}
