"""What became of one record. Values; knows no source."""

from __future__ import annotations

__all__ = ["DONE", "LATE", "Outcome"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Outcome:
    """`state` is one of the words below; `value` what the function returned, kept only where the response needs it.

    What `is_done` is not brought again, and what follows it may run.
    """

    FINISHED, DROPPED, DIVERTED = "finished", "dropped", "diverted"
    FAILED, RETRY, POISON, UNFINISHED = "failed", "retry", "poison", "unfinished"

    __slots__ = ("error", "is_done", "state", "value")

    def __init__(self, state: str, error: BaseException | None = None, value: Any = None) -> None:
        self.state = state
        self.is_done = state in _DONE
        self.error = error
        self.value = value

    def __repr__(self) -> str:
        return f"Outcome({self.state!r}, {self.error!r})"


_DONE = (Outcome.FINISHED, Outcome.DROPPED, Outcome.DIVERTED)

DONE = Outcome(Outcome.FINISHED)
"""The one outcome of all records that need no other word."""

LATE = Outcome(Outcome.UNFINISHED)
"""The one outcome of all records that ran when the time was over."""
