"""The poller of a stream: one `ShardPoller` for each shard, parents before children.

Shards that are there at the beginning begin at the mapping's starting position, those that come later at their own
beginning. A shard waits until its parents are read to their end, so that a key keeps its order over a resharding.
"""

import asyncio
from typing import Final

from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.position import Position
from lambda_emulator.pollers.shard import ShardPoller, ShardState
from lambda_emulator.pollers.stream_source import Shard, StreamSource, source_of
from lambda_emulator.pollers.surroundings import Surroundings

__all__ = ["StreamPoller"]

# Lambda finds new shards within minutes; here a shard's end is looked at once, and the list now and then.
_LIST_EVERY_S: Final = 60.0


class StreamPoller:
    """Runs from `start` to `stop`, both in one event loop. `states` outlives it: the next one goes on from there."""

    def __init__(
        self,
        settings: MappingSettings,
        around: Surroundings,
        states: dict[str, ShardState],
        mapping_uuid: str,
        source: StreamSource | None = None,
    ) -> None:
        self._settings = settings
        self._around = around
        self._states = states
        self._mapping_uuid = mapping_uuid
        self._source = source or source_of(settings.source, around.aws)
        self._known: dict[str, Shard] = {}
        self._pollers: dict[str, ShardPoller] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._shepherd: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    async def prepare(self) -> None:
        """List the shards and, for LATEST, take their ends now. Raises `InvalidParameterValue` without a stream."""
        is_first = not self._states
        await self._list(self._starting_position() if is_first else Position("TRIM_HORIZON"))
        for shard_id, state in self._states.items():
            if state.position.kind == "LATEST" and shard_id in self._known:
                await self._poller(shard_id).open()

    def start(self) -> None:
        """Begin to poll; `prepare` has been called."""
        what = f"the shards of {self._settings.source.name}"
        self._start_ready()
        self._shepherd = self._around.clock.create_task(self._look_after(), what=what)

    async def stop(self, *, at_once: bool = False) -> None:
        """End: invocations in flight are finished (`at_once`: cut), positions stay."""
        tasks = [*self._tasks.values(), *([self._shepherd] if self._shepherd else [])]
        if at_once:
            for poller in self._pollers.values():
                poller.cut()
        for task in tasks:
            task.cancel()
        with self._around.clock.idle():
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_after(self) -> None:
        """Start children when their parents are done, and find new shards."""
        listed_at_s = self._around.clock.time()
        while True:
            now_s = self._around.clock.time()
            if self._ended.is_set() or now_s - listed_at_s >= _LIST_EVERY_S:
                self._ended.clear()
                listed_at_s = now_s
                try:
                    await self._list(Position("TRIM_HORIZON"))
                except Exception as error:  # noqa: BLE001 (the shards that are known go on)
                    self._around.report(f"PROBLEM: {type(error).__name__}: {error}")
                self._start_ready()
            await self._around.clock.sleep(1.0, what="a list of shards", purpose="poll")

    async def _list(self, position: Position) -> None:
        self._known = {shard.shard_id: shard for shard in await self._source.shards()}
        for shard_id in self._known:
            self._states.setdefault(shard_id, ShardState(position))

    def _start_ready(self) -> None:
        for shard in self._known.values():
            state = self._states[shard.shard_id]
            if shard.shard_id in self._tasks or state.drained or not self._parents_are_drained(shard):
                continue
            poller = self._poller(shard.shard_id)
            what = f"the poller of {shard.shard_id}"
            task = self._around.clock.create_task(poller.run(), what=what)
            task.add_done_callback(lambda _task: self._ended.set())
            self._tasks[shard.shard_id] = task

    def _parents_are_drained(self, shard: Shard) -> bool:
        """A parent that is not listed any more is past its retention."""
        return all(parent not in self._known or self._states[parent].drained for parent in shard.parents)

    def _poller(self, shard_id: str) -> ShardPoller:
        if shard_id not in self._pollers:
            self._pollers[shard_id] = ShardPoller(
                shard_id, self._states[shard_id], self._settings, self._source, self._around, self._mapping_uuid
            )
        return self._pollers[shard_id]

    def _starting_position(self) -> Position:
        match self._settings.starting_position:
            case "AT_TIMESTAMP":
                return Position("AT_TIMESTAMP", timestamp_s=self._settings.starting_timestamp_s)
            case "LATEST":
                return Position("LATEST")
            case _:
                return Position("TRIM_HORIZON")
