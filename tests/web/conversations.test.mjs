// What agents say to one another, in Chromium against the hub as it is shipped: messages, channels,
// threads, who talks to whom, and a person who takes part. Every test has a hub of its own.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import axe from "axe-core";

import { goTo, launch, loggedIn, notFound, state, unreachable, widthTooMuch } from "./browser.mjs";
import { eventually, testWithHub } from "./hub.mjs";

const desktop = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/// Agents that send over HTTP, by their names.
async function talkers(hub, ...names) {
  const made = {};
  for (const name of names) {
    const token = await hub.issueToken(name);
    made[name] = {
      token,
      send: (to, payload, more) => hub.ask("POST", "/api/message", { to, payload, ...more }, token),
      publish: (channel, payload, more) => hub.ask("POST", `/api/channels/${channel}/publish`, { payload, ...more }, token),
    };
  }
  return made;
}

/// Opens the view at `address` as the holder of a token.
function enter(hub, token, address, options, visit) {
  return loggedIn(browser, hub, { token, view: address, viewport: desktop, ...options }, visit);
}

const rows = (page) => page.locator(".message-row");
const pane = (page) => page.locator(".split-pane");
const body = (page) => page.locator(".composer textarea");
const previews = (page) => page.locator(".message-preview").allTextContents();
const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute("data-id") ?? document.activeElement?.tagName);

testWithHub("a message is followed through its thread and its channel, and answered", {}, async (hub) => {
  const { alice, bob } = await talkers(hub, "alice", "bob");
  await hub.ask("POST", "/api/channels", { name: "build" });
  const question = await alice.send("bob", { text: "is the build green?" }, { type: "question" });
  const answer = await bob.send("alice", { text: "looking", run: { id: 7, steps: ["fetch", "compile"] } }, { reply_to: question.id });
  await bob.publish("build", { text: "red: a test fails" }, { reply_to: answer.id });
  await alice.send("bob", { text: "something else" });

  await enter(hub, hub.adminToken, "#/messages", {}, async (page) => {
    await rows(page).nth(3).waitFor();
    assert.deepEqual(await previews(page), ["something else", "red: a test fails", "looking", "is the build green?"]);

    await rows(page).nth(2).click();
    await pane(page).getByText("looking").waitFor();
    await pane(page).getByText('"compile"').waitFor();
    await pane(page).getByRole("link", { name: "Thread" }).click();
    await page.getByText("3 messages of 2 agents").waitFor();
    const levels = await page.getByRole("treeitem").evaluateAll((items) => items.map((item) => item.getAttribute("aria-level")));
    assert.deepEqual(levels, ["1", "2", "3"]);
    assert.equal(await page.getByText("something else").count(), 0);

    await page.getByRole("treeitem").nth(2).click();
    await pane(page).getByRole("link", { name: "#build" }).first().click();
    await page.getByRole("heading", { name: "#build", level: 1 }).waitFor();
    await rows(page).first().waitFor();
    await pane(page).getByText("red: a test fails").waitFor();

    await pane(page).getByRole("button", { name: "Answer" }).click();
    assert.equal(await page.getByLabel("To", { exact: true }).inputValue(), "#build");
    await body(page).fill("I will look at it");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Published in #build.").waitFor();
    await eventually(async () => assert.equal((await hub.ask("GET", `/api/threads/${question.id}`)).messages.length, 4));
  });
  const { messages } = await hub.ask("GET", `/api/threads/${question.id}`);
  const mine = messages.at(-1);
  assert.equal(mine.channel, "build");
  assert.equal(mine.payload.text, "I will look at it");
  assert.equal(mine.from, (await hub.ask("GET", "/api/me")).agent_id);
});

