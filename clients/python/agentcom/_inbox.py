"""What has arrived and was not handled yet: bounded, in order, each message once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ._errors import AgentComError
from ._types import Message, Position


@dataclass(slots=True)
class Entry:
    message: Message
    size: int
    epoch: str
    answered: bool = False
    """A waiting `request()` took it: the handler must not see it."""


class Inbox:
    """Positions, the queue, and replies that somebody waits for. For one event loop.

    An acknowledgement counts for everything up to its number, so messages become handled in
    their order only; a reply that was taken out of turn is acknowledged when its turn comes.
    """

    def __init__(self, max_messages: int, max_bytes: int, position: Position | None) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._queue: deque[Entry] = deque()
        self._bytes = 0
        self._epoch = position.epoch if position else ""
        self._queued = position.seq if position else 0  # highest seq that was queued or handled
        self._handled = self._queued
        self._acknowledged = 0
        self._behind = False
        self.stopped = asyncio.Event()
        self._current: Entry | None = None
        self._waiters: dict[str, asyncio.Future[Message]] = {}
        self._sending_requests = 0
        self._answered_early: set[int] = set()  # seqs of replies taken while behind
        self.changed = asyncio.Event()
        """Set at every change; its one waiter, take(), clears it first."""
        self.ack_wanted = asyncio.Event()
        """The opposite of settled."""
        self.drained = asyncio.Event()
        """There is room, or, when behind, everything queued was handled."""
        self.turned_away = asyncio.Event()
        """The same as `behind`."""
        self.idle = asyncio.Event()
        """No handler has a message."""
        self.settled = asyncio.Event()
        """Everything handled was acknowledged."""
        for event in (self.drained, self.idle, self.settled):
            event.set()

    # Positions.

    @property
    def position(self) -> Position | None:
        return Position(self._epoch, self._handled) if self._epoch else None

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def queued(self) -> int:
        """Polls continue after this number."""
        return self._queued

    @property
    def behind(self) -> bool:
        """Something was turned away because the queue was full."""
        return self._behind

    def begin(self, epoch: str) -> None:
        """A new connection, to the store of this epoch."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._queued = self._handled = 0
            self._answered_early.clear()
        self._behind = False
        self._acknowledged = 0  # What an earlier connection acknowledged may not have arrived.
        self._update()

    # Arrivals.

    def room(self) -> int:
        """How many messages more are welcome."""
        if self._bytes >= self._max_bytes:
            return 0
        return max(0, self._max_messages - len(self._queue))

    def offer(self, message: Message, size: int) -> None:
        """Takes a message, unless it was seen or there is no room; then the reader is behind and
        nothing is taken until the next connection, so that nothing is skipped."""
        seq = message.seq or 0
        if seq <= self._queued:
            return
        answered = self._answer(message)
        if self._behind or (self._queue and (self.room() == 0 or self._bytes + size > self._max_bytes)):
            self._behind = True
            if answered:
                self._answered_early.add(seq)
            self._update()
            return
        self._queued = seq
        if seq in self._answered_early:
            self._answered_early.discard(seq)
            answered = True
        self._queue.append(Entry(message, size, self._epoch, answered))
        self._bytes += size
        self._update()

    def lost(self, up_to: int) -> None:
        """The hub has lost what was unread up to this number: nothing of it will come, and the usual
        acknowledgement settles it."""
        if self._behind or up_to <= self._queued:
            return
        self._queued = up_to
        if not self._queue:
            self._handled = up_to
        self._update()

    # The handler's side.

    def stop(self) -> None:
        """take() returns None from now on."""
        self.stopped.set()
        self._update()

    async def take(self, wanted: Callable[[], bool]) -> Entry | None:
        """The next message to handle; it stays queued until done(). None: stopped, or no longer
        wanted."""
        while wanted() and not self.stopped.is_set():
            head = self._queue[0] if self._queue else None
            # A reply may arrive before the number of what it answers: its request() comes first.
            held = head is not None and head.message.reply_to and self._sending_requests > 0
            if head is not None and not held:
                self._current = head
                self.idle.clear()
                return head
            self.changed.clear()
            await self.changed.wait()
        return None

    def done(self, entry: Entry) -> None:
        """The message was handled: it will be acknowledged."""
        if self._current is not entry:
            return
        self._current = None
        self.idle.set()
        self._pop()
        self._update()

    def put_back(self) -> None:
        """The message was not handled: the next take() gets it again."""
        self._current = None
        self.idle.set()
        self._update()

    # Acknowledgements.

    def ack_due(self) -> int | None:
        """The number to acknowledge now."""
        return self._handled if self._handled > self._acknowledged else None

    @property
    def acknowledged(self) -> int:
        """What this connection has acknowledged; 0: nothing yet."""
        return self._acknowledged

    def acked(self, seq: int) -> None:
        self._acknowledged = max(self._acknowledged, seq)
        self._update()

    def refused(self) -> None:
        """The hub did not take an acknowledgement: it is due again."""
        self._acknowledged = 0
        self._update()

    # Replies that somebody waits for.

    def request_begins(self) -> None:
        self._sending_requests += 1

    def request_sent(self, message_id: str | None) -> asyncio.Future[Message]:
        """The number is known (or, None, there is none): the reply to it goes into the future."""
        self._sending_requests -= 1
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if message_id is not None:
            self._waiters[message_id] = future
            for entry in self._queue:
                if entry is not self._current and not entry.answered:
                    if self._answer(entry.message):
                        entry.answered = True
                        break
        self._update()
        return future

    def request_ends(self, message_id: str) -> None:
        self._waiters.pop(message_id, None)

    def fail_requests(self, error: AgentComError) -> None:
        for future in self._waiters.values():
            if not future.done():
                future.set_exception(error.again())
                future.exception()  # Nobody may be waiting yet.
        self._waiters.clear()

    def _answer(self, message: Message) -> bool:
        future = self._waiters.get(message.reply_to) if message.reply_to else None
        if future is None or future.done():
            return False
        future.set_result(message)
        return True

    def _pop(self) -> None:
        entry = self._queue.popleft()
        self._bytes -= entry.size
        if entry.epoch == self._epoch:
            self._handled = max(self._handled, entry.message.seq or 0)

    def _update(self) -> None:
        while self._current is None and self._queue and self._queue[0].answered:
            self._pop()
        _show(self.ack_wanted, self.ack_due() is not None)
        _show(self.settled, self.ack_due() is None)
        ready = not self._queue and self.ack_due() is None if self._behind else self.room() > 0
        _show(self.drained, ready)
        _show(self.turned_away, self._behind)
        self.changed.set()


def _show(event: asyncio.Event, holds: bool) -> None:
    if holds:
        event.set()
    else:
        event.clear()
