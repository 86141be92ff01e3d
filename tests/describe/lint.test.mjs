// The descriptions are what they say they are.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { request, startHub } from "./hub.mjs";

let hub;
let folder;
before(async () => {
  hub = await startHub();
  folder = mkdtempSync(join(tmpdir(), "agentcom-describe-"));
});
after(async () => {
  await hub.remove();
  rmSync(folder, { recursive: true });
});

function lint(file) {
  const program = fileURLToPath(new URL("node_modules/@redocly/cli/bin/cli.js", import.meta.url));
  const config = fileURLToPath(new URL("redocly.yaml", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [program, "lint", file, "--config", config, "--format=stylish"],
      { env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", NO_COLOR: "1" } },
      (error, stdout, stderr) => resolve({ failed: error !== null, output: stdout + stderr }));
  });
}

for (const name of ["openapi.json", "asyncapi.json"]) {
  test(`${name} is clean`, async () => {
    const answer = await request(hub, "GET", `/${name}`);
    assert.equal(answer.status, 200);
    const file = join(folder, name);
    writeFileSync(file, answer.text);
    const { failed, output } = await lint(file);
    assert.equal(failed, false, output);
  });

  test(`${name} may be kept, and is not sent twice`, async () => {
    const first = await request(hub, "GET", `/${name}`);
    assert.equal(first.headers["cache-control"], "no-cache");
    assert.ok(first.text.length < 256 * 1024, `${first.text.length} bytes`);
    for (const tag of [first.headers.etag, `W/${first.headers.etag}`, `"other", ${first.headers.etag}`, "*"]) {
      const again = await request(hub, "GET", `/${name}`, { headers: { "If-None-Match": tag } });
      assert.equal(again.status, 304, tag);
      assert.equal(again.text, "");
      assert.equal(again.headers.etag, first.headers.etag);
    }
    const other = await request(hub, "GET", `/${name}`, { headers: { "If-None-Match": '"other"' } });
    assert.equal(other.status, 200);
    assert.equal(other.text, first.text);
  });
}

test("every path but that of the WebSocket may answer well", async () => {
  const { paths } = (await request(hub, "GET", "/openapi.json")).json;
  const without = Object.entries(paths).flatMap(([path, item]) =>
    Object.values(item).filter(({ responses }) => !Object.keys(responses).some((status) => status.startsWith("2")))
      .map(() => path));
  assert.deepEqual(without, ["/ws"]);
});

test("every error of the hub stands in both, and nothing else", async () => {
  const codes = await Promise.all(["openapi.json", "asyncapi.json"].map(async (name) =>
    (await request(hub, "GET", `/${name}`)).json.components.schemas.ErrorCode.oneOf.map((code) => code.const)));
  assert.deepEqual(codes[0], codes[1]);
  assert.ok(codes[0].length > 40 && new Set(codes[0]).size === codes[0].length);
});
