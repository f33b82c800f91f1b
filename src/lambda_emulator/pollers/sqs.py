"""The poller of a queue, standard or FIFO.

One receiver gathers batches; each batch is handled by a task of its own, as many at once as `Scaling` allows. A place
is taken *before* messages are received, so nothing is received that cannot be handled, and no receive count is spent.

What stays in the queue is not touched: its visibility timeout runs out, and the queue hands it out again or moves it
to its dead-letter queue.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from lambda_emulator.clock import RealClock
from lambda_emulator.errors import InvalidParameterValue
from lambda_emulator.pollers.alarm import set_alarm
from lambda_emulator.pollers.batch_response import read_response
from lambda_emulator.pollers.batching import BatchAssembler
from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.message_groups import MessageGroups
from lambda_emulator.pollers.queue_calls import QueueCalls
from lambda_emulator.pollers.received import LONG_POLL_S, Received
from lambda_emulator.pollers.scaling import Scaling
from lambda_emulator.pollers.slots import Slots
from lambda_emulator.pollers.sqs_record import QueueMessage
from lambda_emulator.pollers.surroundings import Surroundings
from lambda_emulator.pollers.visibility import Redelivery

__all__ = ["QueuePoller"]

# Only under a manual clock, which wakes a poller when there may be something to see, and after a failed call.
_LOOK_AGAIN_S: Final = 1.0
_LONGEST_TROUBLE_S: Final = 30.0
_THROTTLED_FIRST_S: Final = 1.0
_THROTTLED_LONGEST_S: Final = 8.0


class QueuePoller:
    """Runs from `start` to `stop`, both in one event loop."""

    def __init__(self, settings: MappingSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._clock = around.clock
        self._calls = QueueCalls(settings.source, around.aws)
        self._received = Received(settings, around, self._calls)
        self._redelivery = Redelivery(settings.source, around, self._calls)
        self._groups = MessageGroups()
        self._groups_changed = asyncio.Event()
        self._scaling = Scaling(settings.max_concurrency, self._clock.time())
        self._slots = Slots(self._clock, self._scaling.limit)
        self._handed_out_twice: set[str] = set()
        """Messages that are delivered once more though they are done; forgotten when they are done again."""
        self._receiver: asyncio.Task[None] | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self._held_back: set[asyncio.Task[None]] = set()
        """Handlers that wait to try again, which a stop need not wait for."""

    async def prepare(self) -> None:
        """Look at the queue. Raises `InvalidParameterValue` if it is not there or not fit for the function."""
        facts = await self._calls.look()
        timeout_s = self._around.invoker.timeout_s(self._settings.function_name)
        if facts.visibility_s < timeout_s:
            raise InvalidParameterValue(
                f"Queue visibility timeout: {facts.visibility_s} seconds is less than "
                f"Function timeout: {timeout_s} seconds"
            )
        self._received.know(facts, timeout_s)

    def start(self) -> None:
        """Begin to poll; `prepare` has been called."""
        what = f"the poller of {self._settings.source.name}"
        self._receiver = self._clock.create_task(self._receive_for_ever(), what=what)

    async def stop(self, *, at_once: bool = False) -> None:
        """End: what is in flight is finished (`at_once`: cut), what was only received goes back to the queue."""
        await _cancelled([self._receiver] if self._receiver else [])
        await _cancelled(self._handlers if at_once else self._held_back)
        if self._handlers:
            with self._clock.idle():
                await asyncio.wait(self._handlers)
        await self._redelivery.stop()
        await self._calls.make_visible(self._received.take_all())

    async def _receive_for_ever(self) -> None:
        troubles = 0
        # A manual clock begins to look when it is driven, so that a test can send before anything is received.
        await self._clock.sleep(0, what="an empty queue", purpose="poll")
        while True:
            await self._slots.take()
            batch: list[QueueMessage] = []
            try:
                batch = await self._gather()
                troubles = 0
            except Exception as error:  # noqa: BLE001 (whatever boto3 raises: the queue or its server is gone)
                self._around.report(f"PROBLEM: {type(error).__name__}: {error}")
                troubles += 1
            finally:
                if not batch:
                    self._slots.give_back()
            if batch:
                task = self._clock.create_task(self._handle(batch), what=f"a batch of {self._settings.source.name}")
                self._handlers.add(task)
                task.add_done_callback(self._handlers.discard)
            elif troubles:
                pause_s = min(_LOOK_AGAIN_S * 2.0 ** min(troubles - 1, 16), _LONGEST_TROUBLE_S)
                await self._clock.sleep(pause_s, what="a queue that is not there", purpose="poll")

    async def _gather(self) -> list[QueueMessage]:
        """One batch; empty where the queue had nothing (after a pause), or nothing that passes the filters."""
        assembler: BatchAssembler[QueueMessage] = BatchAssembler(
            batch_size=self._settings.batch_size, window_s=self._settings.window_s
        )
        alarm: asyncio.Task[None] | None = None
        self._received.fill(assembler)
        try:
            while not assembler.is_due(self._clock.time()):
                if alarm is None and assembler.closes_at_s is not None:
                    alarm = set_alarm(self._clock, assembler.closes_at_s, f"a window of {self._settings.source.name}")
                found = await self._received.look(assembler.missing, assembler.closes_at_s)
                if not found:
                    if not assembler.records:
                        self._scaling.idle(self._clock.time())
                        self._slots.set_limit(self._scaling.limit)
                    await self._pause(assembler.closes_at_s)
                    if not assembler.records:
                        return []
                self._received.fill(assembler)
                if not self._settings.window_s and not assembler.records:
                    return []  # all of them were filtered out
        except asyncio.CancelledError:
            self._received.put_back(assembler.records)
            raise
        except Exception:
            # The queue is gone, or its server: what was gathered before is handled.
            if not assembler.records:
                raise
        finally:
            if alarm is not None:
                alarm.cancel()
        if self._slots.all_taken and not assembler.missing:
            self._scaling.saturated(self._clock.time())
            self._slots.set_limit(self._scaling.limit)
        return list(assembler.records)

    async def _pause(self, closes_at_s: float | None) -> None:
        """After a look that found nothing. A long poll has been the pause already."""
        now_s = self._clock.time()
        left_s = _LOOK_AGAIN_S if closes_at_s is None else max(0.0, closes_at_s - now_s)
        if not isinstance(self._clock, RealClock):
            await self._clock.sleep(min(left_s, _LOOK_AGAIN_S), what="an empty queue", purpose="poll")
        elif closes_at_s is not None and left_s < LONG_POLL_S:
            await self._clock.sleep(left_s, what="the end of a window")

    async def _handle(self, batch: Sequence[QueueMessage]) -> None:
        groups = [message.group for message in batch]
        try:
            await self._claim(groups)
            try:
                await self._invoke(batch)
            finally:
                self._groups.release(groups)
                self._groups_changed.set()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (deleting failed: the messages come again, as at-least-once has it)
            self._around.report(f"PROBLEM: {type(error).__name__}: {error}")
            self._redelivery.expect(batch)
        finally:
            self._slots.give_back()

    async def _claim(self, groups: Sequence[str | None]) -> None:
        while not self._groups.claim(groups):
            self._groups_changed.clear()
            with self._clock.idle():
                await self._groups_changed.wait()

    async def _invoke(self, batch: Sequence[QueueMessage]) -> None:
        """Until the function has answered, or the messages are visible again."""
        event = f'{{"Records":[{",".join(message.text for message in batch)}]}}'.encode("utf-8", "surrogatepass")
        visible_at_s = min(message.visible_at_s for message in batch)
        pause_s = _THROTTLED_FIRST_S
        while True:
            if self._clock.time() >= visible_at_s:
                break  # others may have them by now
            outcome = await self._around.invoker.invoke(self._settings.function_name, event)
            if outcome.kind != "not_invoked":
                return await self._conclude(batch, outcome.payload if outcome.kind == "ok" else None)
            self._around.report("PROBLEM: Function call failed")
            left_s = visible_at_s - self._clock.time()
            await self._hold(min(pause_s, max(0.0, left_s)))
            pause_s = min(pause_s * 2, _THROTTLED_LONGEST_S)
        self._redelivery.expect(batch)
        return None

    async def _hold(self, pause_s: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._held_back.add(task)
        try:
            await self._clock.sleep(pause_s, what=f"a throttled batch of {self._settings.source.name}")
        finally:
            self._held_back.discard(task)

    async def _conclude(self, batch: Sequence[QueueMessage], payload: bytes | None) -> None:
        """Delete what is done. `payload` None: the function failed."""
        failed: frozenset[str] = frozenset()
        if payload is None:
            failed = frozenset(message.message_id for message in batch)
            self._scaling.failed()
        else:
            if self._settings.report_item_failures:
                failed = read_response(payload, [message.message_id for message in batch]).failed
            self._scaling.succeeded()
        self._slots.set_limit(self._scaling.limit)
        done = [message for message in batch if message.message_id not in failed]
        again = self._chosen_again(done)
        done = [message for message in done if message not in again]
        await self._calls.delete(done)
        await self._calls.make_visible(again)
        self._received.forget(done)
        self._around.report("PROBLEM: Function call failed" if payload is None else "OK")
        self._redelivery.expect([message for message in batch if message.message_id in failed])

    def _chosen_again(self, done: Sequence[QueueMessage]) -> list[QueueMessage]:
        """Messages that the queue hands out once more though they are done; a FIFO queue does so with none."""
        if self._settings.source.kind == "sqs-fifo":
            return []
        again = []
        for message in done:
            if message.message_id in self._handed_out_twice:
                self._handed_out_twice.discard(message.message_id)
            elif self._around.duplicates.chosen():
                self._handed_out_twice.add(message.message_id)
                again.append(message)
        return again


async def _cancelled(tasks: "set[asyncio.Task[None]] | list[asyncio.Task[None]]") -> None:
    """Cancel, and wait until it has taken effect."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
