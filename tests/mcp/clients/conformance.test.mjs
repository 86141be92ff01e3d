// The conformance suite for both eras, compared with what is expected to fail and why: the files
// baseline-*.yml.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { run, startHub, startProxy } from "./hub.mjs";

let hub, proxy;
const results = mkdtempSync(join(tmpdir(), "agentcom-conformance-"));
before(async () => {
  const started = await startHub();
  hub = started.hub;
  proxy = await startProxy(hub.url, started.alice);
});
after(async () => {
  await proxy?.close();
  await hub?.remove();
  rmSync(results, { recursive: true, force: true });
});

for (const version of ["2026-07-28", "2025-11-25"]) {
  const baseline = fileURLToPath(new URL(`baseline-${version}.yml`, import.meta.url));

  test(`${version} fails where it is expected to and nowhere else`, async () => {
    const { code, stdout, stderr } = await run("conformance", [
      "server", "--url", `${proxy.url}/mcp`, "--requirements", version,
      "--expected-failures", baseline, "-o", join(results, version), "--timeout", "10000",
    ]);
    assert.equal(code, 0, stdout.slice(-4000) + stderr.slice(-4000));
  });

  test(`${version}: every expected failure has a reason`, () => {
    let reason = "";
    let entries = 0;
    for (const line of readFileSync(baseline, "utf8").split("\n")) {
      const text = line.trim();
      if (text === "" || text === "server:") {
        reason = "";
      } else if (text.startsWith("# ")) {
        reason += text;
      } else {
        assert.match(text, /^- \S+$/);
        assert.notEqual(reason, "", `${text} has no reason`);
        entries += 1;
      }
    }
    assert.ok(entries > 0);
  });
}
