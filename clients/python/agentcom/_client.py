"""The asyncio client."""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, TypeVar

from . import _operations as operations
from ._calls import Calls
from ._connection import Connection, Transport
from ._errors import (
    AgentComError,
    ClosedError,
    InvalidRequestError,
    RequestTimeoutError,
    UnavailableError,
)
from ._http import HttpClient
from ._inbox import Entry, Inbox
from ._operations import Operation
from ._sessions import SessionEnded, Setup
from ._types import Agent, Channel, Event, HistoryPage, Message, Position, Published, Sent
from ._websocket_session import HAVE_WEBSOCKETS

T = TypeVar("T")
Handler = Callable[[Message], Awaitable[None] | None]

log = logging.getLogger("agentcom")

# The hub remembers an idempotency key for two minutes; a retry after that would be stored twice.
MAX_SEND_TIMEOUT = 100.0


class Client:
    """One agent's connection to the hub, for one event loop.

    It connects with `connect()`, `async with` or `run()`, and then keeps itself connected until
    it is closed, replaced by a newer connection of the same agent, or its token is revoked.
    """

    def __init__(
        self,
        url: str,
        agent_id: str,
        token: str,
        *,
        name: Any = None,
        status: Any = None,
        capabilities: Any = None,
        presence: bool = False,
        on_event: Callable[[Event], None] | None = None,
        transport: Transport = "auto",
        position: Position | None = None,
        tls: ssl.SSLContext | None = None,
        connect_timeout: float | None = 30.0,
        request_timeout: float = 30.0,
        close_timeout: float = 5.0,
        backoff: tuple[float, float] = (0.2, 30.0),
        poll_wait: int = 25,
        websocket_retry: float = 5.0,
        max_queued_messages: int = 10_000,
        max_queued_bytes: int = 64 * 1024 * 1024,
        max_in_flight: int = 128,
        max_incoming_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        """`url` is the hub's, as in "http://127.0.0.1:4000". Times are in seconds.

        name, status, capabilities: any JSON value of at most 4 KiB each, shown to other agents.
        on_event: called for "connected" (`transport`, `truncated`), "disconnected" (`reason`),
            "polling" (`reason`: why not WebSocket), "truncated" (unread messages were lost to the mailbox's cap or time-to-live),
            "channel_agent_joined", "hub_error" (`code`, `reason`), and with `presence` also
            "agent_joined", "agent_left", "status_changed" and "agents" (a list of who is online
            instead of many changes). Data is as in the protocol's frames. It must not block.
        transport: "auto" uses WebSocket and falls back to long polls where that is not possible.
        position: where an earlier process was, from `position`; messages up to it are not
            handled again.
        connect_timeout: how long the first connection may take; None: as long as it needs.
        request_timeout: default of every call's `timeout`, over all attempts.
        backoff: shortest and longest delay between attempts to connect.
        poll_wait: how long one long poll waits, 1 to 60.
        websocket_retry: while polling: how soon WebSocket is tried again, doubling up to 300.
        max_queued_messages, max_queued_bytes: what may wait for the handler. What does not fit
            stays in the hub's mailbox and is fetched when there is room.
        max_in_flight: calls that may wait for an answer; more wait for their turn.
        max_incoming_bytes: the largest frame or HTTP answer that is taken.
        """
        if transport not in ("auto", "websocket", "poll"):
            raise ValueError(f"transport is auto, websocket or poll, not {transport!r}")
        if transport == "websocket" and not HAVE_WEBSOCKETS:
            raise ValueError("transport websocket needs the package websockets")
        if not 1 <= poll_wait <= 60:
            raise ValueError("poll_wait must be between 1 and 60 seconds")
        if min(max_queued_messages, max_queued_bytes, max_in_flight, max_incoming_bytes) < 1:
            raise ValueError("limits must be at least 1")
        self._agent_id = agent_id
        self._on_event = on_event
        self._connect_timeout = connect_timeout
        self._request_timeout = request_timeout
        self._close_timeout = close_timeout
        self._inbox = Inbox(max_queued_messages, max_queued_bytes, position)
        self._calls = Calls(backoff, max_in_flight)
        self._profile: dict[str, Any] = {"presence": presence}
        for key, value in (("name", name), ("status", status), ("capabilities", capabilities)):
            if value is not None:
                self._profile[key] = value
        self._setup = Setup(
            agent_id=agent_id,
            token=token,
            profile=self._profile,
            http=HttpClient(url, token, tls=tls, max_answer_bytes=max_incoming_bytes),
            inbox=self._inbox,
            emit=self._emit,
            session_ended=lambda: self._calls.use(None),
            tls=tls,
            open_timeout=10.0,
            poll_wait=poll_wait,
            max_incoming_bytes=max_incoming_bytes,
        )
        self._connection = Connection(
            self._setup,
            self._calls,
            transport=transport,
            backoff=backoff,
            websocket_retry=websocket_retry,
        )
        self._keeping: asyncio.Task[None] | None = None
        self._failure: AgentComError | None = None
        self._closed = False
        self._consumer: _Messages | None = None
        self._runner: asyncio.Task[Any] | None = None

    def __repr__(self) -> str:
        state = f"connected over {self.transport}" if self.transport else "not connected"
        return f"<agentcom.Client {self._agent_id} at {self._setup.http.url}, {state}>"

    # State.

    @property
    def agent_id(self) -> str:
        return self._agent_id

    @property
    def transport(self) -> str | None:
        """ "websocket" or "poll"; None while there is no connection."""
        session = self._calls.session
        return session.transport if session else None

    @property
    def position(self) -> Position | None:
        """Up to where messages were handled. Kept with the results of the handler and given to the
        next process, it keeps a message from being handled again after a crash."""
        return self._inbox.position

    # Life.

    async def connect(self) -> None:
        """Returns when the hub has accepted the agent; needs no call when `run` is used.

        Raises AuthenticationError and the like at once, UnavailableError after connect_timeout,
        ClosedError when it was stopped or closed meanwhile.
        """
        if self._keeping is None and not self._closed:
            self._keeping = asyncio.create_task(self._keep())
        ready = asyncio.create_task(self._calls.ready())
        stopped = asyncio.create_task(self._inbox.stopped.wait())
        try:
            both, timeout = {ready, stopped}, self._connect_timeout
            await asyncio.wait(both, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
                return
            if self._inbox.stopped.is_set():
                raise ClosedError("closed", "the client was stopped before it was connected")
        finally:
            stopped.cancel()
            ready.cancel()
        await self.close()
        cause = self._connection.last_cause
        text = cause.message if cause else f"no answer from {self._setup.http.url}"
        raise UnavailableError(
            "unreachable", f"{text}; tried for {self._connect_timeout:g} s", retry=True
        ) from cause

    async def __aenter__(self) -> Client:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def stop(self) -> None:
        """No message is handed out any more: `run()` returns and `messages()` ends after the
        present one. For handlers and signal handlers; returns at once."""
        self._inbox.stop()

    async def close(self) -> None:
        """Waits (close_timeout) for the present handler, calls under way and acknowledgements,
        then closes the connection. In a handler of `run()` it is the same as `stop()`."""
        self.stop()
        if self._closed or (self._runner is not None and asyncio.current_task() is self._runner):
            return
        try:
            async with asyncio.timeout(self._close_timeout):
                if self._consumer is None or self._consumer.task is not asyncio.current_task():
                    await self._inbox.idle.wait()
                if self._failure is None:
                    await self._calls.none.wait()
                if self._calls.session is not None:
                    await self._inbox.settled.wait()
                    if self._inbox.acknowledged and self._calls.session is not None:
                        await self._calls.session.flush()
        except (SessionEnded, AgentComError):
            pass  # Too late for that; what was not acknowledged comes again.
        except TimeoutError:
            log.warning("%s: closed before everything was done", self._agent_id)
        self._closed = True
        error = ClosedError("closed", "the client is closed")
        self._calls.end(error)
        await self._connection.close()
        if self._keeping is not None:
            await asyncio.wait({self._keeping})
        self._inbox.fail_requests(error)

    # Receiving.

    async def run(
        self,
        handler: Handler,
        *,
        on_error: Callable[[Message, Exception], Awaitable[None] | None] | None = None,
    ) -> None:
        """Connects if necessary and calls the handler, a function or coroutine function, for each
        message, one after the other. When it has returned, the message is acknowledged.

        Returns after `stop()`, and raises what ended the client otherwise; the client is closed
        then. What the handler raises goes to `on_error`, and when that returns the message counts
        as handled; without `on_error` it is raised here and the message comes again next time.
        """
        if self._runner is not None:
            raise RuntimeError("run() of this client is running already")
        self._runner = asyncio.current_task()
        try:
            try:
                await self.connect()
            except ClosedError:
                if self._closed or not self._inbox.stopped.is_set():
                    raise
            async for message in self.messages():
                try:
                    await _finish(handler(message))
                except Exception as error:
                    if on_error is None:
                        raise
                    await _finish(on_error(message, error))
        finally:
            self._runner = None
            self._inbox.put_back()
            await self.close()

    def messages(self) -> AsyncIterator[Message]:
        """`async for message in client.messages()`: a message counts as handled when the next one
        is asked for, or with `ack()`; one that the loop was left with comes again."""
        if self._consumer is not None:
            self._consumer.superseded = True
            self._inbox.put_back()
        self._consumer = _Messages(self)
        return self._consumer

    def ack(self, message: Message) -> None:
        """Marks the message that `messages()` gave last as handled, so that the loop can be left.
        It is acknowledged in the background, by `close()` at the latest."""
        if self._consumer is not None:
            self._consumer.done(message)

    # Sending.

    async def send(
        self,
        to: str,
        payload: Any,
        *,
        type: str = "chat",
        reply_to: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Sent:
        """Sends to an agent, or with "broadcast" to everyone. Returns when it is stored.

        It is stored once, however often the connection breaks. When `RequestTimeoutError` is
        raised it may or may not be stored; another call with the error's `idempotency_key` within
        two minutes of the first settles it.
        """
        if not to:
            # Null is everyone on the wire: a name that is missing by mistake must not be that.
            text = 'name the agent, or "broadcast" for everyone'
            raise InvalidRequestError("invalid_recipient", text, field="to")
        key = idempotency_key or secrets.token_hex(16)
        operation = operations.send(to, payload, type, reply_to, key)
        return await self._call_once(operation, key, timeout)

    async def reply(
        self, message: Message, payload: Any, *, type: str = "chat", timeout: float | None = None
    ) -> Sent:
        """Answers a message: to its sender, also when it came from a channel."""
        return await self.send(
            message.sender, payload, type=type, reply_to=message.id, timeout=timeout
        )

    async def request(
        self, to: str, payload: Any, *, type: str = "chat", timeout: float | None = None
    ) -> Message:
        """Sends, and returns the first message that answers it (`reply_to`). That one does not go
        to the handler; one that comes after the timeout does. May be used in a handler."""
        limit = self._request_timeout if timeout is None else timeout
        deadline = asyncio.get_running_loop().time() + limit
        self._inbox.request_begins()
        sent = None
        try:
            sent = await self.send(to, payload, type=type, timeout=min(limit, MAX_SEND_TIMEOUT))
        finally:
            answer = self._inbox.request_sent(sent.id if sent else None)
        try:
            async with asyncio.timeout_at(deadline):
                return await answer
        except TimeoutError:
            text = f"{to} did not answer message {sent.id} within {limit:g} s"
            raise RequestTimeoutError("timeout", text, retry=True) from None
        finally:
            self._inbox.request_ends(sent.id)

    async def publish(
        self,
        channel: str,
        payload: dict[str, Any],
        *,
        type: str = "chat",
        reply_to: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Published:
        """Publishes to a channel, once, as `send` sends. The payload must be an object."""
        key = idempotency_key or secrets.token_hex(16)
        operation = operations.publish(channel, payload, type, reply_to, key)
        return await self._call_once(operation, key, timeout)

    async def set_status(self, status: Any, *, timeout: float | None = None) -> None:
        """Shows a status, any JSON value, to others, also after reconnecting. While polling there
        is no connection that could show it; it is shown once there is."""
        await self._call(operations.set_status(status), timeout)
        self._profile["status"] = status

    # Channels and agents.

    async def create_channel(
        self, name: str, description: str = "", *, timeout: float | None = None
    ) -> str:
        """Returns the channel's name as the hub spells it. ConflictError: it exists already, which
        after a lost connection may be the doing of this very call."""
        return await self._call(operations.create_channel(name, description), timeout)

    async def delete_channel(self, channel: str, *, timeout: float | None = None) -> None:
        """For who made it, and administrators; PermissionDeniedError for others. What its
        subscribers had not read stays in their mailboxes."""
        await self._call(operations.delete_channel(channel), timeout)

    async def subscribe(self, channel: str, *, timeout: float | None = None) -> bool:
        """From now on the channel's messages come to the mailbox, also those of times without a
        connection. False: it was so already."""
        return await self._call(operations.subscribe(channel), timeout)

    async def unsubscribe(self, channel: str, *, timeout: float | None = None) -> None:
        await self._call(operations.unsubscribe(channel), timeout)

    async def channels(self, *, timeout: float | None = None) -> list[Channel]:
        return await self._call(operations.list_channels(), timeout)

    async def history(
        self,
        channel: str,
        *,
        since: int | None = None,
        limit: int = 50,
        timeout: float | None = None,
    ) -> HistoryPage:
        """Without `since` the newest messages, with it the first after that place in the channel;
        at most `limit` (200), oldest first. The page's `cursor` is the next `since`."""
        return await self._call(operations.channel_history(channel, since, limit), timeout)

    async def iter_history(
        self, channel: str, *, since: int = 0, page: int = 100
    ) -> AsyncIterator[Message]:
        """Everything after `since`, oldest first, fetched page by page."""
        while True:
            found = await self.history(channel, since=since, limit=page)
            for message in found.messages:
                yield message
            # A page may be shorter than asked for; only an empty one is the end.
            if not found.messages or found.cursor <= since:
                return
            since = found.cursor

    async def agents(self, *, timeout: float | None = None) -> list[Agent]:
        """Who is connected over WebSocket."""
        return await self._call(operations.list_agents(), timeout)

    # Calls.

    async def _call_once(self, operation: Operation[T], key: str, timeout: float | None) -> T:
        limit = self._request_timeout if timeout is None else timeout
        if limit > MAX_SEND_TIMEOUT:
            raise ValueError(f"a send's timeout is at most {MAX_SEND_TIMEOUT:g} s")
        try:
            return await self._call(operation, limit)
        except AgentComError as error:
            error.idempotency_key = key
            raise

    async def _call(self, operation: Operation[T], timeout: float | None) -> T:
        if self._keeping is None and not self._closed:
            raise ClosedError("closed", "the client is not connected yet; call connect() first")
        limit = self._request_timeout if timeout is None else timeout
        return await self._calls.make(operation, limit)

    async def _keep(self) -> None:
        try:
            await self._connection.keep()
        except AgentComError as error:
            self._fail(error)
        except Exception as error:
            log.exception("%s: a mistake in the client", self._agent_id)
            failure = AgentComError("internal_client", f"a mistake in the client: {error!r}")
            failure.__cause__ = error
            self._fail(failure)

    def _fail(self, error: AgentComError) -> None:
        log.error("%s: stopped: %s", self._agent_id, error)
        self._failure = error
        self._calls.end(error)
        self._inbox.stop()
        self._inbox.fail_requests(error)

    def _emit(self, event: Event) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            log.exception("%s: on_event failed", self._agent_id)


class _Messages(AsyncIterator[Message]):
    """The iterator behind `messages()`; a generator would keep its message when it is left."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._entry: Entry | None = None
        self.superseded = False
        self.task: asyncio.Task[Any] | None = None

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Message:
        if self.superseded:
            raise RuntimeError("another messages() of this client took over")
        self.task = asyncio.current_task()
        inbox = self._client._inbox
        if self._entry is not None:
            inbox.done(self._entry)
            self._entry = None
        self._entry = await inbox.take(lambda: not self.superseded)
        if self.superseded:
            raise RuntimeError("another messages() of this client took over")
        if self._entry is None:
            if self._client._failure is not None:
                raise self._client._failure.again()
            raise StopAsyncIteration
        return self._entry.message

    def done(self, message: Message) -> None:
        if self._entry is not None and self._entry.message is message:
            self._client._inbox.done(self._entry)
            self._entry = None


async def _finish(result: Awaitable[None] | None) -> None:
    if inspect.isawaitable(result):
        await result
