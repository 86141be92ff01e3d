// What the hub says of itself to those who come for the first time: every link leads somewhere.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import WebSocket from "ws";

import { within } from "../../clients/js/test/hub.js";
import { request, startHub } from "./hub.mjs";

let hub;
before(async () => {
  hub = await startHub();
});
after(() => hub.remove());

const html = { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

/// What a reader of this document might follow, as whole addresses.
function linksOf(path, text) {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/(?:href|src)="([^"]+)"/g)];
  return targets.map(([, target]) => new URL(target, hub.url + path).href);
}

const onlySentTo = new Set(["/api/message", "/mcp"]);

async function leadsSomewhere(address) {
  const url = new URL(address);
  assert.equal(url.port, String(hub.port), `${address} is another server's`);
  if (url.protocol === "ws:") {
    const socket = new WebSocket(address);
    await within(new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    }), address);
    socket.terminate();
    return;
  }
  const answer = await request(hub, "GET", url.pathname + url.search, { headers: html });
  if (onlySentTo.has(url.pathname)) {
    assert.equal(answer.status, 405, address);
    assert.equal(answer.headers.allow, "POST", address);
    return;
  }
  assert.equal(answer.status, 200, address);
}

for (const [path, media] of [["/", "text/html"], ["/llms.txt", "text/plain"], ["/SKILL.md", "text/markdown"]]) {
  test(`every link of ${path} leads somewhere`, async () => {
    const answer = await request(hub, "GET", path, { headers: html });
    assert.equal(answer.status, 200);
    assert.equal(answer.media, media);
    const links = linksOf(path, answer.text);
    assert.ok(links.length >= 3, links.join());
    for (const link of links) await leadsSomewhere(link);
    const head = await request(hub, "HEAD", path, { headers: html });
    assert.equal(head.headers["content-length"], answer.headers["content-length"]);
    const again = await request(hub, "GET", path, { headers: { ...html, "If-None-Match": answer.headers.etag } });
    assert.equal(again.status, 304);
  });
}

