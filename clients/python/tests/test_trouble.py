"""What an agent does when the hub, the network or its own life goes wrong."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from agentcom import (
    AuthenticationError,
    Message,
    RateLimitedError,
    ReplacedError,
    RequestTimeoutError,
    TokenRevokedError,
    UnavailableError,
)

from .hub import PATIENCE, REPOSITORY, Relay, make_certificate
from .support import Events, HubTestCase, Inbox, within

ADMIN_TOKEN = "ab" * 32


class RestartTest(HubTestCase):
    """The hub is killed or stopped, and comes back."""

    async def restarted(self, transport: str) -> None:
        sender, receiver, inbox = self.agent(), self.agent(), Inbox(60)
        down, up = Events(), Events()
        self.start(self.client(receiver, transport=transport, on_event=up), inbox)
        client = self.client(sender, transport=transport, on_event=down)
        async with client:
            sent = 0
            for end in (self.hub.kill, self.hub.terminate, self.hub.kill):
                before = [client.send(receiver[0], n) for n in range(sent, sent + 10)]
                # Sends are under way while the hub ends, and begin while it is down.
                under_way = asyncio.gather(*before)
                await asyncio.to_thread(end)
                await down.next("disconnected")
                during = asyncio.gather(
                    *(client.send(receiver[0], n) for n in range(sent + 10, sent + 20))
                )
                await asyncio.to_thread(self.hub.start)
                await within(under_way)
                await within(during)
                sent += 20
            handled = await inbox.enough()
        self.assertEqual(sorted(handled), list(range(60)))
        self.assertEqual(sorted(self.hub.stored(sender[0])), list(range(60)))
        if transport == "websocket":
            self.assertEqual(handled, list(range(60)))

    async def test_nothing_is_lost_or_doubled_over_websocket(self) -> None:
        await self.restarted("websocket")

    async def test_nothing_is_lost_or_doubled_over_polls(self) -> None:
        await self.restarted("poll")

    async def test_a_program_may_start_before_its_hub(self) -> None:
        agent = self.agent()
        self.hub.terminate()
        client = self.client(agent, connect_timeout=1)
        with self.assertRaises(UnavailableError) as caught:
            await client.connect()
        self.assertIn(self.hub.url, str(caught.exception))
        self.assertTrue(caught.exception.retry)
        # Who waits for its hub can be stopped.
        given_up = self.client(agent, connect_timeout=None)
        running = asyncio.ensure_future(given_up.run(lambda _: None))
        await asyncio.sleep(0)
        given_up.stop()
        await within(running)
        connecting = asyncio.ensure_future(self.client(agent, connect_timeout=None).connect())
        await asyncio.to_thread(self.hub.start)
        await within(connecting)

    async def test_a_send_without_a_hub_gives_its_key_back(self) -> None:
        sender, receiver = self.agent(), self.agent()
        async with self.client(sender, request_timeout=0.5) as client:
            await asyncio.to_thread(self.hub.kill)
            with self.assertRaises(RequestTimeoutError) as caught:
                await client.send(receiver[0], "once")
            key = caught.exception.idempotency_key
            await asyncio.to_thread(self.hub.start)
            await client.send(receiver[0], "once", idempotency_key=key, timeout=PATIENCE)
        self.assertEqual(self.hub.unread(*receiver), ["once"])


class NewStoreTest(HubTestCase):
    settings = {"AGENTCOM_ADMIN_TOKEN": ADMIN_TOKEN}

    async def test_positions_of_another_store_are_forgotten(self) -> None:
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                inbox, events = Inbox(4), Events()
                client = self.client(
                    ("admin", ADMIN_TOKEN), transport=transport, on_event=events, poll_wait=1
                )
                self.start(client, inbox)
                for n in range(3):
                    self.hub.send("admin", n, self.hub.issue_token("friend"))
                await inbox.enough(3)
                old = client.position
                await asyncio.to_thread(self.hub.kill)
                await events.next("disconnected")
                self.hub.forget_everything()
                await asyncio.to_thread(self.hub.start)
                # The numbers of the new store begin again: this one has a seq that was seen.
                self.hub.send("admin", "new", self.hub.issue_token("friend"))
                self.assertEqual((await inbox.enough())[3:], ["new"])
                self.assertLessEqual(inbox.messages[3].seq or 0, old.seq if old else 0)
                await client.close()
                self.assertNotEqual(client.position, old)
                self.assertEqual(self.hub.unread("admin", ADMIN_TOKEN), [])


class BrokenConnectionTest(HubTestCase):
    """A relay between client and hub cuts connections."""

    async def test_an_answer_that_is_lost_is_asked_for_again(self) -> None:
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                sender, receiver = self.agent(), self.agent()
                async with Relay(self.hub.port) as relay:
                    client = self.client(sender, url=relay.url, transport=transport)
                    async with client:
                        relay.drop_answers_to = b"only-once"
                        sent = await within(client.send(receiver[0], "only-once"))
                        self.assertTrue(relay.dropped.is_set())
                        self.assertGreater(sent.seq, 0)
                self.assertEqual(self.hub.unread(*receiver), ["only-once"])

    async def test_what_comes_twice_is_handled_once(self) -> None:
        receiver, started, release = self.agent(), asyncio.Event(), asyncio.Event()
        inbox, events = Inbox(3), Events()

        async def slow(message: Message) -> None:
            started.set()
            await release.wait()
            inbox(message)

        async with Relay(self.hub.port) as relay:
            client = self.client(receiver, url=relay.url, on_event=events)
            self.start(client, slow)
            await events.next("connected")
            for n in range(2):
                self.hub.send(receiver[0], n)
            await within(started.wait())
            # Neither was acknowledged, so the hub pushes both again.
            relay.cut()
            await events.next("connected")
            await client.agents()
            release.set()
            self.hub.send(receiver[0], 2)
            self.assertEqual(await inbox.enough(), [0, 1, 2])
            await client.close()
        self.assertEqual(self.hub.unread(*receiver), [])

    async def test_subscriptions_and_the_status_survive(self) -> None:
        receiver, inbox, events = self.agent(), Inbox(), Events()
        async with Relay(self.hub.port) as relay:
            client = self.client(receiver, url=relay.url, on_event=events)
            self.start(client, inbox)
            await events.next("connected")
            await client.create_channel("survivors")
            await client.subscribe("survivors")
            await client.set_status("working")
            relay.cut()
            async with self.client(self.agent()) as other:
                await other.publish("survivors", {"n": 1})
                self.assertEqual(await inbox.enough(), [{"n": 1}])
                await client.agents()
                status = {a.agent_id: a.status for a in await other.agents()}[receiver[0]]
                self.assertEqual(status, "working")

    async def test_polling_when_websocket_is_blocked_and_back_again(self) -> None:
        receiver, sender, inbox, events = self.agent(), self.agent(), Inbox(20), Events()
        async with Relay(self.hub.port) as relay:
            relay.refuse_upgrades = True
            client = self.client(
                receiver, url=relay.url, on_event=events, websocket_retry=0.2, poll_wait=1
            )
            with self.assertLogs("agentcom", "WARNING") as logs:
                self.start(client, inbox)
                self.assertEqual((await events.next("connected")).data["transport"], "poll")
            self.assertIn("403", logs.output[0])
            for n in range(10):
                self.hub.send(receiver[0], n)
            await client.send(sender[0], "over HTTP")
            relay.refuse_upgrades = False
            while (await events.next("connected")).data["transport"] != "websocket":
                pass
            for n in range(10, 20):
                self.hub.send(receiver[0], n)
            self.assertEqual(await inbox.enough(), list(range(20)))
        self.assertEqual(self.hub.unread(*sender), ["over HTTP"])

    async def test_without_the_package_websockets_it_polls(self) -> None:
        sender, receiver = self.agent(), self.agent()
        program = """
