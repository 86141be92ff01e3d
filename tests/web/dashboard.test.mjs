// The dashboard in Chromium, against the hub as it is shipped. Every test has a hub of its own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import axe from "axe-core";

import {
  agentsShown, launch, nextRefresh, numbersOf, onDashboard, rowOf, signIn, state, totals, unauthorized,
  unreachable,
} from "./browser.mjs";
import { Hub, eventually } from "./hub.mjs";

const desktop = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function testWithHub(name, settings, body) {
  test(name, { timeout: 120_000 }, async () => {
    const hub = await Hub.start(settings);
    try {
      await body(hub);
    } finally {
      await hub.remove();
    }
  });
}

const open = { AGENTCOM_AUTH_ANONYMOUS_READS: "true" };

testWithHub("a hub that needs a token asks for it, refuses a wrong one and shows its numbers for a good one", {}, async (hub) => {
  const alice = await hub.connect("alice");
  const bob = await hub.connect("bob");
  for (let i = 0; i < 3; ++i) await alice.send("bob");
  await bob.send("alice");
  const carol = await hub.connect("carol");
  await carol.close();

  await onDashboard(browser, hub, { expected: [unauthorized] }, async (page) => {
    await state(page, "Token needed");
    assert.equal(await page.getByRole("table").isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "token");
    await page.getByText("agentcom token create NAME --role observer").waitFor();

    await signIn(page, "0".repeat(64));
    await page.getByRole("alert").getByText("The hub refused this token.").waitFor();
    await state(page, "Token needed");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);

    await signIn(page, hub.adminToken);
    await state(page, "Live");
    assert.equal(await page.getByLabel("Token").isVisible(), false);
    assert.equal(await page.getByText("refused this token").count(), 0);
    await eventually(async () => {
      assert.deepEqual(await totals(page), {
        "Agents": "3", "Connected": "2", "Active": "2", "Idle": "0", "Offline": "1", "Messages, 24 h": "4",
      });
      assert.deepEqual(await numbersOf(page, "alice"),
        { status: "active", sent: "3", received: "1", thisHour: "3", connections: "1" });
      assert.deepEqual(await numbersOf(page, "bob"),
        { status: "active", sent: "1", received: "3", thisHour: "1", connections: "1" });
      assert.deepEqual(await numbersOf(page, "carol"),
        { status: "offline", sent: "0", received: "0", thisHour: "0", connections: "1" });
    });
    assert.equal(await page.title(), "2 connected · AgentCom");
  });
});

testWithHub("what cannot be a token is refused without asking the hub", {}, async (hub) => {
  await onDashboard(browser, hub, { expected: [unauthorized] }, async (page) => {
    await state(page, "Token needed");
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await signIn(page, "Täuschung");
    await page.getByRole("alert").getByText("This is no token").waitFor();
    assert.deepEqual(asked, []);

    // Copied with what stands around it.
    await signIn(page, `  ${hub.adminToken} `);
    await state(page, "Live");
  });
});

testWithHub("the token is kept for the tab alone, until it is forgotten", {}, async (hub) => {
  await onDashboard(browser, hub, { expected: [unauthorized] }, async (page) => {
    await signIn(page, hub.adminToken);
    await state(page, "Live");
    await page.reload();
    await state(page, "Live");
    assert.equal(page.url(), hub.url + "/dashboard");
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    assert.deepEqual(await page.context().cookies(), []);
    assert.equal((await page.content()).includes(hub.adminToken), false);

    const other = await page.context().newPage();
    await other.goto(hub.url + "/dashboard");
    await state(other, "Token needed");

    await page.getByRole("button", { name: "Forget token" }).click();
    await state(page, "Token needed");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.reload();
    await state(page, "Token needed");
  });
});

testWithHub("behind a proxy the page stays below its prefix", { AGENTCOM_SERVER_BASE_PATH: "/far/hub" }, async (hub) => {
  const alice = await hub.connect("alice");
  await alice.send("alice");
  for (const slash of ["", "/"]) {
    await onDashboard(browser, hub, { expected: [unauthorized], base: "/far/hub" }, async (page) => {
      await page.goto(hub.url + "/far/hub/dashboard" + slash);
      await signIn(page, hub.adminToken);
      await state(page, "Live");
      await rowOf(page, "alice").getByRole("button").click();
      await page.getByText("Messages by hour").waitFor();
    });
  }
});

