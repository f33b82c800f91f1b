"""What a batch says in the log: a line for each record that failed, one for the batch. Never a payload, unless asked.

`logging` is loaded when there is something to say; a batch in which all went well says so only where somebody has
loaded it, or asked for INFO. A function that uses `handlerkit.logs` has its lines there, and loads no `logging` for
them; where it has given `logging` handlers of its own, they go to those.
"""

from __future__ import annotations

import sys

from handlerkit.scope import current

from .errors import words_of
from .outcomes import Outcome
from .reading import public_reason

__all__ = ["LOGGER", "Reporter", "is_silent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

    from .hooks import BatchSummary, RecordFacts
    from .sources import Found

LOGGER = "handlerkit.batch"
# Ten thousand tracebacks of one cause help nobody, and writing them can cost the time that is left.
TRACEBACKS = 20


def is_silent(observers: tuple[Any, ...], info_is_wanted: bool) -> bool:
    """Whether nobody would hear of a batch in which all went well."""
    if observers or info_is_wanted:
        return False
    lines = _lines()
    if lines is not None:
        return bool(lines.floor > _info)
    logging = sys.modules.get("logging")
    if logging is None:
        return True
    try:
        known = logging.root.manager.loggerDict.get(LOGGER)  # getLogger takes a lock, in every invocation
    except AttributeError:  # another thread is importing it, which `_logger` waits for
        known = None
    logger = known if known is not None and isinstance(known, logging.Logger) else _logger()
    return not logger.isEnabledFor(_info)


class Reporter:
    """One batch's."""

    __slots__ = ("_info_is_wanted", "_observers", "_source", "_told", "_with_payload", "where")

    def __init__(self, found: Found, with_payload: bool, observers: tuple[Any, ...], info_is_wanted: bool) -> None:
        self._source = found.source.name
        self.where = found.source.where(found)
        self._with_payload = with_payload
        self._observers = observers
        self._info_is_wanted = info_is_wanted
        self._told = 0

    def record_ended(self, facts: RecordFacts, outcome: Outcome) -> None:
        """A function raised."""
        error = outcome.error
        said = words_of(error)
        what = f"{type(error).__name__}: {said}"
        if outcome.state == Outcome.DROPPED:
            self._record(_info, f"dropped: {said}", facts)
        elif outcome.state == Outcome.RETRY:
            self._record(_warning, f"to be retried: {said}", facts)
        elif self._told < TRACEBACKS:
            self._told += 1
            self._record(_error, f"failed: {what}", facts, error)
        else:
            self._record(_error, f"failed: {what}", facts)

    def record_unreadable(self, facts: RecordFacts, outcome: Outcome, trouble: Exception | None) -> None:
        """A record could not be read; `trouble` is why it could not be sent elsewhere."""
        assert outcome.error is not None
        reason = public_reason(outcome.error, self._with_payload)
        if outcome.state == Outcome.DIVERTED:
            self._record(_warning, f"could not be read and was sent elsewhere: {reason}", facts)
        else:
            self._record(_error, f"could not be read: {reason}", facts)
        if trouble is not None:
            self._record(
                _error, f"could not be sent elsewhere: {type(trouble).__name__}: {words_of(trouble)}", facts, trouble
            )

    def not_deferred(self, reason: str) -> None:
        """A message keeps its queue's own visibility timeout."""
        _say(_warning, f"batch: a message was not deferred: {reason}")

    def observer_failed(self, error: Exception) -> None:
        """An observer raised; the record goes on."""
        _say(_warning, "batch: an observer failed", error=error)

    def ended(self, outcomes: list[Outcome | None]) -> BatchSummary:
        """The batch is over."""
        counts: dict[str, int] = {}
        for outcome in outcomes:
            if outcome is not None:
                counts[outcome.state] = counts.get(outcome.state, 0) + 1
        from .hooks import BatchSummary  # late: most batches have nothing to say

        summary = BatchSummary(self._source, self.where, len(outcomes), counts)
        if summary.finished < summary.records:
            scope = current.get()
            if scope is not None:
                scope.has_failures = True
            _say(_warning, str(summary), _summary_fields(summary))
        elif "logging" in sys.modules or self._info_is_wanted or _lines() is not None:
            _say(_info, str(summary), _summary_fields(summary))
        for observer in self._observers:
            try:
                observer.batch(summary)
            except Exception as error:  # noqa: BLE001  # telemetry never fails a batch
                self.observer_failed(error)
        return summary

    def _record(self, level: int, what: str, facts: RecordFacts, error: BaseException | None = None) -> None:
        extra = {"batch_source": facts.source, "batch_where": facts.where, "record_id": facts.identifier}
        if self._with_payload:
            extra["record"] = facts.raw
            what = f"{what} {facts.raw}"
        _say(level, f"record {_identity(facts.identifier)} {what}", extra, error)


_info, _warning, _error = 20, 30, 40  # logging's own numbers


def _identity(identifier: Any) -> str:
    return f"{identifier['partition']}/{identifier['offset']}" if isinstance(identifier, dict) else str(identifier)


def _summary_fields(summary: BatchSummary) -> dict[str, Any]:
    return {f"batch_{name}": getattr(summary, name) for name in summary.__slots__}


def _say(level: int, text: str, fields: dict[str, Any] | None = None, error: BaseException | None = None) -> None:
    lines = _lines()
    if lines is None:
        exc_info = None
        if error is not None:
            from handlerkit.own_frames import exc_info_of  # late: most batches have no failure

            exc_info = exc_info_of(error)
        _logger().log(level, "%s", text, exc_info=exc_info, extra=fields)
    elif lines.floor <= level:
        lines.log(level, LOGGER, text, (), {**(fields or {}), "exc_info": error} if error is not None else fields or {})


def _lines() -> Any:
    """The process's own, if the function logs by `handlerkit.logs` and `logging` has no other handlers."""
    logs = sys.modules.get("handlerkit.logs.process")
    is_in_use = getattr(logs, "is_in_use", None)  # another thread may just be importing it
    if logs is None or is_in_use is None or not is_in_use():
        return None
    return logs.process_lines()


def _logger() -> logging.Logger:
    import logging  # late: 9 ms, only where there is something to say

    return logging.getLogger(LOGGER)
