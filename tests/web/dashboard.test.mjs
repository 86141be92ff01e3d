// The dashboard in Chromium, against a hub of its own for each test: logging in, what is live, what
// administrators do, the hub away and back, hostile names, keyboards.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before } from "node:test";

import {
  agentsShown, goTo, launch, loggedIn, notFound, numbersOf, onDashboard, rowOf, signIn, state, unreachable, widthTooMuch,
} from "./browser.mjs";
import { binary, eventually, testWithHub } from "./hub.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

testWithHub("a person logs in with a token once, and the page keeps nothing of it", {}, async (hub) => {
  await onDashboard(browser, hub, {}, async (page) => {
    await page.getByText("agentcom token create NAME --role observer").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "token");

    await signIn(page, "0".repeat(64));
    await page.getByRole("alert").getByText("The hub does not accept this token.").waitFor();

    // Copied with what stands around it.
    await signIn(page, `  ${hub.adminToken} `);
    await state(page, "Live");
    const [cookie, ...others] = await page.context().cookies();
    assert.deepEqual(others, []);
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, "Strict");
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
    assert.equal((await page.content()).includes(hub.adminToken), false);
    assert.notEqual(cookie.value, hub.adminToken);

    await page.reload();
    await state(page, "Live");

    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    const again = await fetch(hub.url + "/api/session", { headers: { Cookie: `${cookie.name}=${cookie.value}` } });
    assert.equal(again.status, 401);
  });
});

testWithHub("a tab shows whoever logged in in another one, sends nothing as them, and keeps no draft for them", {}, async (hub) => {
  const token = await hub.issueToken("ann");
  await onDashboard(browser, hub, { view: "#/messages", expected: [/ 409 /] }, async (page) => {
    const other = await page.context().newPage();
    await other.goto(hub.url + "/dashboard");
    await other.getByLabel("Token", { exact: true }).waitFor();
    await signIn(page, token);
    await state(page, "Live");
    await page.getByRole("button", { name: "Write" }).click();
    await page.locator(".composer input[name=to]").fill("bob");
    await page.locator(".composer textarea").fill("said by ann");
    await signIn(other, hub.adminToken);
    await state(other, "Live");
    // The stream may have told it before the click does.
    const told = page.getByRole("alert").getByText("This browser is logged in as admin");
    await Promise.race([told.waitFor(), page.locator(".composer button[type=submit]").click()]);
    await told.waitFor();
    await page.locator(".who-name").getByText("admin").first().waitFor();
    await page.getByRole("button", { name: "Write" }).click();
    assert.equal(await page.locator(".composer textarea").inputValue(), "");
    await page.getByRole("button", { name: "Dismiss" }).click();
    await told.waitFor({ state: "detached" });
  });
  assert.deepEqual((await hub.ask("GET", "/api/messages")).messages, []);
});

testWithHub("what cannot be a token is refused without asking the hub", {}, async (hub) => {
  await onDashboard(browser, hub, {}, async (page) => {
    await page.getByLabel("Token", { exact: true }).waitFor();
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await signIn(page, "Täuschung");
    await page.getByRole("alert").getByText("This is no token").waitFor();
    assert.deepEqual(asked, []);
  });
});

testWithHub("behind a proxy the page stays below its prefix", { AGENTCOM_SERVER_BASE_PATH: "/far/hub" }, async (hub) => {
  await hub.connect("alice");
  await loggedIn(browser, hub, { base: "/far/hub", view: "#/agents" }, async (page) => {
    await rowOf(page, "alice").getByRole("link").click();
    await page.getByRole("heading", { name: "alice" }).waitFor();
    await page.getByText("Nothing: it has read all its mail.").waitFor();
  });
});

testWithHub("a token that is revoked takes away what it has shown", {}, async (hub) => {
  await hub.connect("alice");
  const token = await hub.issueToken("operator", { role: "observer" });
  await loggedIn(browser, hub, { token, view: "#/agents" }, async (page) => {
    await rowOf(page, "alice").waitFor();
    await hub.ask("DELETE", "/admin/tokens/operator");
    await page.getByRole("alert").getByText("The hub has ended your session").waitFor();
    assert.equal((await page.content()).includes("alice"), false);
    await page.getByLabel("Token", { exact: true }).waitFor();
  });
});

testWithHub("a hub that nobody uses yet says what to do next", {}, async (hub) => {
  await loggedIn(browser, hub, {}, async (page) => {
    await page.getByRole("heading", { name: "nobody is here yet" }).waitFor();
    await page.getByText(`agentcom connect claude --url ${hub.url} --token-file`).waitFor();
    const alice = await hub.connect("alice");
    await alice.send("alice");
    await page.getByRole("heading", { name: "nobody is here yet" }).waitFor({ state: "detached" });
    await page.getByRole("heading", { name: "Who is stuck" }).waitFor();
  });
});