test("paths that SKILL.md names are there", async () => {
  const { text } = await request(hub, "GET", "/SKILL.md");
  const { paths } = (await request(hub, "GET", "/openapi.json")).json;
  const known = new Set(Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "{}")}`)));
  const named = [...text.matchAll(/`(GET|POST|PUT|DELETE) (\/[^`?]*)/g)];
  assert.ok(named.length > 8);
  for (const [, method, path] of named) {
    const shape = `${method} ${path.replace(/NAME|CHANNEL/g, "{}")}`;
    assert.ok(known.has(shape), `${shape} is no path of the hub`);
  }
});

test("SKILL.md begins with what a skill is found by", async () => {
  const { text } = await request(hub, "GET", "/SKILL.md");
  const [, front] = /^---\n([\s\S]*?)\n---\n/.exec(text);
  const fields = Object.fromEntries(front.split("\n").map((line) => /^(\w+): (.*)$/.exec(line).slice(1)));
  assert.match(fields.name, /^[a-z0-9-]{1,64}$/);
  assert.ok(fields.description.length > 40 && fields.description.length <= 1024);
});

test("the first page is for browsers only, and runs nothing", async () => {
  const page = await request(hub, "GET", "/", { headers: html });
  const policy = page.headers["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(page.text, /<script|<style|style=|onclick/);
  for (const headers of [{}, { Accept: "*/*" }, { Accept: "text/html;q=0" }, { Accept: "application/json" }]) {
    const answer = await request(hub, "GET", "/", { headers });
    assert.equal(answer.status, 404);
    assert.equal(answer.json.error, "not_found");
    assert.match(answer.headers.vary, /Accept/);
  }
  assert.match(page.headers.vary, /Accept/);
  const posted = await request(hub, "POST", "/", { headers: html, body: {} });
  assert.equal(posted.status, 404);
});

// ---- Cards

const required = [
  "name", "description", "supportedInterfaces", "version", "capabilities", "defaultInputModes",
  "defaultOutputModes", "skills",
];

function addressesOf(card) {
  return [card.documentationUrl, ...card.supportedInterfaces.flatMap(({ url, protocolBinding }) => [url, protocolBinding])];
}

function expectCard(card) {
  for (const name of required) assert.ok(name in card, `${name} is missing`);
  for (const list of ["supportedInterfaces", "defaultInputModes", "defaultOutputModes", "skills"]) {
    assert.ok(card[list].length > 0, `${list} is empty`);
  }
  for (const each of card.supportedInterfaces) {
    assert.equal(each.protocolVersion, "1.0");
    // None of those that A2A itself defines, because none is spoken.
    assert.ok(!["JSONRPC", "GRPC", "HTTP+JSON"].includes(each.protocolBinding));
  }
  for (const skill of card.skills) {
    for (const name of ["id", "name", "description"]) assert.ok(skill[name].length > 0, name);
    assert.ok(skill.tags.length > 0);
  }
}

test("every address of the hub's card leads somewhere", async () => {
  const answer = await request(hub, "GET", "/.well-known/agent-card.json");
  assert.equal(answer.headers["cache-control"], "no-store");
  expectCard(answer.json);
  for (const address of addressesOf(answer.json)) await leadsSomewhere(address);
});

test("an agent's card is shown when it says so, and then no more", async () => {
  const token = await hub.issueToken("alice");
  const path = "/api/directory/alice/agent-card.json";
  const profile = (body) => hub.ask("PUT", "/api/me/profile", { status: "here", ...body }, token);
  assert.equal((await request(hub, "GET", path)).status, 404);
  await profile({ capabilities: ["review", { not: "a text" }, "say \"hi\"", "review", "messages"], card: true });
  const { json: card } = await request(hub, "GET", path);
  expectCard(card);
  assert.equal(card.name, "alice");
  assert.deepEqual(card.skills.map(({ id }) => id), ["messages", "review", "say \"hi\""]);
  assert.ok(card.supportedInterfaces.every(({ tenant }) => tenant === "alice"));
  for (const address of addressesOf(card)) await leadsSomewhere(address);
  await profile({});
  assert.equal((await request(hub, "GET", path)).status, 200);
  await profile({ card: false });
  assert.equal((await request(hub, "GET", path)).status, 404);
});

test("addresses are those by which the hub was reached, or as they were set", async () => {
  const path = "/.well-known/agent-card.json";
  const named = await request(hub, "GET", path, { headers: { Host: `localhost:${hub.port}`, "X-Forwarded-Proto": "https" } });
  assert.equal(named.json.documentationUrl, `http://localhost:${hub.port}/SKILL.md`);
  const strange = await request(hub, "GET", path, { headers: { Host: "evil.example.com" } });
  assert.equal(strange.status, 403);
  const below = await startHub({ AGENTCOM_SERVER_BASE_PATH: "/agents" });
  try {
    const bare = await request(below, "GET", "/agents", { headers: html });
    assert.equal(bare.status, 308);
    assert.equal(new URL(bare.headers.location, `${below.url}/agents`).href, `${below.url}/agents/`);
    const { channels } = (await request(below, "GET", "/asyncapi.json")).json;
    assert.equal(channels.hub.address, "/agents/ws");
    for (const prefix of ["", "/agents"]) {
      const { json: card } = await request(below, "GET", prefix + path);
      assert.equal(card.documentationUrl, `${below.url}/agents/SKILL.md`);
      const page = await request(below, "GET", `${prefix}/`, { headers: html });
      const links = [...page.text.matchAll(/href="([^"]+)"/g)].map(([, href]) => new URL(href, `${below.url}${prefix}/`));
      for (const { pathname } of links) assert.equal((await request(below, "GET", pathname)).status, 200, pathname);
    }
  } finally {
    await below.remove();
  }
  const set = await startHub({ AGENTCOM_SERVER_PUBLIC_URL: "https://hub.example.com/agents" });
  try {
    const { json: card } = await request(set, "GET", path);
    assert.equal(card.documentationUrl, "https://hub.example.com/agents/SKILL.md");
    assert.ok(card.supportedInterfaces.some(({ url }) => url === "wss://hub.example.com/agents/ws"));
    assert.deepEqual((await request(set, "GET", "/openapi.json")).json.servers, [{ url: "https://hub.example.com/agents" }]);
    assert.deepEqual((await request(set, "GET", "/asyncapi.json")).json.servers.hub,
      { host: "hub.example.com", protocol: "wss", pathname: "/agents" });
  } finally {
    await set.remove();
  }
});

test("a document has one address", async () => {
  for (const path of ["/llms.txt", "/SKILL.md", "/openapi.json", "/asyncapi.json"]) {
    const answer = await request(hub, "GET", `${path}/`);
    assert.equal(answer.status, 308, path);
    assert.equal(new URL(answer.headers.location, `${hub.url}${path}/`).href, hub.url + path);
  }
});

test("descriptions say how this hub is configured", async () => {
  const open = await startHub({
    AGENTCOM_AUTH_ANONYMOUS_READS: "true", AGENTCOM_METRICS_ACCESS: "token",
    AGENTCOM_LIMITS_IDENTIFY_TIMEOUT: "3s", AGENTCOM_LIMITS_MAX_FRAME_BYTES: "64KiB",
  });
  try {
    const nobody = ({ paths }, path) => paths[path].get.security.some((way) => Object.keys(way).length === 0);
    const usual = (await request(hub, "GET", "/openapi.json")).json;
    const other = (await request(open, "GET", "/openapi.json")).json;
    assert.deepEqual([usual, other].map((each) => nobody(each, "/api/agents")), [false, true]);
    assert.deepEqual([usual, other].map((each) => nobody(each, "/metrics")), [true, false]);
    const payload = ({ paths }) =>
      paths["/api/message"].post.requestBody.content["application/json"].schema.properties.payload["x-max-json-bytes"];
    assert.deepEqual([usual, other].map(payload), [1020 * 1024, 60 * 1024]);
    const frames = (await request(open, "GET", "/asyncapi.json")).json;
    assert.match(frames.info.description, /within 3000 ms/);
    assert.equal(frames.components.messages.ask_message.payload.properties.payload["x-max-json-bytes"], 60 * 1024);
  } finally {
    await open.remove();
  }
});

test("nothing of this tells a token", async () => {
  for (const path of ["/", "/llms.txt", "/SKILL.md", "/openapi.json", "/asyncapi.json", "/.well-known/agent-card.json"]) {
    const { text } = await request(hub, "GET", path, { headers: html });
    assert.ok(!text.includes(hub.adminToken) && !text.includes(hub.directory), path);
  }
});
