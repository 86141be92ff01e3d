// The hub with two agents, alice and bob, and what the tests of all clients need.

import { spawn } from "node:child_process";
import http from "node:http";
import { fileURLToPath } from "node:url";

import { Hub, within } from "../../../clients/js/test/hub.js";

export { within };

export async function startHub() {
  const hub = await Hub.start();
  const [alice, bob] = [await hub.issueToken("alice"), await hub.issueToken("bob")];
  return { hub, endpoint: `${hub.url}/mcp`, alice, bob };
}

/// A program from node_modules/.bin, run by the Node that runs the tests.
export function run(program, args, settings = {}) {
  const path = fileURLToPath(new URL(`node_modules/.bin/${program}`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], {
      env: { ...process.env, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8");
      child[name].on("data", (text) => {
        output[name] += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
}

/// A proxy on loopback that adds the token to every request and changes nothing else, for programs
/// that cannot be told a header.
export async function startProxy(target, token) {
  const { hostname, port } = new URL(target);
  const server = http.createServer((request, response) => {
    const onward = http.request(
      {
        hostname,
        port,
        path: request.url,
        method: request.method,
        headers: { ...request.headers, authorization: `Bearer ${token}` },
      },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
