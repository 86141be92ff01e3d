"""Two ways to be connected, behind one interface: a WebSocket, and long polls over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ._errors import (
    AgentComError,
    AuthenticationError,
    ProtocolError,
    ReplacedError,
    TokenRevokedError,
    TooLargeError,
    UnavailableError,
    hub_error,
)
from ._http import HttpClient, encode, quoted, retry_after_seconds
from ._inbox import Inbox
from ._operations import Operation, channel_history
from ._types import Event, mailbox_message, pushed_message

try:
    import websockets
    from websockets.exceptions import ConnectionClosed

    # The package loads it lazily, which type checkers do not see.
    open_websocket: Any = getattr(websockets, "connect")
    HAVE_WEBSOCKETS = True
except ImportError:  # Long polls need nothing but the standard library.
    HAVE_WEBSOCKETS = False

T = TypeVar("T")
log = logging.getLogger("agentcom")


class SessionEnded(Exception):
    """The session broke before the answer came; the next one may take the request."""


@dataclass(frozen=True)
class Ending:
    """How a session ended."""

    reason: str
    fatal: AgentComError | None = None
    """Do not connect again."""
    at_once: bool = False
    """Connect again without a delay."""
    code: int | None = None
    """The hub's close code."""


@dataclass(frozen=True)
class Setup:
    """What sessions need to know of their client."""

    agent_id: str
    token: str
    profile: dict[str, Any]  # of `identify`; the client changes `status` in it
    http: HttpClient
    inbox: Inbox
    emit: Callable[[Event], None]
    session_ended: Callable[[], None]
    """Called when a session takes no more requests, before those in flight fail."""
    tls: ssl.SSLContext | None
    open_timeout: float
    poll_wait: int
    max_incoming_bytes: int


class Session(Protocol):
    transport: str
    truncated: bool
    ended: asyncio.Event
    """It takes no more requests."""

    async def call(self, operation: Operation[T], timeout: float) -> T:
        """Raises SessionEnded when the session broke, AgentComError when the hub refused."""

    async def acknowledge(self, seq: int) -> None: ...

    async def flush(self) -> None:
        """Returns when what was acknowledged is stored."""

    async def run(self) -> Ending: ...

    async def close(self) -> None: ...


async def call_http(setup: Setup, operation: Operation[T], timeout: float) -> T:
    """An operation over HTTP."""
    try:
        answer = await setup.http.arequest(
            operation.method, operation.path, operation.body, timeout
        )
    except UnavailableError as error:
        if error.code == "unreachable":
            raise SessionEnded(error.message) from error
        raise
    return _parsed(operation, answer)


def _parsed(operation: Operation[T], answer: dict[str, Any]) -> T:
    try:
        return operation.parse(answer)
    except (KeyError, TypeError) as error:
        raise ProtocolError(
            "unexpected_answer", f"the hub's answer is not understood: {error!r}"
        ) from error


