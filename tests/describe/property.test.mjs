// What a description allows is never refused as invalid; what it forbids is refused, with a code
// that it names. AGENTCOM_DESCRIBE_SEED repeats a run.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";

import WebSocket from "ws";

import { within } from "../../clients/js/test/hub.js";
import { describedBy, operationsOf, pages, request, startHub } from "./hub.mjs";
import { escaped, schemaCompiler } from "./schemas.mjs";
import { allowed, allows, forbidden, random } from "./values.mjs";

const seed = Number(process.env.AGENTCOM_DESCRIBE_SEED ?? 20_261);
const rounds = 12;  // of each operation
const own = "tester";

let hub;
let described;
let token;
let responses;
before(async () => {
  hub = await startHub({ AGENTCOM_LIMITS_WRONG_TOKENS_PER_MINUTE: "0" });
  described = await describedBy(hub);
  responses = schemaCompiler().addSchema(described.openapi, "document");
  token = await hub.issueToken(own);
  await hub.ask("POST", "/api/channels", { name: "builds" }, token);
});
after(() => hub.remove());

/// The code of a request that could not be understood.
const misunderstood = /^(invalid_(?!token)|missing |missing_|unknown_message_type|unsupported|bad_request)/;

// ---- HTTP

/// The parts of a request: each parameter and each member of the body, with its schema.
function partsOf(operation) {
  const body = operation.requestBody?.content["application/json"].schema;
  const parts = (operation.parameters ?? []).map((each) => ({ ...each, place: each.in }));
  for (const [name, schema] of Object.entries(body?.properties ?? {})) {
    parts.push({ name, schema, place: "body", required: body.required?.includes(name) ?? false });
  }
  // That a token may stand in the body says nothing of what is one.
  return parts.filter((part) => !(part.place === "body" && part.name === "token"));
}

/// What a header may carry at all, and what would make a test wait: a poll for a message, a minute.
function usable(part, value) {
  if (part.place === "header") return /^[\x21-\x7e]*$/.test(value);
  return part.name !== "wait" || value === 0 || value > 60 || !Number.isInteger(value);
}

function makeValues(operation, rng) {
  const values = new Map();
  const schema = operation.requestBody?.content["application/json"].schema;
  const exclusive = schema?.not ? ["expires_at"] : [];
  for (const part of partsOf(operation)) {
    if (!part.required && (rng.chance(0.5) || exclusive.includes(part.name))) continue;
    let value;
    do {
      // What ends an agent or its tokens must not meet those who ask.
      const names = operation.tags[0] === "admin" ? ["bob", "builds"] : [own, "bob", "builds", "review"];
      value = allowed(part.schema, rng, names);
    } while (!usable(part, value));
    // A mailbox is the caller's own.
    if (part.place === "path" && operation.tags[0] === "mailbox") value = own;
    values.set(part, value);
  }
  return values;
}

/// Asks; only the beginning of an answer that has no end.
async function send(operation, values) {
  let path = operation.path;
  const query = [];
  const headers = {};
  const body = {};
  for (const [part, value] of values) {
    const spelled = typeof value === "string" ? value : JSON.stringify(value);
    if (part.place === "path") path = path.replace(`{${part.name}}`, encodeURIComponent(spelled));
    if (part.place === "query") query.push(`${part.name}=${encodeURIComponent(spelled)}`);
    if (part.place === "header") headers[part.name] = spelled;
    if (part.place === "body") body[part.name] = value;
  }
  if (query.length > 0) path += `?${query.join("&")}`;
  const mine = !/admin_only/.test(operation.responses["403"]?.description ?? "");
  const asked = { token: mine ? token : hub.adminToken, headers };
  if (operation.requestBody) asked.body = body;
  if (operation.responses["200"]?.content?.["text/event-stream"]) return head(path, asked);
  return request(hub, operation.method, path, asked);
}

function head(path, { token: shown, headers }) {
  return new Promise((resolve, reject) => {
    const asked = http.get({
      host: "127.0.0.1", port: hub.port, path, agent: false, headers: { ...headers, Authorization: `Bearer ${shown}` },
    }, (answer) => {
      if (answer.statusCode === 200) {
        answer.destroy();
        resolve({ status: 200 });
        return;
      }
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => {
        text += piece;
      });
      answer.once("end", () => resolve({ status: answer.statusCode, text, json: JSON.parse(text) }));
    });
    asked.once("error", reject);
  });
}

function told(operation, values) {
  const parts = [...values].map(([part, value]) => `${part.place} ${part.name}=${JSON.stringify(value)?.slice(0, 200)}`);
  return `seed ${seed}: ${operation.operationId} with ${parts.join(", ")}`;
}

function expectDescribed(operation, answer, what) {
  assert.ok(operation.responses[answer.status], `${what}: ${answer.status} is not described: ${answer.text}`);
  if (answer.status < 400) return;
  const pointer = escaped("paths", operation.path, operation.method.toLowerCase(), "responses",
    String(answer.status), "content", "application/json", "schema");
  const validate = responses.getSchema(`document#${pointer}`);
  assert.ok(validate(answer.json), `${what}: ${answer.text} is not described`);
}

