"""The hub behind Debian's nginx and HAProxy, configured as in examples/proxy."""

import asyncio
import http.client
import json
import re
import socket
import ssl
import subprocess
import threading
import time
import unittest
from http.client import HTTPResponse

import websockets

import machinery
from machinery import EXAMPLES, PATIENCE_S

OWN_NAME = "hub.example.com"
SHARED_NAME = "www.example.com"
LONG_POLL_S = 2


def configuration_in(example: str) -> str:
    """What the comment at the head of an example says the hub must be told."""
    head = (EXAMPLES / example).read_text().split("\n\n")[0]
    return "\n".join(re.findall(r"^#   (.*)$", head, re.MULTILINE)) + "\n"


class _TlsConnection(http.client.HTTPSConnection):
    """To `port` of this machine, whatever the name."""

    def __init__(self, name: str, port: int, tls: ssl.SSLContext, source: str) -> None:
        super().__init__(name, port, timeout=PATIENCE_S, context=tls)
        self._source = source

    def connect(self) -> None:
        raw = socket.create_connection(("127.0.0.1", self.port), self.timeout, (self._source, 0))
        self.sock = self._context.wrap_socket(raw, server_hostname=self.host)


class BehindAProxy:
    """What must hold behind either; `example` and `start` say which."""

    example: str

    @classmethod
    def start(cls, directory: machinery.Directory, relay_port: int, hub_port: int) -> machinery.Proxy:
        raise NotImplementedError

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = machinery.Directory()
        cls.addClassCleanup(cls.directory.remove)
        cls.hub = machinery.Hub(cls.directory.path, configuration_in(cls.example))
        cls.addClassCleanup(cls.hub.end)
        cls.relay = machinery.Relay(cls.hub.port)
        cls.addClassCleanup(cls.relay.end)
        cls.proxy = cls.start(cls.directory, cls.relay.port, cls.hub.port)
        cls.addClassCleanup(cls.proxy.end)
        cls.tls = ssl.create_default_context(cafile=cls.directory.authorities)
        cls.tokens = {}
        for agent in ("alice", "bob"):
            made = cls.ask("POST", "/admin/tokens", cls.hub.admin_token, {"agent_id": agent})
            cls.tokens[agent] = made["token"]

    @classmethod
    def request(cls, verb: str, path: str, token: str | None = None, body: object = None, *,
                name: str = OWN_NAME, source: str = "127.0.0.1", headers: dict[str, str] | None = None
                ) -> tuple[_TlsConnection, HTTPResponse]:
        connection = _TlsConnection(name, cls.proxy.port, cls.tls, source)
        sent = {"Content-Type": "application/json"} | (headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        connection.request(verb, path, None if body is None else json.dumps(body), sent)
        return connection, connection.getresponse()

    @classmethod
    def ask(cls, *arguments, **more) -> dict:
        connection, answer = cls.request(*arguments, **more)
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise AssertionError(f"{answer.status} {text}")
        return json.loads(text)

    def send(self, text: str) -> None:
        self.ask("POST", "/api/message", self.tokens["alice"], {"to": "bob", "payload": text})

    def empty_mailbox(self) -> int:
        """The newest number of bob's mailbox, with everything up to it acknowledged."""
        last = self.ask("GET", "/api/mailbox/bob", self.tokens["bob"])["last_seq"]
        self.ask("POST", "/api/mailbox/bob/ack", self.tokens["bob"], {"seq": last})
        return last

    def web_socket(self, path: str, name: str):
        return websockets.connect(f"wss://{name}:{self.proxy.port}{path}", ssl=self.tls, host="127.0.0.1",
                                  port=self.proxy.port, server_hostname=name)

    def talk_over_web_socket(self, path: str, name: str) -> None:
        async def talk() -> None:
            async with self.web_socket(path, name) as connection:
                identity = {"type": "identify", "agent_id": "bob", "token": self.tokens["bob"], "presence": False}
                await connection.send(json.dumps(identity))
                self.assertEqual(json.loads(await connection.recv())["type"], "identified")
                await asyncio.to_thread(self.send, f"over {path}")
                while (frame := json.loads(await connection.recv()))["type"] != "message":
                    pass
                self.assertEqual(frame["payload"], f"over {path}")

        asyncio.run(asyncio.wait_for(talk(), PATIENCE_S))

    def test_a_web_socket_is_handed_on(self) -> None:
        self.talk_over_web_socket("/ws", OWN_NAME)

    def test_a_long_poll_waits_for_its_message(self) -> None:
        last = self.empty_mailbox()
        sender = threading.Timer(LONG_POLL_S, self.send, ["at last"])
        sender.start()
        started = time.monotonic()
        answer = self.ask("GET", f"/api/mailbox/bob?since={last}&wait=30", self.tokens["bob"])
        sender.join()
        self.assertEqual([message["payload"] for message in answer["messages"]], ["at last"])
        self.assertGreaterEqual(time.monotonic() - started, LONG_POLL_S - 0.5)

    def test_events_of_a_stream_come_one_by_one(self) -> None:
        last = self.empty_mailbox()
        connection, answer = self.request("GET", f"/api/mailbox/bob/stream?since={last}", self.tokens["bob"])
        self.assertEqual(answer.getheader("Content-Type"), "text/event-stream")
        for text in ("first", "second"):
            # Each is sent only once the one before has come.
            self.send(text)
            while not (line := answer.readline()).startswith(b"data:") or text.encode() not in line:
                self.assertNotEqual(line, b"", "the stream has ended")
        connection.close()

    def test_the_hub_may_be_below_a_prefix(self) -> None:
        me = self.ask("GET", "/hub/api/me", self.tokens["bob"], name=SHARED_NAME)
        self.assertEqual(me["agent_id"], "bob")
        connection, page = self.request("GET", "/hub/dashboard", name=SHARED_NAME)
        self.assertEqual(page.status, 200)
        # Nothing on the page leads out of the prefix.
        self.assertNotRegex(page.read().decode(), r"""(href|src|action)=["']?/|fetch\(["'`]/|read\(["'`]/""")
        connection.close()
        self.talk_over_web_socket("/hub/ws", SHARED_NAME)

    def test_the_prefix_without_its_slash_leads_to_the_one_with_it(self) -> None:
        connection, answer = self.request("GET", "/hub", name=SHARED_NAME)
        self.assertEqual(answer.status, 301)
        self.assertTrue(answer.getheader("Location").endswith("/hub/"), answer.getheader("Location"))
        connection.close()

    def test_a_page_of_the_hubs_own_may_write(self) -> None:
        # The browser names the page's origin as it knows it: https, and the name and port outside.
        own = {"Origin": f"https://{OWN_NAME}:{self.proxy.port}"}
        sent = {"to": "bob", "payload": "from a page"}
        self.ask("POST", "/api/message", self.tokens["alice"], sent, headers=own)
        other = {"Origin": "https://elsewhere.example.com"}
        connection, answer = self.request("POST", "/api/message", self.tokens["alice"], sent, headers=other)
        self.assertEqual((answer.status, json.load(answer)["error"]), (403, "forbidden_origin"))
        connection.close()

    def test_the_hub_knows_where_a_client_is(self) -> None:
        # What the client itself says is not believed.
        connection, answer = self.request("GET", "/api/me", "0" * 64, source="127.0.0.7",
                                          headers={"X-Forwarded-For": "192.0.2.1"})
        self.assertEqual(answer.status, 401)
        connection.close()
        self.hub.wait_for_line(r"a wrong token from 127\.0\.0\.7\b")

    def test_an_unused_connection_is_ended_by_the_proxy(self) -> None:
        # The hub would only after limits.keep_alive_timeout, which is longer than this test.
        self.relay.wait_until_idle()
        self.relay.forget()
        for _ in range(3):
            self.ask("GET", "/health")
        self.assertEqual(set(self.relay.wait_until_idle()), {"the proxy"})


class Nginx(BehindAProxy, unittest.TestCase):
    example = "nginx.conf"
    start = staticmethod(machinery.nginx)


class Haproxy(BehindAProxy, unittest.TestCase):
    example = "haproxy.cfg"
    start = staticmethod(machinery.haproxy)


class Times(unittest.TestCase):
    """The hub's defaults beside those in the examples."""

    def setUp(self) -> None:
        printed = subprocess.run([machinery.BINARY, "check"], capture_output=True, text=True, check=True,
                                 env={"PATH": "/usr/bin:/bin"})
        self.defaults = dict(re.findall(r"^(\w+) = (.*)$", printed.stdout, re.MULTILINE))
        self.nginx = (EXAMPLES / "nginx.conf").read_text()
        self.haproxy = (EXAMPLES / "haproxy.cfg").read_text()

    def seconds(self, text: str) -> int:
        number, unit = re.fullmatch(r'"?(\d+)([sm])"?', text).groups()
        return int(number) * {"s": 1, "m": 60}[unit]

    def test_the_hub_waits_longer_for_a_request_than_the_proxies_keep_a_connection(self) -> None:
        hub = self.seconds(self.defaults["keep_alive_timeout"])
        (nginx,) = re.findall(r"keepalive_timeout (\w+);", self.nginx)
        self.assertGreater(hub, self.seconds(nginx))
        (haproxy,) = re.findall(r"pool-purge-delay (\w+)", self.haproxy)
        self.assertGreater(hub, 10 * self.seconds(haproxy))

    def test_the_proxies_wait_longer_than_a_connection_of_the_hub_is_silent(self) -> None:
        hub = self.seconds(self.defaults["liveness_timeout"])
        waits = re.findall(r"proxy_read_timeout (\w+);", self.nginx)
        waits += re.findall(r"timeout (?:client|server|tunnel) (\w+)", self.haproxy)
        self.assertEqual(len(waits), 5)
        for wait in waits:
            self.assertGreater(self.seconds(wait), hub)


if __name__ == "__main__":
    unittest.main()
