// What an agent does when the hub, the network or its own life goes wrong.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import {
  AuthenticationError, RateLimitedError, ReplacedError, RequestTimeoutError, TokenRevokedError, UnavailableError,
} from "../src/index.js";
import { Hub, keeper, listener, patienceMs, within } from "./hub.js";

const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);
const sorted = (numbers) => numbers.toSorted((a, b) => a - b);

/// A hub for the tests of one suite.
function sharedHub(settings) {
  const shared = {};
  before(async () => {
    shared.hub = await Hub.start(settings);
  });
  after(() => shared.hub.remove());
  return shared;
}

function started(client, handler) {
  client.running = client.run(handler);
  client.running.catch(() => {});
  return client;
}

describe("the hub is killed or stopped, and comes back", () => {
  const shared = sharedHub();

  for (const transport of ["websocket", "poll"]) {
    test(`nothing is lost or doubled over ${transport}`, async () => {
      const { hub } = shared;
      const [sender, receiver, inbox, down] = [await hub.agent(), await hub.agent(), keeper(), listener()];
      started(hub.client(receiver, { transport }), inbox);
      const client = hub.client(sender, { transport, onEvent: down });
      await client.connect();
      let sent = 0;
      for (const end of ["kill", "terminate", "kill"]) {
        // Sends are under way while the hub ends, and begin while it is down.
        const underWay = range(sent, sent + 10).map((n) => client.send(receiver.id, n));
        await hub[end]();
        await down.next("disconnected");
        const during = range(sent + 10, sent + 20).map((n) => client.send(receiver.id, n));
        await hub.start();
        await within(Promise.all([...underWay, ...during]));
        sent += 20;
      }
      const handled = await inbox.enough(60);
      assert.deepEqual(sorted(handled), range(0, 60));
      assert.deepEqual(sorted(await hub.stored(sender)), range(0, 60));
      if (transport === "websocket") assert.deepEqual(handled, range(0, 60));
    });
  }

  test("a program may start before its hub", async () => {
    const { hub } = shared;
    const agent = await hub.agent();
    await hub.terminate();
    const hasty = hub.client(agent, { connectTimeout: 1000 });
    await assert.rejects(hasty.connect(), (error) => {
      assert.ok(error instanceof UnavailableError && error.retry);
      assert.match(error.message, new RegExp(`${hub.url}.*ECONNREFUSED.*1 s`));
      return true;
    });
    // Who waits for its hub can be stopped.
    const givenUp = hub.client(agent, { connectTimeout: Infinity });
    const run = givenUp.run(() => {});
    givenUp.stop();
    await within(run);
    const connecting = hub.client(agent, { connectTimeout: Infinity }).connect();
    await hub.start();
    await within(connecting);
  });

  test("a send without a hub gives its key back", async () => {
    const { hub } = shared;
    const receiver = await hub.agent();
    const client = hub.client(await hub.agent(), { requestTimeout: 500 });
    await client.connect();
    await hub.kill();
    const error = await client.send(receiver.id, "once").catch((caught) => caught);
    assert.ok(error instanceof RequestTimeoutError);
    await hub.start();
    await client.send(receiver.id, "once", { idempotencyKey: error.idempotencyKey, timeout: patienceMs });
    assert.deepEqual(await hub.unread(receiver), ["once"]);
  });
});

describe("the store is another one", () => {
  const adminToken = "ab".repeat(32);
  const shared = sharedHub({ AGENTCOM_ADMIN_TOKEN: adminToken });

  for (const transport of ["websocket", "poll"]) {
    test(`positions are forgotten over ${transport}`, async () => {
      const { hub } = shared;
      const admin = { id: "admin", token: adminToken };
      const [inbox, onEvent] = [keeper(), listener()];
      const client = started(hub.client(admin, { transport, onEvent, pollWait: 1000 }), inbox);
      let friend = await hub.issueToken("friend");
      for (const n of [0, 1, 2]) await hub.send("admin", n, friend);
      await inbox.enough(3);
      const old = client.position;
      await hub.kill();
      await onEvent.next("disconnected");
      hub.forgetEverything();
      await hub.start();
      // The numbers of the new store begin again: this one has a seq that was seen.
      friend = await hub.issueToken("friend");
      await hub.send("admin", "new", friend);
      assert.equal((await inbox.enough(4))[3], "new");
      assert.ok(inbox.messages[3].seq <= inbox.messages[2].seq);
      await client.close();
      assert.notEqual(client.position.epoch, old.epoch);
      assert.deepEqual(await hub.unread(admin), []);
    });
  }
});

