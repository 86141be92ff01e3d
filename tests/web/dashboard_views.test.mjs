// Every view of the dashboard: whether all of it can be read, reached and named, in light and dark,
// on a desktop and on a phone; what it weighs; whether a thousand agents are smooth.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";

import axe from "axe-core";

import { agentsShown, goTo, launch, loggedIn, notFound, onDashboard, rowOf, signIn, state, unreachable, widthTooMuch } from "./browser.mjs";
import { eventually, Hub } from "./hub.mjs";

const desktop = { width: 1280, height: 900 };
const phone = { width: 360, height: 740 };
/// What an interaction may take until it is drawn, in milliseconds.
const promptMs = 100;

let browser;
let hub;  // with some agents that talk, for tests that only look
before(async () => {
  browser = await launch();
  hub = await Hub.start();
  const alice = await hub.connect("alice@a-host-with-a-rather-long-name.example");
  const bob = await hub.connect("bob", { acks: true });
  for (let i = 0; i < 3; ++i) await alice.send("bob", { text: `Message ${i}` });
  await bob.send("bbo");
  await hub.ask("PUT", "/api/me/profile", { status: "reviewing", capabilities: ["review", "c++"] }, alice.token);
});
after(async () => {
  await browser?.close();
  await hub?.remove();
});

