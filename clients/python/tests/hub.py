"""The real hub as a child process, and a relay in front of it that can make trouble."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("AGENTCOM_BINARY", str(REPOSITORY / "build/release/agentcom"))
PATIENCE = 20.0
"""Seconds that anything may take before a test gives up on it."""


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Only what the tests say reaches the hub."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AGENTCOM_") and name not in ("PORT", "ADMIN_AGENTS")
    }
    return kept | settings


def _drain(log: IO[str]) -> None:
    with log:
        log.read()


class Hub:
    """A hub on loopback; `settings` are environment variables such as AGENTCOM_MAILBOX_CAP."""

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        self._scheme = "https" if "AGENTCOM_TLS_CERTIFICATE" in settings else "http"
        self.directory = tempfile.mkdtemp(prefix="agentcom-python-")
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        if certificate := settings.get("AGENTCOM_TLS_CERTIFICATE"):
            self.tls = ssl.create_default_context(cafile=certificate)
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """On the port and the data that it had, if it had any."""
        process = subprocess.Popen(
            [BINARY, "serve", "--host", "127.0.0.1", "--port", str(self.port)]
            + ["--data-dir", self.directory],
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(self._settings),
        )
        assert process.stderr is not None
        log = ""
        for line in process.stderr:
            log += line
            if found := re.search(r"listening on https?://\S+:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise RuntimeError(f"the hub did not start: {log}")
        # The log must be read, or the hub would block on a full pipe.
        threading.Thread(target=_drain, args=[process.stderr], daemon=True).start()
        self._process = process
        token = Path(self.directory, "admin_token")
        self.admin_token = (
            token.read_text().strip() if token.exists() else self._settings["AGENTCOM_ADMIN_TOKEN"]
        )

    def terminate(self) -> None:
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        self._end(lambda process: process.kill())

    def _end(self, how: Callable[[subprocess.Popen[str]], None]) -> None:
        if self._process is not None:
            how(self._process)
            self._process.wait(PATIENCE)
            self._process = None

    def forget_everything(self) -> None:
        """While it is down: the next start makes a new store."""
        shutil.rmtree(self.directory)
        os.mkdir(self.directory, 0o700)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token or self.admin_token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=PATIENCE, context=self.tls) as answer:
            return json.load(answer)

    def issue_token(self, agent_id: str) -> str:
        return str(self.ask("POST", "/admin/tokens", {"agent_id": agent_id})["token"])

    def revoke(self, agent_id: str) -> None:
        self.ask("DELETE", f"/admin/tokens/{agent_id}")

    def send(self, to: str, payload: Any, token: str | None = None) -> int:
        body = {"to": to, "payload": payload}
        return int(self.ask("POST", "/api/message", body, token)["seq"])

    def unread(self, agent_id: str, token: str) -> list[Any]:
        found = self.ask("GET", f"/api/mailbox/{agent_id}", None, token)["messages"]
        return [message["payload"] for message in found]

    def stored(self, sender: str) -> list[Any]:
        """Payloads of all messages of this sender, as the audit log has them."""
        found = self.ask("GET", f"/api/messages?from={sender}&limit=200")["messages"]
        return [message["payload"] for message in found]


def make_certificate(directory: str) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    certificate, key = f"{directory}/certificate.pem", f"{directory}/key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subprocess.run(
        command.split()
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return certificate, key


class Relay:
    """Passes bytes between clients and a hub, as a proxy does, and breaks what it is told to."""

    def __init__(self, port: int) -> None:
        self._hub_port = port
        self.refuse_upgrades = False
        self.drop_answers_to: bytes | None = None
        """When a client sent these bytes, the hub's next bytes are dropped and the connection cut."""
        self.dropped = asyncio.Event()
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Breaks all connections, without a word to either side."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            first = await reader.readuntil(b"\r\n\r\n")
            if self.refuse_upgrades and b"upgrade: websocket" in first.lower():
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return writer.close()
            hub_reader, hub_writer = await asyncio.open_connection("127.0.0.1", self._hub_port)
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
            return
        self._writers.add(hub_writer)
        hub_writer.write(first)
        state = {"drop": False}

        async def up() -> None:
            while data := await reader.read(65536):
                if self.drop_answers_to and self.drop_answers_to in _unmasked(data):
                    state["drop"] = True
                hub_writer.write(data)
            hub_writer.close()

        async def down() -> None:
            while data := await hub_reader.read(65536):
                if state["drop"]:
                    self.drop_answers_to = None
                    writer.transport.abort()
                    hub_writer.transport.abort()
                    self.dropped.set()
                    return
                writer.write(data)
            writer.close()

        await asyncio.gather(up(), down(), return_exceptions=True)
        self._writers -= {writer, hub_writer}


def _unmasked(data: bytes) -> bytes:
    """The payload of one short masked frame, enough to recognise what a test sends."""
    if len(data) < 6 or not data[1] & 0x80:
        return data
    length = data[1] & 0x7F
    start = 2 if length < 126 else 4 if length == 126 else 10
    mask, body = data[start : start + 4], data[start + 4 :]
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