testWithHub("an agent joins, sets a status, falls behind and leaves, and the page shows it as it happens", {}, async (hub) => {
  await loggedIn(browser, hub, { view: "#/agents" }, async (page) => {
    await page.mouse.move(0, 0);
    assert.equal(await rowOf(page, "alice").count(), 0);
    const loads = [];
    page.on("framenavigated", (frame) => loads.push(frame.url()));

    const alice = await hub.connect("alice", { acks: true });
    await rowOf(page, "alice").waitFor();
    await eventually(async () => assert.match((await numbersOf(page, "alice")).status, /^(idle|working)$/));

    await alice.setStatus("reviewing the store");
    await rowOf(page, "alice").getByText("reviewing the store").waitFor();

    const bob = await hub.connect("bob");
    for (let i = 0; i < 7; ++i) await bob.send("alice");
    await eventually(async () => {
      assert.equal((await numbersOf(page, "alice")).unread, "7");
      assert.equal((await numbersOf(page, "alice")).received, "7");
      assert.equal((await numbersOf(page, "bob")).sent, "7");
    });

    await alice.close();
    await eventually(async () => assert.equal((await numbersOf(page, "alice")).status, "offline"));
    assert.deepEqual(loads, []);
  });
});

testWithHub("a full store is never a green Live", { AGENTCOM_STORE_MAP_SIZE: "16MiB" }, async (hub) => {
  const alice = await hub.connect("alice");
  await loggedIn(browser, hub, {}, async (page) => {
    const text = "x".repeat(60_000);
    const fill = async () => {
      for (;;) await Promise.all(Array.from({ length: 8 }, () => hub.ask("POST", "/api/message", { to: "bob", payload: { text } }, alice.token)));
    };
    await assert.rejects(fill(), / 507 /);
    await page.locator("#state.bad").getByText("Store full").waitFor();
    await page.getByRole("region", { name: "Alarms" }).getByText("Critical").waitFor();
    assert.match(await page.title(), /^\(\d\)/);
  });
});

testWithHub("an agent that polls without a connection is not offline", {}, async (hub) => {
  const token = await hub.issueToken("poller");
  await loggedIn(browser, hub, { view: "#/agents?state=online" }, async (page) => {
    await hub.ask("GET", "/api/mailbox/poller", undefined, token);
    await eventually(async () => assert.equal((await numbersOf(page, "poller")).status, "polling"));
  });
});

testWithHub("a misspelled recipient is no agent that was active", {}, async (hub) => {
  const alice = await hub.connect("alice");
  await alice.send("bbo");
  await loggedIn(browser, hub, { view: "#/agents" }, async (page) => {
    await rowOf(page, "bbo").getByText("Nobody has this name: mail for it waits.").waitFor();
    assert.equal((await numbersOf(page, "bbo")).status, "offline");
    await rowOf(page, "bbo").getByText("never seen").waitFor();
  });
});

testWithHub("rows stay where they are while the focus is in the table", {}, async (hub) => {
  const alice = await hub.connect("alice");
  const bob = await hub.connect("bob");
  await bob.send("alice");
  await loggedIn(browser, hub, { view: "#/agents?sort=sent" }, async (page) => {
    await eventually(async () => assert.equal((await agentsShown(page))[0], "bob"));
    await rowOf(page, "bob").getByRole("link").focus();
    const row = await rowOf(page, "bob").elementHandle();
    for (let i = 0; i < 5; ++i) await alice.send("bob");
    await hub.connect("carol");
    await rowOf(page, "carol").waitFor();
    await eventually(async () => assert.equal((await numbersOf(page, "alice")).sent, "5"));
    const shown = await agentsShown(page);
    assert.ok(shown.indexOf("bob") < shown.indexOf("alice"));
    assert.equal(shown.at(-1), "carol");
    assert.equal(await row.evaluate((element) => element.isConnected && element.contains(document.activeElement)), true);

    await page.mouse.move(0, 0);
    await page.getByLabel("Search agents").focus();
    await eventually(async () => assert.equal((await agentsShown(page))[0], "alice"));
  });
});