class WebSocketSession:
    """One connection, identified with `acks`."""

    transport = "websocket"

    def __init__(self, setup: Setup, socket: Any, identified: dict[str, Any]) -> None:
        self._setup = setup
        self._socket = socket
        self._max_frame_bytes = int(identified["limits"]["max_frame_bytes"])
        self.truncated = bool(identified.get("truncated", False))
        self._next_ref = 0
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._resyncing = False
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()  # bounded by the client's max_in_flight
        self.ended = asyncio.Event()

    @classmethod
    async def open(cls, setup: Setup) -> WebSocketSession:
        """Connects and identifies. Raises AgentComError."""
        url = "ws" + setup.http.url.removeprefix("http") + "/ws"
        options: dict[str, Any] = {"ssl": setup.tls} if setup.tls is not None else {}
        socket = None
        try:
            async with asyncio.timeout(setup.open_timeout):
                socket = await open_websocket(
                    url,
                    max_size=setup.max_incoming_bytes,
                    compression=None,
                    open_timeout=None,
                    close_timeout=2,
                    **options,
                )
                identify = {"type": "identify", "agent_id": setup.agent_id, "acks": True}
                identify |= {"token": setup.token, "echo": False, **setup.profile}
                await socket.send(encode(identify).decode())
                answer = _frame(await socket.recv())
            if answer.get("type") == "error":
                raise hub_error(answer)
            if answer.get("type") != "identified":
                raise UnavailableError("unreachable", "this is no AgentCom hub", retry=True)
            setup.inbox.begin(str(answer["epoch"]))
            return cls(setup, socket, answer)
        except BaseException as error:
            if socket is not None:
                socket.transport.abort()
            if isinstance(error, AgentComError) or not isinstance(error, Exception):
                raise
            raise _cannot_connect(setup, error) from error

    async def call(self, operation: Operation[T], timeout: float) -> T:
        if operation.frame is None:
            return await call_http(self._setup, operation, timeout)
        self._next_ref += 1
        ref = self._next_ref
        text = encode({**operation.frame, "ref": ref})
        if len(text) > self._max_frame_bytes:
            raise TooLargeError(
                "body_too_large",
                f"the request has {len(text)} bytes, the hub takes {self._max_frame_bytes}",
            )
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[ref] = future
        self._outgoing.put_nowait(text.decode())
        try:
            answer = await future
        finally:
            self._pending.pop(ref, None)
        if answer["type"] == "error":
            raise hub_error(answer)
        return _parsed(operation, answer)

    async def acknowledge(self, seq: int) -> None:
        try:
            await self._socket.send(encode({"type": "ack", "seq": seq}).decode())
        except ConnectionClosed as error:
            raise SessionEnded("the connection is closed") from error

    async def flush(self) -> None:
        # Acknowledgements have no answer, but a read is answered after the writes before it.
        await self.call(channel_history("flush", None, 1), 0)

    async def _write(self) -> None:
        """Writes requests in the order of the calls. When it breaks, run() sees it, too, and fails
        them in that order, so that the next session has them in that order."""
        try:
            while True:
                await self._socket.send(await self._outgoing.get())
        except ConnectionClosed:
            pass

    async def run(self) -> Ending:
        """Reads until the connection ends."""
        helpers = [
            asyncio.create_task(self._write()),
            asyncio.create_task(self._resync_when_drained()),
        ]
        ending = Ending("the connection broke")
        try:
            while True:
                raw = await self._socket.recv()
                self._arrived(_frame(raw), len(raw))
        except ConnectionClosed as closed:
            ending = self._ending(closed)
        except (ValueError, KeyError, TypeError) as error:
            self._socket.transport.abort()
            fatal = ProtocolError("unexpected_frame", f"a frame is not understood: {error!r}")
            ending = Ending("a frame is not understood", fatal)
        finally:
            for helper in helpers:
                helper.cancel()
            self._fail_pending(ending)
        return ending

    async def close(self) -> None:
        await self._socket.close()

    def _arrived(self, frame: dict[str, Any], size: int) -> None:
        kind = frame["type"]
        if kind in ("message", "channel_message"):
            self._setup.inbox.offer(pushed_message(frame), size)
        elif "ref" in frame:
            future = self._pending.get(frame["ref"])
            if future is not None and not future.done():
                future.set_result(frame)
        elif kind == "error":
            log.warning("the hub reports %s", hub_error(frame))
        else:
            data = {name: value for name, value in frame.items() if name != "type"}
            self._setup.emit(Event(kind, data))

    async def _resync_when_drained(self) -> None:
        """Messages were turned away for lack of room: the hub pushes them again on a new
        connection, as soon as there is room for them."""
        await self._setup.inbox.turned_away.wait()
        await self._setup.inbox.drained.wait()
        self._resyncing = True
        await self._socket.close()

    def _ending(self, closed: ConnectionClosed) -> Ending:
        if self._resyncing:
            return Ending("caught up with the queue", at_once=True)
        if closed.sent is not None and not closed.rcvd_then_sent and closed.sent.code == 1009:
            return Ending("a frame is larger than max_incoming_bytes", code=1009)
        if closed.rcvd is None:
            return Ending("the connection broke")
        code, reason = closed.rcvd.code, closed.rcvd.reason
        said = f"closed with {code} {reason}".rstrip()
        if code == 4000:
            text = "a newer connection of this agent took over"
            return Ending(said, ReplacedError("replaced", text))
        if code == 4001:
            text = "an administrator revoked the token; ask for a new one"
            return Ending(said, TokenRevokedError("token_revoked", text))
        if code in (1002, 1003, 1007):
            return Ending(said, ProtocolError("protocol_error", f"the hub {said}"))
        return Ending(said, code=code)

    def _fail_pending(self, ending: Ending) -> None:
        # Not understood again when it is sent again, or too large again when it is asked again.
        error: Exception = ending.fatal or SessionEnded(ending.reason)
        if ending.code == 1009:
            text = f"{ending.reason}: the request or its answer is too large"
            error = TooLargeError("frame_too_big", text)
        self._setup.session_ended()
        self.ended.set()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(error)


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
            if not answer["messages"] and loop.time() - started < 0.5:
                # A hub that stops, or that has to say `truncated`, answers empty polls at once.
                await asyncio.sleep(1)


def _mailbox(setup: Setup, rest: str) -> str:
    return f"/api/mailbox/{quoted(setup.agent_id)}{rest}"


def _epoch(answer: dict[str, Any]) -> str:
    epoch = answer.get("epoch")
    if not isinstance(epoch, str) or not isinstance(answer.get("messages"), list):
        raise UnavailableError("unreachable", "this is no AgentCom hub", retry=True)
    return epoch


def _frame(raw: str | bytes) -> dict[str, Any]:
    frame = json.loads(raw)
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise ValueError("not an object with a type")
    return frame


def _cannot_connect(setup: Setup, error: Exception) -> AgentComError:
    """Handshakes fail in many ways, and each release of the library has its own classes."""
    response = getattr(error, "response", error)
    status = getattr(response, "status_code", None)
    headers = getattr(response, "headers", None) or {}
    what = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        what = f"no answer within {setup.open_timeout:g} s"
    if isinstance(status, int):
        what = f"the upgrade to WebSocket was answered with status {status}"
    retry_after = retry_after_seconds(headers.get("Retry-After")) if headers else None
    return UnavailableError(
        "unreachable",
        f"cannot connect to {setup.http.url}: {what}",
        retry=True,
        status=status if isinstance(status, int) else None,
        retry_after=retry_after,
    )