describe("connections break", () => {
  const shared = sharedHub();

  for (const transport of ["websocket", "poll"]) {
    test(`an answer that is lost is asked for again over ${transport}`, async () => {
      const { hub } = shared;
      const [receiver, relay] = [await hub.agent(), await hub.relay()];
      const client = hub.client(await hub.agent(), { url: relay.url, transport });
      await client.connect();
      relay.dropAnswersTo = "only-once";
      assert.ok((await within(client.send(receiver.id, "only-once"))).seq > 0);
      assert.equal(relay.dropped, 1);
      assert.deepEqual(await hub.unread(receiver), ["only-once"]);
      await client.close();
      });
  }

  test("what comes twice is handled once", async () => {
    const { hub } = shared;
    const [receiver, relay, inbox, begun, onEvent] = [await hub.agent(), await hub.relay(), keeper(), keeper(), listener()];
    let release;
    const released = new Promise((resolve) => {
      release = resolve;
    });
    const client = started(hub.client(receiver, { url: relay.url, onEvent }), async (message) => {
      begun(message);
      await released;
      inbox(message);
    });
    await onEvent.next("connected");
    for (const n of [0, 1]) await hub.send(receiver.id, n);
    await begun.enough(1);
    // Neither was acknowledged, so the hub pushes both again.
    relay.cut();
    await onEvent.next("connected");
    await client.agents();
    release();
    await hub.send(receiver.id, 2);
    assert.deepEqual(await inbox.enough(3), [0, 1, 2]);
    await client.close();
    assert.deepEqual(await hub.unread(receiver), []);
  });

  test("subscriptions and the status survive", async () => {
    const { hub } = shared;
    const [receiver, relay, inbox, onEvent] = [await hub.agent(), await hub.relay(), keeper(), listener()];
    const client = started(hub.client(receiver, { url: relay.url, onEvent }), inbox);
    await onEvent.next("connected");
    await client.createChannel("survivors");
    await client.subscribe("survivors");
    await client.setStatus("working");
    relay.cut();
    const other = hub.client(await hub.agent());
    await other.connect();
    await other.publish("survivors", { n: 1 });
    assert.deepEqual(await inbox.enough(1), [{ n: 1 }]);
    await client.agents();
    assert.equal((await other.agents()).find(({ agentId }) => agentId === receiver.id).status, "working");
    await client.close();
  });

  test("a hub that does not answer any more is left", async () => {
    const { hub } = shared;
    const [relay, onEvent] = [await hub.relay(), listener()];
    const client = hub.client(await hub.agent(), { url: relay.url, onEvent, heartbeat: 50 });
    await client.connect();
    relay.swallow = true;
    assert.match((await onEvent.next("disconnected")).reason, /does not answer/);
    relay.swallow = false;
    await onEvent.next("connected");
    await client.close();
  });

  test("polling when WebSocket is blocked, and back again", async () => {
    const { hub } = shared;
    const [sender, receiver, relay] = [await hub.agent(), await hub.agent(), await hub.relay()];
    const [inbox, onEvent] = [keeper(), listener()];
    relay.refuseUpgrades = true;
    const client = started(
      hub.client(receiver, { url: relay.url, onEvent, webSocketRetry: 200, pollWait: 1000 }), inbox);
    assert.match((await onEvent.next("polling")).reason, /403/);
    assert.equal((await onEvent.next("connected")).transport, "poll");
    for (const n of range(0, 10)) await hub.send(receiver.id, n);
    await client.send(sender.id, "over HTTP");
    relay.refuseUpgrades = false;
    while ((await onEvent.next("connected")).transport !== "websocket");
    for (const n of range(10, 20)) await hub.send(receiver.id, n);
    assert.deepEqual(await inbox.enough(20), range(0, 20));
    assert.deepEqual(await hub.unread(sender), ["over HTTP"]);
    await client.close();
  });
});

