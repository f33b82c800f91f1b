"""What a batch has yet to write: completions and releases, together, from whichever thread it is time in."""

from __future__ import annotations

from threading import Lock
from time import monotonic_ns

from .errors import OwnershipLostError, ResultNotKeptError, StoreError
from .execution import Attempt, unrecorded, unreleased

__all__ = ["AT_ONCE", "Entry", "Writing"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .options import Idempotency
    from .records import Completion, Record, Release

# As many as one DynamoDB transaction takes.
AT_ONCE = 100


class Entry:
    """One record: its attempt, how its key stood, and what became of it. `first` is the record of the same key."""

    __slots__ = ("attempt", "completion", "error", "first", "has_failed", "has_started", "record", "value")

    def __init__(self) -> None:
        self.attempt: Attempt | None = None
        self.error: Exception | None = None
        self.record: Record | None = None
        self.first: Entry | None = None
        self.completion: Completion | None = None
        self.has_started = False
        self.has_failed = False
        self.value: Any = None


class Writing:
    """One batch's. `corrections` are the outcomes that turned out otherwise: position, error or None, value."""

    def __init__(self, options: Idempotency, keeps_values: bool) -> None:
        self._options = options
        self._keeps_values = keeps_values
        self._lock = Lock()
        self._unwritten: list[tuple[int, Entry]] = []
        self._to_release: list[Release] = []
        self._oldest_ns = 0
        self._has_ended = False
        self.corrections: list[tuple[int, Exception | None, Any]] = []

    def release(self, entry: Entry, *, has_failed: bool) -> bool:
        """Note a release; whether it is time to write."""
        assert entry.attempt is not None
        with self._lock:
            entry.has_failed = has_failed
            self._to_release.append(entry.attempt.release())
            return self._has_ended

    def end(self) -> None:
        """From now on it is always time to write."""
        with self._lock:
            self._has_ended = True

    def complete(self, position: int, entry: Entry, completion: Completion, result: Any) -> bool:
        """Note a completion; whether it is time to write."""
        with self._lock:
            entry.completion = completion
            entry.value = result
            if not self._unwritten:
                self._oldest_ns = monotonic_ns()
            self._unwritten.append((position, entry))
            waited_ms = (monotonic_ns() - self._oldest_ns) / 1e6
            is_time = waited_ms >= self._options.write_every_ms or len(self._unwritten) >= AT_ONCE
            return is_time or self._has_ended

    def write(self) -> None:
        """Write what there is. Raises nothing: the work is done, or the function's own error goes on."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, []
            releases, self._to_release = self._to_release, []
        if not unwritten and not releases:
            return
        completions = [entry.completion for _, entry in unwritten if entry.completion is not None]
        store = self._options.store
        try:
            records = store.complete_many(completions, releases)
        except StoreError as error:
            if error.outcome_is_unknown or not unwritten:
                self._say(unwritten, releases, error)
                return
            records = self._one_by_one(unwritten, releases)
        for (position, entry), record in zip(unwritten, records, strict=True):
            self._check(position, entry, record)

    def _one_by_one(self, unwritten: list[tuple[int, Entry]], releases: list[Release]) -> list[Record | None]:
        """After a refusal that one of them may be the reason of."""
        store, records = self._options.store, []
        for release in releases:
            try:
                store.release(release)
            except StoreError as error:
                unreleased(release.key, error)
        for _, entry in unwritten:
            assert entry.attempt is not None
            assert entry.completion is not None
            try:
                records.append(entry.attempt.complete(entry.completion))
            except StoreError as error:
                unrecorded(entry.attempt.key, error)
                records.append(entry.attempt.as_if_recorded(entry.completion))
        return records

    def _check(self, position: int, entry: Entry, record: Record | None) -> None:
        """Correct the outcome of a record whose execution was taken over."""
        attempt = entry.attempt
        assert attempt is not None
        try:
            value = attempt.after_completion(record, entry.value)
        except OwnershipLostError as error:
            self.corrections.append((position, error, None))
        except ResultNotKeptError as error:
            self.corrections.append((position, error if self._keeps_values else None, None))
        except Exception as error:  # noqa: BLE001  # another's exception that is remembered is this record's too
            self.corrections.append((position, error, None))
        else:
            if value is not entry.value:
                self.corrections.append((position, None, value))

    def _say(self, unwritten: list[tuple[int, Entry]], releases: list[Release], error: StoreError) -> None:
        for _, entry in unwritten:
            assert entry.attempt is not None
            unrecorded(entry.attempt.key, error)
        for release in releases:
            unreleased(release.key, error)
