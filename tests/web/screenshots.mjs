// Makes the pictures of docs/images: node screenshots.mjs [NAME...]
//
// A hub of its own, with agents that talk, shown by Chromium. The hub has run for seconds only, so the
// past that the charts show is made up where the page reads the stream; all else is what the hub says.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { goTo, launch, rowOf, signIn, state } from "./browser.mjs";
import { eventually, Hub } from "./hub.mjs";

const directory = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const desktop = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };

const statuses = {
  "planner": "splitting the retention work into three changes",
  "reviewer": "reading change 4713",
  "builder": "waiting for a free build slot",
  "tester": "running the crash tests, 212 of 500",
  "docs-writer": "operations.md: what to do on a full disk",
  "security": "checking who may read private channels",
  "release-manager": "blocked: needs a decision about the version",
};

/// Agents, channels, a conversation, mail that nobody reads. Returns the conversation's view.
async function makeScene(hub) {
  const agents = {};
  for (const [name, status] of Object.entries(statuses)) {
    agents[name] = await hub.connect(name, { acks: true, status, capabilities: capabilitiesOf(name) });
  }
  const as = (name, path, body) => hub.ask("POST", path, body, agents[name].token);
  const say = (from, to, text, more = {}) => as(from, "/api/message", { to, payload: { text }, ...more });
  const pass = async (name) => {
    const { messages } = await hub.ask("GET", `/api/mailbox/${name}`, undefined, agents[name].token);
    if (messages.length) await as(name, `/api/mailbox/${name}/ack`, { seq: messages.at(-1).seq });
  };
  for (const [channel, description] of [["builds", "What was built, and whether it passed"], ["reviews", "Changes that wait for eyes"], ["all-hands", "For everybody"]]) {
    await as("planner", "/api/channels", { name: channel, description });
    for (const name of ["reviewer", "builder", "tester"]) await as(name, `/api/channels/${channel}/subscribe`);
  }
  for (let i = 0; i < 12; ++i) {
    await as("builder", "/api/channels/builds/publish", { payload: { text: `Build ${4700 + i} ${i % 5 === 3 ? "failed in tests/store" : "passed"}`, build: 4700 + i, seconds: 131 + 7 * i } });
  }
  await as("planner", "/api/channels/all-hands/publish", { payload: { text: "Freeze on Friday at noon. What is not reviewed by then waits for the next version." } });

  const root = await say("planner", "reviewer", "Please look at change 4713: it moves the retention of mailboxes into a thread of its own.", { type: "task" });
  const first = await say("reviewer", "planner", "Two questions: what happens to a mailbox that is read while it is trimmed, and is there a test for a full disk?", { reply_to: root.id });
  const second = await say("planner", "tester", "Can you run the crash tests on 4713 with a full disk?", { reply_to: first.id });
  await say("tester", "planner", "Running: 212 of 500 kills, nothing lost so far.", { reply_to: second.id });
  await say("planner", "reviewer", "A reader holds its snapshot, so it sees all or nothing. The test is on its way.", { reply_to: first.id });
  await as("reviewer", "/api/message", { to: "planner", reply_to: root.id, payload: { text: "Approved.", change: 4713, files: ["src/store/retention.cpp", "src/store/trim.cpp"], score: 2 } });
  const names = Object.keys(statuses);
  for (let i = 0; i < 60; ++i) {
    const from = names[(i * 3) % names.length];
    const to = names[(i * 5 + 1) % names.length];
    if (from !== to) await say(from, to, `Note ${i + 1} about change ${4700 + (i % 9)}.`);
  }
  for (const name of names) if (name !== "release-manager" && name !== "security") await pass(name);
  for (let i = 0; i < 23; ++i) await say("builder", "release-manager", `Build ${4720 + i} is ready to be released.`, { type: "build" });
  await say("planner", "reveiwer", "Could you look at 4714 as well?");
  await agents["security"].close();
  return { thread: `#/threads/${root.id}` };
}

/** @param {string} name */
function capabilitiesOf(name) {
  return { reviewer: ["review", "c++"], tester: ["crash-tests", "c++"], builder: ["build"], security: ["review", "audit"] }[name] ?? [];
}

