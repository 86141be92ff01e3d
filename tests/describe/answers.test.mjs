// What the hub answers has the shape that its descriptions give it: every operation, in every form.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import WebSocket from "ws";

import { within } from "../../clients/js/test/hub.js";
import { describedBy, operationsOf, pages, request, startHub } from "./hub.mjs";
import { escaped, validator } from "./schemas.mjs";

let hub;
let described;
let http;  // of the paths
let frames;  // of the WebSocket
let operations;
const seen = new Set();  // operationIds that were answered well, and messages of the WebSocket
const sockets = [];

before(async () => {
  hub = await startHub();
  described = await describedBy(hub);
  http = validator(described.openapi);
  frames = validator(described.asyncapi);
  operations = new Map(operationsOf(described.openapi).map((each) => [each.operationId, each]));
});
after(async () => {
  for (const socket of sockets) socket.terminate();
  await hub.remove();
});

/// Asks for an operation, and compares what comes with what is described.
async function ask(id, { at = {}, query = {}, body, token = hub.adminToken, status, headers } = {}) {
  const operation = operations.get(id);
  assert.ok(operation, `${id} is not described`);
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(at[name]));
  const search = new URLSearchParams(query).toString();
  const answer = await request(hub, operation.method, path + (search && `?${search}`), { token, body, headers });
  if (status !== undefined) assert.equal(answer.status, status, answer.text);
  compare(operation, answer);
  if (answer.status < 300) seen.add(id);
  return answer.json;
}

function compare(operation, answer) {
  const response = operation.responses[answer.status];
  assert.ok(response, `${operation.operationId}: ${answer.status} is not described: ${answer.text}`);
  const schema = escaped(
    "paths", operation.path, operation.method.toLowerCase(), "responses", String(answer.status), "content",
    answer.media, "schema");
  if (!response.content) {
    assert.equal(answer.text, "", operation.operationId);
    return;
  }
  assert.ok(response.content[answer.media], `${operation.operationId}: ${answer.media} is not described`);
  assert.equal(http.problems(schema, answer.json ?? answer.text), "", operation.operationId);
}

/// A connection, every frame of which is compared.
class Connection {
  #socket;
  #frames = [];
  #grown = () => {};
  problems = [];

  static async open(agent, token, options = {}) {
    const connection = new Connection();
    const socket = new WebSocket(`ws://127.0.0.1:${hub.port}/ws`);
    sockets.push(socket);
    connection.#socket = socket;
    socket.on("message", (data) => connection.#arrived(JSON.parse(data)));
    await within(new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    }), "a connection");
    if (agent) {
      const identified = await connection.ask({ type: "identify", agent_id: agent, token, ...options });
      assert.equal(identified.type, "identified", JSON.stringify(identified));
    }
    return connection;
  }

  #arrived(frame) {
    const { messages } = described.asyncapi.components;
    // An answer and a push of the same type are told apart by what only one of them has.
    const names = Object.keys(messages).filter(
      (name) => !name.startsWith("ask_") && messages[name].name === frame.type);
    const wrong = names.map((name) => frames.problems(escaped("components", "messages", name, "payload"), frame));
    const fits = names.filter((_, index) => wrong[index] === "");
    if (fits.length === 0) this.problems.push(wrong.join("; ") || `${frame.type} is not described`);
    for (const name of fits) seen.add(name);
    this.#frames.push(frame);
    this.#grown();
  }

  async next(wanted) {
    for (;;) {
      const index = this.#frames.findIndex(wanted);
      if (index >= 0) return this.#frames.splice(index, 1)[0];
      await within(new Promise((resolve) => {
        this.#grown = resolve;
      }), "a frame");
    }
  }

  push(type) {
    return this.next((frame) => frame.type === type && frame.ref === undefined);
  }

  async ask(frame) {
    const ref = `ref-${seen.size}-${Math.random()}`;
    this.#socket.send(JSON.stringify({ ...frame, ref }));
    const answer = await this.next((each) => each.ref === ref);
    if (answer.type !== "error") seen.add(`ask_${frame.type}`);
    return answer;
  }

  tell(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  close() {
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.close();
    return within(closed, "the end of a connection");
  }
}

