// What an agent does with a hub that is well, over either transport.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import {
  ClosedError, ConflictError, InvalidRequestError, NotFoundError, PermissionDeniedError, RequestTimeoutError, TooLargeError,
} from "../src/index.js";
import { Hub, keeper, listener, within } from "./hub.js";

let hub;
before(async () => {
  hub = await Hub.start();
});
after(() => hub.remove());

/// Rejects like the promise, which must reject with this class, and gives the error.
async function failure(promise, Kind) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof Kind, `${Kind.name} expected: ${error.stack}`);
    return error;
  }
  assert.fail(`${Kind.name} expected`);
}

for (const transport of ["websocket", "poll"]) {
  describe(`over ${transport}`, () => {
    const connected = async (agent, options) => {
      const client = hub.client(agent ?? (await hub.agent()), { transport, ...options });
      await client.connect();
      return client;
    };
    const running = async (agent, handler, options) => {
      const client = hub.client(agent, { transport, ...options });
      client.running = client.run(handler);
      client.running.catch(() => {});
      return client;
    };

    test("a message arrives as it was sent", async () => {
      const [sender, receiver, inbox] = [await hub.agent(), await hub.agent(), keeper()];
      await running(receiver, inbox);
      const client = await connected(sender);
      const payload = { text: "grüße 🚀", list: [1, 2.5, null, true], "": {} };
      const sent = await client.send(receiver.id, payload, { type: "task", replyTo: "x" });
      await inbox.enough(1);
      const { timestamp, ...got } = inbox.messages[0];
      assert.ok(timestamp > 0);
      assert.deepEqual(got, {
        id: sent.id, seq: sent.seq, from: sender.id, to: receiver.id, type: "task", replyTo: "x", payload,
        channel: null, channelSeq: null,
      });
      assert.equal(client.transport, transport);
      const { status } = await client.send("broadcast", 7);
      assert.equal(status, "broadcast");
      assert.equal((await inbox.enough(2))[1], 7);
    });

    test("a request gets its answer, also inside a handler", async () => {
      const [asker, middle, last] = [await hub.agent(), await hub.agent(), await hub.agent()];
      const passedOn = keeper();
      const lastClient = await running(last, (message) => lastClient.reply(message, message.payload * 2));
      const middleClient = await running(middle, async (message) => {
        passedOn(message);
        const answer = await middleClient.request(last.id, message.payload + 1);
        await middleClient.reply(message, answer.payload);
      });
      const client = await connected(asker);
      const answers = [];
      for (const n of [0, 1, 2]) answers.push((await client.request(middle.id, n)).payload);
      assert.deepEqual(answers, [2, 4, 6]);
      // The answers went to who waited for them, not to the handler, and were acknowledged.
      assert.deepEqual(passedOn.payloads(), [0, 1, 2]);
      await client.close();
      assert.deepEqual(await hub.unread(asker), []);
    });

    test("an unanswered request says so", async () => {
      const client = await connected();
      const silent = await hub.agent();
      const error = await failure(client.request(silent.id, 1, { timeout: 1000 }), RequestTimeoutError);
      assert.match(error.message, /did not answer/);
    });

    test("channels", async () => {
      const inbox = keeper();
      const channel = `Room-${transport}`;
      const name = channel.toLowerCase();
      const reading = await running(await hub.agent(), inbox);
      await reading.connect();
      const client = await connected();
      await failure(client.publish(channel, { n: 0 }), NotFoundError);
      assert.equal(await client.createChannel(channel, "a room"), channel);
      await failure(client.createChannel(channel), ConflictError);
      assert.equal(await reading.subscribe(channel), true);
      assert.equal(await reading.subscribe(channel), false);
      for (const n of [1, 2, 3]) {
        const published = await client.publish(channel, { n });
        assert.equal(published.seq, n);
        assert.equal(published.channel.toLowerCase(), name);
      }
      assert.deepEqual(await inbox.enough(3), [{ n: 1 }, { n: 2 }, { n: 3 }]);
      assert.equal(inbox.messages[2].channel, name);
      assert.equal(inbox.messages[2].channelSeq, 3);
      const error = await failure(client.publish(channel, "no object"), InvalidRequestError);
      assert.equal(error.code, "invalid_payload");
      assert.ok(error.idempotencyKey);
      const found = async () => (await client.channels()).find((one) => one.name === name);
      assert.equal((await found()).description, "a room");
      assert.equal((await found()).subscriberCount, 1);
      await reading.unsubscribe(channel);
      assert.equal((await found()).subscriberCount, 0);
      await failure(reading.deleteChannel(channel), PermissionDeniedError);
      await client.deleteChannel(channel);
      assert.equal(await found(), undefined);
    });

    test("history is read page by page", async () => {
      const channel = `history-${transport}`;
      const client = await connected();
      await client.createChannel(channel);
      for (let n = 1; n <= 7; n += 1) await client.publish(channel, { n });
      const numbers = (messages) => messages.map(({ payload }) => payload.n);
      assert.deepEqual(numbers((await client.history(channel, { limit: 2 })).messages), [6, 7]);
      const first = await client.history(channel, { since: 0, limit: 3 });
      assert.deepEqual(numbers(first.messages), [1, 2, 3]);
      const second = await client.history(channel, { since: first.cursor, limit: 3 });
      assert.deepEqual(second.messages.map(({ channelSeq }) => channelSeq), [4, 5, 6]);
      assert.deepEqual(await client.history(channel, { since: 7 }), { messages: [], cursor: 7 });
      const every = [];
      for await (const message of client.iterHistory(channel, { since: 1, page: 2 })) every.push(message);
      assert.deepEqual(numbers(every), [2, 3, 4, 5, 6, 7]);
    });

    test("one key is one message", async () => {
      const receiver = await hub.agent();
      const client = await connected();
      const first = await client.send(receiver.id, 1, { idempotencyKey: "k" });
      const again = await client.send(receiver.id, 1, { idempotencyKey: "k" });
      assert.equal(first.id, again.id);
      const error = await failure(client.send(receiver.id, 2, { idempotencyKey: "k" }), ConflictError);
      assert.equal(error.code, "idempotency_conflict");
      assert.deepEqual(await hub.unread(receiver), [1]);
    });

    test("refusals have a class, a code and a field", async () => {
      const client = await connected();
      const error = await failure(client.send("no agent id\n", 1), InvalidRequestError);
      assert.deepEqual([error.name, error.code, error.field, error.retry], ["InvalidRequestError", "invalid_recipient", "to", false]);
      for (const nobody of [undefined, null, ""]) {
        assert.equal((await failure(client.send(nobody, "not to everyone"), InvalidRequestError)).code, "invalid_recipient");
      }
      assert.equal((await failure(client.send("x"), InvalidRequestError)).code, "missing_field");
      assert.equal((await failure(client.send("x", NaN), InvalidRequestError)).code, "invalid_json");
      assert.equal((await failure(client.send("x", 1n), InvalidRequestError)).code, "invalid_json");
    });

    test("large messages pass and too large ones are refused", async () => {
      const [receiver, inbox] = [await hub.agent(), keeper()];
      await running(receiver, inbox);
      const client = await connected();
      const text = "ü".repeat(500_000);
      await Promise.all([0, 1, 2, 3].map((n) => client.send(receiver.id, n + text)));
      assert.deepEqual((await inbox.enough(4)).map(({ length }) => length), [500_001, 500_001, 500_001, 500_001]);
      const error = await failure(client.send(receiver.id, "x".repeat(1_100_000)), TooLargeError);
      assert.equal(error.code, "body_too_large");
      await client.send(receiver.id, "the connection is still there");
      assert.equal((await inbox.enough(5))[4], "the connection is still there");
    });

    test("an answer larger than the client takes is an error", async () => {
      const channel = `large-${transport}`;
      const client = await connected(undefined, { maxIncomingBytes: 300_000 });
      await client.createChannel(channel);
      for (let n = 0; n < 4; n += 1) await client.publish(channel, { text: "x".repeat(100_000) });
      await failure(client.history(channel), TooLargeError);
      assert.equal((await client.history(channel, { limit: 2 })).messages.length, 2);
    });

    test("what is acknowledged is what was handled", async () => {
      const receiver = await hub.agent();
      await hub.send(receiver.id, 1);
      await hub.send(receiver.id, 2);
      let release;
      const started = keeper();
      const client = await running(receiver, async (message) => {
        started(message);
        if (message.payload === 2) {
          await new Promise((resolve) => {
            release = resolve;
          });
        }
      });
      await started.enough(2);
      // Closing waits for the handler, and for its acknowledgement.
      const closing = client.close();
      release();
      await within(closing);
      await within(client.running);
      assert.deepEqual(await hub.unread(receiver), []);
    });

    test("a handler that fails leaves its message unread", async () => {
      const receiver = await hub.agent();
      for (const n of [1, 2, 3]) await hub.send(receiver.id, n);
      const failAtTwo = ({ payload }) => {
        if (payload === 2) throw new RangeError("not today");
      };
      await failure(within(hub.client(receiver, { transport }).run(failAtTwo)), RangeError);
      assert.deepEqual(await hub.unread(receiver), [2, 3]);
      const [seen, failed] = [keeper(), keeper()];
      const client = hub.client(receiver, { transport });
      const run = client.run((message) => {
        seen(message);
        failAtTwo(message);
      }, { onError: failed });
      await seen.enough(2);
      client.stop();
      await within(run);
      assert.deepEqual([seen.payloads(), failed.payloads()], [[2, 3], [2]]);
      assert.deepEqual(await hub.unread(receiver), []);
    });

    test("messages can be iterated and a loop can be left", async () => {
      const receiver = await hub.agent();
      for (const n of [1, 2, 3, 4]) await hub.send(receiver.id, n);
      const client = await connected(receiver);
      for await (const { payload } of client.messages()) {
        if (payload === 2) break; // without ack(): it comes again
      }
      const again = [];
      for await (const message of client.messages()) {
        again.push(message.payload);
        if (message.payload === 3) {
          client.ack(message);
          break;
        }
      }
      assert.deepEqual(again, [2, 3]);
      await client.close();
      assert.deepEqual(await hub.unread(receiver), [4]);
    });

    test("a loop ends when another one takes over", async () => {
      const receiver = await hub.agent();
      const client = await connected(receiver);
      const waiting = client.messages().next();
      waiting.catch(() => {});
      await client.agents();
      const second = client.messages();
      await hub.send(receiver.id, 1);
      assert.equal((await within(second.next())).value.payload, 1);
      await failure(within(waiting), TypeError);
    });

    test("stop() in a handler ends run()", async () => {
      const receiver = await hub.agent();
      for (const n of [1, 2]) await hub.send(receiver.id, n);
      const client = hub.client(receiver, { transport });
      const seen = [];
      await within(client.run(({ payload }) => {
        seen.push(payload);
        client.stop();
      }));
      assert.deepEqual(seen, [1]);
      assert.deepEqual(await hub.unread(receiver), [2]);
    });

    test("a closed client says so", async () => {
      const client = hub.client(await hub.agent(), { transport });
      await failure(client.send("x", 1), ClosedError);
      await client.connect();
      await client.close();
      await client.close();
      await failure(client.send("x", 1), ClosedError);
      await failure(client.connect(), ClosedError);
    });

    test("a queue that is full loses nothing", async () => {
      const [receiver, inbox] = [await hub.agent(), keeper()];
      let release;
      const released = new Promise((resolve) => {
        release = resolve;
      });
      const client = await running(receiver, async (message) => {
        inbox(message);
        await released;
      }, { maxQueuedMessages: 5 });
      const sending = await connected();
      for (let n = 0; n < 60; n += 1) await sending.send(receiver.id, n);
      await inbox.enough(1);
      // The connection still answers while the handler is busy and the queue is full.
      await client.agents();
      release();
      assert.deepEqual(await inbox.enough(60), Array.from({ length: 60 }, (_, n) => n));
    });

    test("a position of an earlier process is not handled again", async () => {
      const receiver = await hub.agent();
      const seq = await hub.send(receiver.id, 1);
      const first = await connected(receiver);
      const { epoch } = first.position;
      await first.close();
      // A crash between the handler's work and its acknowledgement; the program kept the number.
      await hub.send(receiver.id, 2);
      const inbox = keeper();
      await running(receiver, inbox, { position: { epoch, seq } });
      assert.deepEqual(await inbox.enough(1), [2]);
    });
  });
}

