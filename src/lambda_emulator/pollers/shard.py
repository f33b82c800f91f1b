"""The poller of one shard: read, filter, gather, hand to lanes, and know what is finished.

With a parallelisation factor the records go to as many lanes, by their key, so that each key keeps its order; with
one lane nothing is read while a batch is under way. A lane's worker runs only while the lane has something to do.

The position is the record before the lowest that is not finished. It is what a poller that is stopped leaves behind.
"""

import asyncio
import zlib
from dataclasses import dataclass
from typing import Final

from lambda_emulator.clock import Clock
from lambda_emulator.pollers.alarm import set_alarm
from lambda_emulator.pollers.attempts import Lane, RetryPolicy
from lambda_emulator.pollers.batching import BatchAssembler
from lambda_emulator.pollers.lane_worker import LaneWorker
from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.position import Position
from lambda_emulator.pollers.stream_record import StreamRecord
from lambda_emulator.pollers.stream_source import StreamSource
from lambda_emulator.pollers.surroundings import Surroundings
from lambda_emulator.pollers.tumbling_window import OpenWindow, start_of_window_s

__all__ = ["ShardPoller", "ShardState"]

_LONGEST_TROUBLE_S: Final = 30.0
# Records of other keys that are read past a batch which is being tried again.
_MOST_WAITING: Final = 1_000


@dataclass(slots=True)
class ShardState:
    """What outlives a poller: where it stands."""

    position: Position
    iterator: str | None = None
    """Kept only where nothing has been read yet: there a new LATEST would skip what has come meanwhile."""
    looked_at_s: float | None = None
    drained: bool = False
    window: OpenWindow | None = None
    """The open tumbling window, with its state."""


@dataclass(slots=True)
class _Slot:
    """One lane with the batch that is being gathered for it."""

    lane: Lane
    worker: LaneWorker
    gathering: BatchAssembler[StreamRecord]