testWithHub("messages come by themselves, and wait while somebody reads", {}, async (hub) => {
  const { alice, bob } = await talkers(hub, "alice", "bob");
  const first = await alice.send("bob", { text: "first" });
  await enter(hub, hub.adminToken, "#/messages", {}, async (page) => {
    await rows(page).first().waitFor();
    await bob.send("alice", { text: "second" });
    await eventually(async () => assert.deepEqual(await previews(page), ["second", "first"]));

    await page.keyboard.press("j");
    await eventually(async () => assert.notEqual(await focused(page), "BODY"));
    for (const text of ["third", "fourth", "fifth"]) await alice.send("bob", { text });
    await page.getByRole("button", { name: "3 new messages" }).waitFor();
    assert.deepEqual(await previews(page), ["second", "first"]);
    await page.getByRole("button", { name: "3 new messages" }).click();
    await eventually(async () => assert.deepEqual(await previews(page), ["fifth", "fourth", "third", "second", "first"]));

    await goTo(page, `#/threads/${first.id}`);
    await rows(page).first().waitFor();
    await bob.send("alice", { text: "an answer" }, { reply_to: first.id });
    await eventually(async () => assert.deepEqual(await previews(page), ["first", "an answer"]));

    await hub.ask("POST", "/api/channels", { name: "build" });
    await goTo(page, "#/channels/build");
    await page.getByText("Nothing has been published here.").waitFor();
    await alice.publish("build", { text: "green" });
    await eventually(async () => assert.deepEqual(await previews(page), ["green"]));
  });
});

testWithHub("the history of a channel is read to its beginning, page by page", { AGENTCOM_HISTORY_CHANNEL_MESSAGES: "500" }, async (hub) => {
  const { alice } = await talkers(hub, "alice");
  await hub.ask("POST", "/api/channels", { name: "build" });
  await Promise.all(Array.from({ length: 450 }, (_, i) => alice.publish("build", { text: `build ${i}` })));
  await enter(hub, hub.adminToken, "#/channels/build", {}, async (page) => {
    await rows(page).first().waitFor();
    await eventually(async () => {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      assert.match(await page.locator(".list-end").textContent(), /where the history begins/);
      assert.equal(await rows(page).last().getAttribute("aria-posinset"), "450");
    });
    await rows(page).last().click();
    await pane(page).getByText(/in the channel 1$/).waitFor();
  });
});

testWithHub("an address with a channel that the hub does not know makes no command", {}, async (hub) => {
  await enter(hub, hub.adminToken, "#/channels/x%3Btouch%20pwned", { expected: [notFound] }, async (page) => {
    await page.getByText("This channel is not shown.").waitFor();
    assert.equal((await page.locator("main").textContent()).includes("pwned"), false);
    await hub.ask("POST", "/api/channels", { name: "empty" });
    await goTo(page, "#/channels/empty");
    await page.getByText("agentcom publish empty 'hello'").waitFor();
    await page.getByRole("heading", { name: "#empty" }).waitFor();
  });
});

