"""A batch from event to response: find the records, run them, make the response, or fail the whole.

`Plan` is what is known of a function before its first event; each batch has its own values beyond that, and leaves
nothing behind.

Most batches end well, and ask for nothing that concerns more than one record at a time. They are run straight, from an
event's bytes portion by portion. What remains of a batch when that ends early, and every other batch, is run with all
of its records at hand (`execution`).
"""

from __future__ import annotations

import os

from handlerkit.environ import wants_info
from handlerkit.signature import Signature, signature_of

from .calling import is_async, settled
from .deadline import Deadline
from .errors import UntrustedBatchError
from .outcomes import DONE
from .policies import policy_for
from .portions import Portions
from .reporting import Reporter, is_silent
from .responses import nothing_failed
from .sources import found_in
from .straight import Halt, run_straight

__all__ = ["Plan"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.event_loop import KeptLoop
    from handlerkit.scope import Scope

    from .options import Options
    from .reading import RecordReader, RecordReading
    from .sources import Found


class Plan:
    """A function, how it is called, what its records are, and the options. Raises what is wrong with any of them."""

    def __init__(self, function: Callable[..., Any], options: Options, signature: Signature | None = None) -> None:
        self._function = function
        self._how = (signature or signature_of(function)).context
        self.options = options
        self.is_async = is_async(function)
        self._loop: KeptLoop | None = None
        self._info_is_wanted = wants_info(os.environ)
        prepared = getattr(options.idempotency, "for_records", None)
        self.idempotency = options.idempotency if prepared is None else prepared(function)
        is_watched = any(getattr(one, "around", None) is not None for one in options.observers)
        is_plain = not is_watched and options.idempotency is None and options.max_workers == 1
        self._runs_straight = is_plain and not self.is_async

    def check(self, reader: RecordReader) -> None:
        """Whether the options suit the sources that the records come from."""
        for source in reader.sources:
            policy = policy_for(source.name, self.options.by_key, self.options.idempotency is not None)
            if self.options.max_workers > 1 and policy.name == "by shard":
                raise ValueError(f"max_workers for {source.name} needs ordering='key': a shard's order allows no other")

    def response(self, event: Any, context: Any, reader: RecordReader) -> dict[str, Any]:
        """The response to an event. Raises `BatchFailedError`, `UntrustedBatchError`, `EventValidationError`."""
        if self.is_async:
            return self._wait(self.response_async(event, context, reader))  # type: ignore[no-any-return]
        found = found_in(event, reader.sources, self.options.by_key)
        reading = reader.of(found)
        # Where a record that is left out is not brought again, time that runs out must fail the invocation instead.
        deadline = Deadline(context, self.options.margin_ms if found.source.brings_again else None)
        call = self._function if self._how is Signature.NOT else self._call(context)
        if not self._runs_straight or found.source.family != "partial":
            return self._go_on(found, reading, deadline, context, call, Halt(0))
        halt = run_straight(((found, reading),), call, self._completed, deadline)
        if halt is None:
            if not is_silent(self.options.observers, self._info_is_wanted):
                self._say_that_all_is_done(found, len(found.raws))
            return nothing_failed(found)
        return self._go_on(found, reading, deadline, context, call, halt)

    def portions(self, body: bytes, reader: RecordReader) -> Portions | None:
        """The event in portions, if it is a batch that can be run so."""
        return Portions.of(body, reader, self.options.by_key) if self._runs_straight else None

    def response_to_portions(
        self, portions: Portions, context: Any, reader: RecordReader, scope: Scope
    ) -> dict[str, Any]:
        """The same as `response` to an event of which only those parts are parsed that are just being run."""
        call = self._call(context)
        margin_ms = self.options.margin_ms
        deadline = Deadline(context, None if margin_ms is None else margin_ms + portions.whole_ms)
        halt = run_straight(portions, call, self._completed, deadline)
        if halt is None:
            if portions.last is not None:
                if not is_silent(self.options.observers, self._info_is_wanted):
                    self._say_that_all_is_done(portions.last, portions.records)
                return nothing_failed(portions.last)
            halt = Halt(portions.records)
        event = scope.event = portions.whole_event()
        found = found_in(event, reader.sources, self.options.by_key)
        if not portions.are_of(found):
            raise UntrustedBatchError(f"{found.source.name}: the event has two arrays of records")
        return self._go_on(found, reader.of(found), deadline, context, call, halt)

    def _go_on(
        self,
        found: Found,
        reading: RecordReading,
        deadline: Deadline,
        context: Any,
        call: Callable[[Any], Any],
        halt: Halt,
    ) -> dict[str, Any]:
        """The response, when the records behind those that are done have been run."""
        from .execution import BatchExecution  # late, with all that it needs: most batches go well
        from .running import SyncRunner

        batch = BatchExecution(self, found, reading, deadline, context)
        parts = batch.runner_arguments(call)
        workers = self.options.max_workers
        if workers > 1 and len(batch.outcomes) > 1:
            from .schedule import Schedule
            from .threads import run_in_threads, wait_in_thread

            runner = SyncRunner(*parts, wait=wait_in_thread)
            schedule = Schedule(len(batch.outcomes), batch.lanes, batch.policy.halts)
            with batch:
                run_in_threads(batch.outcomes, runner.run, schedule, workers, batch.deadline, batch.lanes is None)
        else:
            from .sequence import run_in_sequence

            runner = SyncRunner(*parts, wait=self._wait)
            begun = batch.go_on_behind(halt, runner)
            with batch:
                run_in_sequence(batch.outcomes, runner.run, batch.lanes, batch.policy.halts, deadline, begun)
        return batch.settled(runner)

    async def response_async(self, event: Any, context: Any, reader: RecordReader) -> dict[str, Any]:
        """The same as `response` inside an event loop."""
        from .execution import BatchExecution
        from .running import AsyncRunner
        from .schedule import Schedule
        from .tasks import run_in_tasks

        found = found_in(event, reader.sources, self.options.by_key)
        deadline = Deadline(context, self.options.margin_ms if found.source.brings_again else None)
        batch = BatchExecution(self, found, reader.of(found), deadline, context)
        runner = AsyncRunner(*batch.runner_arguments(self._call(context)))
        schedule = Schedule(len(batch.outcomes), batch.lanes, batch.policy.halts)
        workers = self.options.max_workers
        async with batch:
            await run_in_tasks(batch.outcomes, runner.run, schedule, workers, batch.deadline, batch.lanes is None)
        return batch.settled(runner)

    def _say_that_all_is_done(self, found: Found, records: int) -> None:
        self.reporter(found).ended([DONE] * records)

    def reporter(self, found: Found) -> Reporter:
        """Who speaks for a batch."""
        return Reporter(found, self.options.log_payloads, self.options.observers, self._info_is_wanted)

    def _call(self, context: Any) -> Callable[[Any], Any]:
        function = self._function
        if self._how is Signature.SECOND:
            return lambda record: function(record, context)
        if self._how is Signature.KEYWORD:
            return lambda record: function(record, context=context)
        return function

    def _completed(self, result: Any) -> Any:
        return settled(result, self._wait)

    def _wait(self, awaitable: Any) -> Any:
        if self._loop is None:
            from handlerkit.event_loop import KeptLoop  # late: asyncio costs 30 ms

            self._loop = KeptLoop()
        return self._loop.run(awaitable)
