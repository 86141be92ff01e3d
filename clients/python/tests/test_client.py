"""What an agent does with a hub that is well, over either transport."""

from __future__ import annotations

import asyncio
from typing import Any

from agentcom import (
    Client,
    ClosedError,
    ConflictError,
    InvalidRequestError,
    Message,
    NotFoundError,
    PermissionDeniedError,
    Position,
    RequestTimeoutError,
    TooLargeError,
)

from .support import Events, HubTestCase, Inbox, within


class Transports:
    """The same tests for both transports."""

    transport: str

    def client(self, agent: tuple[str, str], **options: Any) -> Client:
        return super().client(agent, transport=self.transport, **options)  # type: ignore[misc]

    async def test_a_message_arrives_as_it_was_sent(self) -> None:
        sender, receiver, inbox = self.agent(), self.agent(), Inbox()
        client = self.client(sender)
        self.start(self.client(receiver), inbox)
        async with client:
            payload = {"text": "grüße 🚀", "list": [1, 2.5, None, True], "": {}}
            sent = await client.send(receiver[0], payload, type="task", reply_to="x")
            await inbox.enough()
            got = inbox.messages[0]
            self.assertEqual(got.payload, payload)
            self.assertEqual(
                (got.id, got.seq, got.sender, got.to, got.type, got.reply_to, got.channel),
                (sent.id, sent.seq, sender[0], receiver[0], "task", "x", None),
            )
            self.assertEqual(client.transport, self.transport)

    async def test_broadcasts_reach_the_others(self) -> None:
        sender, receiver, inbox = self.agent(), self.agent(), Inbox()
        receiving = self.client(receiver)
        self.start(receiving, inbox)
        client = self.client(sender)
        async with client:
            sent = await client.send("broadcast", 7)
            self.assertEqual(sent.status, "broadcast")
            self.assertEqual(await inbox.enough(), [7])
            self.assertEqual(inbox.messages[0].to, "broadcast")

    async def test_a_request_gets_its_answer_also_inside_a_handler(self) -> None:
        asker, middle, last = self.agent(), self.agent(), self.agent()
        passed_on = Inbox()
        middle_client, last_client = self.client(middle), self.client(last)

        async def double(message: Message) -> None:
            await last_client.reply(message, message.payload * 2)

        async def pass_on(message: Message) -> None:
            passed_on(message)
            answer = await middle_client.request(last[0], message.payload + 1)
            await middle_client.reply(message, answer.payload)

        self.start(last_client, double)
        self.start(middle_client, pass_on)
        async with self.client(asker) as client:
            answers = [(await client.request(middle[0], n)).payload for n in range(3)]
            self.assertEqual(answers, [2, 4, 6])
        # The answers went to who waited for them, not to the handler.
        self.assertEqual(passed_on.payloads, [0, 1, 2])
        # And they were acknowledged although this client handles nothing.
        self.assertEqual(self.hub.unread(*asker), [])

    async def test_an_unanswered_request_says_so(self) -> None:
        silent = self.agent()
        async with self.client(self.agent()) as client:
            with self.assertRaises(RequestTimeoutError) as caught:
                await client.request(silent[0], 1, timeout=1)
            self.assertIn("did not answer", str(caught.exception))

    async def test_channels(self) -> None:
        inbox, reader, writer = Inbox(3), self.agent(), self.agent()
        channel = f"Room-{self.transport}"
        reading = self.client(reader)
        self.start(reading, inbox)
        await within(reading.connect())
        async with self.client(writer) as client:
            with self.assertRaises(NotFoundError):
                await client.publish(channel, {"n": 0})
            self.assertEqual(await client.create_channel(channel, "a room"), channel)
            with self.assertRaises(ConflictError):
                await client.create_channel(channel)
            self.assertTrue(await reading.subscribe(channel))
            self.assertFalse(await reading.subscribe(channel))
            for n in range(1, 4):
                published = await client.publish(channel, {"n": n})
                self.assertEqual((published.seq, published.channel.lower()), (n, channel.lower()))
            self.assertEqual(await inbox.enough(), [{"n": 1}, {"n": 2}, {"n": 3}])
            self.assertEqual(inbox.messages[2].channel, channel.lower())
            self.assertEqual(inbox.messages[2].channel_seq, 3)
            with self.assertRaises(InvalidRequestError) as caught:
                await client.publish(channel, "no object")  # type: ignore[arg-type]
            self.assertEqual(caught.exception.code, "invalid_payload")
            self.assertIsNotNone(caught.exception.idempotency_key)
            found = {c.name: c for c in await client.channels()}[channel.lower()]
            self.assertEqual((found.description, found.subscriber_count), ("a room", 1))
            await reading.unsubscribe(channel)
            found = {c.name: c for c in await client.channels()}[channel.lower()]
            self.assertEqual(found.subscriber_count, 0)
            with self.assertRaises(PermissionDeniedError):
                await reading.delete_channel(channel)
            await client.delete_channel(channel)
            self.assertNotIn(channel.lower(), {c.name for c in await client.channels()})

    async def test_history_is_read_page_by_page(self) -> None:
        channel = f"history-{self.transport}"
        async with self.client(self.agent()) as client:
            await client.create_channel(channel)
            for n in range(1, 8):
                await client.publish(channel, {"n": n})
            newest = await client.history(channel, limit=2)
            self.assertEqual([m.payload["n"] for m in newest.messages], [6, 7])
            first = await client.history(channel, since=0, limit=3)
            self.assertEqual([m.payload["n"] for m in first.messages], [1, 2, 3])
            second = await client.history(channel, since=first.cursor, limit=3)
            self.assertEqual([m.channel_seq for m in second.messages], [4, 5, 6])
            end = await client.history(channel, since=7)
            self.assertEqual((end.messages, end.cursor), ([], 7))
            every = [m.payload["n"] async for m in client.iter_history(channel, since=1, page=2)]
            self.assertEqual(every, [2, 3, 4, 5, 6, 7])

    async def test_one_key_is_one_message(self) -> None:
        sender, receiver = self.agent(), self.agent()
        async with self.client(sender) as client:
            first = await client.send(receiver[0], 1, idempotency_key="k")
            again = await client.send(receiver[0], 1, idempotency_key="k")
            with self.assertRaises(ConflictError) as caught:
                await client.send(receiver[0], 2, idempotency_key="k")
        self.assertEqual(caught.exception.code, "idempotency_conflict")
        self.assertEqual(first.id, again.id)
        self.assertEqual(self.hub.unread(*receiver), [1])

    async def test_refusals_have_a_class_a_code_and_a_field(self) -> None:
        async with self.client(self.agent()) as client:
            with self.assertRaises(InvalidRequestError) as caught:
                await client.send("no agent id\n", 1)
            error = caught.exception
            self.assertEqual((error.code, error.field), ("invalid_recipient", "to"))
            self.assertFalse(error.retry)
            with self.assertRaises(InvalidRequestError) as caught:
                await client.send(None, "not to everyone")  # type: ignore[arg-type]
            self.assertEqual(caught.exception.code, "invalid_recipient")
            with self.assertRaises(InvalidRequestError) as caught:
                await client.send("x", float("nan"))
            self.assertEqual(caught.exception.code, "invalid_json")
            with self.assertRaises(InvalidRequestError) as caught:
                await client.send("x", {"lone": "\ud800"})
            self.assertEqual(caught.exception.code, "invalid_json")

    async def test_large_messages_pass_and_too_large_ones_are_refused(self) -> None:
        sender, receiver, inbox = self.agent(), self.agent(), Inbox(4)
        self.start(self.client(receiver), inbox)
        async with self.client(sender) as client:
            text = "ü" * 500_000
            await asyncio.gather(*(client.send(receiver[0], f"{n}{text}") for n in range(4)))
            self.assertEqual({len(p) for p in await inbox.enough()}, {500_001})
            with self.assertRaises(TooLargeError) as caught:
                await client.send(receiver[0], "x" * 1_100_000)
            self.assertEqual(caught.exception.code, "body_too_large")
            await client.send(receiver[0], "the connection is still there")
            self.assertEqual((await inbox.enough(5))[4], "the connection is still there")

    async def test_an_answer_larger_than_the_client_takes_is_an_error(self) -> None:
        channel = f"large-{self.transport}"
        async with self.client(self.agent(), max_incoming_bytes=300_000) as client:
            await client.create_channel(channel)
            for _ in range(4):
                await client.publish(channel, {"text": "x" * 100_000})
            with self.assertRaises(TooLargeError):
                await client.history(channel)
            self.assertEqual(len((await client.history(channel, limit=2)).messages), 2)

    async def test_what_is_acknowledged_is_what_was_handled(self) -> None:
        receiver, started, release = self.agent(), asyncio.Event(), asyncio.Event()
        self.hub.send(receiver[0], 1)
        self.hub.send(receiver[0], 2)

        async def slow(message: Message) -> None:
            if message.payload == 2:
                started.set()
                await release.wait()

        client = self.client(receiver)
        task = self.start(client, slow)
        await within(started.wait())
        # Closing waits for the handler, and for its acknowledgement.
        closing = asyncio.ensure_future(client.close())
        release.set()
        await within(closing)
        await within(task)
        self.assertEqual(self.hub.unread(*receiver), [])

    async def test_a_handler_that_fails_leaves_its_message_unread(self) -> None:
        receiver = self.agent()
        for n in (1, 2, 3):
            self.hub.send(receiver[0], n)

        def fail_at_two(message: Message) -> None:
            if message.payload == 2:
                raise LookupError("not today")

        with self.assertRaises(LookupError):
            await within(self.client(receiver).run(fail_at_two))
        self.assertEqual(self.hub.unread(*receiver), [2, 3])
        failed, client = Inbox(), self.client(receiver)
        seen = Inbox(2)

        def fail_again(message: Message) -> None:
            seen(message)
            fail_at_two(message)

        task = self.start(client, fail_again, on_error=lambda message, _: failed(message))
        await seen.enough()
        client.stop()
        await within(task)
        self.assertEqual((seen.payloads, failed.payloads), ([2, 3], [2]))
        self.assertEqual(self.hub.unread(*receiver), [])

    async def test_messages_can_be_iterated_and_a_loop_can_be_left(self) -> None:
        receiver = self.agent()
        for n in range(1, 5):
            self.hub.send(receiver[0], n)
        async with self.client(receiver) as client:
            async for message in client.messages():
                if message.payload == 2:
                    break  # without ack(): it comes again
            again = []
            async for message in client.messages():
                again.append(message.payload)
                if message.payload == 3:
                    client.ack(message)
                    break
            self.assertEqual(again, [2, 3])
        self.assertEqual(self.hub.unread(*receiver), [4])

    async def test_a_loop_ends_when_another_one_takes_over(self) -> None:
        receiver = self.agent()
        async with self.client(receiver) as client:
            first = client.messages()
            waiting = asyncio.ensure_future(anext(first))
            await client.agents()
            second = client.messages()
            self.hub.send(receiver[0], 1)
            self.assertEqual((await within(anext(second))).payload, 1)
            with self.assertRaises(RuntimeError):
                await within(waiting)

    async def test_stop_in_a_handler_ends_run(self) -> None:
        receiver, seen = self.agent(), []
        for n in (1, 2):
            self.hub.send(receiver[0], n)
        client = self.client(receiver)

        async def once(message: Message) -> None:
            seen.append(message.payload)
            await client.close()

        await within(client.run(once))
        self.assertEqual(seen, [1])
        self.assertEqual(self.hub.unread(*receiver), [2])

    async def test_a_closed_client_says_so(self) -> None:
        client = self.client(self.agent())
        with self.assertRaises(ClosedError):
            await client.send("x", 1)
        await client.connect()
        await client.close()
        await client.close()
        with self.assertRaises(ClosedError):
            await client.send("x", 1)
        with self.assertRaises(ClosedError):
            await client.connect()

    async def test_a_queue_that_is_full_loses_nothing(self) -> None:
        receiver, sender = self.agent(), self.agent()
        inbox, release, waiting = Inbox(60), asyncio.Event(), asyncio.Event()
        client = self.client(receiver, max_queued_messages=5)
        deepest = 0

        async def slow(message: Message) -> None:
            nonlocal deepest
            inbox(message)
            waiting.set()
            await release.wait()
            deepest = max(deepest, len(client._inbox._queue))

        self.start(client, slow)
        async with self.client(sender) as sending:
            for n in range(60):
                await sending.send(receiver[0], n)
            await within(waiting.wait())
            # The connection still answers while the handler is busy and the queue is full.
            await client.agents()
            release.set()
            self.assertEqual(await inbox.enough(), list(range(60)))
        self.assertLessEqual(deepest, 5)

    async def test_a_position_of_an_earlier_process_is_not_handled_again(self) -> None:
        receiver = self.agent()
        self.hub.send(receiver[0], 1)
        first = self.client(receiver)
        async with first:
            async for message in first.messages():
                break
            epoch = first.position.epoch if first.position else ""
        # A crash between the handler's work and its acknowledgement; the program kept the number.
        self.hub.send(receiver[0], 2)
        inbox = Inbox()
        self.start(self.client(receiver, position=Position(epoch, message.seq or 0)), inbox)
        self.assertEqual(await inbox.enough(), [2])


