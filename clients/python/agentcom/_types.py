"""What the client hands out. All times are Unix milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the mailbox or of a channel's history."""

    id: str
    sender: str
    """The agent whose token was used; `from` on the wire."""
    to: str | None
    """An agent id, "broadcast" or None: None and "broadcast" are everyone. None for a channel's."""
    type: str
    payload: Any
    reply_to: str | None
    """Id of the message that this one answers."""
    timestamp: int
    seq: int | None
    """Place in the hub's log; None in a channel's history."""
    channel: str | None = None
    channel_seq: int | None = None
    """Place in the channel."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where messages were handled, in the store that `epoch` names."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message."""

    id: str
    status: str
    """"delivered" to a live connection, "queued" in the mailbox, or "broadcast"."""
    seq: int


@dataclass(frozen=True, slots=True)
class Published:
    """A stored channel message."""

    id: str
    channel: str
    seq: int
    """Place in the channel."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent that is connected over WebSocket."""

    agent_id: str
    name: Any
    status: Any
    capabilities: Any
    connected_at: int


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    description: str
    subscriber_count: int
    created_at: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some messages of a channel, oldest first."""

    messages: list[Message]
    cursor: int
    """Give it as `since` to read on."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is no message; see `Client(on_event=...)` for the kinds."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


def pushed_message(frame: dict[str, Any]) -> Message:
    """A pushed frame `message` or `channel_message`."""
    return Message(
        id=frame["id"],
        sender=frame["from"],
        to=frame.get("to"),
        type=frame["message_type"],
        payload=frame["payload"],
        reply_to=frame.get("reply_to"),
        timestamp=frame["timestamp"],
        seq=frame["seq"],
        channel=frame.get("channel"),
        channel_seq=frame.get("channel_seq"),
    )


def stored_message(body: dict[str, Any]) -> Message:
    """A message as HTTP and the history show it."""
    return Message(
        id=body["id"],
        sender=body["from"],
        to=body.get("to"),
        type=body["type"],
        payload=body["payload"],
        reply_to=body.get("reply_to"),
        timestamp=body["timestamp"],
        seq=body.get("seq"),
        channel=body.get("channel"),
        channel_seq=body.get("channel_seq"),
    )


def mailbox_message(body: dict[str, Any]) -> Message:
    """A message as a mailbox poll shows it."""
    channel, payload = body.get("channel"), body["payload"]
    # A poll repeats the channel's name inside the payload; pushed frames do not. One form for both.
    if channel is not None and isinstance(payload, dict) and payload.get("channel") == channel:
        body = {**body, "payload": {k: v for k, v in payload.items() if k != "channel"}}
    return stored_message(body)
