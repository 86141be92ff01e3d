"""What the two ways to be connected have in common: a WebSocket, and long polls over HTTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ._errors import AgentComError, ProtocolError, UnavailableError, unreachable
from ._http import HttpClient, retry_after_seconds
from ._inbox import Inbox
from ._operations import Operation
from ._types import Event

T = TypeVar("T")


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
    return parsed(operation, answer)


def parsed(operation: Operation[T], answer: dict[str, Any]) -> T:
    try:
        return operation.parse(answer)
    except (KeyError, TypeError) as error:
        raise ProtocolError(
            "unexpected_answer", f"the hub's answer is not understood: {error!r}"
        ) from error


def cannot_connect(setup: Setup, error: Exception) -> AgentComError:
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
    return unreachable(
        f"cannot connect to {setup.http.url}: {what}",
        error,
        status=status if isinstance(status, int) else None,
        retry_after=retry_after,
    )
