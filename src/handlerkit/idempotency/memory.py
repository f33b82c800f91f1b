"""Records in this process: for tests, and where one process does everything. They end with it."""

from __future__ import annotations

from threading import Lock

from .states import IN_PROGRESS, after_claim, after_completion, after_release, state_of
from .store import now_ms

__all__ = ["MemoryStore"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .records import Claim, Completion, Record, Release

# How many records there are before those that are over are looked for.
SWEEP_FROM = 1024


class MemoryStore:
    """A dictionary with a lock. `clock_ms` is the time in milliseconds since the epoch."""

    waits = False
    max_result_bytes: int | None = None

    def __init__(self, *, clock_ms: Callable[[], int] = now_ms) -> None:
        self._clock_ms = clock_ms
        self._lock = Lock()
        self._records: dict[str, Record] = {}
        self._sweep_at = SWEEP_FROM

    def claim(self, claim: Claim, /) -> Record:
        """See `Store`."""
        now = self._clock_ms()
        with self._lock:
            if len(self._records) >= self._sweep_at:
                self._sweep(now)
            record = self._records[claim.key] = after_claim(self._records.get(claim.key), claim, now)
        return record

    def complete(self, done: Completion, /) -> Record | None:
        """See `Store`."""
        with self._lock:
            return self._put(done.key, after_completion(self._records.get(done.key), done, self._clock_ms()))

    def release(self, release: Release, /) -> None:
        """See `Store`."""
        with self._lock:
            self._put(release.key, after_release(self._records.get(release.key), release, self._clock_ms()))

    def claim_many(self, claims: Sequence[Claim], /) -> list[Record]:
        """See `Store`."""
        return [self.claim(claim) for claim in claims]

    def complete_many(self, done: Sequence[Completion], releases: Sequence[Release] = (), /) -> list[Record | None]:
        """See `Store`."""
        for release in releases:
            self.release(release)
        return [self.complete(one) for one in done]

    def record(self, key: str) -> Record | None:
        """How a key stands, for tests."""
        return self._records.get(key)

    def __len__(self) -> int:
        return len(self._records)

    def _put(self, key: str, record: Record | None) -> Record | None:
        if record is None:
            self._records.pop(key, None)
        else:
            self._records[key] = record
        return record

    def _sweep(self, now: int) -> None:
        # What was abandoned may still be completed by its owner, until its time is over.
        self._records = {
            key: record
            for key, record in self._records.items()
            if record.expires_at_ms > now or state_of(record, now) == IN_PROGRESS
        }
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._records))
