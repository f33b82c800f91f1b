"""Carries out what a lane decides: calls the function, reads its answer, passes given-up records on."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from lambda_emulator.pollers.attempts import GiveUp, Invoke, Lane
from lambda_emulator.pollers.batch_response import read_response
from lambda_emulator.pollers.failure_document import failure_document
from lambda_emulator.pollers.invoker import Outcome
from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.on_failure import OnFailure
from lambda_emulator.pollers.stream_record import StreamRecord
from lambda_emulator.pollers.surroundings import Surroundings
from lambda_emulator.pollers.tumbling_window import BadWindowResponse, OpenWindow

__all__ = ["LaneWorker"]


@dataclass(frozen=True, slots=True)
class _WindowEnd:
    """Stands in a lane for a call without records."""

    arrived_at_s: float
    sequence_number: str = "0"


class LaneWorker:
    """Has a task while its lane has something to do."""

    def __init__(
        self, lane: Lane, shard_id: str, settings: MappingSettings, around: Surroundings, mapping_uuid: str,
        advanced: Callable[[], None],
    ) -> None:  # fmt: skip
        self._lane = lane
        self._shard_id = shard_id
        self._settings = settings
        self._around = around
        self._advanced = advanced
        self._on_failure = (
            OnFailure(settings.on_failure, around.aws, mapping_uuid=mapping_uuid, region=settings.source.region)
            if settings.on_failure
            else None
        )
        self._window: OpenWindow | None = None
        self._last = Outcome(kind="not_invoked")
        self._task: asyncio.Task[None] | None = None
        self._is_pausing = False
        self._is_stopping = False

    def wake(self, window: OpenWindow | None) -> None:
        """The lane has something to do, inside this tumbling window if there is one."""
        self._window = window
        if self._task is None and not self._lane.is_empty:
            self._task = self._around.clock.create_task(self._work(), what=f"a batch of {self._shard_id}")

    async def stop(self) -> None:
        """Finish the invocation in flight; do not begin another."""
        self._is_stopping = True
        if self._task is None:
            return
        if self._is_pausing:
            self._task.cancel()
        with self._around.clock.idle():
            await asyncio.wait([self._task])

    def cut(self) -> None:
        """Do not even finish the invocation in flight."""
        self._is_stopping = True
        if self._task is not None:
            self._task.cancel()

    async def end_window(self, window: OpenWindow) -> None:
        """The last call of a tumbling window, without records, until it succeeds or has been tried often enough."""
        clock = self._around.clock
        attempts = Lane(self._lane.policy)
        attempts.add([_WindowEnd(clock.time())])
        while isinstance(attempts.next_step(clock.time()), Invoke):
            outcome = await self._call((), window, final=True)
            match outcome.kind:
                case "ok":
                    attempts.done()
                case "not_invoked":
                    attempts.not_invoked()
                case _:
                    attempts.failed()
            self._around.report("OK" if outcome.kind == "ok" else "PROBLEM: Function call failed")
            await clock.sleep(attempts.pause_s(), what=f"the end of a window of {self._shard_id}")

    async def _work(self) -> None:
        clock = self._around.clock
        try:
            while not self._lane.is_empty and not self._is_stopping:
                if (pause_s := self._lane.pause_s()) > 0:
                    await self._pause(pause_s)
                match self._lane.next_step(clock.time()):
                    case Invoke(batch):
                        await self._try(cast("tuple[StreamRecord, ...]", batch.records))
                    case GiveUp() as given_up:
                        await self._pass_on(given_up)
                        self._lane.gave_up()
                self._advanced()
        finally:
            self._task = None
            self._advanced()

    async def _pause(self, pause_s: float) -> None:
        self._is_pausing = True
        try:
            await self._around.clock.sleep(pause_s, what=f"a batch of {self._shard_id} is tried again")
        finally:
            self._is_pausing = False

    async def _try(self, records: tuple[StreamRecord, ...]) -> None:
        age_ms = (self._around.clock.time() - records[-1].arrived_at_s) * 1000
        self._around.measure("IteratorAge", max(0.0, age_ms))
        outcome = await self._call(records, self._window, final=False)
        if outcome.kind == "not_invoked":
            self._lane.not_invoked()
        elif outcome.kind == "function_error":
            self._last = outcome
            self._lane.failed()
        else:
            self._last = outcome
            self._conclude(records, outcome.payload)
        self._around.report("OK" if outcome.kind == "ok" else "PROBLEM: Function call failed")

    def _conclude(self, records: tuple[StreamRecord, ...], payload: bytes) -> None:
        """The function has answered without an error."""
        failed: frozenset[str] = frozenset()
        if self._settings.report_item_failures:
            verdict = read_response(payload, [record.sequence_number for record in records])
            if verdict.malformed is not None:
                self._lane.failed(by_error=False)
                return
            failed = verdict.failed
        # What comes before the first failed record is done and will not come again: its state counts.
        if self._window is not None and records[0].sequence_number not in failed:
            try:
                self._window.take_state(payload)
            except BadWindowResponse:
                self._lane.failed(by_error=False)
                return
        if failed:
            self._lane.partly_failed(failed)
        else:
            self._lane.done()

    async def _call(self, records: tuple[StreamRecord, ...], window: OpenWindow | None, *, final: bool) -> Outcome:
        members = f",{window.event_fields(final=final)}" if window is not None else ""
        event = f'{{"Records":[{",".join(record.text for record in records)}]{members}}}'
        with self._around.clock.work(f"a batch of {self._shard_id}"):
            try:
                return await self._around.invoker.invoke(
                    self._settings.function_name, event.encode("utf-8", "surrogatepass")
                )
            except Exception as error:  # noqa: BLE001 (a worker that died here would hold its shard for ever)
                self._around.report(f"PROBLEM: {type(error).__name__}: {error}")
                return Outcome(kind="not_invoked")

    async def _pass_on(self, given_up: GiveUp) -> None:
        if self._on_failure is None:
            return
        now_s = self._around.clock.time()
        document = failure_document(
            given_up,
            self._settings.source,
            function_arn=self._around.function_arn,
            shard_id=self._shard_id,
            version=self._last.executed_version,
            request_id=self._last.request_id or str(uuid.uuid4()),
            now_s=now_s,
        )
        records = cast("tuple[StreamRecord, ...]", given_up.batch.records)
        try:
            await self._on_failure.send(document, records, shard_id=self._shard_id, now_s=now_s)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (a destination that is gone holds no shard up; it is counted)
            self._around.measure("DestinationDeliveryFailures", 1)
            self._around.report(f"PROBLEM: {type(error).__name__}: {error}")