test("operations answer over HTTP as they are described", async () => {
  const tokenOf = async (name, rest = {}) =>
    (await ask("create_token", { body: { agent_id: name, ...rest }, status: 201 })).token;
  const alice = await tokenOf("alice", { name: "of a test", expires_in: 3600 });
  const bob = await tokenOf("bob");
  const observer = await tokenOf("watcher", { role: "observer" });
  await ask("rotate_token", { at: { id: "bob" }, body: { grace: 600 }, status: 201 });

  await ask("health", { token: null });
  await ask("probe_live", { token: null, status: 200 });
  await ask("probe_ready", { token: null, status: 200 });
  await ask("get_metrics", { token: observer, status: 200 });
  await ask("reload_config", { status: 200 });
  await ask("who_am_i", { token: alice });
  const session = await ask("log_in", { token: null, body: { token: alice }, status: 200 });
  const begun = await request(hub, "POST", "/api/session", { token: alice });
  const headers = { Cookie: begun.headers["set-cookie"][0].split(";")[0], "X-AgentCom-Page": "1" };
  assert.deepEqual(Object.keys(await ask("get_session", { token: null, headers, status: 200 })), Object.keys(session));
  await ask("log_out", { token: null, headers, status: 204 });
  await ask("set_profile", { token: alice, body: { status: { busy: true }, capabilities: ["review"] }, status: 200 });
  await ask("get_agent", { at: { id: "alice" }, status: 200 });
  await ask("get_hub_card", { token: null, status: 200 });
  await ask("set_profile", { token: alice, body: { status: 1, card: true }, status: 200 });
  await ask("get_agent_card", { at: { id: "alice" }, token: null, status: 200 });
  const unknown = await ask("get_agent", { at: { id: "alicf" }, status: 200 });
  assert.deepEqual(unknown.similar, ["alice"]);
  assert.equal((await ask("list_directory", { query: { limit: 1 } })).agents.length, 1);
  await ask("list_directory", { query: { capability: "review" } });

  const sent = await ask("send_message", { token: alice, body: { to: "bob", payload: { text: "hello" } }, status: 200 });
  await ask("send_message", { token: bob, body: { to: "alice", payload: 7, reply_to: sent.id }, status: 200 });
  await ask("send_message", { token: alice, body: { payload: null }, status: 200 });
  await ask("get_unread", { at: { id: "bob" }, token: bob });
  const page = await ask("poll_mailbox", { at: { id: "bob" }, token: bob });
  assert.equal(page.messages.length, 2);
  assert.equal((await ask("poll_mailbox", { at: { id: "bob" }, token: bob, query: { limit: 1 } })).more, true);
  await ask("poll_mailbox", { at: { id: "bob" }, token: bob, query: { since: "1000000" } });
  await ask("get_message", { at: { id: sent.id }, token: bob });
  await ask("get_thread", { at: { id: sent.id } });
  await ask("get_thread", { at: { id: sent.id }, query: { limit: 1 } });
  await ask("get_replies", { at: { id: sent.id } });
  await ask("get_thread_root", { at: { id: sent.id } });
  await ask("query_history", { query: { limit: 1 } });
  const newest = await ask("query_history", { query: { order: "newest", type: "chat", text: "HELLO" }, status: 200 });
  assert.deepEqual(newest.messages.map(({ id }) => id), [sent.id]);
  const waits = await ask("list_waiting", { at: { id: "bob" }, query: { limit: 1 }, status: 200 });
  assert.equal(waits.messages[0].id, sent.id);
  await ask("list_waiting", { at: { id: "bob" }, token: observer, query: { cursor: waits.cursor }, status: 200 });
  await ask("ack_mailbox", { at: { id: "bob" }, token: bob, body: { seq: page.last_seq } });

  await ask("create_channel", { token: alice, body: { name: "#Open", description: "for all" }, status: 201 });
  await ask("create_channel",
    { token: alice, body: { name: "closed", private: true, members: ["bob", { agent_id: "watcher", rights: ["read"] }] },
      status: 201 });
  await ask("subscribe", { at: { ch: "open" }, token: bob, status: 200 });
  assert.equal((await ask("subscribe", { at: { ch: "open" }, token: bob })).status, "already_subscribed");
  await ask("subscribe", { at: { ch: "open" }, token: alice });
  await ask("publish", { at: { ch: "open" }, token: alice, body: { payload: { n: 1 }, type: "build" }, status: 200 });
  await ask("publish", { at: { ch: "open" }, token: alice, body: { payload: { n: 2 } } });
  assert.equal((await ask("poll_mailbox", { at: { id: "bob" }, token: bob })).messages[0].channel, "open");
  await ask("channel_history", { at: { ch: "open" }, query: { limit: 1 } });
  await ask("channel_history", { at: { ch: "open" }, query: { limit: 1, since: 0 } });
  await ask("list_channels", { token: alice });
  await ask("list_channels", { query: { limit: 1 } });
  assert.equal((await ask("get_channel", { at: { ch: "closed" }, token: alice })).members.length, 3);
  await ask("get_channel", { at: { ch: "open" }, query: { limit: 1 } });
  await ask("list_subscriptions", { at: { id: "bob" }, status: 200 });
  await ask("set_member", { at: { ch: "closed" }, token: alice, body: { agent_id: "bob", rights: ["read"] } });
  await ask("set_member", { at: { ch: "closed" }, token: alice, body: { agent_id: "bob", rights: [] } });
  await ask("unsubscribe", { at: { ch: "open" }, token: alice, status: 200 });
  await ask("delete_channel", { at: { ch: "closed" }, token: alice });

  for (const setting of ["heartbeat_interval", "mailbox_retention"]) {
    const value = await ask(`get_${setting}`, { token: alice });
    await ask(`put_${setting}`, { body: value, status: 200 });
  }
  await ask("analytics_summary", { token: observer });
  await ask("analytics_agents", { query: { limit: 1 } });
  await ask("analytics_hourly", { at: { id: "alice" } });
  await ask("observe_agent", { at: { id: "alice" } });
  await ask("observe_pairs", { token: observer, query: { since: 0 } });
  await ask("list_agents", { token: observer });
  await ask("observe_agent", { at: { id: "alice" }, token: observer, status: 200 });
  await ask("observe_pairs", { token: observer, status: 200 });
  const some = await ask("list_tokens", { query: { limit: 1 } });
  await ask("list_tokens", { query: { cursor: some.cursor }, status: 200 });
  assert.equal((await ask("list_tokens", { query: { agent: "alice" } })).tokens.length, 1);
  await ask("disconnect_agent", { at: { id: "alice" }, status: 200 });
  await ask("evict_mailboxes", { status: 200 });
  await ask("revoke_tokens", { at: { id: "watcher" } });
  await ask("end_agent", { at: { id: "bob" }, status: 200 });
  await ask("reset_hub", { status: 200 });
});

