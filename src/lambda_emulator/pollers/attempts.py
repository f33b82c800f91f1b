"""What becomes of a stream's batch, attempt after attempt: retried, halved, shortened, given up. Pure.

A `Lane` holds the batches of one shard (of one slice of its keys, with a parallelisation factor), in order. The
poller lets `pause_s` go by, asks for the `next_step`, does it, and says how it went:

- done: the batch is off;
- a valid partial response: what comes before the lowest failed record is done; the rest is tried again, as a new
  batch with a new count if anything was done at all;
- a function error: with bisect, two halves with counts of their own; else, or for one record, the count goes up, and
  when it is beyond the retries the batch is given up;
- not invoked (throttled, unavailable): tried again, not counted;
- records over the age limit at the head of a batch are given up before the next attempt, without the younger ones.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

__all__ = ["Batch", "GiveUp", "Invoke", "Lane", "RetryPolicy", "StreamItem"]

Condition: TypeAlias = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]

# The series is not published. Eight attempts were recorded within a record age of 60 seconds; half a second, doubled
# up to 20, gives these eight.
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 20.0


class StreamItem(Protocol):
    """What a lane has to know of a record."""

    @property
    def sequence_number(self) -> str:
        """Digits; greater is later."""

    @property
    def arrived_at_s(self) -> float:
        """Seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The settings of the mapping; -1 is no limit."""

    max_attempts: int = -1
    max_age_s: float = -1
    bisect: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Records that are tried together."""

    records: tuple[StreamItem, ...]
    invocations: int = 0
    """How often the function has had exactly this batch."""
    pauses: int = 0
    """Attempts in a row without progress, counted or not: they set the pace."""


@dataclass(frozen=True, slots=True)
class Invoke:
    """Try this batch now."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class GiveUp:
    """These records will not be tried any more."""

    batch: Batch
    condition: Condition
    failed_by_error: bool = True
    """False: the last answer was a partial or an untrustworthy response, no error."""


Step: TypeAlias = Invoke | GiveUp


class Lane:
    """Batches in order. At most one step is under way at any time."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy
        self._pending: deque[Batch] = deque()
        self._given_up: GiveUp | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing left to try or to give up."""
        return not self._pending and self._given_up is None

    @property
    def lowest_unfinished(self) -> str | None:
        """The first record that is neither done nor given up; None if there is none."""
        batch = self._given_up.batch if self._given_up else self._pending[0] if self._pending else None
        return batch.records[0].sequence_number if batch else None

    def add(self, records: Iterable[StreamItem]) -> None:
        """A batch behind all others."""
        taken = tuple(records)
        if taken:
            self._pending.append(Batch(taken))

    def pause_s(self) -> float:
        """How long to wait before the next step."""
        if self._given_up or not self._pending or not (pauses := self._pending[0].pauses):
            return 0.0
        return float(min(_FIRST_PAUSE_S * 2.0 ** min(pauses - 1, 32), _LONGEST_PAUSE_S))

    def next_step(self, now_s: float) -> Step | None:
        """What to do now; None when nothing is left. A batch that is given up has to be confirmed by `gave_up`."""
        if self._given_up is None and self._pending:
            self._retire_aged(now_s)
        if self._given_up is not None:
            return self._given_up
        return Invoke(self._pending[0]) if self._pending else None

    def gave_up(self) -> None:
        """The records of the last `GiveUp` have been passed on."""
        assert self._given_up is not None
        self._given_up = None

    def done(self) -> None:
        """The first batch is processed."""
        self._pending.popleft()

    def not_invoked(self) -> None:
        """The function was not reached: again, without counting."""
        batch = self._pending[0]
        self._pending[0] = Batch(batch.records, batch.invocations, batch.pauses + 1)

    def failed(self, *, by_error: bool = True) -> None:
        """The whole batch failed: a function error, or a response that cannot be trusted."""
        batch = self._pending.popleft()
        if self.policy.bisect and len(batch.records) > 1:
            middle = (len(batch.records) + 1) // 2
            self._pending.extendleft((Batch(batch.records[middle:]), Batch(batch.records[:middle])))
        else:
            self._again(batch, by_error=by_error)

    def partly_failed(self, sequence_numbers: Iterable[str]) -> None:
        """The function named these as failed; all are of the first batch, and there is at least one."""
        batch = self._pending.popleft()
        lowest = min(int(number) for number in sequence_numbers)
        at = next(index for index, each in enumerate(batch.records) if int(each.sequence_number) == lowest)
        if at:
            self._pending.appendleft(Batch(batch.records[at:]))
        else:
            self._again(batch, by_error=False)

    def records(self) -> Sequence[StreamItem]:
        """All that is not done yet."""
        given_up = self._given_up.batch.records if self._given_up else ()
        return [*given_up, *(record for batch in self._pending for record in batch.records)]

    def _again(self, batch: Batch, *, by_error: bool) -> None:
        tried = Batch(batch.records, batch.invocations + 1, batch.pauses + 1)
        if 0 <= self.policy.max_attempts < tried.invocations:
            self._given_up = GiveUp(tried, "RetryAttemptsExhausted", by_error)
        else:
            self._pending.appendleft(tried)

    def _retire_aged(self, now_s: float) -> None:
        if self.policy.max_age_s < 0:
            return
        batch, aged = self._pending[0], 0
        while aged < len(batch.records) and now_s - batch.records[aged].arrived_at_s > self.policy.max_age_s:
            aged += 1
        if aged:
            self._given_up = GiveUp(Batch(batch.records[:aged], batch.invocations), "RecordAgeExceeded")
            self._pending.popleft()
            if aged < len(batch.records):
                self._pending.appendleft(Batch(batch.records[aged:]))
