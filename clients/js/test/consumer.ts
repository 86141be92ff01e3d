// A program in TypeScript, compiled by `npm run check`: what is exported must be enough for one.

import { AgentComError, Client, RequestTimeoutError } from "agentcom";
import type { ClientOptions, HistoryPage, Message, Position, SendOptions, Sent } from "agentcom";

const options: ClientOptions = { transport: "auto", presence: true, onEvent: ({ kind, data }) => console.log(kind, data) };
const client = new Client("http://127.0.0.1:4000", "typed", "token", options);
const sending: SendOptions = { type: "task", timeout: 1000 };

async function handle(message: Message): Promise<void> {
  try {
    const sent: Sent = await client.reply(message, { got: message.seq }, { type: "answer" });
    await client.send(message.from, sent.status, sending);
  } catch (error) {
    if (error instanceof RequestTimeoutError) console.log(error.idempotencyKey?.length);
    else if (error instanceof AgentComError && error.retry) console.log(error.code, error.retryAfter);
    else throw error;
  }
}

export async function main(): Promise<Position | null> {
  await client.run(handle, { onError: (message, error) => console.log(message.id, error) });
  const page: HistoryPage = await client.history("build", { since: 3 });
  for await (const { channelSeq } of client.iterHistory("build", { since: page.cursor })) console.log(channelSeq);
  for await (const message of client.messages()) client.ack(message);
  // @ts-expect-error: a recipient must be named
  await client.send(null, 1);
  return client.position;
}