class ShardPoller:
    """Runs until the shard is drained, or it is cancelled."""

    def __init__(
        self, shard_id: str, state: ShardState, settings: MappingSettings, source: StreamSource, around: Surroundings,
        mapping_uuid: str,
    ) -> None:  # fmt: skip
        self._shard_id = shard_id
        self._state = state
        self._settings = settings
        self._source = source
        self._around = around
        self._clock: Clock = around.clock
        self._filters = settings.filters()
        self._read_up_to: str | None = None
        policy = RetryPolicy(
            max_attempts=settings.max_retry_attempts, max_age_s=settings.max_record_age_s, bisect=settings.bisect
        )
        self._slots: list[_Slot] = []
        for _ in range(settings.parallelization_factor):
            lane = Lane(policy)
            worker = LaneWorker(lane, shard_id, settings, around, mapping_uuid, self._advance)
            self._slots.append(_Slot(lane, worker, self._new_assembler()))
        self._alarms: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def open(self) -> None:
        """Have an iterator, so that whatever comes from now on is seen."""
        if self._state.iterator is None:
            read = self._read_up_to
            position = self._state.position if read is None else Position("AFTER_SEQUENCE_NUMBER", read)
            self._state.iterator = await self._source.iterator(self._shard_id, position)

    async def run(self) -> None:
        """Until the shard's end."""
        troubles = 0
        try:
            # A manual clock begins to look when it is driven, so that a test can write before anything is read.
            await self._clock.sleep(0, what="an empty shard", purpose="poll")
            if self._state.window is not None:
                self._set_window_alarm(self._state.window)
            while not self._state.drained:
                try:
                    await self._wait_for_room()
                    await self._look()
                    troubles = 0
                except Exception as error:  # noqa: BLE001 (whatever boto3 raises: the stream or its server is gone)
                    self._around.report(f"PROBLEM: {type(error).__name__}: {error}")
                    if not self._begins_at_latest:
                        self._state.iterator = None
                    pause_s = min(2.0**troubles, _LONGEST_TROUBLE_S)
                    troubles = min(troubles + 1, 16)
                    await self._clock.sleep(pause_s, what="a stream that is not there", purpose="poll")
        finally:
            await self._stop()

    def cut(self) -> None:
        """Before it is cancelled: do not even finish what is in flight."""
        for slot in self._slots:
            slot.worker.cut()

    async def _stop(self) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        await asyncio.gather(*(slot.worker.stop() for slot in self._slots))
        if self._read_up_to is not None:
            self._state.iterator = None

    async def _look(self) -> None:
        """One read, and what follows from it."""
        await self.open()
        iterator = self._state.iterator
        assert iterator is not None
        limit = self._settings.batch_size * len(self._slots)
        found = await self._source.read(self._shard_id, iterator, max(1, limit - self._gathered))
        if found is None:
            self._forget_iterator()
            return
        for record in found.records:
            await self._take(record)
            # Only now: a poller that is stopped in between has not read it.
            self._read_up_to = record.sequence_number
        self._state.iterator = found.next_iterator
        self._state.looked_at_s = self._clock.time()
        if not found.records:
            await self._close_window(self._clock.time(), shard_ended=False)
        self._hand_over()
        if found.records:
            self._advance()
        elif found.next_iterator is not None:
            await self._clock.sleep(
                min(1 / self._source.reads_per_s, self._until_window_s()), what="an empty shard", purpose="poll"
            )
        if found.next_iterator is None:
            await self._finish()

    @property
    def _begins_at_latest(self) -> bool:
        """Nothing has been read yet: a second LATEST would skip what has come since the first."""
        return self._read_up_to is None and self._state.position.kind == "LATEST"

    def _forget_iterator(self) -> None:
        """It has expired: go on where the last look was."""
        self._state.iterator = None
        looked_at_s = self._state.looked_at_s
        if self._begins_at_latest and looked_at_s is not None and self._settings.source.kind == "kinesis":
            self._state.position = Position("AT_TIMESTAMP", timestamp_s=looked_at_s)

    async def _take(self, record: StreamRecord) -> None:
        if not self._filters.passes(record.record):
            self._around.measure("FilteredOutEventCount", 1)
            return
        if self._settings.tumbling_window_s:
            await self._enter_window(record)
        slot = self._slots[zlib.crc32(record.key.encode()) % len(self._slots)]
        if not slot.gathering.offer(record, self._clock.time()):
            self._send(slot)
            slot.gathering.offer(record, self._clock.time())
        if self._settings.window_s and len(slot.gathering.records) == 1:
            self._set_alarm(slot.gathering.closes_at_s or 0.0, f"a window of {self._shard_id}")

    def _hand_over(self) -> None:
        """Send what is due."""
        for slot in self._slots:
            if slot.gathering.is_due(self._clock.time()):
                self._send(slot)

    def _send(self, slot: _Slot) -> None:
        slot.lane.add(slot.gathering.records)
        slot.gathering = self._new_assembler()
        slot.worker.wake(self._state.window)

    async def _enter_window(self, record: StreamRecord) -> None:
        """Have the window open that holds this record; a record that comes late belongs to the open one."""
        await self._close_window(record.arrived_at_s, shard_ended=False)
        if self._state.window is None:
            window_s = self._settings.tumbling_window_s
            start_s = start_of_window_s(record.arrived_at_s, window_s)
            self._state.window = OpenWindow(start_s, window_s, self._shard_id, self._settings.source.text)
            self._set_window_alarm(self._state.window)

    def _set_window_alarm(self, window: OpenWindow) -> None:
        self._set_alarm(window.end_s, f"a tumbling window of {self._shard_id}")

    def _set_alarm(self, at_s: float, what: str) -> None:
        alarm = set_alarm(self._clock, at_s, what)
        self._alarms.add(alarm)
        alarm.add_done_callback(self._alarms.discard)

    async def _close_window(self, at_s: float, *, shard_ended: bool) -> None:
        window = self._state.window
        if window is None or not (shard_ended or at_s >= window.end_s or window.too_large):
            return
        self._send(self._slots[0])
        await self._wait_until_idle()
        await self._slots[0].worker.end_window(window)
        self._state.window = None

    async def _finish(self) -> None:
        """The shard is closed: nothing will come after what was read."""
        for slot in self._slots:
            self._send(slot)
        await self._wait_until_idle()
        await self._close_window(self._clock.time(), shard_ended=True)
        self._state.drained = True

    def _advance(self) -> None:
        """Something has been read or finished: the position follows."""
        lowest = self._lowest_unfinished()
        if lowest is not None:
            self._state.position = Position("AT_SEQUENCE_NUMBER", lowest)
        elif self._read_up_to is not None:
            self._state.position = Position("AFTER_SEQUENCE_NUMBER", self._read_up_to)
        self._changed.set()

    def _lowest_unfinished(self) -> str | None:
        numbers: list[str] = []
        for slot in self._slots:
            if (number := slot.lane.lowest_unfinished) is not None:
                numbers.append(number)
            numbers += [record.sequence_number for record in slot.gathering.records[:1]]
        return min(numbers, key=int, default=None)

    async def _wait_for_room(self) -> None:
        """One lane: until it has nothing to do. More: until they have less than twice what they can send at once."""
        while self._is_full():
            self._changed.clear()
            with self._clock.idle():
                await self._changed.wait()

    def _is_full(self) -> bool:
        if len(self._slots) == 1:
            return not self._slots[0].lane.is_empty
        waiting = sum(len(slot.lane.records()) for slot in self._slots)
        return waiting >= max(_MOST_WAITING, 2 * len(self._slots) * self._settings.batch_size)

    async def _wait_until_idle(self) -> None:
        while not all(slot.lane.is_empty for slot in self._slots):
            self._changed.clear()
            with self._clock.idle():
                await self._changed.wait()

    @property
    def _gathered(self) -> int:
        return sum(len(slot.gathering.records) for slot in self._slots)

    def _until_window_s(self) -> float:
        now_s = self._clock.time()
        ends = [slot.gathering.closes_at_s for slot in self._slots if slot.gathering.closes_at_s is not None]
        return max(0.01, min(ends, default=now_s + 60) - now_s)

    def _new_assembler(self) -> BatchAssembler[StreamRecord]:
        return BatchAssembler(batch_size=self._settings.batch_size, window_s=self._settings.window_s)