test("refusals over HTTP are described", async () => {
  const token = await hub.issueToken("carol");
  for (const [id, asked, status] of [
    ["who_am_i", { token: null }, 401],
    ["list_tokens", { token }, 403],
    ["list_waiting", { token, at: { id: "alice" } }, 403],
    ["disconnect_agent", { at: { id: "nobody" } }, 404],
    ["query_history", { token, query: { order: "up" } }, 400],
    ["log_in", { token: null, body: { token: "0".repeat(64) } }, 401],
    ["get_session", { token: null }, 401],
    ["get_session", { token }, 404],
    ["reload_config", { token }, 403],
    ["send_message", { token, body: {} }, 400],
    ["send_message", { token, body: "{" }, 400],
    ["send_message", { token, body: "{}", headers: { "Content-Type": "text/plain" } }, 415],
    ["send_message", { token, body: { payload: 1, to: 7 } }, 400],
    ["publish", { token, at: { ch: "nowhere" }, body: { payload: {} } }, 404],
    ["publish", { token, at: { ch: "!" }, body: { payload: {} } }, 400],
    ["put_heartbeat_interval", { body: { heartbeat_interval_ms: 0 } }, 400],
    ["get_message", { token, at: { id: "none" } }, 404],
    ["poll_mailbox", { token, at: { id: "carol" }, query: { limit: "many" } }, 400],
    ["delete_channel", { token, at: { ch: "nowhere" } }, 404],
  ]) {
    await ask(id, { ...asked, status });
  }
});