testWithHub("an administrator issues a token that works, and revokes it", {}, async (hub) => {
  await hub.connect("alice");
  await loggedIn(browser, hub, { view: "#/agents/alice" }, async (page) => {
    const tokens = page.getByRole("region", { name: "Tokens" });
    await tokens.getByRole("listitem").waitFor();
    await tokens.getByRole("button", { name: "Issue a token" }).click();
    await page.getByLabel("Name, for people (optional)").fill("laptop");
    await page.getByRole("button", { name: "Issue the token" }).click();
    const token = await page.locator("#issued-token").textContent();
    const help = execFileSync(binary, ["connect", "--help"], { encoding: "utf8" });
    const known = /client :\{([a-z,]+)\}/.exec(help)[1].split(",");
    assert.deepEqual(await page.getByLabel("Connect a client").getByRole("option").allTextContents(), known);
    await page.getByLabel("Connect a client").selectOption("codex");
    await page.getByText(`agentcom connect codex --name alice --url ${hub.url} --token-file -`).waitFor();
    assert.equal((await hub.ask("GET", "/api/me", undefined, token)).agent_id, "alice");
    await page.getByRole("button", { name: "Done, I have copied it" }).click();
    assert.equal((await page.content()).includes(token), false);
    const made = tokens.getByRole("listitem").filter({ hasText: "laptop" });
    await made.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
    await made.waitFor({ state: "detached" });
    await assert.rejects(hub.ask("GET", "/api/me", undefined, token), /401/);
    assert.equal(await tokens.getByRole("listitem").count(), 1);
  });
});

