"""Asking until there is an answer, over as many sessions as it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from ._backoff import Backoff
from ._errors import AgentComError, RequestTimeoutError, is_transient
from ._operations import Operation
from ._sessions import Session, SessionEnded

T = TypeVar("T")


@dataclass(slots=True)
class _Call:
    deadline: float
    tried: Exception | None = None
    """Why the last attempt failed."""


class Calls:
    """The calls of one client, and the session that they use."""

    def __init__(self, backoff: tuple[float, float], max_in_flight: int) -> None:
        self._backoff = backoff
        self._slots = asyncio.Semaphore(max_in_flight)
        self._under_way = 0
        self._limited = False  # the hub said rate_limited: calls go one by one
        self._hold_until = 0.0  # and not before this time of the loop
        self._turns = asyncio.Lock()
        self._turn_takers = 0
        self._session: Session | None = None
        self._over: AgentComError | None = None
        self._decided = asyncio.Event()  # there is a session, or there never will be one
        self.none = asyncio.Event()
        """No call is under way."""
        self.none.set()

    @property
    def session(self) -> Session | None:
        return self._session

    @property
    def over(self) -> AgentComError | None:
        """Why there will be no further session."""
        return self._over

    def use(self, session: Session | None) -> None:
        self._session = session
        if session is not None or self._over is not None:
            self._decided.set()
        else:
            self._decided.clear()

    def end(self, error: AgentComError) -> None:
        """There will be no further session."""
        if self._over is None:
            self._over = error
        self._decided.set()

    def slow_down(self, seconds: float) -> None:
        """Calls go one by one, and not before so many seconds have passed."""
        self._limited = True
        until = asyncio.get_running_loop().time() + seconds
        self._hold_until = max(self._hold_until, until)

    async def ready(self) -> Session:
        """The session, as soon as there is one."""
        while True:
            if self._over is not None:
                raise self._over.again()
            if self._session is not None:
                return self._session
            await self._decided.wait()

    async def make(self, operation: Operation[T], timeout: float) -> T:
        call = _Call(asyncio.get_running_loop().time() + timeout)
        self._under_way += 1
        self.none.clear()
        try:
            async with asyncio.timeout(timeout), self._slots:
                return await self._attempts(operation, call, own_turn=False)
        except TimeoutError:
            why = f": {call.tried}" if call.tried else ""
            text = f"no answer within {timeout:g} s{why}"
            raise RequestTimeoutError("timeout", text, retry=True) from call.tried
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self.none.set()

    async def _attempts(self, operation: Operation[T], call: _Call, own_turn: bool) -> T:
        loop = asyncio.get_running_loop()
        backoff = Backoff(*self._backoff)
        while True:
            session = await self.ready()
            if self._limited:
                if not own_turn:
                    return await self._in_turn(operation, call)
                if self._hold_until > loop.time():
                    await asyncio.sleep(self._hold_until - loop.time())
                    continue
            try:
                return await session.call(operation, max(0.1, call.deadline - loop.time()))
            except SessionEnded as ended:
                call.tried = ended
                if session is self._session:
                    await asyncio.sleep(backoff.next())
            except AgentComError as error:
                delay = backoff.next(error.retry_after)
                if not is_transient(error) or loop.time() + delay >= call.deadline:
                    raise
                call.tried = error
                if error.code == "rate_limited":
                    self.slow_down(delay)
                elif error.code == "shutting_down" and session.transport == "websocket":
                    await session.ended.wait()  # The hub closes it; then the order is kept.
                else:
                    await asyncio.sleep(delay)

    async def _in_turn(self, operation: Operation[T], call: _Call) -> T:
        """One by one, until nobody waits any more: all at once would be refused again, and a row
        of refusals costs the connection."""
        self._turn_takers += 1
        try:
            async with self._turns:
                return await self._attempts(operation, call, own_turn=True)
        finally:
            self._turn_takers -= 1
            if self._turn_takers == 0:
                self._limited = False
