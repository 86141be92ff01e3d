"""Connected over HTTP, with long polls."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from ._errors import AgentComError, AuthenticationError, TokenRevokedError, UnavailableError
from ._http import quoted
from ._operations import Operation
from ._sessions import Ending, SessionEnded, Setup, call_http
from ._types import Event, mailbox_message

T = TypeVar("T")


class PollSession:
    """Long polls of the mailbox; everything else is one HTTP request each."""

    transport = "poll"

    def __init__(self, setup: Setup, first: dict[str, Any], until: float | None) -> None:
        self._setup = setup
        self._until = until  # time of the loop at which WebSocket is tried again
        self._stopped = asyncio.Event()
        self.ended = asyncio.Event()
        self.truncated = bool(first.get("truncated", False))

    @classmethod
    async def open(cls, setup: Setup, until: float | None) -> PollSession:
        """Asks for the mailbox once. Raises AgentComError."""
        answer = await setup.http.arequest(
            "GET", _mailbox(setup, "?limit=1"), None, setup.open_timeout
        )
        setup.inbox.begin(_epoch(answer))
        if answer.get("truncated") and not answer["messages"]:
            setup.inbox.lost(int(answer["last_seq"]))
        return cls(setup, answer, until)

    async def call(self, operation: Operation[T], timeout: float) -> T:
        if not operation.method:
            # There is no connection that could have a status; the next WebSocket tells it.
            return operation.parse({})
        return await call_http(self._setup, operation, timeout)

    async def acknowledge(self, seq: int) -> None:
        path = _mailbox(self._setup, "/ack")
        try:
            await self._setup.http.arequest("POST", path, {"seq": seq}, self._setup.open_timeout)
        except UnavailableError as error:
            raise SessionEnded(error.message) from error

    async def flush(self) -> None:
        pass

    async def run(self) -> Ending:
        stopped = asyncio.create_task(self._stopped.wait())
        polls = asyncio.create_task(self._poll())
        try:
            await asyncio.wait({stopped, polls}, return_when=asyncio.FIRST_COMPLETED)
            if not polls.done():
                return Ending("closed")
            return polls.result()
        except AuthenticationError as error:
            text = f"the hub does not take the token any more: {error.message}"
            return Ending(text, TokenRevokedError("token_revoked", text))
        except AgentComError as error:
            return Ending(str(error), None if error.retry else error)
        finally:
            self._setup.session_ended()
            self.ended.set()
            stopped.cancel()
            polls.cancel()

    async def close(self) -> None:
        self._stopped.set()

    async def _poll(self) -> Ending:
        inbox, loop = self._setup.inbox, asyncio.get_running_loop()
        while True:
            await inbox.drained.wait()
            if inbox.behind:
                return Ending("caught up with the queue", at_once=True)
            wait = float(self._setup.poll_wait)
            if self._until is not None:
                wait = min(wait, self._until - loop.time())
                if wait <= 0:
                    return Ending("trying WebSocket again", at_once=True)
            started = loop.time()
            query = f"?since={inbox.queued}&limit={min(50, inbox.room())}&wait={max(1, int(wait))}"
            answer = await self._setup.http.arequest(
                "GET", _mailbox(self._setup, query), None, wait + 15
            )
            if _epoch(answer) != inbox.epoch:
                return Ending("the store is another one", at_once=True)
            for body in answer["messages"]:
                message = mailbox_message(body)
                inbox.offer(message, len(str(message.payload)))
            if answer.get("truncated") and not self.truncated:
                self._setup.emit(Event("truncated"))
            self.truncated = bool(answer.get("truncated", False))
            if self.truncated and not answer["messages"]:
                inbox.lost(int(answer["last_seq"]))
            if not answer["messages"] and loop.time() - started < 0.5:
                # A hub that stops answers empty polls at once.
                await asyncio.sleep(1)


def _mailbox(setup: Setup, rest: str) -> str:
    return f"/api/mailbox/{quoted(setup.agent_id)}{rest}"


def _epoch(answer: dict[str, Any]) -> str:
    epoch = answer.get("epoch")
    if not isinstance(epoch, str) or not isinstance(answer.get("messages"), list):
        raise UnavailableError("unreachable", "this is no AgentCom hub", retry=True)
    return epoch
