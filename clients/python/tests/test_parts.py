"""What needs no agents: the tables, the blocking client, and answers that a hub gives rarely."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import websockets

from agentcom import (
    AgentComError,
    Client,
    NotFoundError,
    Position,
    ProtocolError,
    SyncClient,
    TooLargeError,
    UnavailableError,
)
from agentcom._backoff import Backoff
from agentcom._errors import CODES, hub_error
from agentcom._http import normalised_url, retry_after_seconds

from .hub import REPOSITORY, Hub
from .support import Events, within


class ErrorTest(unittest.TestCase):
    def test_every_error_of_the_protocol_has_its_class(self) -> None:
        page = (REPOSITORY / "docs/protocol.md").read_text()
        table = page.split("\n## Errors\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| `(\w+)` \| \d+ \| (yes|no) \|", table, re.MULTILINE)
        self.assertGreater(len(rows), 20)
        known = {code: "yes" if retry else "no" for code, (_, retry) in CODES.items()}
        self.assertEqual(known, dict(rows), "agentcom/_errors.py and docs/protocol.md differ")

    def test_fields_in_wire_names_are_understood(self) -> None:
        error = hub_error({"error": "missing required field: payload", "field": "payload"})
        self.assertEqual((error.code, error.field), ("missing_field", "payload"))

    def test_an_unknown_code_goes_by_its_status(self) -> None:
        self.assertTrue(hub_error({"error": "brand_new", "message": ""}, status=503).retry)
        self.assertFalse(hub_error({"error": "brand_new", "message": ""}, status=400).retry)


class BackoffTest(unittest.TestCase):
    def test_it_doubles_up_to_its_maximum_with_jitter(self) -> None:
        backoff = Backoff(1, 8)
        for step in (1, 2, 4, 8, 8):
            delay = backoff.next()
            self.assertTrue(step / 2 <= delay <= step, delay)
        backoff.reset()
        self.assertLessEqual(backoff.next(), 1)

    def test_what_the_hub_asks_for_is_the_least(self) -> None:
        self.assertTrue(7 <= Backoff(1, 8).next(7) <= 8)

    def test_retry_after_has_two_forms(self) -> None:
        self.assertEqual(retry_after_seconds("120"), 120)
        self.assertEqual(retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT"), 0)
        self.assertGreater(retry_after_seconds("Wed, 21 Oct 2099 07:28:00 GMT") or 0, 1e6)
        self.assertIsNone(retry_after_seconds("soon"))
        self.assertIsNone(retry_after_seconds(None))


class OptionsTest(unittest.TestCase):
    def test_urls(self) -> None:
        self.assertEqual(normalised_url("ws://host:4000/"), "http://host:4000")
        self.assertEqual(normalised_url("https://host/hub/"), "https://host/hub")
        for bad in ("host:4000", "ftp://host", "http://user:password@host", "http://host/?x"):
            with self.assertRaises(ValueError):
                normalised_url(bad)

    def test_options_that_make_no_sense_are_refused(self) -> None:
        for options in (
            {"transport": "pigeon"},
            {"poll_wait": 90},
            {"max_queued_messages": 0},
            {"backoff": (2, 1)},
        ):
            with self.assertRaises(ValueError):
                Client("http://127.0.0.1:1", "a", "t", **options)  # type: ignore[arg-type]

    def test_a_token_is_not_shown(self) -> None:
        self.assertNotIn("secret", repr(Client("http://127.0.0.1:1", "a", "secret")))


class SyncTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.hub = Hub()
        cls.addClassCleanup(cls.hub.remove)

    def test_send_poll_and_ack(self) -> None:
        alice = SyncClient(self.hub.url, "alice", self.hub.issue_token("alice"))
        bob = SyncClient(self.hub.url, "bob", self.hub.issue_token("bob"))
        for n in range(3):
            self.assertEqual(alice.send("bob", {"n": n}).status, "queued")
        page = bob.poll(limit=2)
        self.assertEqual([m.payload["n"] for m in page.messages], [0, 1])
        self.assertFalse(page.truncated)
        rest = bob.poll(since=page.last_seq, wait=5)
        self.assertEqual([m.payload["n"] for m in rest.messages], [2])
        bob.ack(page.messages[1])
        self.assertEqual([m.payload["n"] for m in bob.poll().messages], [2])
        bob.ack(rest.last_seq)
        self.assertEqual(bob.poll().messages, [])
        self.assertEqual(alice.agents(), [])
        with self.assertRaises(NotFoundError) as caught:
            alice.publish("nowhere", {})
        self.assertEqual((caught.exception.code, caught.exception.status), ("channel_not_found", 404))

    def test_a_send_survives_a_restart_of_the_hub(self) -> None:
        carol = SyncClient(self.hub.url, "carol", self.hub.issue_token("carol"))
        dave = SyncClient(self.hub.url, "dave", self.hub.issue_token("dave"))
        self.hub.kill()
        with self.assertRaises(UnavailableError) as caught:
            carol.send("dave", "x", timeout=0.3)
        self.assertIn(self.hub.url, str(caught.exception))
        key = caught.exception.idempotency_key
        restart = threading.Thread(target=self.hub.start)
        restart.start()
        carol.send("dave", "x", idempotency_key=key)
        restart.join()
        self.assertEqual([m.payload for m in dave.poll().messages], ["x"])

    def test_it_needs_nothing_but_the_standard_library(self) -> None:
        program = "import sys; sys.modules['websockets'] = None; import agentcom; agentcom.SyncClient"
        root = Path(__file__).parents[1]
        subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {program}"], check=True)


class StandIn:
    """An HTTP server that answers what a test tells it to."""

    def __init__(self, answers: list[tuple[int, dict[str, str], str]]) -> None:
        remaining = iter(answers)
        self.seen: list[dict[str, Any]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                status, headers, body = next(remaining)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


SENT = '{"status":"sent","id":"1","delivery":"queued","seq":1}'
LATER = '{"error":"overloaded","message":"too many"}'


class RareAnswerTest(unittest.TestCase):
    def stand_in(self, *answers: tuple[int, dict[str, str], str]) -> StandIn:
        server = StandIn(list(answers))
        self.addCleanup(server.close)
        return server

    def test_later_means_later_and_the_key_stays(self) -> None:
        server = self.stand_in((503, {"Retry-After": "0"}, LATER), (200, {}, SENT))
        self.assertEqual(SyncClient(server.url, "a", "t").send("b", 1).id, "1")
        first, second = (body["idempotency_key"] for body in server.seen)
        self.assertEqual(first, second)

    def test_when_later_is_too_late_the_error_says_how_late(self) -> None:
        server = self.stand_in((503, {"Retry-After": "70"}, LATER))
        with self.assertRaises(UnavailableError) as caught:
            SyncClient(server.url, "a", "t").send("b", 1)
        self.assertEqual((caught.exception.code, caught.exception.retry_after), ("overloaded", 70))

    def test_a_redirect_does_not_get_the_token(self) -> None:
        server = self.stand_in((307, {"Location": "http://127.0.0.1:9/"}, ""))
        with self.assertRaises(AgentComError) as caught:
            SyncClient(server.url, "a", "t").send("b", 1)
        self.assertEqual(caught.exception.code, "http_307")
        self.assertIn("proxy", str(caught.exception))

    def test_an_answer_has_a_bound(self) -> None:
        server = self.stand_in((200, {}, SENT + " " * 5000))
        with self.assertRaises(TooLargeError):
            SyncClient(server.url, "a", "t", max_incoming_bytes=1000).send("b", 1)


class CloseCodeTest(unittest.IsolatedAsyncioTestCase):
    """Ends that a healthy hub does not show, from a stand-in for it."""

    async def serve(self, behave: Callable[[Any], Any]) -> str:
        async def serve_one(socket: Any, _path: str = "") -> None:
            identify = json.loads(await socket.recv())
            assert identify["acks"] is True
            limits = {"max_frame_bytes": 1000, "messages_per_second": 0}
            await socket.send(
                json.dumps({"type": "identified", "epoch": "e", "limits": limits})
            )
            await behave(socket)

        server = await websockets.serve(serve_one, "127.0.0.1", 0)  # type: ignore[attr-defined]

        async def end() -> None:
            server.close()
            await server.wait_closed()

        self.addAsyncCleanup(end)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def client(self, url: str, events: Events) -> Client:
        client = Client(
            url, "a", "t", transport="websocket", on_event=events, backoff=(0.01, 0.05)
        )
        self.addAsyncCleanup(client.close)
        return client

    async def test_it_connects_again_after_ends_that_pass(self) -> None:
        codes = [1001, 1011, 4002, 4003, 4004, 4008, 1009]
        remaining = iter(codes)

        async def close(socket: Any) -> None:
            if (code := next(remaining, None)) is not None:
                await socket.close(code, "reason")
            else:
                await socket.wait_closed()

        events = Events()
        await self.client(await self.serve(close), events).connect()
        for code in codes:
            self.assertIn(str(code), (await events.next("disconnected")).data["reason"])
        await events.next("connected")

    async def test_it_stops_after_ends_that_say_it_is_at_fault(self) -> None:
        for code in (1002, 1007):
            with self.subTest(code):

                async def close(socket: Any, code: int = code) -> None:
                    await socket.close(code)

                client = self.client(await self.serve(close), Events())
                with self.assertRaises(ProtocolError):
                    await within(client.run(lambda _: None))

    async def test_what_is_no_hub_is_not_believed(self) -> None:
        async def babble(socket: Any) -> None:
            await socket.send("<html>")
            await socket.wait_closed()

        with self.assertRaises(ProtocolError) as caught:
            await within(self.client(await self.serve(babble), Events()).run(lambda _: None))
        self.assertEqual(caught.exception.code, "unexpected_frame")

    async def test_frames_over_the_hubs_limit_are_not_sent(self) -> None:
        client = self.client(await self.serve(lambda socket: socket.wait_closed()), Events())
        await client.connect()
        with self.assertRaises(TooLargeError) as caught:
            await client.send("b", "x" * 1000)
        self.assertIn("1000", str(caught.exception))

    async def test_a_hub_that_is_full_says_when_to_come_back(self) -> None:
        async def full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 503 Later\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(full, "127.0.0.1", 0)
        self.addCleanup(server.close)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = Client(url, "a", "t", transport="websocket", connect_timeout=1)
        with self.assertRaises(UnavailableError) as caught:
            await client.connect()
        self.assertIn("503", str(caught.exception))
        cause = caught.exception.__cause__
        self.assertEqual(cause.retry_after if isinstance(cause, UnavailableError) else None, 7)

    async def test_a_redirect_is_not_followed(self) -> None:
        async def never(_socket: Any) -> None:
            self.fail("the token went to another place")

        other = await self.serve(never)

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            location = f"Location: {other}/ws\r\n".replace("http:", "ws:")
            writer.write(f"HTTP/1.1 307 Go\r\n{location}Content-Length: 0\r\n\r\n".encode())
            writer.close()

        server = await asyncio.start_server(redirect, "127.0.0.1", 0)
        self.addCleanup(server.close)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = Client(url, "a", "t", transport="websocket", connect_timeout=1)
        with self.assertRaisesRegex(UnavailableError, "redirects|307"):
            await client.connect()

    async def test_the_same_seq_twice_is_handled_once_and_an_old_position_counts(self) -> None:
        acked: asyncio.Queue[int] = asyncio.Queue()
        refused = asyncio.Event()

        async def push(socket: Any) -> None:
            for seq in (3, 5, 5, 4, 6):
                await socket.send(
                    json.dumps(
                        {"type": "message", "id": str(seq), "from": "b", "to": "a", "payload": seq}
                        | {"message_type": "chat", "reply_to": None, "timestamp": 1, "seq": seq}
                    )
                )
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "ack":
                    if frame["seq"] == 6 and not refused.is_set():
                        refused.set()
                        error = {"type": "error", "error": "rate_limited", "message": "slower"}
                        await socket.send(json.dumps(error | {"ref": frame["ref"]}))
                        continue
                    acked.put_nowait(frame["seq"])
                elif "ref" in frame:
                    reply = {"type": "channel_history", "ref": frame["ref"], "messages": []}
                    await socket.send(json.dumps(reply))

        seen: list[int] = []
        url = await self.serve(push)
        client = Client(url, "a", "t", transport="websocket", position=Position("e", 3))
        async with client:
            async for message in client.messages():
                seen.append(message.payload)
                if message.payload == 6:
                    client.ack(message)
                    break
            while await within(acked.get()) != 6:
                pass
            # An acknowledgement that the hub refuses is sent again.
            self.assertTrue(refused.is_set())
        self.assertEqual(seen, [5, 6])
        self.assertEqual(client.position, Position("e", 6))