testWithHub("a token that is revoked takes away what it has shown", {}, async (hub) => {
  await hub.connect("alice");
  const token = await hub.issueToken("operator");
  await onDashboard(browser, hub, { expected: [unauthorized] }, async (page) => {
    await signIn(page, token);
    await rowOf(page, "alice").waitFor();
    await hub.ask("DELETE", "/admin/tokens/operator");
    await nextRefresh(page);
    await page.getByRole("alert").getByText("The hub no longer accepts this token.").waitFor();
    await state(page, "Token needed");
    assert.equal((await page.content()).includes("alice"), false);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});

testWithHub("a hostile name is shown as the text that it is", open, async (hub) => {
  const names = [
    `<img src=x onerror="document.title='taken'"></td><script>document.title='taken'</script>`,
    `"><svg/onload=document.title='taken'> & &amp; %2e%2e/../`,
    "__proto__",
    "  two  spaces  ",
    "\u202Eright to left",
    "w".repeat(128),
  ];
  for (const name of names) await (await hub.connect(name)).send("alice");
  await onDashboard(browser, hub, {}, async (page) => {
    await state(page, "Live");
    assert.deepEqual((await agentsShown(page)).sort(), [...names, "alice"].sort());
    for (const name of names) {
      const heading = page.getByRole("rowheader").nth((await agentsShown(page)).indexOf(name));
      await heading.getByRole("button").click();
      await page.getByText("Messages by hour; the highest bar is 1.").waitFor();
    }
    assert.equal(await page.locator("img, svg, main script").count(), 0);
    assert.equal(await page.title(), `${names.length} connected · AgentCom`);
    for (const width of [320, 360, 700, 768, 1000, 1040, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      assert.equal(await widthTooMuch(page), 0, `${width} pixels wide`);
    }
  });
});

testWithHub("an agent that connects appears, and nothing else moves", open, async (hub) => {
  const alice = await hub.connect("alice");
  await hub.connect("bob");
  await onDashboard(browser, hub, {}, async (page) => {
    await state(page, "Live");
    const bob = await rowOf(page, "bob").elementHandle();
    await page.getByRole("button", { name: "bob" }).focus();

    await hub.connect("aaron");
    await alice.send("bob");
    await nextRefresh(page);
    await rowOf(page, "aaron").waitFor();
    await eventually(async () => {
      assert.equal((await totals(page))["Connected"], "3");
      assert.equal((await numbersOf(page, "bob")).received, "1");
    });
    assert.deepEqual(await agentsShown(page), ["aaron", "alice", "bob"]);
    const staysFocused = () => bob.evaluate((row) => row.isConnected && row.contains(document.activeElement));
    assert.equal(await staysFocused(), true);

    // Bob's row passes the one of alice.
    await alice.close();
    await nextRefresh(page);
    await eventually(async () => assert.deepEqual(await agentsShown(page), ["aaron", "bob", "alice"]));
    assert.equal((await numbersOf(page, "alice")).status, "offline");
    assert.equal(await staysFocused(), true);
  });
});

testWithHub("the page says that the hub is away, keeps its numbers and recovers by itself", {}, async (hub) => {
  await hub.connect("alice");
  await onDashboard(browser, hub, { expected: [unauthorized, unreachable] }, async (page) => {
    await signIn(page, hub.adminToken);
    await state(page, "Live");
    await hub.stop();
    await nextRefresh(page);
    await state(page, "Not up to date");
    await page.getByRole("alert").getByText(/^The hub cannot be reached\. Trying again\. The numbers below are from /).waitFor();
    assert.equal((await numbersOf(page, "alice")).status, "active");

    await hub.restart();
    await hub.connect("bob");
    await nextRefresh(page);
    await state(page, "Live");
    await rowOf(page, "bob").waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
  });
});

testWithHub("a token given while the hub is away is used when the hub is back", {}, async (hub) => {
  await onDashboard(browser, hub, { expected: [unauthorized, unreachable] }, async (page) => {
    await state(page, "Token needed");
    await hub.stop();
    await signIn(page, hub.adminToken);
    await state(page, "Not connected");
    await page.getByRole("alert").getByText("The hub cannot be reached.").waitFor();
    await hub.restart();
    await nextRefresh(page);
    await state(page, "Live");
    assert.equal(await page.getByLabel("Token").isVisible(), false);
  });
});

testWithHub("a hub with anonymous reads shows everything without asking", open, async (hub) => {
  await onDashboard(browser, hub, {}, async (page) => {
    await state(page, "Live");
    assert.equal(await page.getByLabel("Token").isVisible(), false);
    assert.equal(await page.getByRole("button", { name: "Forget token" }).isVisible(), false);
    await page.getByText("No agent has been seen yet.").waitFor();
    assert.equal((await totals(page))["Agents"], "0");
  });
});

testWithHub("many agents are filtered, sorted and shown up to a bound", open, async (hub) => {
  const alice = await hub.connect("alice");
  const others = Array.from({ length: 519 }, (_, i) => "worker-" + String(i).padStart(3, "0"));
  await Promise.all(others.map((name) => alice.send(name)));
  await Promise.all(Array.from({ length: 12 }, () => alice.send("worker-042")));
  await onDashboard(browser, hub, {}, async (page) => {
    await state(page, "Live");
    const shown = page.locator("#shown");
    await shown.getByText("The first 500 of 520.").waitFor();
    const rows = await agentsShown(page);
    assert.equal(rows.length, 500);
    assert.deepEqual(rows.slice(0, 2), ["alice", "worker-000"]);  // active ones first, then by name

    const heading = page.getByRole("columnheader", { name: "Received, 24 h" });
    await heading.getByRole("button").click();
    assert.equal(await heading.getAttribute("aria-sort"), "descending");
    assert.deepEqual((await agentsShown(page)).slice(0, 2), ["worker-042", "worker-000"]);
    await heading.getByRole("button").press("Enter");
    assert.equal(await heading.getAttribute("aria-sort"), "ascending");
    assert.deepEqual((await agentsShown(page)).slice(0, 2), ["alice", "worker-000"]);
    assert.equal(await page.locator("[aria-sort]").count(), 1);

    await page.getByLabel("Show agents whose name contains").fill("ER-51");
    await shown.getByText("9 of 520.").waitFor();
    assert.deepEqual(await agentsShown(page), others.slice(510));
    await page.getByLabel("Show agents with status").selectOption("Active");
    await shown.getByText("None of 520 matches.").waitFor();
    await page.getByLabel("Show agents whose name contains").fill("");
    await shown.getByText("1 of 520.").waitFor();
    assert.deepEqual(await agentsShown(page), ["alice"]);
  });
});

testWithHub("the hours of an agent are shown below it on demand and follow what happens", open, async (hub) => {
  const alice = await hub.connect("alice");
  await hub.connect("bob");
  await onDashboard(browser, hub, {}, async (page) => {
    await state(page, "Live");
    const name = page.getByRole("button", { name: "alice" });
    await name.press("Enter");
    assert.equal(await name.getAttribute("aria-expanded"), "true");
    await page.getByText("No messages in the last 24 hours.").waitFor();

    for (let i = 0; i < 3; ++i) await alice.send("bob");
    await nextRefresh(page);
    const hours = page.getByRole("listitem");
    await eventually(async () => {
      // The hour may turn while this runs, so the sum counts.
      const texts = await hours.getByText(/sent/).allTextContents();
      assert.equal(texts.length, 24);
      const sent = texts.map((text) => Number(/(\d+) sent, 0 received$/.exec(text)[1]));
      assert.equal(sent.reduce((sum, count) => sum + count), 3);
    });

    await name.press("Enter");
    assert.equal(await name.getAttribute("aria-expanded"), "false");
    assert.equal(await hours.count(), 0);
  });
});

/// By how much the page is wider than the window, or the table than its frame.
function widthTooMuch(page) {
  return page.evaluate(() => Math.max(...[document.documentElement, document.querySelector(".card")].map(
    (box) => box.scrollWidth - box.clientWidth)));
}

async function assertAccessible(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`);
  assert.deepEqual(found, [], where);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries({ desktop, phone })) {
    testWithHub(`on a ${size} in ${colorScheme} colours everything can be read, reached and named`, {}, async (hub) => {
      const alice = await hub.connect("alice@a-host-with-a-rather-long-name.example");
      await alice.send("bob");
      const expected = [unauthorized, unreachable];
      await onDashboard(browser, hub, { viewport, colorScheme, expected }, async (page) => {
        const check = async (where) => {
          await assertAccessible(page, where);
          assert.equal(await widthTooMuch(page), 0, where);
        };
        await state(page, "Token needed");
        await check("token prompt");
        await signIn(page, "0".repeat(64));
        await page.getByText("refused this token").waitFor();
        await check("refused token");
        await signIn(page, hub.adminToken);
        await state(page, "Live");
        await page.getByRole("button", { name: "alice" }).click();
        await page.getByText("Messages by hour").waitFor();
        await check("numbers");
        await hub.stop();
        await nextRefresh(page);
        await state(page, "Not up to date");
        await check("hub away");
      });
    });
  }
}
