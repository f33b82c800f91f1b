"""When to stop starting records, by the time that the invocation has left. Milliseconds throughout.

The margin grows to the longest record seen, so that a slow function is not cut off in the middle of one; it never
exceeds half of what there was at the beginning, and the first record always starts: a margin that is too large makes
batches slow, it cannot make them stand still.
"""

from __future__ import annotations

from time import monotonic

__all__ = ["DEFAULT_MARGIN_MS", "RESERVE_MS", "Deadline"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Longer than an ordinary call to a database or an AWS service, and a sixth of Lambda's shortest usual limit, 3 s.
DEFAULT_MARGIN_MS = 500
# What the response, its log lines and its way out need when records had to be given up.
RESERVE_MS = 100


class Deadline:
    """One invocation's; without a context, or where it would be wrong, time is endless.

    `is_set` says whether time is limited at all.
    """

    clock = staticmethod(monotonic)
    """Seconds, for how often to look; what is left is the context's to say."""

    __slots__ = ("_before_ms", "_margin_ms", "_most_ms", "_remaining_ms", "is_set")

    def __init__(self, context: Any, margin_ms: int | None) -> None:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        self._remaining_ms = None if margin_ms is None else remaining
        self.is_set = self._remaining_ms is not None
        if self._remaining_ms is None:
            return
        self._before_ms: float = self._remaining_ms()
        self._most_ms: float = self._before_ms / 2
        self._margin_ms: float = min(margin_ms or 0, self._most_ms)

    def left_ms(self) -> float:
        """What is left. Only where time is limited."""
        assert self._remaining_ms is not None
        return float(self._remaining_ms())

    def is_near(self) -> bool:
        """Whether no further record may start. Called between records that run one after the other."""
        if self._remaining_ms is None:
            return False
        left = self._remaining_ms()
        before, self._before_ms = self._before_ms, left
        if before - left > self._margin_ms - RESERVE_MS:
            self.took(before - left)
        return bool(left < self._margin_ms)

    def has_no_time_for_another(self) -> bool:
        """The same for records that run at the same time, whose durations are told by `took`."""
        return self._remaining_ms is not None and self._remaining_ms() < self._margin_ms

    def took(self, record_ms: float) -> None:
        """A record took this long: another may, and then there is the response."""
        self._margin_ms = min(max(self._margin_ms, record_ms + RESERVE_MS), self._most_ms)
