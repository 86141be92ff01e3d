"""Connected over WebSocket, with the package websockets."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, TypeVar

from ._errors import (
    AgentComError,
    ProtocolError,
    ReplacedError,
    TokenRevokedError,
    TooLargeError,
    UnavailableError,
    hub_error,
)
from ._http import encode
from ._operations import Operation, channel_history
from ._sessions import Ending, SessionEnded, Setup, call_http, cannot_connect, parsed
from ._types import Event, pushed_message

try:
    import websockets
    from websockets.exceptions import ConnectionClosed

    # The package loads it lazily, which type checkers do not see.
    _library_connect: Any = getattr(websockets, "connect")

    class open_websocket(_library_connect):  # type: ignore[misc]
        """Without redirects: the other end would be sent the token."""

        def handle_redirect(self, uri: str) -> None:  # up to websockets 13
            raise OSError(f"it redirects to {uri}; use that URL")

        def process_redirect(self, error: Exception) -> Exception:  # from 14 on
            return error

    HAVE_WEBSOCKETS = True
    LIBRARY_KNOWS_PROXIES = int(websockets.version.version.partition(".")[0]) >= 15
except ImportError:  # Long polls need nothing but the standard library.
    HAVE_WEBSOCKETS = False

T = TypeVar("T")
log = logging.getLogger("agentcom")

# `ref` of acknowledgements: they have no answer, but the hub may refuse one.
ACK = "ack"
# Seconds until one that was refused is sent again.
ACK_AGAIN = 1.0


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
        self._again: asyncio.TimerHandle | None = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()  # bounded by the client's max_in_flight
        self.ended = asyncio.Event()

    @classmethod
    async def open(cls, setup: Setup) -> WebSocketSession:
        """Connects and identifies. Raises AgentComError."""
        url = "ws" + setup.http.url.removeprefix("http") + "/ws"
        options: dict[str, Any] = {}
        if setup.tls is not None and url.startswith("wss:"):
            options["ssl"] = setup.tls
        if setup.http.loopback and LIBRARY_KNOWS_PROXIES:
            options["proxy"] = None
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
            if answer.get("truncated"):
                setup.inbox.lost(int(answer.get("last_seq", 0)))
            return cls(setup, socket, answer)
        except BaseException as error:
            if socket is not None:
                socket.transport.abort()
            if isinstance(error, AgentComError) or not isinstance(error, Exception):
                raise
            raise cannot_connect(setup, error) from error

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
        return parsed(operation, answer)

    async def acknowledge(self, seq: int) -> None:
        try:
            await self._socket.send(encode({"type": "ack", "seq": seq, "ref": ACK}).decode())
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
            if self._again is not None:
                self._again.cancel()
            self._fail_pending(ending)
        return ending

    async def close(self) -> None:
        await self._socket.close()

    def _arrived(self, frame: dict[str, Any], size: int) -> None:
        kind = frame["type"]
        if kind in ("message", "channel_message"):
            self._setup.inbox.offer(pushed_message(frame), size)
        elif frame.get("ref") == ACK:
            self._report(frame)
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(ACK_AGAIN, self._setup.inbox.refused)
        elif "ref" in frame:
            future = self._pending.get(frame["ref"])
            if future is not None and not future.done():
                future.set_result(frame)
        elif kind == "error":
            self._report(frame)
        else:
            data = {name: value for name, value in frame.items() if name != "type"}
            self._setup.emit(Event(kind, data))

    def _report(self, frame: dict[str, Any]) -> None:
        error = hub_error(frame)
        log.warning("%s: the hub reports %s", self._setup.agent_id, error)
        self._setup.emit(Event("hub_error", {"code": error.code, "reason": error.message}))

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


def _frame(raw: str | bytes) -> dict[str, Any]:
    frame = json.loads(raw)
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise ValueError("not an object with a type")
    return frame