testWithHub("filters stand in the address, and what they leave is said", {}, async (hub) => {
  const { alice, bob } = await talkers(hub, "alice", "bob");
  await hub.ask("POST", "/api/channels", { name: "build" });
  await alice.send("bob", { text: "Deploy at noon" }, { type: "task" });
  await bob.send("alice", { text: "no deploy today" });
  await bob.publish("build", { text: "green" });
  await enter(hub, hub.adminToken, "#/messages", {}, async (page) => {
    await rows(page).nth(2).waitFor();
    await page.getByLabel("From").fill("bob");
    await eventually(async () => assert.deepEqual(await previews(page), ["green", "no deploy today"]));
    assert.match(page.url(), /#\/messages\?from=bob$/);
    await page.getByLabel("Search text").fill("DEPLOY");
    await eventually(async () => assert.deepEqual(await previews(page), ["no deploy today"]));
    await page.reload();
    await eventually(async () => assert.deepEqual(await previews(page), ["no deploy today"]));
    assert.equal(await page.getByLabel("From").inputValue(), "bob");
    // What comes is filtered, too.
    await alice.send("bob", { text: "deploy of alice" });
    await bob.send("alice", { text: "deploy of bob" });
    await eventually(async () => assert.deepEqual(await previews(page), ["deploy of bob", "no deploy today"]));

    await page.getByLabel("Search text").fill("nowhere");
    await page.getByText("No message fits these filters.").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await eventually(async () => assert.equal(await rows(page).count(), 5));
    assert.match(page.url(), /#\/messages$/);

    await page.getByLabel("Type").fill("task");
    await eventually(async () => assert.deepEqual(await previews(page), ["Deploy at noon"]));
    await page.getByLabel("Type").fill("");
    await page.getByLabel("Channel").fill("#build");
    await eventually(async () => assert.deepEqual(await previews(page), ["green"]));
  });
});

testWithHub("payloads are text, whatever they hold", {}, async (hub) => {
  const { mallory } = await talkers(hub, "mallory");
  const hostile = [
    { text: '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><style>*{display:none}</style>' },
    { text: "**bold** [click](javascript:window.pwned=1) ![x](http://example.invalid/x.png)" },
    { text: "invoice\u202Egnp.exe\u2066 \u200b\u0000\u001b[2J" },
    { html: "<b>x</b>", deep: JSON.parse('{"a":'.repeat(40) + "1" + "}".repeat(40)), id: 1 },
    { text: "z" + "\u0335".repeat(500) + "\n".repeat(5000) + "end" },
    { text: "A".repeat(1_000_000) },
    { list: Array.from({ length: 20_000 }, (_, i) => ({ i, text: "\u202e<b>" })) },
  ];
  for (const payload of hostile) await mallory.send("mallory", payload, { type: "<i>\u202Etype" });
  await enter(hub, hub.adminToken, "#/messages", { viewport: phone }, async (page) => {
    page.on("dialog", () => assert.fail("a dialog was opened"));
    await rows(page).nth(hostile.length - 1).waitFor();
    assert.equal(await widthTooMuch(page), 0);
    for (let i = 0; i < hostile.length; ++i) {
      const payload = hostile[hostile.length - 1 - i];
      await rows(page).nth(i).click();
      const shown = pane(page).locator(".payload");
      await eventually(async () => assert.ok((await shown.textContent()).length > 0));
      assert.equal(await focused(page), "ASIDE", "the message, which covers the list");
      if (payload.text?.startsWith("invoice")) {
        await eventually(async () => assert.match(await shown.textContent(),
          /^invoiceU\+202Egnp\.exeU\+2066 U\+200BU\+0000U\+001B\[2J/));
      }
      if (payload.text?.startsWith("AAA")) {
        const length = async () => (await shown.locator(".payload-text").textContent()).length;
        await eventually(async () => assert.equal(await length(), 4000));
        await shown.getByRole("button", { name: "Show more" }).click();
        await eventually(async () => assert.equal(await length(), 24_000));
      }
      if (payload.list) {
        await shown.getByText("20000 items").click();
        await eventually(async () => assert.equal(
          await shown.locator(".json > .json-branch > .json-members > .json-branch > .json-members > .json-branch").count(), 100));
      }
      assert.equal(await widthTooMuch(page), 0);
      await page.keyboard.press("Escape");
      await pane(page).waitFor({ state: "detached" });
    }
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator("main img, main script, main style, main b, main i").count(), 0);
  });
});

testWithHub("numbers of a payload are shown digit by digit as they were sent", {}, async (hub) => {
  const { alice } = await talkers(hub, "alice");
  const answer = await fetch(`${hub.url}/api/message`, {
    method: "POST",
    headers: { Authorization: `Bearer ${alice.token}`, "Content-Type": "application/json" },
    body: '{"to":"bob","payload":{"order":12345678901234567890,"half":0.50}}',
  });
  assert.equal(answer.status, 200);
  await enter(hub, hub.adminToken, `#/messages?id=${(await answer.json()).id}`, {}, async (page) => {
    await pane(page).getByText("12345678901234567890").waitFor();
    await pane(page).getByText("0.5", { exact: true }).waitFor();
  });
});

testWithHub("everything is done by keyboard: go, search, move, open, answer, close", {}, async (hub) => {
  const { alice } = await talkers(hub, "alice");
  for (const text of ["one", "two", "three"]) await alice.send("bob", { text });
  await enter(hub, hub.adminToken, "#/overview", {}, async (page) => {
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    await rows(page).nth(2).waitFor();
    const idOf = (i) => rows(page).nth(i).getAttribute("data-id");

    await page.keyboard.press("j");
    await eventually(async () => assert.equal(await focused(page), await idOf(0)));
    await page.keyboard.press("j");
    await eventually(async () => assert.equal(await focused(page), await idOf(1)));
    await page.keyboard.press("k");
    await eventually(async () => assert.equal(await focused(page), await idOf(0)));
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await pane(page).locator(".payload").getByText("two").waitFor();

    await page.keyboard.press("r");
    await eventually(async () => assert.equal(await focused(page), "TEXTAREA"));
    await page.keyboard.type("jk answer");
    await page.keyboard.press("Escape");
    await body(page).waitFor({ state: "detached" });
    await page.keyboard.press("r");  // what was written is still there
    await eventually(async () => assert.equal(await focused(page), "TEXTAREA"));
    assert.equal(await body(page).inputValue(), "jk answer");
    await page.keyboard.press("Control+Enter");
    await page.getByText("waits in the mailbox of alice").waitFor();

    await page.keyboard.press("Escape");
    await pane(page).waitFor({ state: "detached" });
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await page.keyboard.type("jk");
    await eventually(async () => assert.deepEqual(await previews(page), ["jk answer"]));

    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("t");
    await page.getByText("2 messages of 2 agents").waitFor();
    await rows(page).first().press("ArrowLeft");
    await page.getByText("1 answer", { exact: true }).waitFor();
    await rows(page).first().press("ArrowRight");
    await eventually(async () => assert.equal(await rows(page).count(), 2));

    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.getByRole("heading", { name: "Channels", level: 1 }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByRole("heading", { name: "Who talks to whom", level: 1 }).waitFor();
  });
  const [mine] = (await hub.ask("GET", "/api/messages?to=alice")).messages;
  assert.equal(mine.payload.text, "jk answer");
});

testWithHub("a person writes to an agent, to a channel and to everyone, and is told what is wrong", {}, async (hub) => {
  const { alice } = await talkers(hub, "alice", "bob");
  await hub.ask("POST", "/api/channels", { name: "build" });
  await enter(hub, alice.token, "#/messages?write=bob", { expected: [notFound] }, async (page) => {
    const to = page.getByLabel("To", { exact: true }).last();
    const text = body(page);
    await text.waitFor();
    assert.equal(await to.inputValue(), "bob");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("There is nothing to send yet.").waitFor();
    await text.fill("hello bob");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("waits in the mailbox of bob").waitFor();

    await page.getByRole("button", { name: "Write" }).click();
    await to.fill("nobdy");
    await page.getByText("Nobody called nobdy has been active here").waitFor();
    await to.fill("#nowhere");
    await text.fill("hello?");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("alert").getByText("there is no such channel").waitFor();
    await to.fill("#build");
    await page.getByLabel("Payload as JSON").check();
    await text.fill("[1]");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("The payload of a channel's message is an object").waitFor();
    await text.fill('{"n": 1, "id": 12345678901234567890}');
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Published in #build.").waitFor();
    await page.getByRole("button", { name: "Show it" }).click();
    await pane(page).getByText("12345678901234567890").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Write" }).click();
    await to.fill("broadcast");
    await text.fill("hello all");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Sent to everyone.").waitFor();
  });
  const { messages } = await hub.ask("GET", "/api/messages");
  assert.deepEqual(messages.map(({ from, to, channel, payload }) => [from, to, channel, payload]), [
    ["alice", "bob", undefined, { text: "hello bob" }],
    ["alice", null, "build", { n: 1, id: 12345678901234567890 }],
    ["alice", "broadcast", undefined, { text: "hello all" }],
  ]);
});

testWithHub("a message that was written while the hub was away is sent once it is back, and once only", {}, async (hub) => {
  const { alice } = await talkers(hub, "alice", "bob");
  await alice.send("bob", { text: "before" });
  await enter(hub, alice.token, "#/messages", { expected: [unreachable] }, async (page) => {
    await rows(page).first().waitFor();
    await hub.stop();
    await state(page, "Not connected");
    assert.deepEqual(await previews(page), ["before"], "what was known stays");
    await page.keyboard.press("c");
    await page.getByLabel("To", { exact: true }).last().fill("bob");
    await body(page).fill("after");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("alert").getByText("The hub cannot be reached.").waitFor();
    await hub.restart();
    await page.getByRole("button", { name: "Try now" }).click();
    await state(page, "Live");
    // The hub stores it, and the answer is lost.
    let stored = 0;
    await page.route("**/api/message", async (route) => {
      stored = (await route.fetch()).status();
      await route.abort();
    }, { times: 1 });
    await page.getByRole("button", { name: "Send" }).click();
    await eventually(async () => assert.equal(stored, 200));
    await page.getByRole("alert").getByText("it is stored once").waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("waits in the mailbox of bob").waitFor();
    await page.keyboard.press("n");
    await eventually(async () => assert.deepEqual(await previews(page), ["after", "before"]));
  });
  const { messages } = await hub.ask("GET", "/api/messages");
  assert.deepEqual(messages.map(({ payload }) => payload.text), ["before", "after"]);
});

testWithHub("a view that failed while the hub was away is filled by itself when it is back", {}, async (hub) => {
  const { alice } = await talkers(hub, "alice", "bob");
  await alice.send("bob", { text: "still here" });
  await enter(hub, hub.adminToken, "#/overview", { expected: [unreachable] }, async (page) => {
    await hub.stop();
    await state(page, "Not connected");
    await goTo(page, "#/messages");
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await hub.restart();
    await rows(page).getByText("still here").waitFor();
    assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
  });
});

testWithHub("rights: an observer reads and is not offered to send, an agent sees what concerns it", {}, async (hub) => {
  const { alice, bob, carol } = await talkers(hub, "alice", "bob", "carol");
  const question = await alice.send("carol", { text: "for carol" });
  await alice.send("bob", { text: "for bob" });
  const { token } = await hub.ask("POST", "/admin/tokens", { agent_id: "watcher", role: "observer" });
  await enter(hub, token, "#/messages", {}, async (page) => {
    await rows(page).nth(1).waitFor();
    await page.getByText("An observer's token reads and does not send.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Write" }).count(), 0);
    await rows(page).first().click();
    await pane(page).getByText("which reads and does not send").waitFor();
    assert.equal(await page.getByRole("button", { name: "Answer" }).count(), 0);
    await page.keyboard.press("r");
    await page.keyboard.press("c");
    assert.equal(await page.locator(".composer").count(), 0);
  });
  await enter(hub, bob.token, "#/messages", {}, async (page) => {
    await rows(page).first().waitFor();
    assert.deepEqual(await previews(page), ["for bob"]);
    await goTo(page, "#/map");
    await page.getByText("This picture is for observers and administrators.").waitFor();
    await goTo(page, "#/channels");
    await page.getByText("No channels yet.").waitFor();
  });
  // Of a thread an agent sees its part, and that something is missing.
  const hidden = await carol.send("dave", { text: "for dave" }, { reply_to: question.id });
  await carol.send("alice", { text: "for alice" }, { reply_to: hidden.id });
  await enter(hub, alice.token, `#/threads/${question.id}`, {}, async (page) => {
    await rows(page).nth(1).waitFor();
    assert.deepEqual(await previews(page), ["for carol", "for alice"]);
    await rows(page).nth(1).getByText("answers a message that is not shown").waitFor();
  });
});

testWithHub("who talks to whom is a picture and a table that lead to the messages", {}, async (hub) => {
  const { alice, bob } = await talkers(hub, "alice", "bob");
  await hub.ask("POST", "/api/channels", { name: "build" });
  await enter(hub, hub.adminToken, "#/map", {}, async (page) => {
    await page.clock.install();
    await page.reload();
    await page.getByText("Nobody sent anything in this time.").waitFor();
    for (let i = 0; i < 3; ++i) await alice.send("bob", { text: `question ${i}` });
    await bob.send("alice", { text: "an answer" });
    await bob.publish("build", { text: "news" });
    await page.clock.fastForward(11_000);
    await page.getByText("3 pairs, the busiest first").waitFor();
    assert.equal(await page.locator("svg .cell").count(), 3);
    assert.equal(await page.locator("svg .cell.level-5").count(), 1);
    const lines = await page.locator(".pairs tbody tr").evaluateAll((found) => found.map(({ cells }) =>
      [...cells].slice(0, 3).map((cell) => cell.textContent.trim()).join(" ")));
    assert.equal(lines[0], "alice bob 3");
    assert.deepEqual(lines.sort(), ["alice bob 3", "bob #build 1", "bob alice 1"]);

    await page.getByLabel("15 min").check();
    assert.match(page.url(), /period=15min/);
    await page.getByRole("link", { name: "3 messages from alice to bob" }).click();
    await eventually(async () => assert.deepEqual(await previews(page), ["question 2", "question 1", "question 0"]));
  });
});

testWithHub("every view of conversations is clean to axe, in both schemes, wide and narrow", {}, async (hub) => {
  const { alice, bob } = await talkers(hub, "alice", "bob");
  const check = async (page, what) => {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`), [], what);
    assert.equal(await widthTooMuch(page), 0, what);
  };
  await enter(hub, hub.adminToken, "#/messages", { expected: [notFound] }, async (page) => {
    for (const [address, text] of [["#/messages", "No messages yet."], ["#/channels", "No channels yet."],
      ["#/map", "Nobody sent anything"], ["#/threads/none", "This thread is not shown."]]) {
      await goTo(page, address);
      await page.getByText(text).waitFor();
      await check(page, `empty ${address}`);
    }
  });
  await hub.ask("POST", "/api/channels", { name: "build", description: "What the build says" });
  const question = await alice.send("bob", { text: "is it \u202Egreen?", more: { run: [1, 2, true, null, "x"] } }, { type: "question" });
  await bob.publish("build", { text: "yes" }, { reply_to: question.id });
  for (const [colorScheme, viewport] of [["light", desktop], ["dark", phone]]) {
    await enter(hub, hub.adminToken, "#/messages", { colorScheme, viewport }, async (page) => {
      const what = `${colorScheme} ${viewport.width}`;
      await rows(page).nth(1).waitFor();
      await check(page, `messages ${what}`);
      await rows(page).nth(1).click();
      await pane(page).locator(".payload").waitFor();
      await check(page, `message ${what}`);
      await page.keyboard.press("r");
      await page.locator(".composer").waitFor();
      await page.getByRole("button", { name: "Send" }).click();
      await check(page, `answer ${what}`);
      await goTo(page, "#/channels");
      await page.locator(".channel-row").waitFor();
      await check(page, `channels ${what}`);
      await goTo(page, "#/channels/build");
      await rows(page).first().waitFor();
      await check(page, `channel ${what}`);
      await goTo(page, `#/threads/${question.id}`);
      await rows(page).nth(1).waitFor();
      await check(page, `thread ${what}`);
      await goTo(page, "#/map");
      await page.locator(".pairs").waitFor();
      await check(page, `map ${what}`);
    });
  }
});

