"""When a message that was not deleted comes back: who sees to it, the queue or the poller.

The queue does, where its clock is ours: AWS, and an embedded moto, which follows the mapping's clock. Elsewhere:

- Under a manual clock a server on its own time would never come to the end of a visibility timeout. There the poller
  keeps the time, and makes the messages visible when it has passed.
- A moto server hands out only the last of several messages of a FIFO group whose visibility ends by itself, and the
  order is lost. The poller makes them visible, all and in order, half a second early.

The receive count, the dead-letter queue and the order of messages stay the queue's business in all cases.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from lambda_emulator.clock import RealClock
from lambda_emulator.pollers.queue_calls import QueueCalls
from lambda_emulator.pollers.source_arn import SourceArn
from lambda_emulator.pollers.sqs_record import QueueMessage
from lambda_emulator.pollers.surroundings import Surroundings

__all__ = ["Redelivery"]

_EARLY_S: Final = 0.5


class Redelivery:
    """The messages of one queue that stay."""

    def __init__(self, source: SourceArn, around: Surroundings, calls: QueueCalls) -> None:
        self._source = source
        self._around = around
        self._calls = calls
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, messages: Sequence[QueueMessage]) -> None:
        """These are left in the queue until their visibility ends."""
        if not messages:
            return
        manual = not isinstance(self._around.clock, RealClock)
        if not manual and (self._source.kind == "sqs" or self._calls.keeps_fifo_order):
            return
        together: dict[float, list[QueueMessage]] = {}
        for message in messages:
            together.setdefault(message.visible_at_s, []).append(message)
        for visible_at_s, each in together.items():
            what = f"{len(each)} message(s) of {self._source.name} come back"
            due_s = visible_at_s - (0.0 if manual else _EARLY_S)
            task = self._around.clock.create_task(self._release_at(due_s, what, each), what=what)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Forget all of it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _release_at(self, due_s: float, what: str, messages: Sequence[QueueMessage]) -> None:
        await self._around.clock.sleep(due_s - self._around.clock.time(), what=what)
        await self._calls.make_visible(messages)
