// Bundles the dashboard: node build.mjs OUTPUT_DIRECTORY
//
// The directory then holds dashboard.html, and what it links to below dashboard/assets/:
// dashboard-HASH.js, dashboard-HASH.css and icon-HASH.svg. Names are hashes of contents, so that
// they may be cached for ever; what an earlier run left is removed.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

/** What the page may weigh, all together, compressed. */
export const mostBytes = 120_000;

const source = fileURLToPath(new URL("./dashboard/", import.meta.url));

/**
 * @param {string} output
 * @returns {Promise<Map<string, Uint8Array>>} the files by name
 */
export async function bundle(output) {
  const built = await build({
    entryPoints: [join(source, "main.js")],
    outdir: output,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["chrome116", "firefox124", "safari17.4"],
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
  });
  const files = new Map();
  /** @type {Record<string, string>} */
  const links = {};
  const add = (/** @type {string} */ stem, /** @type {string} */ extension, /** @type {Uint8Array} */ contents) => {
    const hash = createHash("sha256").update(contents).digest("hex").slice(0, 16);
    const name = `${stem}-${hash}.${extension}`;
    files.set(name, contents);
    links[extension] = `dashboard/assets/${name}`;
  };
  for (const { path, contents } of built.outputFiles) {
    add("dashboard", path.endsWith(".css") ? "css" : "js", contents);
  }
  add("icon", "svg", await readFile(join(source, "icon.svg")));
  const page = await readFile(join(source, "dashboard.html"), "utf8");
  const html = page.replace(/\{\{(js|css|svg)\}\}/g, (_, extension) => links[extension]);
  files.set("dashboard.html", new TextEncoder().encode(html));
  return files;
}

/** @param {Map<string, Uint8Array>} files */
export function compressedBytes(files) {
  let sum = 0;
  for (const contents of files.values()) sum += gzipSync(contents, { level: 9 }).length;
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const output = process.argv[2];
  if (!output) {
    console.error("usage: node build.mjs OUTPUT_DIRECTORY");
    process.exit(2);
  }
  const files = await bundle(output);
  const bytes = compressedBytes(files);
  if (bytes > mostBytes) {
    console.error(`the dashboard is ${bytes} bytes compressed, and may be ${mostBytes}`);
    process.exit(1);
  }
  await mkdir(output, { recursive: true });
  for (const name of await readdir(output)) {
    if (/^(dashboard|icon)-[0-9a-f]+\.(js|css|svg)$/.test(name) && !files.has(name)) await rm(join(output, name));
  }
  for (const [name, contents] of files) await writeFile(join(output, name), contents);
}
