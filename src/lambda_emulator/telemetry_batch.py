"""Events that wait for delivery to one subscriber: when a batch is due, and what is lost when nobody takes any.
No clock and no I/O of its own.
"""

from collections import deque
from dataclasses import dataclass

from lambda_emulator.telemetry_subscription import Subscription

__all__ = ["Batches", "Dropped"]

# A subscriber that does not take its events may be so many batches behind before the oldest are dropped.
_MAX_BATCHES_BEHIND = 10


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was lost."""

    records: int = 0
    size_bytes: int = 0


class Batches:
    """First in, first out, within the bounds of the subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._waiting_bytes = 0
        self._dropped = Dropped()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: bytes, now_s: float) -> None:
        """The next event, as JSON."""
        self._waiting.append((event, now_s))
        self._waiting_bytes += len(event)
        limit_items = self._subscription.max_items * _MAX_BATCHES_BEHIND
        limit_bytes = self._subscription.max_bytes * _MAX_BATCHES_BEHIND
        while len(self._waiting) > limit_items or (self._waiting_bytes > limit_bytes and len(self._waiting) > 1):
            lost, _ = self._waiting.popleft()
            self._waiting_bytes -= len(lost)
            self.drop([lost])

    def drop(self, events: list[bytes]) -> None:
        """Count these as lost."""
        size_bytes = self._dropped.size_bytes + sum(map(len, events))
        self._dropped = Dropped(self._dropped.records + len(events), size_bytes)

    def take_dropped(self) -> Dropped:
        """What was lost since this was asked for the last time."""
        dropped, self._dropped = self._dropped, Dropped()
        return dropped

    def due_in_s(self, now_s: float) -> float | None:
        """Until a batch is to be sent; None while there is nothing to send."""
        if not self._waiting:
            return None
        full = len(self._waiting) >= self._subscription.max_items
        if full or self._waiting_bytes >= self._subscription.max_bytes:
            return 0.0
        return max(0.0, self._waiting[0][1] + self._subscription.timeout_ms / 1000 - now_s)

    def take(self) -> list[bytes]:
        """One batch: at least one event, else as many as the subscription allows."""
        batch: list[bytes] = []
        size_bytes = 0
        while self._waiting and len(batch) < self._subscription.max_items:
            event = self._waiting[0][0]
            if batch and size_bytes + len(event) > self._subscription.max_bytes:
                break
            self._waiting.popleft()
            batch.append(event)
            size_bytes += len(event)
        self._waiting_bytes -= size_bytes
        return batch
