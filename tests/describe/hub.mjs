// The hub, and how the tests ask it: by the letter, without what fetch does to paths.

import http from "node:http";

import { Hub } from "../../clients/js/test/hub.js";

/// A hub that is quick to ask about everything: no rates, no waits between resets.
export async function startHub(settings = {}) {
  return Hub.start({
    AGENTCOM_LIMITS_ANONYMOUS_REQUESTS_PER_SECOND: "0",
    AGENTCOM_LIMITS_MESSAGES_PER_SECOND: "0",
    AGENTCOM_LIMITS_WORK_PER_SECOND: "0",
    AGENTCOM_SETTINGS_RESET_COOLDOWN: "0s",
    ...settings,
  });
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

/// One request; its body as text, and as JSON where it is some.
export function request(hub, method, path, { token, body, headers = {} } = {}) {
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const sent = { ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (text !== undefined) {
    sent["Content-Type"] ??= "application/json";
    sent["Content-Length"] = Buffer.byteLength(text);
  }
  return new Promise((resolve, reject) => {
    const asked = http.request(
      { host: "127.0.0.1", port: hub.port, method, path, headers: sent, agent }, (answer) => {
        const pieces = [];
        answer.on("data", (piece) => pieces.push(piece));
        answer.once("error", reject);
        answer.once("end", () => {
          const given = Buffer.concat(pieces).toString("utf8");
          const media = (answer.headers["content-type"] ?? "").split(";")[0];
          resolve({
            status: answer.statusCode,
            headers: answer.headers,
            media,
            text: given,
            json: media === "application/json" && given ? JSON.parse(given) : undefined,
          });
        });
      });
    asked.once("error", reject);
    asked.end(text);
  });
}

/// What is no operation of the hub: pages, and paths that speak another protocol.
export const pages = ["websocket", "dashboard", "dashboard_asset", "home", "llms", "skill", "openapi", "asyncapi", "mcp", "claude_hook"];

/// What the hub says of itself.
export async function describedBy(hub) {
  const [openapi, asyncapi] = await Promise.all(
    ["/openapi.json", "/asyncapi.json"].map(async (path) => (await request(hub, "GET", path)).json));
  return { openapi, asyncapi };
}

/// Every operation of the description of HTTP, with its method and its path.
export function operationsOf(openapi) {
  return Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      path, method: method.toUpperCase(), ...operation,
    })));
}
