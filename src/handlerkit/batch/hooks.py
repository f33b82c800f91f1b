"""The places where other parts join a batch: around a record, in its stead, and after the batch.

Protocols and the values they are given. A handler without hooks pays nothing for them.
"""

from __future__ import annotations

__all__ = ["BatchObserver", "BatchSummary", "RecordFacts", "RecordIdempotency", "RecordObserver", "RecordSession"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Protocol, TypeVar

    T = TypeVar("T")

    class BatchObserver(Protocol):
        """What is told of a whole batch. What it raises is logged and changes nothing."""

        def batch(self, summary: BatchSummary, /) -> None:
            """Called once, when the response is settled."""

    class RecordObserver(Protocol):
        """Logs, traces, metrics. What it raises is logged and changes nothing: records never fail for telemetry."""

        def around(self, facts: RecordFacts, /) -> AbstractContextManager[object]:
            """Entered before the function and left after it, in the record's own context (`contextvars`).

            It is left with the exception, if there was one, and cannot swallow it.
            """

        def batch(self, summary: BatchSummary, /) -> None:
            """Called once, when the response is settled."""

    class RecordIdempotency(Protocol):
        """What `idempotency=` takes."""

        def for_records(self, function: Callable[..., Any], /) -> RecordGuard:
            """A guard for one function, made once, where it is decorated."""

    class RecordGuard(Protocol):
        """One function's."""

        def session(
            self,
            raws: Sequence[dict[str, Any]],
            names: Sequence[object],
            read: Callable[[dict[str, Any]], Any],
            context: Any,
            keeps_values: bool,
            /,
        ) -> RecordSession:
            """One batch's. `names` are unique names of the records; `read` makes of a raw record what functions take.

            Without `keeps_values` nobody asks for a function's result.
            """

    class RecordSession(Protocol):
        """Called for every record that runs, perhaps by several threads, and once at the end."""

        def reading(self, raw: dict[str, Any], /) -> Any:
            """What `read` makes of the record; it may have been read ahead."""

        def run(self, record: Any, facts: RecordFacts, call: Callable[[], T], /) -> T:
            """The result of `call()`, or the one of an earlier run. What it raises fails the record."""

        async def run_async(self, record: Any, facts: RecordFacts, call: Callable[[], Awaitable[T]], /) -> T:
            """The same for functions that are awaited."""

        def end(self) -> Iterable[tuple[int, Exception | None, Any]]:
            """Records whose outcome was another after all: position, why it does not count, or the value that does."""

        async def end_async(self) -> Iterable[tuple[int, Exception | None, Any]]:
            """The same inside an event loop."""

else:
    BatchObserver = RecordObserver = RecordIdempotency = RecordSession = object


class RecordFacts:
    """Which record it is. `where` is the queue, stream or topic; `context` the invocation's, or None."""

    __slots__ = ("context", "identifier", "position", "raw", "source", "where")

    def __init__(
        self, source: str, where: str, position: int, identifier: Any, raw: dict[str, Any], context: Any
    ) -> None:
        self.source = source
        self.where = where
        self.position = position
        self.identifier = identifier
        self.raw = raw
        self.context = context

    def __repr__(self) -> str:
        return f"RecordFacts({self.source!r}, {self.identifier!r})"


class BatchSummary:
    """How a batch ended, in counts of records; they add up to `records`.

    `finished` includes those settled otherwise: of these `dropped` by the function, `diverted` as poison. `failed`
    includes those the function wants again; `unfinished` ran when the time was over.
    """

    __slots__ = (
        "diverted",
        "dropped",
        "failed",
        "finished",
        "not_started",
        "poisoned",
        "records",
        "source",
        "unfinished",
        "where",
    )

    def __init__(self, source: str, where: str, records: int, counts: dict[str, int]) -> None:
        self.source = source
        self.where = where
        self.records = records
        self.dropped = counts.get("dropped", 0)
        self.diverted = counts.get("diverted", 0)
        self.finished = counts.get("finished", 0) + self.dropped + self.diverted
        self.failed = counts.get("failed", 0) + counts.get("retry", 0)
        self.poisoned = counts.get("poison", 0)
        self.unfinished = counts.get("unfinished", 0)
        self.not_started = records - self.finished - self.failed - self.poisoned - self.unfinished

    def __str__(self) -> str:
        rest = [
            f"{getattr(self, name)} {name.replace('_', ' ')}"
            for name in ("dropped", "diverted", "failed", "poisoned", "unfinished", "not_started")
            if getattr(self, name)
        ]
        return ", ".join([f"batch of {self.records} from {self.source}: {self.finished} finished", *rest])