describe("ends that are final", () => {
  const shared = sharedHub();

  test("a newer connection takes over for good", async () => {
    const { hub } = shared;
    const [agent, onEvent, inbox] = [await hub.agent(), listener(), keeper()];
    const first = started(hub.client(agent, { onEvent }), () => {});
    await onEvent.next("connected");
    started(hub.client(agent), inbox);
    const error = await within(first.running).catch((caught) => caught);
    assert.ok(error instanceof ReplacedError);
    assert.deepEqual([error.code, error.retry], ["replaced", false]);
    await assert.rejects(first.send("x", 1), ReplacedError);
    await hub.send(agent.id, "for the newer one");
    await inbox.enough(1);
    assert.deepEqual(onEvent.seen, ["connected", "disconnected"]);
  });

  for (const transport of ["websocket", "poll"]) {
    test(`a revoked token ends it over ${transport}`, async () => {
      const { hub } = shared;
      const [agent, onEvent] = [await hub.agent(), listener()];
      const client = started(hub.client(agent, { transport, onEvent, pollWait: 1000 }), () => {});
      await onEvent.next("connected");
      await hub.ask("DELETE", `/admin/tokens/${agent.id}`);
      const error = await within(client.running).catch((caught) => caught);
      assert.ok(error instanceof TokenRevokedError, String(error));
    });

    test(`a token that is not taken is told at once over ${transport}`, async () => {
      const { hub } = shared;
      const [agent, other] = [await hub.agent(), await hub.agent()];
      for (const token of ["0".repeat(64), other.token]) {
        await assert.rejects(hub.client({ id: agent.id, token }, { transport }).connect(), AuthenticationError);
      }
    });
  }

  test("the example answers and ends on a signal", async () => {
    const { hub } = shared;
    const echo = await hub.agent("echo");
    const example = fileURLToPath(new URL("../../../examples/js/echo_agent.mjs", import.meta.url));
    const child = spawn(process.execPath, [example, echo.id], {
      env: { AGENTCOM_URL: hub.url, AGENTCOM_TOKEN: echo.token }, stdio: "inherit",
    });
    const exit = once(child, "exit");
    const client = hub.client(await hub.agent());
    await client.connect();
    const answer = await client.request(echo.id, { hello: [1] }, { timeout: patienceMs });
    assert.deepEqual([answer.payload, answer.type], [{ hello: [1] }, "echo"]);
    child.kill("SIGTERM");
    assert.deepEqual(await within(exit), [0, null]);
    assert.deepEqual(await hub.unread(echo), []);
  });
});

test("TLS: the hub's certificate must be known", async () => {
  const directory = mkdtempSync(join(tmpdir(), "agentcom-js-tls-"));
  const [certificate, key] = [join(directory, "certificate.pem"), join(directory, "key.pem")];
  execFileSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
  ], { stdio: "ignore" });
  const hub = await Hub.start({
    AGENTCOM_TLS_CERTIFICATE: certificate, AGENTCOM_TLS_PRIVATE_KEY: key, AGENTCOM_ADMIN_TOKEN: "ab".repeat(32),
  });
  try {
    const program = `
      import { Client } from ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)};
      for (const transport of ["auto", "poll"]) {
        const client = new Client(process.argv[1], "admin", process.argv[2], { transport });
        try {
          await client.connect();
          console.log((await client.send("admin", 1)).status);
          await client.close();
        } catch (error) {
          console.log(error.code, error.retry);
        }
      }`;
    const output = async (environment) => {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", program, hub.url, hub.adminToken],
        { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      child.stdout.on("data", (data) => {
        text += data;
      });
      await within(once(child, "close"), "end of the program");
      return text;
    };
    const [known, unknown] = await Promise.all([output({ NODE_EXTRA_CA_CERTS: certificate }), output({})]);
    assert.equal(known, "delivered\nqueued\n");
    assert.equal(unknown, "untrusted_certificate false\nuntrusted_certificate false\n");
  } finally {
    await hub.remove();
    rmSync(directory, { recursive: true });
  }
});

