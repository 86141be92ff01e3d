// The official client libraries, old and new, in every mode that they have.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { startHub, within } from "./hub.mjs";

const kInfo = { name: "agentcom-tests", version: "1.0.0" };
const kCore = [
  "check_inbox", "read_message", "ack", "send_message",
  "publish", "list_agents", "read_thread", "set_status",
];

let hub, endpoint, tokens;
before(async () => {
  const started = await startHub();
  ({ hub, endpoint } = started);
  tokens = { alice: started.alice, bob: started.bob };
});
after(() => hub?.remove());

const options = (token) => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });

async function connectNew(agent, versionNegotiation) {
  const client = new Client(kInfo, versionNegotiation && { versionNegotiation });
  await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), options(tokens[agent])));
  return client;
}

async function connectOld(agent) {
  const client = new OldClient(kInfo);
  await client.connect(new OldTransport(new URL(endpoint), options(tokens[agent])));
  return client;
}

const kClients = [
  ["@modelcontextprotocol/client, by default", (agent) => connectNew(agent), "legacy"],
  ["@modelcontextprotocol/client, legacy", (agent) => connectNew(agent, { mode: "legacy" }), "legacy"],
  ["@modelcontextprotocol/client, auto", (agent) => connectNew(agent, { mode: "auto" }), "modern"],
  ["@modelcontextprotocol/client, pinned",
    (agent) => connectNew(agent, { mode: { pin: "2026-07-28" } }), "modern"],
  ["@modelcontextprotocol/sdk", connectOld, "legacy"],
];

for (const [name, connect, era] of kClients) {
  describe(name, () => {
    let alice, bob;
    before(async () => {
      [alice, bob] = [await connect("alice"), await connect("bob")];
    });
    after(async () => {
      await alice?.close();
      await bob?.close();
    });
    const call = async (client, tool, args = {}) => {
      const result = await client.callTool({ name: tool, arguments: args });
      assert.equal(result.isError ?? false, false, JSON.stringify(result));
      return result;
    };

    test("is told what the hub is and how to use it", () => {
      assert.match(alice.getInstructions(), /You are "alice"/);
      assert.equal(alice.getServerVersion().name, "agentcom");
    });

    test("lists the tools", async () => {
      const { tools } = await alice.listTools();
      assert.deepEqual(tools.map((tool) => tool.name), kCore);
      const loaded = tools.filter((tool) => tool._meta?.["anthropic/alwaysLoad"]);
      assert.deepEqual(loaded.map((tool) => tool.name), ["check_inbox", "send_message"]);
    });

    test("sends, reads and acknowledges", async () => {
      const sent = await call(alice, "send_message", { to: "bob", text: `by ${name}` });
      assert.equal(sent.structuredContent.recipient.known, true);
      const inbox = await call(bob, "check_inbox");
      assert.equal(inbox.structuredContent.count, 1);
      assert.equal(inbox.structuredContent.messages[0].id, sent.structuredContent.id);
      const read = await call(bob, "read_message", { id: sent.structuredContent.id });
      assert.match(read.content[0].text, /^<<<message [0-9a-f]{16} from="alice" trust=agent /);
      await call(bob, "ack", { seq: inbox.structuredContent.last_seq });
      assert.equal((await call(bob, "check_inbox")).structuredContent.count, 0);
    });

    test("is given advice where it asks for too much", async () => {
      const result = await alice.callTool({ name: "check_inbox", arguments: { limit: 1000 } });
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /an integer from 1 to 100/);
    });

    test("is told of a tool that is not there", async () => {
      await assert.rejects(alice.callTool({ name: "no_such_tool" }), /Unknown tool/);
    });

    test("reads the inbox as a resource and the prompt", async () => {
      const { resources } = await bob.listResources();
      assert.deepEqual(resources.map((resource) => resource.uri), ["agentcom://inbox"]);
      const { contents } = await bob.readResource({ uri: "agentcom://inbox" });
      assert.equal(typeof JSON.parse(contents[0].text).unread, "number");
      await assert.rejects(bob.readResource({ uri: "agentcom://nowhere" }), /not found/i);
      const { prompts } = await bob.listPrompts();
      assert.deepEqual(prompts.map((prompt) => prompt.name), ["agentcom-onboard"]);
      const { messages } = await bob.getPrompt({ name: "agentcom-onboard" });
      assert.match(messages[0].content.text, /You are "bob"/);
    });

    if (era === "modern") {
      test("is told of mail by a stream", async () => {
        let grown = () => {};
        let updates = 0;
        bob.setNotificationHandler("notifications/resources/updated", ({ params }) => {
          assert.equal(params.uri, "agentcom://inbox");
          updates += 1;
          grown();
        });
        const until = async (wanted) => {
          while (updates < wanted) await within(new Promise((resolve) => { grown = resolve; }), "an update");
        };
        const listening = await bob.listen({
          resourceSubscriptions: ["agentcom://inbox"], toolsListChanged: true,
        });
        assert.deepEqual(listening.honoredFilter, { resourceSubscriptions: ["agentcom://inbox"] });
        await call(alice, "send_message", { to: "bob", text: `one by ${name}` });
        await until(1);
        await call(alice, "send_message", { to: "bob", text: `two by ${name}` });
        await until(2);
        await listening.close();
        const inbox = await call(bob, "check_inbox");
        assert.equal(inbox.structuredContent.count, 2);
        await call(bob, "ack", { seq: inbox.structuredContent.last_seq });
      });
    } else {
      test("is alive", async () => {
        assert.deepEqual(await alice.ping(), {});
      });
    }
  });
}

test("a wrong token is refused", async () => {
  const client = new Client(kInfo);
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), options("0".repeat(64)));
  await assert.rejects(client.connect(transport), /401|Unauthorized/i);
});
