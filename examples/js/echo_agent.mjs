// Answers every message with its own payload: AGENTCOM_TOKEN=... node echo_agent.mjs echo

import { Client } from "../../clients/js/src/index.js"; // "agentcom" where the package is installed

const url = process.env.AGENTCOM_URL ?? "http://127.0.0.1:4000";
const token = process.env.AGENTCOM_TOKEN;
if (!token) throw new Error("set AGENTCOM_TOKEN");

const client = new Client(url, process.argv[2], token, { capabilities: ["echo"] });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => client.stop());

await client.run(async (message) => {
  // Two echoes would never stop answering each other.
  if (message.replyTo === null) await client.reply(message, message.payload, { type: "echo" });
}); // until a signal comes
