// The inspector's command line, which also checks that schemas are portable.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { run, startHub } from "./hub.mjs";

let hub, endpoint, alice;
before(async () => {
  ({ hub, endpoint, alice } = await startHub());
});
after(() => hub?.remove());

const inspect = (era, ...args) => inspectAs(alice, endpoint, era, ...args);
const inspectAs = (token, url, era, ...args) =>
  run("mcp-inspector", [
    "--cli", "--server-url", url, "--transport", "http", "--header", `Authorization: Bearer ${token}`,
    "--protocol-era", era, "--stored-auth-only", "--format", "json", ...args,
  ]);

for (const era of ["legacy", "auto", "modern"]) {
  describe(`inspector, ${era}`, () => {
    test("finds every schema portable", async () => {
      for (const profile of ["", "?profile=full"]) {
        const { code, stdout, stderr } = await inspectAs(
          alice, endpoint + profile, era, "--method", "tools/list", "--strict");
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, /check_inbox/);
      }
    });

    test("calls a tool", async () => {
      const { code, stdout, stderr } = await inspect(
        era, "--method", "tools/call", "--tool-name", "check_inbox", "--tool-args-json", '{"limit":5}');
      assert.equal(code, 0, stderr);
      assert.match(stdout, /No unread mail/);
    });

    test("is told when a tool refuses", async () => {
      const { code } = await inspect(
        era, "--method", "tools/call", "--tool-name", "ack", "--tool-args-json", "{}");
      assert.equal(code, 5);
    });

    test("reads the inbox", async () => {
      const { code, stdout, stderr } = await inspect(
        era, "--method", "resources/read", "--uri", "agentcom://inbox");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /unread/);
    });
  });
}

test("a wrong token is an exit code of its own", async () => {
  const { code } = await inspectAs("0".repeat(64), endpoint, "modern", "--method", "tools/list");
  assert.equal(code, 3);
});