testWithHub("ten thousand messages scroll, move and open within 100 ms", {}, async (hub) => {
  const alice = await hub.connect("alice");
  await Promise.all(Array.from({ length: 10_000 }, (_, i) =>
    alice.send("bob", { text: `message ${i + 1} with some words to fill its line` })));
  await enter(hub, hub.adminToken, "#/messages", {}, async (page) => {
    await rows(page).first().waitFor();
    await eventually(async () => {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      assert.match(await page.locator(".list-end").textContent(), /where the history begins/);
    });
    const count = Number(await rows(page).last().getAttribute("aria-setsize"));
    assert.ok(count >= 9_999, `${count} rows`);
    assert.ok(await rows(page).count() < 100, "only rows near the window are in the page");

    // From the key or the scroll until the page has been drawn.
    const times = await page.evaluate(async () => {
      const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      const measure = async (act) => {
        const start = performance.now();
        act();
        await drawn();
        return performance.now() - start;
      };
      const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      const found = { scroll: [], key: [], open: [] };
      for (let i = 0; i < 20; ++i) found.scroll.push(await measure(() => scrollTo(0, (i * 7919) % 10_000 * 50)));
      for (let i = 0; i < 20; ++i) found.key.push(await measure(() => press("j")));
      for (let i = 0; i < 10; ++i) found.open.push(await measure(() => document.querySelectorAll(".message-row")[i + 3].click()));
      return found;
    });
    for (const [what, each] of Object.entries(times)) {
      each.sort((a, b) => a - b);
      const most = each[Math.floor(each.length * 0.9)];
      assert.ok(most < 100, `${what}: ${each.map(Math.round)} ms`);
    }
  });
});
