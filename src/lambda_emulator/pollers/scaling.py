"""How many batches of a queue may be under way at once. Pure; time is given.

Lambda starts with five, adds at most 300 a minute while there is more to do than that, up to 1,000, and goes back to
five when the queue is empty. `MaximumConcurrency` bounds all of it. Errors of the function lower the number; by how
much is not published: here an error halves it and each batch without one gives one back. Partial failures do not.
"""

from typing import Final

__all__ = ["Scaling"]

_START: Final = 5
_STEP: Final = 300
_STEP_EVERY_S: Final = 60.0
_MOST: Final = 1000


class Scaling:
    """The limit of one mapping."""

    def __init__(self, max_concurrency: int | None, now_s: float) -> None:
        self._most = min(_MOST, max_concurrency or _MOST)
        self._base = min(_START, self._most)
        self._allowed = self._base
        """What backlog has earned."""
        self._stepped_at_s = now_s
        self.limit = self._base

    def saturated(self, now_s: float) -> None:
        """All slots are in use and a full batch was received."""
        if now_s - self._stepped_at_s >= _STEP_EVERY_S:
            self._stepped_at_s = now_s
            self._allowed = min(self._most, self._allowed + _STEP)
            self.limit = self._allowed

    def idle(self, now_s: float) -> None:
        """The queue had nothing."""
        self._stepped_at_s = now_s
        self._allowed = self._base
        self.limit = min(self.limit, self._allowed)

    def succeeded(self) -> None:
        """The function did not fail."""
        self.limit = min(self._allowed, self.limit + 1)

    def failed(self) -> None:
        """The function failed."""
        self.limit = max(1, self.limit // 2)
