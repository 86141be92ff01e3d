"""Keeps an agent connected: chooses the transport, reconnects, acknowledges."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from ._backoff import Backoff
from ._calls import Calls
from ._errors import AgentComError, UnavailableError
from ._poll_session import PollSession
from ._sessions import Session, SessionEnded, Setup
from ._types import Event
from ._websocket_session import HAVE_WEBSOCKETS, WebSocketSession

Transport = Literal["auto", "websocket", "poll"]

log = logging.getLogger("agentcom")

# A connection that lived this long makes the next attempts begin with the shortest delay again.
STABLE_AFTER = 5.0
LONGEST_WEBSOCKET_RETRY = 300.0
# At the first connection a mistake in the set-up; later a hub whose certificate is being renewed.
CERTIFICATE = "untrusted_certificate"


class Connection:
    def __init__(
        self,
        setup: Setup,
        calls: Calls,
        *,
        transport: Transport,
        backoff: tuple[float, float],
        websocket_retry: float,
    ) -> None:
        self._setup = setup
        self._calls = calls
        self._transport = transport
        self._backoff_range = backoff
        self._backoff = Backoff(*backoff)
        longest = max(websocket_retry, LONGEST_WEBSOCKET_RETRY)
        self._websocket_retry = Backoff(websocket_retry, longest)
        self._websocket_at: float | None = None  # while polling: when WebSocket is tried again
        self._closing = asyncio.Event()
        self._was_connected = False
        self.last_cause: AgentComError | None = None
        """Why the last attempt failed."""

    async def keep(self) -> None:
        """Stays connected until close(). Raises what makes further attempts useless."""
        while not self._closing.is_set():
            await self._one_session()

    async def close(self) -> None:
        self._closing.set()
        if self._calls.session is not None:
            await self._calls.session.close()

    async def _one_session(self) -> None:
        """Connects and stays as long as it goes; then waits until the next attempt is due."""
        opening = asyncio.create_task(self._open())
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({opening, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
            if not opening.done():
                opening.cancel()
        if opening.cancelled() or not opening.done():
            return
        try:
            session = opening.result()
        except AgentComError as error:
            if not error.retry and not (self._was_connected and error.code == CERTIFICATE):
                raise
            self.last_cause = error
            log.info("%s: %s", self._setup.agent_id, error.message)
            return await self._pause(self._backoff.next(error.retry_after))
        if self._closing.is_set():
            return await session.close()
        await self._stay(session)

    async def _stay(self, session: Session) -> None:
        agent, loop = self._setup.agent_id, asyncio.get_running_loop()
        opened = loop.time()
        self._was_connected = True
        self._calls.use(session)
        log.info("%s: connected over %s", agent, session.transport)
        data = {"transport": session.transport, "truncated": session.truncated}
        self._setup.emit(Event("connected", data))
        if session.truncated:
            self._setup.emit(Event("truncated"))
        acknowledging = asyncio.create_task(self._acknowledge(session))
        try:
            ending = await session.run()
        finally:
            acknowledging.cancel()
            self._calls.use(None)
        log.info("%s: %s", agent, ending.reason)
        self._setup.emit(Event("disconnected", {"reason": ending.reason}))
        if ending.fatal is not None:
            raise ending.fatal
        if loop.time() - opened >= STABLE_AFTER:
            self._backoff.reset()
        if ending.at_once:
            return
        delay = self._backoff.next()
        if ending.code == 4008:
            self._calls.slow_down(delay)
        await self._pause(delay)

    async def _open(self) -> Session:
        """Raises AgentComError; `retry` says whether to try again."""
        if self._transport == "poll" or not HAVE_WEBSOCKETS:
            return await PollSession.open(self._setup, None)
        loop = asyncio.get_running_loop()
        if self._websocket_at is not None and loop.time() < self._websocket_at:
            return await PollSession.open(self._setup, self._websocket_at)
        try:
            session = await WebSocketSession.open(self._setup)
            self._websocket_at = None
            self._websocket_retry.reset()
            return session
        except UnavailableError as error:
            if self._transport == "websocket" or not error.retry:
                raise
            if isinstance(error.__cause__, ConnectionRefusedError) and not self._setup.http.proxied:
                raise  # Nobody listens there: a poll would tell the same.
            return await self._poll_instead(error)

    async def _poll_instead(self, error: UnavailableError) -> PollSession:
        at = asyncio.get_running_loop().time() + self._websocket_retry.next()
        try:
            session = await PollSession.open(self._setup, at)
        except AgentComError as other:
            if other.retry or other.code.startswith("http_"):
                raise error from other
            raise
        log.warning("%s: %s; polling instead", self._setup.agent_id, error.message)
        self._websocket_at = at
        self._setup.emit(Event("polling", {"reason": error.message}))
        return session

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def _acknowledge(self, session: Session) -> None:
        """Acknowledges what was handled; what is handled meanwhile is one acknowledgement."""
        inbox = self._setup.inbox
        backoff = Backoff(*self._backoff_range)
        while True:
            await inbox.ack_wanted.wait()
            seq = inbox.ack_due()
            if seq is None:
                continue
            try:
                await session.acknowledge(seq)
                inbox.acked(seq)
                backoff.reset()
            except (SessionEnded, AgentComError) as error:
                log.info("%s: not acknowledged yet: %s", self._setup.agent_id, error)
                await asyncio.sleep(backoff.next())
