"""Errors: one class per kind; `code` is the hub's word, `retry` whether trying again may help."""

from __future__ import annotations

import ssl
from typing import Any


class AgentComError(Exception):
    """Anything that went wrong with the hub or on the way to it."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry: bool = False,
        field: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """Stable word from the hub's table of errors, or one of this library's own."""
        self.message = message
        """A sentence for people."""
        self.retry = retry
        """Whether the same call may succeed later."""
        self.field = field
        """The field of the request that is at fault, when there is one."""
        self.status = status
        """HTTP status, when the answer came over HTTP."""
        self.retry_after = retry_after
        """Seconds to wait before trying again, when the hub named them."""
        self.idempotency_key: str | None = None
        """Of a failed send or publish: give it to the next attempt, and it is stored once."""

    def again(self) -> AgentComError:
        """The same for another caller: an exception object belongs to who catches it."""
        copy = type(self)(
            self.code,
            self.message,
            retry=self.retry,
            field=self.field,
            status=self.status,
            retry_after=self.retry_after,
        )
        copy.__cause__ = self.__cause__
        return copy


class InvalidRequestError(AgentComError):
    """The hub, or this library, does not understand or accept the request."""


class AuthenticationError(AgentComError):
    """No token, an unknown one, or one of another agent."""


class TokenRevokedError(AuthenticationError):
    """An administrator revoked the token while it was in use; the client has stopped."""


class PermissionDeniedError(AgentComError):
    """The token is good, but not for this."""


class NotFoundError(AgentComError):
    """There is no such channel or path."""


class ConflictError(AgentComError):
    """What was asked for is there already, or was done a moment ago."""


class TooLargeError(AgentComError):
    """The request is larger than the hub takes, or the answer larger than the client does."""


class RateLimitedError(AgentComError):
    """Too many requests, for longer than the call's timeout."""


class LimitReachedError(AgentComError):
    """The hub holds as many channels, subscriptions or mailboxes as it may."""


class UnavailableError(AgentComError):
    """The hub cannot be reached, is stopping, or is too busy."""


class StorageError(AgentComError):
    """The hub's store is full or damaged; nothing was stored."""


class InternalHubError(AgentComError):
    """The hub made a mistake."""


class ReplacedError(AgentComError):
    """A newer connection of this agent took over; the client has stopped and stays so."""


class ProtocolError(AgentComError):
    """The hub and this library do not understand each other; the client has stopped."""


class RequestTimeoutError(AgentComError):
    """No answer in time. A send may or may not be stored; see `idempotency_key`."""


class ClosedError(AgentComError):
    """The client is closed."""


# code -> (class, retry), the table "Errors" of the wire protocol.
CODES: dict[str, tuple[type[AgentComError], bool]] = {
    "invalid_json": (InvalidRequestError, False),
    "invalid_encoding": (InvalidRequestError, False),
    "not_identified": (AuthenticationError, False),
    "already_identified": (ConflictError, False),
    "identify_timeout": (UnavailableError, True),
    "invalid_token": (AuthenticationError, False),
    "token_agent_mismatch": (AuthenticationError, False),
    "unknown_message_type": (InvalidRequestError, False),
    "missing_field": (InvalidRequestError, False),
    "invalid_field": (InvalidRequestError, False),
    "invalid_positive_integer": (InvalidRequestError, False),
    "invalid_agent_id": (InvalidRequestError, False),
    "invalid_recipient": (InvalidRequestError, False),
    "invalid_channel_name": (InvalidRequestError, False),
    "invalid_payload": (InvalidRequestError, False),
    "invalid_idempotency_key": (InvalidRequestError, False),
    "idempotency_conflict": (ConflictError, False),
    "channel_not_found": (NotFoundError, False),
    "channel_exists": (ConflictError, False),
    "channel_limit": (LimitReachedError, True),
    "member_limit": (LimitReachedError, False),
    "agent_ending": (ConflictError, True),
    "unauthorized": (AuthenticationError, False),
    "forbidden": (PermissionDeniedError, False),
    "forbidden_origin": (PermissionDeniedError, False),
    "forbidden_host": (PermissionDeniedError, False),
    "admin_only": (PermissionDeniedError, False),
    "read_only": (PermissionDeniedError, False),
    "not_found": (NotFoundError, False),
    "method_not_allowed": (InvalidRequestError, False),
    "bad_request": (InvalidRequestError, False),
    "upgrade_required": (InvalidRequestError, False),
    "body_too_large": (TooLargeError, False),
    "payload_too_large": (TooLargeError, False),
    "header_too_large": (TooLargeError, False),
    "unsupported_media_type": (InvalidRequestError, False),
    "request_timeout": (UnavailableError, True),
    "expectation_failed": (InvalidRequestError, False),
    "rate_limited": (RateLimitedError, True),
    "reset_cooldown": (ConflictError, True),
    "invalid_configuration": (ConflictError, False),
    "session_changed": (ConflictError, False),
    "unknown_recipient_limit": (LimitReachedError, True),
    "subscription_limit": (LimitReachedError, True),
    "binary_not_supported": (InvalidRequestError, False),
    "too_many_connections": (UnavailableError, True),
    "overloaded": (UnavailableError, True),
    "shutting_down": (UnavailableError, True),
    "storage_full": (StorageError, True),
    "storage_failed": (StorageError, True),
    "internal": (InternalHubError, True),
}

# Refusals that pass by themselves: calls are made again until their timeout.
TRANSIENT = frozenset(
    {"rate_limited", "too_many_connections", "overloaded", "shutting_down", "request_timeout"}
)


def _retry_of_status(status: int | None) -> bool:
    return status is not None and (status in (408, 425, 429) or status >= 500)


def hub_error(
    body: dict[str, Any], *, status: int | None = None, retry_after: float | None = None
) -> AgentComError:
    """The error that a frame or an HTTP body of the hub describes."""
    code = str(body.get("error", "unknown"))
    # Two errors carry the field in their wire name, for clients of the original hub.
    if code.startswith("missing required field"):
        code = "missing_field"
    elif code.startswith("missing or invalid field"):
        code = "invalid_positive_integer"
    kind, retry = CODES.get(code, (AgentComError, _retry_of_status(status)))
    field = body.get("field")
    return kind(
        code,
        str(body.get("message", "the hub gave no reason")),
        retry=retry,
        field=field if isinstance(field, str) else None,
        status=status,
        retry_after=retry_after,
    )


def http_error(status: int, where: str, retry_after: float | None) -> AgentComError:
    """An HTTP answer that is not the hub's: something on the way speaks."""
    retry = _retry_of_status(status)
    kind = UnavailableError if retry else AgentComError
    return kind(
        f"http_{status}",
        f"{where} was answered with status {status}, and not by the hub; is there a proxy?",
        retry=retry,
        status=status,
        retry_after=retry_after,
    )


def unreachable(what: str, cause: BaseException | None, **details: Any) -> UnavailableError:
    """No connection, and why. A certificate that is not trusted will not be so in a moment."""
    reason = getattr(cause, "reason", cause)
    trusted = not isinstance(reason, ssl.SSLCertVerificationError)
    code = "unreachable" if trusted else "untrusted_certificate"
    error = UnavailableError(code, what, retry=trusted, **details)
    error.__cause__ = cause
    return error


def is_transient(error: AgentComError) -> bool:
    """Whether waiting alone is likely to mend it."""
    return error.code in TRANSIENT or (error.retry and error.code.startswith("http_"))
