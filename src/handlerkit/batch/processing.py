"""A batch from event to response: find the records, run them, make the response, or fail the whole.

`Plan` is what is known of a function before its first event; each batch has its own values beyond that, and leaves
nothing behind. `process` and `process_async` are the same for handlers that do more than one thing.
"""

from __future__ import annotations

import os
import sys

from handlerkit.environ import wants_info
from handlerkit.scope import Opened
from handlerkit.signature import Signature, signature_of

from .deadline import Deadline
from .errors import BatchFailedError
from .options import Options
from .outcomes import DONE, Outcome
from .policies import policy_for
from .reading import RecordReader, public_reason, refusing
from .reporting import Reporter, is_silent
from .responses import nothing_failed, response_of
from .running import AsyncRunner, SyncRunner, is_async, settled
from .sequence import run_in_sequence
from .sources import Found, found_in
from .straight import Halt, run_straight

__all__ = ["Plan", "process", "process_async"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from handlerkit.event_loop import KeptLoop

    from .hooks import BatchObserver, BatchSummary, RecordIdempotency, RecordObserver, RecordSession
    from .poison import PoisonRecord
    from .policies import Ordering
    from .reading import RecordReading


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
        self._is_plain = not is_watched and options.idempotency is None and options.max_workers == 1

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
        found, reading, deadline = self._begun(event, context, reader)
        call = self._function if self._how is Signature.NOT else self._call(context)
        halt: Halt | None = ALL_IS_TO_DO
        if self._is_plain and found.source.family == "partial":
            halt = run_straight(found, reading, call, self._completed, deadline)
            if halt is None and is_silent(self.options.observers, self._info_is_wanted):
                return nothing_failed(found)  # as nearly always
        batch = _Batch(self, found, reading, deadline, context)
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
            runner = SyncRunner(*parts, wait=self._wait)
            begun = batch.go_on_behind(halt, runner)
            with batch:
                run_in_sequence(batch.outcomes, runner.run, batch.lanes, batch.policy.halts, deadline, begun)
        return batch.settled(runner)

    async def response_async(self, event: Any, context: Any, reader: RecordReader) -> dict[str, Any]:
        """The same inside an event loop."""
        from .schedule import Schedule
        from .tasks import run_in_tasks

        batch = _Batch(self, *self._begun(event, context, reader), context)
        runner = AsyncRunner(*batch.runner_arguments(self._call(context)))
        schedule = Schedule(len(batch.outcomes), batch.lanes, batch.policy.halts)
        workers = self.options.max_workers
        async with batch:
            await run_in_tasks(batch.outcomes, runner.run, schedule, workers, batch.deadline, batch.lanes is None)
        return batch.settled(runner)

    def _begun(self, event: Any, context: Any, reader: RecordReader) -> tuple[Found, RecordReading, Deadline]:
        found = found_in(event, reader.sources, self.options.by_key)
        reading = reader.of(found.source)
        if found.unreadable:
            reading = refusing(reading, found)
        # Where a record that is left out is not brought again, time that runs out must fail the invocation instead.
        return found, reading, Deadline(context, self.options.margin_ms if found.source.brings_again else None)

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


class _Batch:
    """One event's records and what becomes of them. As a context it ends the session of the idempotency."""

    def __init__(self, plan: Plan, found: Found, reading: RecordReading, deadline: Deadline, context: Any) -> None:
        options = self._options = plan.options
        self._found = found
        self.policy: Ordering = policy_for(found.source.name, options.by_key, options.idempotency is not None)
        self.lanes = self.policy.lanes(found.keys)
        self.deadline = deadline
        self.outcomes: list[Outcome | None] = [None] * len(found.raws)
        self._reporter = plan.reporter(found)
        self._context = context
        self._read = reading.read
        self.session: RecordSession | None = None
        self._corrections: Iterable[tuple[int, Exception | None, Any]] = ()
        opened = getattr(plan.idempotency, "session", None)
        self._idempotency = plan.idempotency
        if opened is not None:
            names = found.names(self._reporter.where)
            keeps_values = found.source.family != "partial"
            self.session = self._idempotency = opened(found.raws, names, self._read, context, keeps_values)
            self._read = self.session.reading

    def go_on_behind(self, halt: Halt | None, runner: SyncRunner) -> int:
        """Take over what was run straight; how many outcomes there are."""
        done = len(self.outcomes) if halt is None else halt.done
        self.outcomes[:done] = [DONE] * done
        if halt is None or halt.error is None:
            return done
        self.outcomes[done] = (runner.ended if halt.has_started else runner.unreadable)(done, halt.error)
        return done + 1

    def runner_arguments(self, call: Callable[[Any], Any]) -> tuple[Any, ...]:
        """What a runner is made of."""
        found = self._found
        return found, self._read, call, self._options, self._reporter, self._context, self._idempotency

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        if self.session is not None:
            self._corrections = self.session.end()

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None:
        if self.session is not None:
            self._corrections = await self.session.end_async()

    def _correct(self, runner: SyncRunner | AsyncRunner) -> None:
        """Put right the outcomes of records whose execution another one has taken over."""
        for position, error, value in self._corrections:
            if error is None:
                self.outcomes[position] = Outcome(Outcome.FINISHED, None, value)
                continue
            self.outcomes[position] = runner.ended(position, error)
            if self.lanes is not None:
                # What ran behind it in its lane ran too early: it comes again behind it, and is then known as done.
                for later in range(position + 1, len(self.outcomes)):
                    if self.lanes[later] == self.lanes[position]:
                        self.outcomes[later] = None

    def settled(self, runner: SyncRunner | AsyncRunner) -> dict[str, Any]:
        """The response, or the error that fails the whole batch."""
        found, outcomes, options = self._found, self.outcomes, self._options
        self._correct(runner)
        response = response_of(found, outcomes, self.policy, runner.ended)
        if options.sqs is not None and found.source.module == "sqs":
            from .visibility import defer

            defer(options.sqs, found, outcomes, self._reporter)
        summary = self._reporter.ended(outcomes)
        if summary.finished < summary.records and found.source.raises_when_all_failed:
            nothing_done = summary.finished == 0 and options.raise_when_all_failed
            if nothing_done or not options.partial:
                raise self._failure(summary)
        return response

    def _failure(self, summary: BatchSummary) -> BatchFailedError:
        found = self._found
        failed = [at for at, outcome in enumerate(self.outcomes) if outcome is not None and not outcome.is_done]
        told = (one for one in self.outcomes if one is not None and not one.is_done and one.error is not None)
        first = next(told, None)  # errors behind it may be forgotten
        error = first.error if first is not None else None
        said = "time ran out"
        if first is not None and error is not None:
            is_poison = first.state == Outcome.POISON
            said = public_reason(error, self._options.log_payloads) if is_poison else f"{type(error).__name__}: {error}"
        failure = BatchFailedError(
            found.source.name,
            summary.records,
            tuple(found.identifiers[at] for at in failed),
            summary.not_started,
            said,
        )
        if error is not None and first is not None and first.state != Outcome.POISON:
            failure.__cause__ = error
        return failure


ALL_IS_TO_DO = Halt(0)


if TYPE_CHECKING:

    def process(
        event: Any,
        function: Callable[..., Any],
        /,
        *,
        context: Any = None,
        record: Any = None,
        ordering: str | None = None,
        max_workers: int = 1,
        stop_margin_ms: int | None = 500,
        on_poison: Callable[[PoisonRecord], Any] | None = None,
        raise_when_all_failed: bool = True,
        partial_response: bool = True,
        log_payloads: bool = False,
        sqs: Any = None,
        idempotency: RecordIdempotency | None = None,
        observers: Sequence[BatchObserver | RecordObserver] = (),
        trace_records: bool = False,
    ) -> dict[str, Any]: ...

    async def process_async(
        event: Any,
        function: Callable[..., Any],
        /,
        *,
        context: Any = None,
        record: Any = None,
        ordering: str | None = None,
        max_workers: int = 1,
        stop_margin_ms: int | None = 500,
        on_poison: Callable[[PoisonRecord], Any] | None = None,
        raise_when_all_failed: bool = True,
        partial_response: bool = True,
        log_payloads: bool = False,
        sqs: Any = None,
        idempotency: RecordIdempotency | None = None,
        observers: Sequence[BatchObserver | RecordObserver] = (),
        trace_records: bool = False,
    ) -> dict[str, Any]: ...

else:

    def process(event, function, /, *, context=None, record=None, **options):
        """Run a function on each record of a parsed event; the partial-batch response to return.

        `record` is the record's type where the function's annotation does not say it; the options are those of
        `batch_handler`.
        """
        plan, reader = _planned(function, record, options, sys._getframe(1).f_locals)
        event = getattr(event, "raw", event)
        with Opened(function, event, context):
            return plan.response(event, context, reader)

    def process_async(event, function, /, *, context=None, record=None, **options):
        """The same where an event loop runs already: to be awaited."""
        plan, reader = _planned(function, record, options, sys._getframe(1).f_locals)
        return _processed(plan, reader, function, getattr(event, "raw", event), context)


async def _processed(
    plan: Plan, reader: RecordReader, function: Callable[..., Any], event: Any, context: Any
) -> dict[str, Any]:
    with Opened(function, event, context):
        return await plan.response_async(event, context, reader)


def _planned(
    function: Callable[..., Any], record: Any, options: dict[str, Any], names: dict[str, Any]
) -> tuple[Plan, RecordReader]:
    function = getattr(function, "func", function) if hasattr(function, "__lambda_raw__") else function
    signature = signature_of(function)
    plan = Plan(function, Options.of(options), signature)
    reader = RecordReader(record if record is not None else signature.annotation(names))
    plan.check(reader)
    return plan, reader