test("presence and status are seen by who asks for them", async () => {
  const [onEvent, other] = [listener(), await hub.agent()];
  const client = hub.client(await hub.agent(), { presence: true, onEvent });
  await client.connect();
  const second = hub.client(other, { capabilities: ["tests"], status: "new" });
  await second.connect();
  const { agent } = await onEvent.next("agent_joined");
  assert.deepEqual([agent.agent_id, agent.status], [other.id, "new"]);
  await second.setStatus({ busy: true });
  assert.deepEqual((await onEvent.next("status_changed")).agent.status, { busy: true });
  const found = (await client.agents()).find(({ agentId }) => agentId === other.id);
  assert.deepEqual([found.status, found.capabilities], [{ busy: true }, ["tests"]]);
  await second.close();
  assert.equal((await onEvent.next("agent_left")).agent_id, other.id);
});

test("many calls at once keep their order", async () => {
  const [receiver, inbox] = [await hub.agent(), keeper()];
  const receiving = hub.client(receiver);
  receiving.run(inbox);
  const client = hub.client(await hub.agent(), { maxInFlight: 10 });
  await client.connect();
  const numbers = Array.from({ length: 500 }, (_, n) => n);
  await Promise.all(numbers.map((n) => client.send(receiver.id, n)));
  assert.deepEqual(await inbox.enough(500), numbers);
});

test("a status waits for WebSocket while polling", async () => {
  const client = hub.client(await hub.agent(), { transport: "poll" });
  await client.connect();
  await client.setStatus("busy");
  assert.equal((await client.agents()).some(({ agentId }) => agentId === client.agentId), false);
});
