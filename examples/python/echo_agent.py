"""Answers every message with its own payload: AGENTCOM_TOKEN=... python3 echo_agent.py echo"""

import asyncio
import os
import signal
import sys

from agentcom import Client, Message


async def main(agent_id: str) -> None:
    url = os.environ.get("AGENTCOM_URL", "http://127.0.0.1:4000")
    client = Client(url, agent_id, os.environ["AGENTCOM_TOKEN"], capabilities=["echo"])

    async def answer(message: Message) -> None:
        if message.reply_to is None:  # Two echoes would never stop answering each other.
            await client.reply(message, message.payload, type="echo")

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, client.stop)
    await client.run(answer)  # until a signal comes


asyncio.run(main(sys.argv[1]))
