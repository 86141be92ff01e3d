"""HTTP to the hub with urllib: proxies as the environment says, no redirects, bounded answers."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from email.message import Message as Headers
from email.utils import parsedate_to_datetime
from typing import Any

from ._errors import InvalidRequestError, TooLargeError, http_error, hub_error, unreachable


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def normalised_url(url: str) -> str:
    """`http(s)://host[:port][/prefix]` without a slash at its end; ws and wss are understood."""
    parts = urllib.parse.urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    if scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the hub's URL must look like http://host:4000, not {url!r}")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("the hub's URL has no query, no fragment and no user")
    return urllib.parse.urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def quoted(segment: str) -> str:
    """A segment of a path."""
    return urllib.parse.quote(segment, safe="")


def retry_after_seconds(value: str | None) -> float | None:
    """`Retry-After` in seconds, from either of its two forms."""
    if value is None:
        return None
    value = value.strip()
    if value.isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return max(0.0, (when - datetime.now(timezone.utc)).total_seconds())


class HttpClient:
    """Blocking requests to one hub as one agent. Safe to share between threads."""

    def __init__(
        self, url: str, token: str, *, tls: ssl.SSLContext | None, max_answer_bytes: int
    ) -> None:
        self.url = normalised_url(url)
        self._token = token
        self._max_answer_bytes = max_answer_bytes
        parts = urllib.parse.urlsplit(self.url)
        host = parts.hostname or ""
        self.loopback = host == "localhost" or host.startswith("127.") or host == "::1"
        """The hub is on this machine: no proxy, whatever the environment says."""
        proxies = {} if self.loopback else urllib.request.getproxies()
        self.proxied = parts.scheme in proxies and not urllib.request.proxy_bypass(host)
        """Whether the environment names a proxy for this hub."""
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        handlers.append(urllib.request.ProxyHandler(proxies))
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)

    def request(
        self, method: str, path: str, body: dict[str, Any] | None, timeout: float
    ) -> dict[str, Any]:
        """The JSON object that the hub answers. Raises `AgentComError`; connection trouble is
        `UnavailableError`."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else encode(body),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        where = f"{method} {path.partition('?')[0]}"
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return self._json(answer.read(self._max_answer_bytes + 1), answer.status, where)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, where) from None
        # What http.client raises when a connection ends in the middle is no OSError.
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise unreachable(f"cannot reach the hub at {self.url}: {reason}", error) from error

    async def arequest(
        self, method: str, path: str, body: dict[str, Any] | None, timeout: float
    ) -> dict[str, Any]:
        """The same for asyncio. A cancelled request ends by itself in the background."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()

        def settle(answer: dict[str, Any] | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(answer or {})

        def work() -> None:
            answer, failure = None, None
            try:
                answer = self.request(method, path, body, timeout)
            except BaseException as error:
                failure = error
            try:
                loop.call_soon_threadsafe(settle, answer, failure)
            except RuntimeError:
                pass  # The loop is closed: nobody waits for this any more.

        # A daemon, not the loop's executor: the program's end must not wait for a long poll.
        threading.Thread(target=work, name=f"agentcom {method}", daemon=True).start()
        return await future

    def _json(self, raw: bytes, status: int, where: str) -> dict[str, Any]:
        if len(raw) > self._max_answer_bytes:
            raise TooLargeError(
                "answer_too_large",
                f"the answer to {where} is larger than max_incoming_bytes; ask for less",
            )
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise http_error(status, where, None)
        return answer

    def _refusal(self, error: urllib.error.HTTPError, where: str) -> Exception:
        headers: Headers = error.headers
        retry_after = retry_after_seconds(headers.get("Retry-After"))
        try:
            body = json.loads(error.read(self._max_answer_bytes))
        except (ValueError, OSError, http.client.HTTPException):
            body = None
        if isinstance(body, dict) and isinstance(body.get("error"), str):
            return hub_error(body, status=error.code, retry_after=retry_after)
        return http_error(error.code, where, retry_after)


def encode(value: dict[str, Any]) -> bytes:
    """JSON as it goes over the wire."""
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except (TypeError, ValueError) as error:
        raise InvalidRequestError("invalid_json", f"not a JSON value: {error}") from error
