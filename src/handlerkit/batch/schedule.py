"""Who runs what next when several records run at once. Positions in, positions out; the caller brings the lock.

The lane whose next record came first is served first, so records start in the order of the event as far as lanes
allow. A lane that is being served is with one worker alone; it comes back when its record is done, and goes away when
it is not.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

__all__ = ["Schedule"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence


class Schedule:
    """One batch's. `width` is how many records can run at the same time at most."""

    __slots__ = ("_closed", "_flat", "_halts", "_limit", "_of", "_ready", "width")

    def __init__(self, count: int, lanes: Sequence[Hashable] | None, halts: bool) -> None:
        self._closed = False
        self._halts = halts
        self._limit = count
        self._flat: Iterator[int] | None = iter(range(count)) if lanes is None else None
        self._ready: list[tuple[int, Iterator[int]]] = []
        self._of: dict[int, Iterator[int]] = {}
        self.width = count
        if lanes is None:
            return
        members: dict[Hashable, list[int]] = {}
        for position, lane in enumerate(lanes):
            members.setdefault(lane, []).append(position)
        for positions in members.values():
            rest = iter(positions)
            self._ready.append((next(rest), rest))
        heapify(self._ready)
        self.width = len(members)

    def take(self) -> int | None:
        """The next position to run, or None if there is nothing left for this worker.

        A worker that is told None may go: lanes still being served stay with those who serve them.
        """
        if self._closed:
            return None
        if self._flat is not None:
            return next(self._flat, None)
        if not self._ready:
            return None
        position, rest = heappop(self._ready)
        if position >= self._limit:
            return None  # the lowest there is; all others are behind the failure too
        self._of[position] = rest
        return position

    def ended(self, position: int, is_done: bool) -> None:
        """A position that was taken has run."""
        if not is_done and self._halts:
            self._limit = min(self._limit, position)
        rest = self._of.pop(position, None)
        if rest is not None and is_done:
            following = next(rest, None)
            if following is not None:
                heappush(self._ready, (following, rest))

    def close(self) -> None:
        """Give out nothing more."""
        self._closed = True
