"""What an agent can ask of the hub, once as a frame and once as an HTTP request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from ._http import quoted
from ._types import Agent, Channel, HistoryPage, Published, Sent, stored_message

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class Operation(Generic[T]):
    frame: Json | None
    """None: only HTTP has it."""
    method: str
    path: str
    body: Json | None
    parse: Callable[[Json], T]
    """Understands the reply frame and the HTTP answer."""


def _without_nones(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def send(
    to: str, payload: Any, type: str, reply_to: str | None, idempotency_key: str
) -> Operation[Sent]:
    common = _without_nones(reply_to=reply_to)
    common |= {"to": to, "payload": payload, "idempotency_key": idempotency_key}
    return Operation(
        {"type": "message", "message_type": type, **common},
        "POST",
        "/api/message",
        {"type": type, **common},
        # Over HTTP `status` is the word "sent".
        lambda answer: Sent(answer["id"], answer.get("delivery", answer["status"]), answer["seq"]),
    )


def publish(
    channel: str, payload: Json, type: str, reply_to: str | None, idempotency_key: str
) -> Operation[Published]:
    common = _without_nones(reply_to=reply_to)
    common |= {"payload": payload, "idempotency_key": idempotency_key}
    return Operation(
        {"type": "channel_publish", "channel": channel, "message_type": type, **common},
        "POST",
        f"/api/channels/{quoted(channel)}/publish",
        {"type": type, **common},
        lambda answer: Published(answer["id"], answer.get("channel", channel), answer["seq"]),
    )


def subscribe(channel: str) -> Operation[bool]:
    def is_new(answer: Json) -> bool:
        return "already_subscribed" not in (answer.get("note"), answer.get("status"))

    return Operation(
        {"type": "channel_subscribe", "channel": channel},
        "POST",
        f"/api/channels/{quoted(channel)}/subscribe",
        {},
        is_new,
    )


def unsubscribe(channel: str) -> Operation[None]:
    return Operation(
        {"type": "channel_unsubscribe", "channel": channel},
        "POST",
        f"/api/channels/{quoted(channel)}/unsubscribe",
        {},
        lambda _: None,
    )


def create_channel(name: str, description: str) -> Operation[str]:
    body = {"name": name, "description": description}
    return Operation(None, "POST", "/api/channels", body, lambda answer: str(answer["channel"]))


def delete_channel(channel: str) -> Operation[None]:
    return Operation(
        {"type": "channel_delete", "channel": channel},
        "DELETE",
        f"/api/channels/{quoted(channel)}",
        None,
        lambda _: None,
    )


def list_channels() -> Operation[list[Channel]]:
    def parse(answer: Json) -> list[Channel]:
        return [
            Channel(c["name"], c["description"], c["subscriber_count"], c["created_at"])
            for c in answer["channels"]
        ]

    return Operation({"type": "list_channels"}, "GET", "/api/channels", None, parse)


def list_agents() -> Operation[list[Agent]]:
    def parse(answer: Json) -> list[Agent]:
        return [
            Agent(a["agent_id"], a["name"], a["status"], a["capabilities"], a["connected_at"])
            for a in answer["agents"]
        ]

    return Operation({"type": "list_agents"}, "GET", "/api/agents", None, parse)


def set_status(status: Any) -> Operation[None]:
    return Operation({"type": "status", "status": status}, "", "", None, lambda _: None)


def channel_history(channel: str, since: int | None, limit: int) -> Operation[HistoryPage]:
    query = _without_nones(since=since, limit=limit)

    def parse(answer: Json) -> HistoryPage:
        messages = [stored_message(entry["message"]) for entry in answer["messages"]]
        last = messages[-1].channel_seq if messages else None
        return HistoryPage(messages, last if last is not None else since or 0)

    return Operation(
        {"type": "channel_history", "channel": channel, **query},
        "GET",
        f"/api/channels/{quoted(channel)}/history?{urlencode(query)}",
        None,
        parse,
    )
