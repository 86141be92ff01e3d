"""Client of the AgentCom message hub.

`Client` is for asyncio; `SyncClient` is for scripts that send, poll and acknowledge.
"""

from ._client import Client
from ._connection import Transport
from ._errors import (
    AgentComError,
    AuthenticationError,
    ClosedError,
    ConflictError,
    InternalHubError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ReplacedError,
    RequestTimeoutError,
    StorageError,
    TokenRevokedError,
    TooLargeError,
    UnavailableError,
)
from ._sync import MailboxPage, SyncClient
from ._types import Agent, Channel, Event, HistoryPage, Message, Position, Published, Sent

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "AgentComError",
    "AuthenticationError",
    "Channel",
    "Client",
    "ClosedError",
    "ConflictError",
    "Event",
    "HistoryPage",
    "InternalHubError",
    "InvalidRequestError",
    "LimitReachedError",
    "MailboxPage",
    "Message",
    "NotFoundError",
    "PermissionDeniedError",
    "Position",
    "ProtocolError",
    "Published",
    "RateLimitedError",
    "ReplacedError",
    "RequestTimeoutError",
    "Sent",
    "StorageError",
    "SyncClient",
    "TokenRevokedError",
    "TooLargeError",
    "Transport",
    "UnavailableError",
]
