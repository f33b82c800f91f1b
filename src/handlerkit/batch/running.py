"""One record: read it, run the function on it, say what became of it. Never raises for what a record does.

What ends the process (`SystemExit`, `KeyboardInterrupt`) passes through: then the whole batch comes again.
"""

from __future__ import annotations

import sys
from _contextvars import copy_context  # the C module: contextvars only re-exports it

from .calling import has_run, settled
from .errors import DropRecord, RetryRecord
from .hooks import RecordFacts
from .outcomes import DONE, Outcome
from .tracebacks import clear_frames

__all__ = ["AsyncRunner", "Runner", "SyncRunner"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .options import Options
    from .reporting import Reporter
    from .sources import Found


class Runner:
    """What both kinds share: the function with its context argument, hooks, and the words for what went wrong."""

    def __init__(
        self,
        found: Found,
        read: Callable[[dict[str, Any]], Any],
        call: Callable[[Any], Any],
        options: Options,
        reporter: Reporter,
        context: Any,
        idempotency: Any = None,
    ) -> None:
        self._raws = found.raws
        self._found = found
        self._read = read
        self._call = call
        self._options = options
        self._reporter = reporter
        self._context = context
        self._keeps_values = found.source.family != "partial"
        self._idempotency = idempotency
        self._keeps_next_error = True
        # Observers of the whole batch alone have no `around`.
        self._observers: list[Any] = [one for one in options.observers if getattr(one, "around", None) is not None]
        self._has_hooks = bool(self._observers) or idempotency is not None
        # Where the function logs, each record's lines carry its id.
        # Another thread may just be importing it.
        self._enter_record: Any = getattr(sys.modules.get("handlerkit.logs.context"), "enter_record", None)

    def facts(self, position: int) -> RecordFacts:
        """Which record stands there."""
        found = self._found
        return RecordFacts(
            found.source.name,
            self._reporter.where,
            position,
            found.identifiers[position],
            found.raws[position],
            self._context,
        )

    def ended(self, position: int, error: BaseException) -> Outcome:
        """The outcome of a record whose function raised, or whose result cannot be used."""
        if isinstance(error, DropRecord):
            outcome = Outcome(Outcome.DROPPED, error)
        else:
            outcome = Outcome(Outcome.RETRY if isinstance(error, RetryRecord) else Outcome.FAILED, error)
        self._reporter.record_ended(self.facts(position), outcome)
        self._forget(outcome)
        return outcome

    def _poisoned(self, position: int, error: Exception, diverted: bool, trouble: Exception | None) -> Outcome:
        outcome = Outcome(Outcome.DIVERTED if diverted else Outcome.POISON, error)
        self._reporter.record_unreadable(self.facts(position), outcome, trouble)
        if trouble is not None:
            clear_frames(trouble)
        self._forget(outcome)
        return outcome

    def _forget(self, outcome: Outcome) -> None:
        """Let go of an error that has been told, or at least of all that its frames hold: a batch can have 10,000.

        The first is the cause if the batch fails, a wish to wait is granted at the end, and some answers quote it.
        """
        assert outcome.error is not None
        clear_frames(outcome.error)
        if self._keeps_values or isinstance(outcome.error, RetryRecord):
            return
        if self._keeps_next_error and not outcome.is_done:
            self._keeps_next_error = False
        else:
            outcome.error = None

    def _entered(self, facts: RecordFacts) -> list[Any]:
        """The observers' context managers, entered; those that fail are left out."""
        entered = []
        for observer in self._observers:
            try:
                manager = observer.around(facts)
                manager.__enter__()
            except Exception as error:  # noqa: BLE001  # telemetry never fails a record
                self._reporter.observer_failed(error)
            else:
                entered.append(manager)
        return entered

    def _left(self, entered: list[Any], error: BaseException | None) -> None:
        for manager in reversed(entered):
            try:
                if error is None:
                    manager.__exit__(None, None, None)
                else:
                    manager.__exit__(type(error), error, error.__traceback__)
            except Exception as trouble:  # noqa: BLE001  # as above
                if trouble is not error:
                    self._reporter.observer_failed(trouble)


class SyncRunner(Runner):
    """For ordinary functions, in this thread or several."""

    def __init__(self, *arguments: Any, wait: Callable[[Any], Any]) -> None:
        super().__init__(*arguments)
        self._wait = wait

    def run(self, position: int) -> Outcome:
        """The outcome of the record at this position."""
        try:
            record = self._read(self._raws[position])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this record's
            return self.unreadable(position, error)
        try:
            # Each record in a context of its own: what one binds for its logs or traces does not reach the next.
            context = copy_context()
            if self._enter_record is not None:
                context.run(self._enter_record, self._found.identifiers[position], self._raws[position])
            result = context.run(self._hooked, position, record) if self._has_hooks else context.run(self._call, record)
            if result is not None:
                result = context.run(settled, result, self._wait)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this record's
            return self.ended(position, error)
        return Outcome(Outcome.FINISHED, None, result) if self._keeps_values else DONE

    def _hooked(self, position: int, record: Any) -> Any:
        facts = self.facts(position)
        entered = self._entered(facts)
        try:
            idempotency = self._idempotency
            if idempotency is None:
                result = self._completed(record)
            else:
                result = idempotency.run(record, facts, lambda: self._completed(record))
        except BaseException as error:
            self._left(entered, error)
            raise
        self._left(entered, None)
        return result

    def _completed(self, record: Any) -> Any:
        result = self._call(record)
        return result if result is None else settled(result, self._wait)

    def unreadable(self, position: int, error: Exception) -> Outcome:
        """The outcome of a record that could not be read."""
        if self._options.on_poison is None:
            return self._poisoned(position, error, False, None)
        from .poison import poison_of

        try:
            sent = self._options.on_poison(poison_of(self.facts(position), error))
            if hasattr(sent, "__await__"):
                self._wait(sent)
        except Exception as trouble:  # noqa: BLE001  # of the user's own, about to be logged
            return self._poisoned(position, error, False, trouble)
        return self._poisoned(position, error, True, None)


class AsyncRunner(Runner):
    """For functions that are awaited; each record in a task of its own, and so in a context of its own."""

    async def run(self, position: int) -> Outcome:
        """The outcome of the record at this position."""
        from asyncio import CancelledError, current_task

        if self._enter_record is not None:
            self._enter_record(self._found.identifiers[position], self._raws[position])
        try:
            record = self._read(self._raws[position])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this record's
            return await self._divert(position, error)
        try:
            result = await (self._hooked(position, record) if self._has_hooks else self._completed(record))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this record's
            return self.ended(position, error)
        except CancelledError as error:
            task = current_task()
            if task is not None and task.cancelling():
                raise  # by us, or by whoever awaits the batch
            return self.ended(position, error)
        return Outcome(Outcome.FINISHED, None, result) if self._keeps_values else DONE

    async def _completed(self, record: Any) -> Any:
        result = self._call(record)
        if hasattr(result, "__await__"):
            result = await result
        return has_run(result)

    async def _hooked(self, position: int, record: Any) -> Any:
        facts = self.facts(position)
        entered = self._entered(facts)
        try:
            idempotency = self._idempotency
            if idempotency is None:
                result = await self._completed(record)
            else:
                result = await idempotency.run_async(record, facts, lambda: self._completed(record))
        except BaseException as error:
            self._left(entered, error)
            raise
        self._left(entered, None)
        return result

    async def _divert(self, position: int, error: Exception) -> Outcome:
        if self._options.on_poison is None:
            return self._poisoned(position, error, False, None)
        from .poison import poison_of

        try:
            sent = self._options.on_poison(poison_of(self.facts(position), error))
            if hasattr(sent, "__await__"):
                await sent
        except Exception as trouble:  # noqa: BLE001  # of the user's own, about to be logged
            return self._poisoned(position, error, False, trouble)
        return self._poisoned(position, error, True, None)