test("documents, and paths of other protocols, answer as they are described", async () => {
  const token = await hub.issueToken("paula");
  const rpc = (method, params = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
  const modern = { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "no/such" };
  const meta = {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  };
  const large = `{"text":"${"a".repeat(2 << 20)}"}`;
  const plain = { "Content-Type": "text/plain" };
  const input = { session_id: "s", hook_event_name: "Stop" };
  const html = { Accept: "text/html" };
  for (const [id, asked, status] of [
    ["mcp", { token, body: rpc("tools/list"), query: { profile: "full" } }, 200],
    ["mcp", { token, body: rpc("no/such") }, 200],
    ["mcp", { token, body: { jsonrpc: "2.0", method: "notifications/initialized" } }, 202],
    ["mcp", { token, body: "garbage" }, 400],
    ["mcp", { token, body: [] }, 400],
    ["mcp", { token, body: rpc("tools/list"), headers: { "MCP-Protocol-Version": "1999-01-01" } }, 400],
    ["mcp", { token, body: rpc("no/such", meta), headers: modern }, 404],
    ["mcp", { token, body: "{}", headers: plain }, 415],
    ["mcp", { token, body: large }, 413],
    ["mcp", { token: null, body: {} }, 401],
    ["claude_hook", { token, body: input }, 204],
    ["claude_hook", { token, body: {} }, 400],
    ["claude_hook", { token, body: { ...input, session_id: "s".repeat(5000) } }, 400],
    ["claude_hook", { token, body: "{" }, 400],
    ["claude_hook", { token, body: "{}", headers: plain }, 415],
    ["claude_hook", { token, body: large }, 413],
    ["websocket", { token: null }, 426],
    ["home", { token: null, headers: html }, 200],
    ["home", { token: null }, 404],
    ["home", { token: null, headers: { Accept: "text/html;q=0, */*" } }, 404],
    ["dashboard", { token: null }, 200],
  ]) {
    await ask(id, { ...asked, status });
  }
  await ask("send_message", { body: { to: "paula", payload: {} }, status: 200 });
  await ask("claude_hook", { token, body: { session_id: "t", hook_event_name: "Stop" }, status: 200 });
  const page = await request(hub, "GET", "/dashboard");
  const names = [...page.text.matchAll(/"dashboard\/assets\/([^"]+)"/g)].map(([, name]) => name);
  assert.equal(names.length, 3);
  for (const name of names) {
    await ask("dashboard_asset", { at: { name }, token: null, status: 200 });
    const { headers } = await request(hub, "GET", `/dashboard/assets/${name}`);
    await ask("dashboard_asset", { at: { name }, token: null, headers: { "If-None-Match": headers.etag }, status: 304 });
  }
  await ask("dashboard_asset", { at: { name: "none.js" }, token: null, status: 404 });
  for (const id of ["home", "dashboard", "llms", "skill", "openapi", "asyncapi"]) {
    const { path, responses } = operations.get(id);
    await ask(id, { token: null, headers: html, status: 200 });
    const { headers } = await request(hub, "GET", path, { headers: html });
    for (const name of Object.keys(responses[200].headers)) assert.ok(headers[name.toLowerCase()], `${id}: ${name}`);
    await ask(id, { token: null, headers: { ...html, "If-None-Match": headers.etag }, status: 304 });
    await ask(id, { token: null, headers: { ...html, Host: 'a"b' }, status: 400 });
  }
});

test("a stream of events begins and ends as it is described", async () => {
  const token = await hub.issueToken("dora");
  const answer = await fetch(`${hub.url}/api/mailbox/dora/stream?since=1000000`,
    { headers: { Authorization: `Bearer ${token}` } });
  const operation = operations.get("open_stream");
  const media = answer.headers.get("content-type");
  await ask("send_message", { body: { to: "dora", payload: {} }, status: 200 });
  let text = "";
  const decoder = new TextDecoder();
  const wanted = ["reset", "message", "close"];
  let ended;
  for await (const piece of answer.body) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("event: message") && !ended) ended = ask("revoke_tokens", { at: { id: "dora" } });
  }
  await ended;
  for (const each of wanted) {
    const data = new RegExp(`event: ${each}\ndata: (.*)\n`).exec(text);
    assert.ok(data, `${each} in ${text}`);
    const wrong = each === "message"
      ? frames.problems("/components/messages/push_message/payload", JSON.parse(data[1]))
      : http.problems(
        escaped("paths", operation.path, "get", "responses", "200", "content", media, "schema", "x-events", each, "data"),
        JSON.parse(data[1]));
    assert.equal(wrong, "", each);
  }
  seen.add("open_stream");
});

