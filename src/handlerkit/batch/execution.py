"""One batch that is not run straight to its end: its records, what becomes of each, the response or the failure."""

from __future__ import annotations

from .errors import BatchFailedError, words_of
from .outcomes import DONE, Outcome
from .policies import policy_for
from .reading import public_reason
from .responses import response_of

__all__ = ["BatchExecution"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .deadline import Deadline
    from .hooks import BatchSummary, RecordSession
    from .plan import Plan
    from .policies import Ordering
    from .reading import RecordReading
    from .running import AsyncRunner, SyncRunner
    from .sources import Found
    from .straight import Halt


class BatchExecution:
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

    def go_on_behind(self, halt: Halt, runner: SyncRunner) -> int:
        """Take over what was run straight; how many outcomes there are."""
        done = halt.done
        self.outcomes[:done] = [DONE] * done
        error, halt.error = halt.error, None
        if error is None:
            return done
        self.outcomes[done] = (runner.ended if halt.has_started else runner.unreadable)(done, error)
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
        try:
            return self._response(runner)
        finally:
            # An error holds all frames that it went through or came from, and these the batch: without this, event
            # and errors of a failed batch would wait for a collection, those of the next batches with them.
            for outcome in self.outcomes:
                if outcome is not None:
                    outcome.error = None

    def _response(self, runner: SyncRunner | AsyncRunner) -> dict[str, Any]:
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
            said = (
                public_reason(error, self._options.log_payloads)
                if is_poison
                else f"{type(error).__name__}: {words_of(error)}"
            )
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