import asyncio, sys
sys.modules["websockets"] = None
from agentcom import Client
async def main(url, agent_id, token, to):
    async with Client(url, agent_id, token) as client:
        await client.send(to, "without a package")
        print(client.transport)
asyncio.run(main(*sys.argv[1:]))
"""
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, self.hub.url, *sender, receiver[0]),
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
        )
        output, _ = await within(run.communicate())
        # Nor does a poll that is still under way keep the program from ending.
        self.assertEqual(output.decode().strip(), "poll")
        self.assertEqual(self.hub.unread(*receiver), ["without a package"])


class EndTest(HubTestCase):
    """Ends that are final."""

    async def test_a_newer_connection_takes_over_for_good(self) -> None:
        agent, events, inbox = self.agent(), Events(), Inbox()
        first = self.client(agent, on_event=events)
        task = self.start(first, lambda _: None)
        await events.next("connected")
        self.start(self.client(agent), inbox)
        with self.assertRaises(ReplacedError) as caught:
            await within(task)
        self.assertEqual((caught.exception.code, caught.exception.retry), ("replaced", False))
        with self.assertRaises(ReplacedError):
            await first.send("x", 1)
        self.hub.send(agent[0], "for the newer one")
        await inbox.enough()
        self.assertEqual(events.seen, ["connected", "disconnected"])

    async def test_a_revoked_token_ends_it(self) -> None:
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                agent, events = self.agent(), Events()
                client = self.client(agent, transport=transport, on_event=events, poll_wait=1)
                task = self.start(client, lambda _: None)
                await events.next("connected")
                self.hub.revoke(agent[0])
                with self.assertRaises(TokenRevokedError) as caught:
                    await within(task)
                self.assertEqual(caught.exception.code, "token_revoked")

    async def test_a_token_that_is_not_taken_is_told_at_once(self) -> None:
        agent, other = self.agent(), self.agent()
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                with self.assertRaises(AuthenticationError) as caught:
                    await self.client((agent[0], "0" * 64), transport=transport).connect()
                self.assertIn(caught.exception.code, ("invalid_token", "unauthorized"))
                with self.assertRaises(AuthenticationError) as caught:
                    await self.client((agent[0], other[1]), transport=transport).connect()
                self.assertIn(caught.exception.code, ("token_agent_mismatch", "unauthorized"))

    async def test_the_example_answers_and_ends_on_a_signal(self) -> None:
        echo = self.agent("echo")
        root = Path(__file__).parents[1]
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, str(REPOSITORY / "examples/python/echo_agent.py"), echo[0]),
            env={"AGENTCOM_URL": self.hub.url, "AGENTCOM_TOKEN": echo[1], "PYTHONPATH": str(root)},
        )
        async with self.client(self.agent()) as client:
            answer = await client.request(echo[0], {"hello": [1]}, timeout=PATIENCE)
            self.assertEqual((answer.payload, answer.type), ({"hello": [1]}, "echo"))
        run.terminate()
        self.assertEqual(await within(run.wait()), 0)
        self.assertEqual(self.hub.unread(*echo), [])


class LimitTest(HubTestCase):
    settings = {
        "AGENTCOM_LIMITS_MESSAGES_PER_SECOND": "5",
        "AGENTCOM_LIMITS_MESSAGE_BURST": "5",
        "AGENTCOM_MAILBOX_CAP": "10",
        "AGENTCOM_LIMITS_RATE_WARNINGS": "3",
    }

    async def test_sends_over_the_rate_wait_for_their_turn(self) -> None:
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                sender, receiver = self.agent(), self.agent()
                async with self.client(sender, transport=transport, backoff=(0.1, 0.5)) as client:
                    sends = (client.send(receiver[0], n) for n in range(12))
                    await within(asyncio.gather(*sends))
                self.assertEqual(sorted(self.hub.stored(sender[0])), list(range(12)))

    async def test_a_send_that_may_not_wait_is_refused(self) -> None:
        async with self.client(self.agent(), transport="poll") as client:
            refused: list[RateLimitedError] = []
            # A machine that is slow enough answers none of them in time.
            for _ in range(20):
                sends = (client.send("x", n, timeout=0.9) for n in range(40))
                results = await asyncio.gather(*sends, return_exceptions=True)
                refused += [e for e in results if isinstance(e, RateLimitedError)]
                if refused:
                    break
            error = refused[0]
            self.assertEqual((error.code, error.status), ("rate_limited", 429))
            # The hub asks for a second, which this call does not have.
            self.assertEqual((error.retry, error.retry_after), (True, 1))
            self.assertIsNotNone(error.idempotency_key)

    async def test_what_the_mailbox_lost_is_told(self) -> None:
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                receiver = self.agent()
                for sender in (self.agent() for _ in range(4)):
                    for n in range(4):
                        self.hub.send(receiver[0], n, sender[1])
                events = Events()
                async with self.client(receiver, transport=transport, on_event=events):
                    self.assertTrue((await events.next("connected")).data["truncated"])
                    await events.next("truncated")

    async def test_a_loss_of_everything_is_settled(self) -> None:
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                name, token = self.agent()
                self.hub.send(name, "gone", self.agent()[1])
                setting = "/api/config/mailbox-retention"
                usual = self.hub.ask("GET", setting)
                self.hub.ask("PUT", setting, {"mailbox_ttl_ms": 1})
                while self.hub.unread(name, token):
                    await asyncio.sleep(0.01)
                self.hub.ask("POST", "/api/mailbox/evict", {})
                self.hub.ask("PUT", setting, usual)
                mailbox = f"/api/mailbox/{name}"
                self.assertTrue(self.hub.ask("GET", mailbox, token=token)["truncated"])
                events = Events()
                async with self.client((name, token), transport=transport, on_event=events):
                    await events.next("truncated")
                self.assertNotIn("truncated", self.hub.ask("GET", mailbox, token=token))

    async def test_a_reset_of_the_hub_is_survived(self) -> None:
        events = Events()
        async with self.client(self.agent(), on_event=events) as client:
            await events.next("connected")
            self.hub.ask("POST", "/api/admin/reset", {})
            self.assertIn("1001", (await events.next("disconnected")).data["reason"])
            await events.next("connected")
            await client.agents()


class TlsTest(HubTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        certificate, key = make_certificate(directory.name)
        cls.settings = {
            "AGENTCOM_TLS_CERTIFICATE": certificate,
            "AGENTCOM_TLS_PRIVATE_KEY": key,
        }
        super().setUpClass()

    async def test_it_talks_to_a_hub_whose_certificate_it_knows(self) -> None:
        self.assertTrue(self.hub.url.startswith("https://"))
        for transport in ("websocket", "poll"):
            with self.subTest(transport):
                agent = self.agent()
                async with self.client(agent, transport=transport, tls=self.hub.tls) as client:
                    await client.send(agent[0], "to myself")
                    async for message in client.messages():
                        self.assertEqual(message.payload, "to myself")
                        client.ack(message)
                        break
                self.assertEqual(self.hub.unread(*agent), [])

    async def test_it_does_not_talk_to_one_whose_certificate_it_does_not_know(self) -> None:
        for transport in ("auto", "poll"):
            with self.subTest(transport):
                with self.assertRaises(UnavailableError) as caught:
                    await self.client(self.agent(), transport=transport).connect()
                self.assertEqual(caught.exception.code, "untrusted_certificate")
                self.assertFalse(caught.exception.retry)