describe("limits", () => {
  const shared = sharedHub({
    AGENTCOM_LIMITS_MESSAGES_PER_SECOND: "5",
    AGENTCOM_LIMITS_MESSAGE_BURST: "5",
    AGENTCOM_LIMITS_RATE_WARNINGS: "3",
    AGENTCOM_MAILBOX_CAP: "10",
  });

  for (const transport of ["websocket", "poll"]) {
    test(`sends over the rate wait for their turn over ${transport}`, async () => {
      const { hub } = shared;
      const [sender, receiver] = [await hub.agent(), await hub.agent()];
      const client = hub.client(sender, { transport, backoff: [100, 500] });
      await client.connect();
      await within(Promise.all(range(0, 12).map((n) => client.send(receiver.id, n))));
      assert.deepEqual(sorted(await hub.stored(sender)), range(0, 12));
    });

    test(`what the mailbox lost is told over ${transport}`, async () => {
      const { hub } = shared;
      const receiver = await hub.agent();
      for (const sender of [await hub.agent(), await hub.agent(), await hub.agent()]) {
        for (const n of range(0, 4)) await hub.send(receiver.id, n, sender.token);
      }
      const onEvent = listener();
      await hub.client(receiver, { transport, onEvent }).connect();
      assert.equal((await onEvent.next("connected")).truncated, true);
      await onEvent.next("truncated");
    });

    test(`a loss of everything is settled over ${transport}`, async () => {
      const { hub } = shared;
      const [sender, receiver] = [await hub.agent(), await hub.agent()];
      await hub.send(receiver.id, "gone", sender.token);
      const setting = "/api/config/mailbox-retention";
      const usual = await hub.ask("GET", setting);
      await hub.ask("PUT", setting, { mailbox_ttl_ms: 1 });
      while ((await hub.unread(receiver)).length > 0);
      await hub.ask("POST", "/api/mailbox/evict", {});
      await hub.ask("PUT", setting, usual);
      const mailbox = () => hub.ask("GET", `/api/mailbox/${receiver.id}`, undefined, receiver.token);
      assert.equal((await mailbox()).truncated, true);
      const onEvent = listener();
      const client = hub.client(receiver, { transport, onEvent });
      await client.connect();
      await onEvent.next("truncated");
      await client.close();
      assert.equal((await mailbox()).truncated, undefined);
    });
  }

  test("a send that may not wait is refused", async () => {
    const { hub } = shared;
    const client = hub.client(await hub.agent(), { transport: "poll" });
    await client.connect();
    let error;
    // A machine that is slow enough answers none of them in time.
    for (let attempt = 0; error === undefined && attempt < 20; attempt += 1) {
      const results = await Promise.allSettled(range(0, 40).map((n) => client.send("x", n, { timeout: 900 })));
      error = results.map(({ reason }) => reason).find((reason) => reason instanceof RateLimitedError);
    }
    // The hub asks for a second, which these calls do not have.
    assert.deepEqual([error.code, error.status, error.retry, error.retryAfter], ["rate_limited", 429, true, 1000]);
    assert.ok(error.idempotencyKey);
  });

  test("a reset of the hub is survived", async () => {
    const { hub } = shared;
    const onEvent = listener();
    const client = hub.client(await hub.agent(), { onEvent });
    await client.connect();
    await hub.ask("POST", "/api/admin/reset", {});
    assert.match((await onEvent.next("disconnected")).reason, /1001/);
    await onEvent.next("connected");
    await client.agents();
  });
});
