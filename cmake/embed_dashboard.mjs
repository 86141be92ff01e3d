// Turns the bundled dashboard into a C++ source: node embed_dashboard.mjs DIRECTORY SOURCE
//
// The source defines agentcom::app::dashboard_html() and dashboard_assets(), with each asset as it
// is and compressed. The same directory makes the same source.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";

const [directory, source] = process.argv.slice(2);
const media = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

let count = 0;
let arrays = "";
/// The name of an array with these bytes.
function array(bytes) {
  const name = `kBytes${count++}`;
  arrays += `constexpr unsigned char ${name}[] = {`;
  for (let at = 0; at < bytes.length; at += 32) arrays += `\n${[...bytes.subarray(at, at + 32)].join(",")},`;
  arrays += "\n};\n";
  return name;
}

const page = array(readFileSync(join(directory, "dashboard.html")));
const assets = readdirSync(directory).sort().flatMap((name) => {
  const extension = name.slice(name.lastIndexOf(".") + 1);
  if (!/^[a-z]+-[0-9a-f]{8,}\.[a-z]+$/.test(name) || !media[extension]) return [];
  const bytes = readFileSync(join(directory, name));
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  return [`    {"${name}", "${media[extension]}", text(${array(bytes)}), text(${array(packed)})},\n`];
});
if (assets.length === 0) throw new Error(`${directory} has no assets`);

writeFileSync(source, `#include "app/site.hpp"

namespace agentcom::app {
namespace {

template <std::size_t kSize>
std::string_view text(const unsigned char (&bytes)[kSize]) noexcept {
    return {reinterpret_cast<const char*>(bytes), kSize};
}

${arrays}
}  // namespace

std::string_view dashboard_html() noexcept { return text(${page}); }

std::span<const net::Asset> dashboard_assets() {
  static const net::Asset kAssets[] = {
${assets.join("")}  };
  return kAssets;
}

}  // namespace agentcom::app
`);
