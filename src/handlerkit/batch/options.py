"""The options of a batch, checked once: what is unknown or cannot be together is refused where it is written."""

from __future__ import annotations

from .deadline import DEFAULT_MARGIN_MS

__all__ = ["NAMES", "Options"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .hooks import BatchObserver, RecordIdempotency, RecordObserver
    from .poison import PoisonRecord


class Options:
    """All of them with their defaults; see `batch_handler`."""

    __slots__ = (
        "by_key",
        "idempotency",
        "log_payloads",
        "margin_ms",
        "max_workers",
        "observers",
        "on_poison",
        "partial",
        "raise_when_all_failed",
        "sqs",
    )

    def __init__(
        self,
        *,
        ordering: str | None = None,
        max_workers: int = 1,
        stop_margin_ms: int | None = DEFAULT_MARGIN_MS,
        on_poison: Callable[[PoisonRecord], Any] | None = None,
        raise_when_all_failed: bool = True,
        partial_response: bool = True,
        log_payloads: bool = False,
        sqs: Any = None,
        idempotency: RecordIdempotency | None = None,
        observers: Sequence[BatchObserver | RecordObserver] = (),
        trace_records: bool = False,
    ) -> None:
        if ordering not in (None, "key"):
            raise ValueError(f"ordering={ordering!r}: it is the source's own, or 'key' for streams")
        if type(max_workers) is not int or max_workers < 1:
            raise ValueError(f"max_workers={max_workers!r}: at least 1")
        if stop_margin_ms is not None and stop_margin_ms < 0:
            raise ValueError(f"stop_margin_ms={stop_margin_ms!r}: milliseconds, or None to go on until the end")
        if on_poison is not None and not callable(on_poison):
            raise TypeError("on_poison is called with the record: a function, or PoisonQueue(url)")
        self.by_key = ordering == "key"
        self.max_workers = max_workers
        self.margin_ms = stop_margin_ms
        self.on_poison = on_poison
        self.raise_when_all_failed = raise_when_all_failed
        self.partial = partial_response
        self.log_payloads = log_payloads
        self.sqs = sqs
        self.idempotency = idempotency
        self.observers = tuple(observers)
        if trace_records:
            from handlerkit.tracing.records import TraceRecords

            self.observers += (TraceRecords(),)

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """Options by name. Raises `TypeError` for unknown ones, with the nearest that there is."""
        unknown = [name for name in given if name not in NAMES]
        if unknown:
            from difflib import get_close_matches  # late: only on the way to an error

            near = get_close_matches(unknown[0], NAMES, 1)
            raise TypeError(f"no option {unknown[0]!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return cls(**given)


NAMES = tuple(Options.__init__.__kwdefaults__ or ())
"""The names of all options."""