test("requests that are allowed are understood, others refused", async () => {
  const rng = random(seed);
  let good = 0;
  let done = 0;
  let bad = 0;
  for (const operation of operationsOf(described.openapi)) {
    if (pages.includes(operation.operationId)) continue;
    for (let round = 0; round < rounds; round += 1) {
      const values = makeValues(operation, rng);
      const answer = await send(operation, values);
      const what = told(operation, values);
      expectDescribed(operation, answer, what);
      assert.doesNotMatch(answer.json?.error ?? "", misunderstood, `${what}: ${answer.text}`);
      good += 1;
      if (answer.status < 300) done += 1;
    }
    for (const part of partsOf(operation)) {
      const wrong = forbidden(part.schema).filter((value) => usable(part, value));
      if (part.required && part.place !== "path") wrong.push(undefined);
      for (const value of wrong) {
        // Numbers and texts have one spelling in a path, a query and a header: 7 and "7" are the same.
        if (part.place !== "body" && typeof value !== "string" && part.schema.type === "string") continue;
        if (part.place !== "body" && typeof value === "string" && value && allows(part.schema, Number(value))) continue;
        // Without its argument a path is another one, and an empty header is none.
        if (part.place === "path" && value === "") continue;
        const values = makeValues(operation, rng);
        values.delete([...values.keys()].find((each) => each.name === part.name && each.place === part.place));
        for (const each of values.keys()) {
          // What stands in a header counts before what stands in the body or the query.
          if (each.place === "header") values.delete(each);
        }
        if (value !== undefined) values.set(part, value);
        const answer = await send(operation, values);
        const what = told(operation, values);
        expectDescribed(operation, answer, what);
        assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} although ${part.name} is wrong`);
        bad += 1;
      }
    }
  }
  // Some of what is allowed finds nothing: a channel or an agent that is not there.
  assert.ok(good > 400 && done > good / 2 && bad > 300, `${good} allowed, ${done} done, ${bad} forbidden`);
});

test("a token ends at one time only", async () => {
  const body = { agent_id: "bob", expires_in: 60, expires_at: Date.now() + 60_000 };
  for (const path of ["/admin/tokens", `/admin/tokens/${own}/rotate`]) {
    const answer = await request(hub, "POST", path, { token: hub.adminToken, body });
    assert.equal(answer.json.error, "invalid_field", answer.text);
  }
});

// ---- WebSocket

class Connection {
  #frames = [];
  #grown = () => {};
  #asked = 0;

  static async open() {
    const connection = new Connection();
    connection.socket = new WebSocket(`ws://127.0.0.1:${hub.port}/ws`);
    connection.socket.on("message", (data) => {
      connection.#frames.push(JSON.parse(data));
      connection.#grown();
    });
    await within(new Promise((resolve, reject) => {
      connection.socket.once("open", resolve);
      connection.socket.once("error", reject);
    }), "a connection");
    return connection;
  }

  /// The errors that a frame is answered with; a ping behind it says that there are no others.
  async errors(frame) {
    this.#asked += 1;
    const end = `end-${this.#asked}`;
    this.socket.send(JSON.stringify(frame));
    this.socket.send(JSON.stringify({ type: "ping", ref: end }));
    const errors = [];
    for (;;) {
      while (this.#frames.length > 0) {
        const each = this.#frames.shift();
        if (each.ref === end) return errors;
        if (each.type === "error") errors.push(each.error);
      }
      await within(new Promise((resolve) => {
        this.#grown = resolve;
      }), `an answer to ${JSON.stringify(frame).slice(0, 200)}`);
    }
  }
}

/// Of a connection that has identified itself, or for the frame that does so, of a new one.
async function errorsOf(connection, frame) {
  if (frame.type !== "identify") return connection.errors(frame);
  const fresh = await Connection.open();
  try {
    return await fresh.errors(frame);
  } finally {
    fresh.socket.terminate();
  }
}

test("frames that are allowed are understood, others refused", async () => {
  const rng = random(seed + 1);
  const identity = { type: "identify", agent_id: own, token };
  const connection = await Connection.open();
  assert.deepEqual(await connection.errors(identity), []);
  const stranger = await hub.issueToken("stranger");
  let good = 0;
  let bad = 0;
  for (const operation of Object.values(described.asyncapi.operations)) {
    if (operation.action !== "receive") continue;
    const name = operation.messages[0].$ref.split("/").at(-1);
    const schema = described.asyncapi.components.messages[name].payload;
    const make = () => {
      const frame = allowed(schema, rng, ["bob", "builds"]);
      // Who it is, and by what it is known, is more than a schema can say.
      if (frame.type === "identify") Object.assign(frame, { agent_id: "stranger", token: stranger });
      return frame;
    };
    for (let round = 0; round < rounds; round += 1) {
      const frame = make();
      for (const error of await errorsOf(connection, frame)) {
        const what = `seed ${seed}: ${JSON.stringify(frame).slice(0, 300)} is answered ${error}`;
        assert.ok(operation["x-errors"].includes(error), what);
        assert.doesNotMatch(error, misunderstood, what);
      }
      good += 1;
    }
    for (const [key, property] of Object.entries(schema.properties)) {
      if (key === "type") continue;
      const wrong = forbidden(property);
      if (schema.required.includes(key)) wrong.push(undefined);
      for (const value of wrong) {
        const frame = make();
        if (value === undefined) delete frame[key];
        else frame[key] = value;
        const errors = await errorsOf(connection, frame);
        const what = `seed ${seed}: ${JSON.stringify(frame).slice(0, 300)} with a wrong ${key} is answered ${errors}`;
        // Whoever has not identified itself is told so of the ping, too.
        assert.ok(errors.length >= 1, what);
        for (const error of errors) {
          assert.ok(operation["x-errors"].includes(error), what);
        }
        bad += 1;
      }
    }
  }
  connection.socket.terminate();
  assert.ok(good > 100 && bad > 100, `${good} allowed, ${bad} forbidden`);
});