test("a stream for observers is as it is described", async () => {
  const token = await hub.issueToken("ines");
  const answer = await fetch(`${hub.url}/api/observe`, { headers: { Authorization: `Bearer ${token}` } });
  const operation = operations.get("observe");
  const media = answer.headers.get("content-type");
  const decoder = new TextDecoder();
  let text = "";
  let ended;
  for await (const piece of answer.body) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("event: change") && !ended) ended = ask("revoke_tokens", { at: { id: "ines" } });
  }
  await ended;
  for (const [, event, data] of text.matchAll(/event: (.*)\ndata: (.*)\n/g)) {
    const wrong = http.problems(
      escaped("paths", operation.path, "get", "responses", "200", "content", media, "schema", "x-events", event, "data"),
      JSON.parse(data));
    assert.equal(wrong, "", event);
  }
  for (const each of ["snapshot", "change", "close"]) assert.ok(text.includes(`event: ${each}\n`), `${each} in ${text}`);
  seen.add("observe");
});

test("frames are answered and pushed as they are described", async () => {
  const [eve, fred] = await Promise.all(["eve", "fred"].map((name) => hub.issueToken(name)));
  await ask("create_channel", { body: { name: "frames" }, status: 201 });
  const watcher = await Connection.open("eve", eve, { acks: true });
  const other = await Connection.open("fred", fred, { status: "here", capabilities: ["x"] });
  await watcher.push("agent_joined");
  await watcher.ask({ type: "ping" });
  await watcher.ask({ type: "list_agents", limit: 1 });
  await watcher.ask({ type: "list_channels", limit: 1 });
  await watcher.ask({ type: "channel_subscribe", channel: "#Frames" });
  await watcher.ask({ type: "channel_subscribe", channel: "frames" });
  await other.ask({ type: "channel_subscribe", channel: "frames" });
  await watcher.push("channel_agent_joined");
  await other.ask({ type: "channel_publish", channel: "frames", payload: {} });
  await other.ask({ type: "channel_publish", channel: "frames", payload: { n: 2 } });
  const message = await watcher.push("channel_message");
  await watcher.ask({ type: "channel_history", channel: "frames", limit: 1 });
  await watcher.ask({ type: "channel_history", channel: "frames", limit: 1, since: 0 });
  await other.ask({ type: "message", to: "eve", payload: "hi", message_type: "greeting" });
  await watcher.push("message");
  watcher.tell({ type: "ack", seq: message.seq });
  await other.ask({ type: "status", status: ["busy"] });
  await watcher.push("status_changed");
  assert.equal((await watcher.ask({ type: "status" })).error, "unknown_message_type");
  await other.ask({ type: "channel_unsubscribe", channel: "frames" });
  assert.equal((await other.ask({ type: "channel_delete", channel: "frames" })).error, "forbidden");
  await ask("create_channel", { token: fred, body: { name: "brief" }, status: 201 });
  await other.ask({ type: "channel_delete", channel: "brief" });
  await other.close();
  await watcher.push("agent_left");
  seen.add("ask_ack");  // it has no answer
  assert.deepEqual([...watcher.problems, ...other.problems], []);
});

test("nothing that is described was left out", () => {
  const left = [...operations.keys()].filter((id) => !seen.has(id) && !pages.includes(id));
  // The list instead of many changes takes thousands of them; a test of the presence does that.
  const frameNames = Object.keys(described.asyncapi.components.messages)
    .filter((name) => !seen.has(name) && name !== "push_agents");
  assert.deepEqual([...left, ...frameNames], []);
});