/// In the page: gives what the stream says a past.
function makeUpThePast() {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, options) => {
    const answer = await real(input, options);
    if (!String(input).endsWith("/api/observe")) return answer;
    const minute = 60_000;
    const now = Date.now();
    const wave = (i, slow) => 0.55 + 0.35 * Math.sin(i / slow) + 0.1 * Math.sin(i * 2.3);
    const minutes = Array.from({ length: 60 }, (_, i) => [
      Math.floor(now / minute) * minute - (59 - i) * minute, Math.round(420 * wave(i, 7)),
      0.9 + 0.3 * wave(i, 3), 3 + 4 * wave(i, 2), 1.4 + 0.4 * wave(i, 4), 5 + 7 * wave(i, 2.5)]);
    minutes[59][1] *= (now % minute) / minute;
    const hours = Array.from({ length: 24 }, (_, i) => [
      Math.floor(now / (60 * minute)) * 60 * minute - (23 - i) * 60 * minute, Math.round(24_000 * wave(i, 4))]);
    const messages = { per_second: 5.2, total_24h: hours.reduce((sum, hour) => sum + hour[1], 0) };
    let oldest = null;
    const withPast = (_, data) => {
      const event = JSON.parse(data);
      if (event.series) {
        event.series = { minutes, hours };
        event.hub.started_at = now - 76 * 60 * minute;
        event.agents.forEach((agent, i) => {
          if (agent.connected_since) agent.connected_since -= (17 + 41 * i) * minute;
          if (agent.oldest_unread_at) agent.oldest_unread_at -= (9 + 7 * i) * minute;
          if (agent.state === "offline" && agent.last_seen) agent.last_seen -= 52 * minute;
        });
        const waiting = event.agents.filter(({ unread }) => unread);
        if (waiting.length) oldest = Math.min(...waiting.map((agent) => agent.oldest_unread_at));
      }
      if (event.overview) {
        event.overview.messages = messages;
        if (oldest) event.overview.unread.oldest_at = oldest;
      }
      delete event.point;
      return "data: " + JSON.stringify(event);
    };
    let rest = "";
    const body = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({
      transform(piece, out) {
        const events = (rest + piece).split("\n\n");
        rest = events.pop();
        for (const event of events) out.enqueue(event.replace(/^data: (.*)$/m, withPast) + "\n\n");
      },
    })).pipeThrough(new TextEncoderStream());
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
}

const wanted = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const browser = await launch();

/// One picture; `ready(page)` returns when the page shows what it is about.
async function shoot(hub, name, { view = "#/overview", colorScheme = "light", viewport = desktop, past = true, signedIn = true } = {}, ready) {
  if (wanted.length && !wanted.includes(name)) return;
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", colorScheme, viewport, reducedMotion: "reduce" });
  try {
    if (past) await context.addInitScript(makeUpThePast);
    const page = await context.newPage();
    await page.goto(hub.url + "/dashboard" + view);
    if (signedIn) {
      await signIn(page, hub.adminToken);
      await page.locator("#state.good, #state.bad").waitFor();
      if (past && view === "#/overview") await page.getByText(/^in \d+ mailbox/).waitFor();
    }
    await ready?.(page);
    await page.evaluate(() => document.activeElement?.blur());
    await page.screenshot({ path: directory + name + ".png" });
    console.log(name);
  } finally {
    await context.close();
  }
}

const busy = await Hub.start();
const empty = await Hub.start();
try {
  const { thread } = await makeScene(busy);
  // The page is told of mailboxes when they have been counted.
  await eventually(async () => {
    const { unread } = await busy.ask("GET", "/api/observe/agents/release-manager");
    if (unread !== 32) throw new Error(`${unread} messages are unread`);
  });
  const inThread = async (page) => {
    await page.getByText("Can you run the crash tests").first().waitFor();
  };
  const table = (page) => rowOf(page, "planner").waitFor();
  const onePage = async (page) => {
    await page.getByRole("list", { name: "Recent messages" }).waitFor();
    await page.getByRole("region", { name: "Tokens" }).getByRole("listitem").waitFor();
  };
  const rows = (page) => page.locator(".message-head").first().waitFor();

  await shoot(busy, "overview");
  await shoot(busy, "overview-dark", { colorScheme: "dark" });
  await shoot(busy, "agents", { view: "#/agents" }, table);
  await shoot(busy, "agents-dark", { view: "#/agents", colorScheme: "dark" }, table);
  await shoot(busy, "agent", { view: "#/agents/release-manager" }, onePage);
  await shoot(busy, "token", { view: "#/agents/tester" }, async (page) => {
    await onePage(page);
    await page.getByRole("button", { name: "Issue a token" }).click();
    await page.getByRole("button", { name: "Issue the token" }).click();
    await page.locator("#issued-token").evaluate((element) => void (element.textContent = "0123456789abcdef".repeat(4)));
  });
  await shoot(busy, "messages", { view: "#/messages" }, rows);
  await shoot(busy, "messages-dark", { view: "#/messages", colorScheme: "dark" }, rows);
  await shoot(busy, "channel", { view: "#/channels/builds" }, rows);
  await shoot(busy, "thread", { view: thread }, inThread);
  await shoot(busy, "map", { view: "#/map" }, (page) => page.locator("main svg").first().waitFor());
  await shoot(busy, "phone-overview", { viewport: phone });
  await shoot(busy, "phone-agents", { viewport: phone, view: "#/agents", colorScheme: "dark" }, table);
  await shoot(busy, "phone-thread", { viewport: phone, view: thread }, inThread);
  await shoot(empty, "login", { signedIn: false, past: false }, (page) => page.getByLabel("Token", { exact: true }).waitFor());
  await shoot(empty, "first-start", { past: false }, (page) => page.getByRole("heading", { name: "nobody is here yet" }).waitFor());

  // Wrong tokens, for the banner.
  for (let i = 0; i < 5; ++i) {
    await fetch(busy.url + "/api/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: "f".repeat(64) }) });
  }
  await shoot(busy, "alarms", {}, (page) => page.locator(".alarms .notice").first().waitFor());
  await shoot(busy, "away", { view: "#/agents" }, async (page) => {
    await table(page);
    await busy.stop();
    await state(page, "Not connected");
  });
} finally {
  await browser.close();
  await busy.remove();
  await empty.remove();
}
