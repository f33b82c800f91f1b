"""Messages of a queue that were received and are in no batch yet: how they come, and which of them pass."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Final

from lambda_emulator.clock import RealClock
from lambda_emulator.pollers.batching import BatchAssembler
from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.queue_calls import QueueCalls, QueueFacts
from lambda_emulator.pollers.sqs_record import QueueMessage
from lambda_emulator.pollers.surroundings import Surroundings

__all__ = ["LONG_POLL_S", "Received"]

# Lambda waits up to 20 seconds in one call. Slices of one second, so that stopping is quick.
LONG_POLL_S: Final = 1
_SHORT_POLL_S: Final = 0.2
# What Lambda adds to the window and the function's timeout when it sets the visibility itself.
_VISIBILITY_MARGIN_S: Final = 30


class Received:
    """To be used inside one event loop, by one task at a time; `know` comes first."""

    def __init__(self, settings: MappingSettings, around: Surroundings, calls: QueueCalls) -> None:
        self._settings = settings
        self._around = around
        self._clock = around.clock
        self._calls = calls
        self._filters = settings.filters()
        self._facts: QueueFacts | None = None
        self._timeout_s = 0
        self._carried: list[QueueMessage] = []
        self._first_hand: set[str] = set()
        """Messages that were sent to this very queue, seen when they came for the first time and stayed."""

    def know(self, facts: QueueFacts, timeout_s: int) -> None:
        """Take what was found out about the queue, and the function's timeout."""
        self._facts, self._timeout_s = facts, timeout_s

    async def look(self, missing: int, closes_at_s: float | None) -> bool:
        """Ask the queue once, for at most as long as the window is open; False if it had nothing."""
        now_s = self._clock.time()
        began_s = time.monotonic()
        wait_s = LONG_POLL_S if isinstance(self._clock, RealClock) else 0
        if closes_at_s is not None and closes_at_s - now_s < wait_s:
            wait_s = 0
        own_visibility_s = self._own_visibility_s()
        call = asyncio.ensure_future(self._calls.receive(max(1, missing), wait_s=wait_s, visibility_s=own_visibility_s))
        try:
            found = await asyncio.shield(call)
        except asyncio.CancelledError:
            # A thread cannot be cancelled: what it brings goes back to the queue.
            with contextlib.suppress(Exception):
                self._carried += self._messages(await call)
            raise
        messages = self._messages(found)
        if not messages and wait_s and time.monotonic() - began_s < LONG_POLL_S / 2:
            # A server that does not wait.
            await self._clock.sleep(_SHORT_POLL_S, what="an empty queue", purpose="poll")
        passed = [message for message in messages if self._filters.passes(message.record)]
        self._carried += passed
        if dropped := [message for message in messages if message not in passed]:
            self._around.measure("FilteredOutEventCount", len(dropped))
            await self._calls.delete(dropped)
        return bool(messages)

    def fill(self, assembler: BatchAssembler[QueueMessage]) -> None:
        """Put into a batch what it takes."""
        now_s = self._clock.time()
        taken = 0
        for message in self._carried:
            if not assembler.offer(message, now_s):
                break
            taken += 1
        del self._carried[:taken]

    def put_back(self, messages: Sequence[QueueMessage]) -> None:
        """Keep those of a batch that is not to be; they are the next ones again."""
        self._carried[:0] = messages

    def take_all(self) -> list[QueueMessage]:
        """All that is in no batch, and is no longer kept."""
        carried, self._carried = self._carried, []
        return carried

    def forget(self, done: Sequence[QueueMessage]) -> None:
        """They were deleted, and do not come again."""
        self._first_hand.difference_update(message.message_id for message in done)

    def _own_visibility_s(self) -> int | None:
        """Longer than the queue's where the window would use it up; None for the queue's own."""
        assert self._facts is not None
        needed_s = self._settings.window_s + self._timeout_s
        if self._settings.window_s and needed_s > self._facts.visibility_s:
            return needed_s + _VISIBILITY_MARGIN_S
        return None

    def _messages(self, found: Sequence[dict[str, Any]]) -> list[QueueMessage]:
        assert self._facts is not None
        visible_at_s = self._clock.time() + (self._own_visibility_s() or self._facts.visibility_s)
        messages = []
        for each in found:
            # A redriven message brings its count along, so it is not at 1 when it comes here first.
            redriven = each.get("Attributes", {}).get("ApproximateReceiveCount") != "1"
            if not redriven and self._facts.dead_letters_of is not None:
                self._first_hand.add(each["MessageId"])
            source = None if each["MessageId"] in self._first_hand else self._facts.dead_letters_of
            messages.append(
                QueueMessage.of(each, self._settings.source, visible_at_s=visible_at_s, dead_letters_of=source)
            )
        return messages
