"""The blocking client, for scripts."""

from __future__ import annotations

import secrets
import ssl
import time
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from . import _operations as operations
from ._backoff import Backoff
from ._client import MAX_SEND_TIMEOUT
from ._errors import AgentComError, InvalidRequestError, is_transient
from ._http import HttpClient, quoted
from ._operations import Operation
from ._types import Agent, Message, Published, Sent, mailbox_message

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MailboxPage:
    """Unread messages, oldest first."""

    messages: list[Message]
    last_seq: int
    """Give it as `since` to read on, or to `ack` when all are handled."""
    epoch: str
    """When it differs from the one of an earlier page, forget remembered positions."""
    truncated: bool
    """Unread messages were left out by the mailbox's cap or time-to-live, or removed."""


class SyncClient:
    """Sends, polls and acknowledges over HTTP with nothing but the standard library.

    There is no connection that could be closed. Every call repeats itself until its timeout
    (seconds) while the hub is not reachable or says "later".
    """

    def __init__(
        self,
        url: str,
        agent_id: str,
        token: str,
        *,
        tls: ssl.SSLContext | None = None,
        timeout: float = 30.0,
        max_incoming_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.agent_id = agent_id
        self._http = HttpClient(url, token, tls=tls, max_answer_bytes=max_incoming_bytes)
        self._timeout = timeout

    def send(
        self,
        to: str,
        payload: Any,
        *,
        type: str = "chat",
        reply_to: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Sent:
        """As `Client.send`."""
        if not to:
            text = 'name the agent, or "broadcast" for everyone'
            raise InvalidRequestError("invalid_recipient", text, field="to")
        key = idempotency_key or secrets.token_hex(16)
        return self._once(operations.send(to, payload, type, reply_to, key), key, timeout)

    def publish(
        self,
        channel: str,
        payload: dict[str, Any],
        *,
        type: str = "chat",
        reply_to: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Published:
        """As `Client.publish`."""
        key = idempotency_key or secrets.token_hex(16)
        return self._once(operations.publish(channel, payload, type, reply_to, key), key, timeout)

    def poll(
        self,
        *,
        since: int = 0,
        limit: int | None = None,
        wait: int = 0,
        timeout: float | None = None,
    ) -> MailboxPage:
        """What is unread after `since`. With `wait` (seconds, at most 60) it waits for something.
        Nothing is marked as read: that is what `ack` is for."""
        query = {"since": since, "wait": wait} | ({} if limit is None else {"limit": limit})
        path = f"/api/mailbox/{quoted(self.agent_id)}?{urlencode(query)}"

        def parse(answer: dict[str, Any]) -> MailboxPage:
            return MailboxPage(
                [mailbox_message(message) for message in answer["messages"]],
                answer["last_seq"],
                answer["epoch"],
                bool(answer.get("truncated", False)),
            )

        limit_s = self._timeout if timeout is None else timeout
        return self._call(Operation(None, "GET", path, None, parse), limit_s + wait)

    def ack(self, up_to: int | Message, *, timeout: float | None = None) -> None:
        """Marks everything up to this message, or its `seq`, as read."""
        seq = up_to.seq if isinstance(up_to, Message) else up_to
        path = f"/api/mailbox/{quoted(self.agent_id)}/ack"
        self._call(Operation(None, "POST", path, {"seq": seq}, lambda _: None), timeout)

    def agents(self, *, timeout: float | None = None) -> list[Agent]:
        """Who is connected over WebSocket."""
        return self._call(operations.list_agents(), timeout)

    def _once(self, operation: Operation[T], key: str, timeout: float | None) -> T:
        limit = self._timeout if timeout is None else timeout
        if limit > MAX_SEND_TIMEOUT:
            raise ValueError(f"a send's timeout is at most {MAX_SEND_TIMEOUT:g} s")
        try:
            return self._call(operation, limit)
        except AgentComError as error:
            error.idempotency_key = key
            raise

    def _call(self, operation: Operation[T], timeout: float | None) -> T:
        limit = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        backoff = Backoff(0.2, 10.0)
        while True:
            try:
                left = max(0.1, deadline - time.monotonic())
                answer = self._http.request(operation.method, operation.path, operation.body, left)
                return operation.parse(answer)
            except AgentComError as error:
                delay = backoff.next(error.retry_after)
                transient = is_transient(error) or error.code == "unreachable"
                if not transient or time.monotonic() + delay >= deadline:
                    raise
                time.sleep(delay)
