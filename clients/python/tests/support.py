"""What the tests share: clients that are closed afterwards, and waiting for events."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from agentcom import Client, Message

from .hub import PATIENCE, Hub

T = TypeVar("T")


async def within(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(PATIENCE):
        return await awaitable


class Inbox:
    """A handler that keeps what it was given, and tells when there is enough."""

    def __init__(self, wanted: int = 1) -> None:
        self.messages: list[Message] = []
        self._wanted = wanted
        self._grown = asyncio.Event()

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self._grown.set()

    @property
    def payloads(self) -> list[Any]:
        return [message.payload for message in self.messages]

    async def enough(self, wanted: int | None = None) -> list[Any]:
        """The payloads, once there are as many as were wanted."""
        while len(self.messages) < (wanted or self._wanted):
            self._grown.clear()
            await within(self._grown.wait())
        return self.payloads


class Events:
    """An on_event that can be waited for."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def __call__(self, event: Any) -> None:
        self.seen.append(event.kind)
        self._queue.put_nowait(event)

    async def next(self, kind: str) -> Any:
        """The next event of this kind; others are passed over."""
        async with asyncio.timeout(PATIENCE):
            while (event := await self._queue.get()).kind != kind:
                pass
            return event


class HubTestCase(unittest.IsolatedAsyncioTestCase):
    """Tests against a hub that they share; those that stop theirs start one of their own."""

    settings: dict[str, str] = {}
    hub: Hub

    @classmethod
    def setUpClass(cls) -> None:
        cls.hub = Hub(**cls.settings)
        cls.addClassCleanup(cls.hub.remove)
        cls.names = iter(range(1_000_000))

    async def asyncSetUp(self) -> None:
        # The test case asks for asyncio's debug mode, which takes longer than everything else.
        asyncio.get_running_loop().set_debug(False)

    def agent(self, prefix: str = "agent") -> tuple[str, str]:
        """A new agent: its id and its token."""
        agent_id = f"{prefix}-{next(self.names)}"
        return agent_id, self.hub.issue_token(agent_id)

    def client(self, agent: tuple[str, str], **options: Any) -> Client:
        options.setdefault("backoff", (0.02, 0.2))
        client = Client(options.pop("url", self.hub.url), *agent, **options)
        self.addAsyncCleanup(client.close)
        return client

    def start(self, client: Client, handler: Callable[[Message], Any], **options: Any) -> Any:
        """Runs the client in a task of its own."""
        task = asyncio.ensure_future(client.run(handler, **options))

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task})

        self.addAsyncCleanup(end)
        return task
