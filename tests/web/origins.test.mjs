// A page of another origin in Chromium, as server.allowed_origins lets it use the hub or not. The
// pages come from small servers of the tests' own, whose ports make them other origins.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { launch } from "./browser.mjs";
import { Hub, patienceMs } from "./hub.mjs";

/// An origin with one empty page.
async function startSite() {
  const server = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>App</title>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, server };
}

let browser;
let friend;
let stranger;
let hub;
let token;

before(async () => {
  browser = await launch();
  friend = await startSite();
  stranger = await startSite();
  hub = await Hub.start({ AGENTCOM_SERVER_ALLOWED_ORIGINS: friend.url });
  token = await hub.issueToken("alice");
});
after(async () => {
  for (const site of [friend, stranger]) {
    site?.server.close();
    site?.server.closeAllConnections();
  }
  await browser?.close();
  await hub?.remove();
});

/// What `script` returns on a page of the site.
async function onPage(site, script, argument) {
  const context = await browser.newContext();
  context.setDefaultTimeout(patienceMs);
  try {
    const page = await context.newPage();
    await page.goto(site.url);
    return await page.evaluate(script, argument);
  } finally {
    await context.close();
  }
}

/// In the page: one request, and what of its answer the page is let see.
async function ask({ url, method, token, body }) {
  try {
    const answer = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    return {
      status: answer.status,
      requestId: answer.headers.get("X-Request-Id"),
      body: await answer.json(),
    };
  } catch (error) {
    return { failed: String(error) };
  }
}

/// In the page: whether a WebSocket opens.
function connect(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => { socket.close(); resolve("open"); };
    socket.onerror = () => resolve("refused");
  });
}

const request = (more) => ({ method: "GET", token, ...more, url: hub.url + more.path });

test("a page of an allowed origin sends, reads its answers and sees errors", async () => {
  const me = await onPage(friend, ask, request({ path: "/api/me" }));
  assert.equal(me.status, 200);
  assert.equal(me.body.agent_id, "alice");
  assert.match(me.requestId, /^[0-9a-z]{13}$/);

  const sent = await onPage(friend, ask, request(
    { path: "/api/message", method: "POST", body: { to: "bob", payload: { text: "from a page" } } }));
  assert.equal(sent.body.status, "sent", JSON.stringify(sent));

  const refused = await onPage(friend, ask, request({ path: "/api/me", token: "0".repeat(64) }));
  assert.equal(refused.status, 401);
  assert.equal(refused.body.error, "unauthorized");
  const nothing = await onPage(friend, ask, request({ path: "/nowhere", method: "PUT" }));
  assert.equal(nothing.status, 404);
});

test("a page of another origin is let read nothing and does nothing", async () => {
  const sentToCarol = async () =>
    (await hub.ask("GET", "/api/messages?to=carol")).messages.map(({ from }) => from);
  const read = await onPage(stranger, ask, request({ path: "/api/me" }));
  assert.match(read.failed, /Failed to fetch/);
  const sent = await onPage(stranger, ask, request(
    { path: "/api/message", method: "POST", body: { to: "carol", payload: {} } }));
  assert.match(sent.failed, /Failed to fetch/);
  // Not even what a browser sends without asking first.
  const simple = await onPage(stranger, async ({ url }) => {
    try {
      return (await fetch(url, { method: "POST", body: "{}" })).status;
    } catch (error) {
      return String(error);
    }
  }, request({ path: "/api/message" }));
  assert.match(simple, /Failed to fetch/);
  assert.deepEqual(await sentToCarol(), []);
  // The same from the other page is stored.
  await onPage(friend, ask, request(
    { path: "/api/message", method: "POST", body: { to: "carol", payload: {} } }));
  assert.deepEqual(await sentToCarol(), ["alice"]);
});

test("the list counts for WebSockets and for streams of events, too", async () => {
  const socket = hub.url.replace("http", "ws") + "/ws";
  assert.equal(await onPage(friend, connect, socket), "open");
  assert.equal(await onPage(stranger, connect, socket), "refused");

  const stream = `${hub.url}/api/mailbox/alice/stream?token=${token}`;
  const opens = (url) => new Promise((resolve) => {
    const source = new EventSource(url);
    source.onopen = () => { source.close(); resolve("open"); };
    source.onerror = () => { source.close(); resolve("refused"); };
  });
  assert.equal(await onPage(friend, opens, stream), "open");
  assert.equal(await onPage(stranger, opens, stream), "refused");
});