class WebSocketTest(Transports, HubTestCase):
    transport = "websocket"

    async def test_presence_and_status_are_seen_by_who_asks_for_them(self) -> None:
        events, other = Events(), self.agent()
        async with self.client(self.agent(), presence=True, on_event=events) as client:
            await events.next("connected")
            async with self.client(other, capabilities=["tests"], status="new") as second:
                joined = (await events.next("agent_joined")).data["agent"]
                self.assertEqual((joined["agent_id"], joined["status"]), (other[0], "new"))
                await second.set_status({"busy": True})
                changed = (await events.next("status_changed")).data["agent"]
                self.assertEqual(changed["status"], {"busy": True})
                found = {a.agent_id: a for a in await client.agents()}[other[0]]
                self.assertEqual((found.status, found.capabilities), ({"busy": True}, ["tests"]))
            self.assertEqual((await events.next("agent_left")).data["agent_id"], other[0])

    async def test_many_calls_at_once_keep_their_order(self) -> None:
        receiver, inbox = self.agent(), Inbox(200)
        self.start(self.client(receiver), inbox)
        async with self.client(self.agent(), max_in_flight=10) as client:
            await asyncio.gather(*(client.send(receiver[0], n) for n in range(200)))
            self.assertEqual(await inbox.enough(), list(range(200)))


class PollTest(Transports, HubTestCase):
    transport = "poll"

    async def test_a_status_waits_for_websocket(self) -> None:
        async with self.client(self.agent()) as client:
            await client.set_status("busy")
            self.assertEqual(await client.agents(), [])