async function assertAccessible(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`);
  assert.deepEqual(found, [], where);
  assert.equal(await widthTooMuch(page), 0, where);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries({ desktop, phone })) {
    test(`on a ${size} in ${colorScheme} colours everything can be read, reached and named`, async () => {
      await onDashboard(browser, hub, { viewport, colorScheme, expected: [notFound] }, async (page) => {
        const check = (where) => assertAccessible(page, where);
        await page.getByLabel("Token", { exact: true }).waitFor();
        await check("login");
        await signIn(page, "0".repeat(64));
        await page.getByText("does not accept this token").waitFor();
        await check("refused token");
        await signIn(page, hub.adminToken);
        await state(page, "Live");
        await page.getByRole("heading", { name: "Who is stuck" }).waitFor();
        await check("overview");
        await goTo(page, "#/agents");
        await rowOf(page, "bob").waitFor();
        await check("agents");
        await page.getByLabel("Search agents").fill("nobody at all");
        await page.getByText("No agent matches").waitFor();
        await check("no results");
        await goTo(page, "#/agents/bob");
        await page.getByRole("list", { name: "Waiting messages" }).waitFor();
        await page.getByRole("region", { name: "Tokens" }).getByRole("listitem").first().waitFor();
        await check("one agent");
        await page.getByRole("button", { name: "Issue a token" }).click();
        await check("issuing a token");
        await page.getByRole("button", { name: "Issue the token" }).click();
        await page.locator("#issued-token").waitFor();
        await check("the token");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Remove agent" }).click();
        await check("asking before removing");
        await page.keyboard.press("Escape");
        await goTo(page, "#/agents/nobody-at-all");
        await page.getByText("The hub knows nothing of this agent.").waitFor();
        await check("unknown agent");
        await goTo(page, "#/no-such-view");
        await page.getByText("There is no such page here.").waitFor();
        await check("unknown view");
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keys" }).waitFor();
        await check("keys");
      });
    });
  }
}

test("a hub that is empty, and one that is away, can be read by everybody", async () => {
  const other = await Hub.start();
  try {
    await loggedIn(browser, other, { expected: [unreachable], viewport: phone }, async (page) => {
      await page.getByRole("heading", { name: "nobody is here yet" }).waitFor();
      await assertAccessible(page, "first start");
      await goTo(page, "#/agents");
      await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
      await assertAccessible(page, "no agents");
      await other.stop();
      await state(page, "Not connected");
      await assertAccessible(page, "hub away");
    });
  } finally {
    await other.remove();
  }
});

test("the page and all that it links to are small, cached by their contents, and without inline code", async () => {
  const page = await fetch(hub.url + "/dashboard", { headers: { "Accept-Encoding": "identity" } });
  const policy = page.headers.get("content-security-policy");
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(rule), `${rule} in ${policy}`);
  }
  assert.doesNotMatch(policy, /unsafe/);
  const tag = page.headers.get("etag");
  assert.ok(tag);
  assert.equal((await fetch(page.url, { headers: { "If-None-Match": tag } })).status, 304);

  const html = await page.text();
  const links = [...html.matchAll(/(?:href|src)="(dashboard\/assets\/[^"]+)"/g)].map(([, link]) => link);
  assert.equal(links.length, 3);
  let bytes = html.length;
  for (const link of links) {
    const answer = await fetch(new URL(link, hub.url + "/"), { headers: { "Accept-Encoding": "gzip" } });
    assert.match(answer.headers.get("cache-control"), /max-age=31536000.*immutable/);
    bytes += await compressedLength(link);
    assert.ok((await answer.arrayBuffer()).byteLength > 0);
  }
  assert.ok(bytes < 120_000, `${bytes} bytes`);
  for (const link of links) assert.doesNotMatch(await (await fetch(new URL(link, hub.url + "/"))).text(), /sourceMappingURL|\beval\(/);
});

/// What goes over the wire: fetch() would inflate it.
async function compressedLength(link) {
  const { get } = await import("node:http");
  return new Promise((resolve, reject) => {
    get(new URL(link, hub.url + "/"), { headers: { "Accept-Encoding": "gzip" } }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("error", reject);
      answer.on("end", () => {
        const body = Buffer.concat(pieces);
        assert.equal(answer.headers["content-encoding"], "gzip", link);
        gunzipSync(body);
        resolve(body.length);
      });
    }).on("error", reject);
  });
}

test("code and style that did not come with the page are refused, and noticed by these tests", async () => {
  const visit = onDashboard(browser, hub, { expected: [/Content Security Policy/] }, async (page) => {
    await page.getByLabel("Token", { exact: true }).waitFor();
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken'";
      document.body.append(script);
      document.body.setAttribute("style", "color: red");
    });
    assert.notEqual(await page.title(), "taken");
  });
  await assert.rejects(visit, /violations of the Content-Security-Policy[^]*script-src[^]*style-src/);
});

test("a thousand agents are smooth to search, sort and scroll", async () => {
  const other = await Hub.start();
  try {
    const alice = await other.connect("alice");
    const names = Array.from({ length: 1000 }, (_, i) => "worker-" + String(i).padStart(4, "0"));
    await Promise.all(names.map((name) => alice.send(name)));
    await loggedIn(browser, other, { view: "#/agents?sort=id", viewport: desktop }, async (page) => {
      await page.getByText(/^1,00[12]$/).waitFor();
      const rows = page.locator(".virtual-row.agent-row");
      assert.ok((await rows.count()) < 60, "only those near the window are in the page");

      // The median of several tries: other processes have the machine as well.
      const took = await page.evaluate(async () => {
        const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        const median = async (doing) => {
          const times = [];
          for (let i = 0; i < 9; ++i) {
            const start = performance.now();
            doing(i);
            await drawn();
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[4];
        };
        const search = document.querySelector("input[type=search]");
        const headings = [...document.querySelectorAll(".headings button")];
        return {
          scroll: await median(() => scrollBy(0, 800)),
          sort: await median((i) => headings[i % headings.length].click()),
          search: await median((i) => {
            search.value = ["worker-0", "worker-04", "", "9", "no"][i % 5];
            search.dispatchEvent(new InputEvent("input", { bubbles: true }));
          }),
        };
      });
      for (const [what, ms] of Object.entries(took)) assert.ok(ms < promptMs, `${what}: ${ms} ms`);

      await goTo(page, "#/agents?sort=id");
      await eventually(async () => assert.ok((await agentsShown(page)).length > 5));
      await page.keyboard.press("End");
      await rowOf(page, "worker-0999").waitFor();
      await page.getByLabel("Search agents").fill("worker-0042");
      await eventually(async () => assert.deepEqual(await agentsShown(page), ["worker-0042"]));
    });
  } finally {
    await other.remove();
  }
});