testWithHub("an administrator closes an agent's connection, and removes the agent", {}, async (hub) => {
  const alice = await hub.connect("alice");
  const bob = await hub.connect("bob");
  await bob.send("alice");
  await loggedIn(browser, hub, { view: "#/agents/alice", expected: [notFound] }, async (page) => {
    const closed = alice.closed();
    await page.getByRole("button", { name: "Close connections" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Close connections" }).click();
    assert.ok((await closed) >= 4000);
    await page.getByText("1 connection closed.").waitFor();
    await page.locator(".agent-head .state.offline").waitFor();

    await page.getByRole("button", { name: "Remove agent" }).click();
    const confirm = page.getByRole("dialog").getByRole("button", { name: "Remove agent" });
    assert.equal(await confirm.isDisabled(), true);
    await page.getByLabel("Type alice to confirm").fill("alice");
    await confirm.click();
    await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
    await rowOf(page, "alice").waitFor({ state: "detached" });
    await rowOf(page, "bob").waitFor();
    assert.equal((await hub.ask("GET", "/api/directory/alice")).known, false);
  });
});

testWithHub("a name that nobody can type is marked wherever it is shown, and ticked to remove its agent", {}, async (hub) => {
  const name = "\u202Ecilop";
  await hub.connect(name);
  const address = `#/agents/${encodeURIComponent(name)}`;
  await loggedIn(browser, hub, { view: address, viewport: { width: 360, height: 740 }, expected: [notFound] }, async (page) => {
    await page.getByRole("heading", { name: "Recent messages" }).waitFor();
    assert.equal((await page.title()).includes("\u202E"), false);
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("You are logged in as admin (admin).").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Issue a token" }).click();
    await page.getByRole("button", { name: "Issue the token" }).click();
    await page.locator("#issued-token").waitFor();
    assert.equal((await page.getByRole("dialog").textContent()).includes("\u202E"), false);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Remove agent" }).click();
    const confirm = page.getByRole("dialog").getByRole("button", { name: "Remove agent" });
    assert.equal(await confirm.isDisabled(), true);
    assert.equal((await page.getByRole("dialog").textContent()).includes("\u202E"), false);
    await page.getByLabel("with the characters that cannot be seen").check();
    await confirm.click();
    await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
    assert.equal((await hub.ask("GET", `/api/directory/${encodeURIComponent(name)}`)).known, false);
  });
});

for (const role of ["observer", "agent"]) {
  testWithHub(`somebody with the role ${role} sees, and is offered nothing that only administrators can do`, {}, async (hub) => {
    await hub.connect("alice");
    const token = await hub.issueToken("watcher", { role });
    await loggedIn(browser, hub, { token, view: "#/agents/alice", expected: [/ 403 /, unreachable] }, async (page) => {
      await page.getByRole("heading", { name: "alice" }).waitFor();
      await page.getByRole("heading", { name: "Recent messages" }).waitFor();
      for (const name of ["Remove agent", "Close connections", "Issue a token"]) {
        assert.equal(await page.getByRole("button", { name }).count(), 0, name);
      }
      await page.locator(".who-name").getByText(role).waitFor();
    });
  });
}

testWithHub("the page says that the hub is away and since when, keeps its numbers and goes on by itself", {}, async (hub) => {
  const alice = await hub.connect("alice");
  for (let i = 0; i < 3; ++i) await alice.send("bob");
  await loggedIn(browser, hub, { expected: [unreachable], view: "#/agents" }, async (page) => {
    await eventually(async () => assert.equal((await numbersOf(page, "alice")).sent, "3"));
    await hub.stop();
    await state(page, "Not connected");
    await page.getByRole("alert").getByText(/^Not connected since \d\d:\d\d:\d\d\. .* Trying again\.$/).waitFor();
    assert.match(await page.title(), /^not connected/);
    await rowOf(page, "alice").waitFor();

    await hub.restart();
    await hub.connect("bob");
    await state(page, "Live");
    await eventually(async () => assert.match((await numbersOf(page, "bob")).status, /^(idle|working)$/));
    assert.equal(await page.getByRole("alert").count(), 0);
    // What was counted before is not forgotten.
    await eventually(async () => {
      assert.equal((await numbersOf(page, "alice")).sent, "3");
      assert.equal((await numbersOf(page, "bob")).received, "3");
    });
    await goTo(page, "#/overview");
    await page.getByText(/The hub was restarted at/).waitFor();
  });
});

testWithHub("a page that is opened while the hub is away logs in when it is back", {}, async (hub) => {
  await onDashboard(browser, hub, { expected: [unreachable] }, async (page) => {
    await page.getByLabel("Token", { exact: true }).waitFor();
    await hub.stop();
    await signIn(page, hub.adminToken);
    await page.getByRole("alert").getByText("The hub cannot be reached.").waitFor();
    await hub.restart();
    await page.getByRole("button", { name: "Log in" }).click();
    await state(page, "Live");
  });
});

testWithHub("hostile names and texts are shown as the text that they are", {}, async (hub) => {
  const names = [
    `<img src=x onerror="document.title='taken'"></td><script>document.title='taken'</script>`,
    `"><svg/onload=document.title='taken'> & &amp; %2e%2e/../`,
    "__proto__",
    "  two  spaces  ",
    "\u202Eright to left",
    "w".repeat(128),
  ];
  for (const name of names) {
    const agent = await hub.connect(name);
    await hub.ask("PUT", "/api/me/profile", { status: `<b>${name}</b>\n\u202E${"x".repeat(300)}`, capabilities: [name] }, agent.token);
  }
  await loggedIn(browser, hub, { view: "#/agents?sort=id" }, async (page) => {
    // The administrator's row may be among them.
    await eventually(async () => assert.ok((await agentsShown(page)).length >= names.length));
    for (const name of names) {
      await goTo(page, "#/agents?sort=id");
      await page.locator(`.agent-row a[href="#/agents/${encodeURIComponent(name).replaceAll('"', "%22")}"]`).click();
      await page.getByRole("heading", { name: "Recent messages" }).waitFor();
      assert.equal(await widthTooMuch(page), 0);
    }
    assert.equal(await page.locator("img, #app script, #app b:not(.chart-key b)").count(), 0);
    assert.match(await page.title(), /AgentCom$/);
    for (const width of [320, 360, 700, 768, 1000, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      for (const view of ["#/overview", "#/agents", `#/agents/${encodeURIComponent(names[0])}`]) {
        await goTo(page, view);
        await page.locator("main h1").waitFor({ state: "attached" });
        assert.equal(await widthTooMuch(page), 0, `${view}, ${width} pixels wide`);
      }
    }
  });
});

testWithHub("everything can be done with the keyboard alone", {}, async (hub) => {
  await hub.connect("alice");
  await hub.connect("bob");
  await onDashboard(browser, hub, {}, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.getAttribute("aria-label"));
    await page.getByLabel("Token", { exact: true }).waitFor();
    await page.keyboard.insertText(hub.adminToken);
    await page.keyboard.press("Enter");
    await state(page, "Live");
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
    await eventually(async () => assert.equal(await focused(), "Agents"));
    await rowOf(page, "bob").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("bo");
    await eventually(async () => assert.deepEqual(await agentsShown(page), ["bob"]));
    assert.match(page.url(), /q=bo/);
    await page.keyboard.press("Escape");
    await eventually(async () => assert.ok((await agentsShown(page)).length >= 2));
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await eventually(async () => assert.equal(await focused(), (await agentsShown(page))[0]));
    const first = await focused();
    await page.keyboard.press("Enter");
    await page.locator(".agent-head").getByRole("heading", { name: first }).waitFor();

    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.getByText("go to Agents").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("o");  // keys of the page do nothing behind a dialog
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    assert.match(page.url(), /#\/agents\//);
    await page.goBack();
    await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
  });
});
