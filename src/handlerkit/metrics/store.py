"""The values of one invocation until it ends. Safe under threads; a forked child has none of its parent's."""

from __future__ import annotations

import time
from _collections import deque  # type: ignore[import-not-found]  # the C half of collections

from .documents import documents_of

__all__ = ["Store", "watch_forks"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .documents import Destination, Series

# An invocation that counts without end must not fill the memory; what it has is written early.
MAX_HELD = 10_000

_forks: int | None = None
"""How often this process's line has forked since somebody watches: to ask for the process id takes ten times longer."""


def watch_forks() -> None:
    """From now on know of forks."""
    global _forks
    if _forks is None:
        from os import register_at_fork

        _forks = 0
        register_at_fork(after_in_child=_forked)


def _forked() -> None:
    global _forks
    _forks = (_forks or 0) + 1


def say(sentence: str) -> None:
    """A sentence on stderr, if that is there."""
    import sys

    try:  # noqa: SIM105  # contextlib costs 3 ms of a cold start
        print(f"handlerkit: {sentence}", file=sys.stderr)
    except Exception:  # noqa: BLE001, S110  # nobody is there to be told
        pass


class Store:
    """Takes values, and writes documents with `write`: at the end, or at once where `holds` is False.

    Without a lock: values are put at one end of a deque that stays the same one, and taken from the other. Who puts one
    there when nothing is held any more takes all that there are, so none stays behind.
    """

    __slots__ = ("_forks", "_held", "_holds", "_properties", "_write")

    def __init__(self, write: Callable[[str], object], properties: dict[str, str], holds: bool) -> None:
        self._write = write
        self._properties = properties
        self._holds = holds
        self._forks = _forks
        self._held: deque[tuple[list[Destination], Series, float]] = deque()

    def add(self, destinations: list[Destination], series: Series, value: float) -> None:
        """Take one value for each destination."""
        if self._forks != _forks:  # what is held is the parent's, and this child may end without a word
            self._forks, self._held, self._holds = _forks, deque(), False
        self._held.append((destinations, series, value))
        if not self._holds or len(self._held) >= MAX_HELD:
            self._send()

    def flush(self) -> None:
        """Write what is held. In a forked child there is nothing: it has written its own at once."""
        if self._forks == _forks and self._held:
            self._send()

    def close(self, _: object = None) -> None:
        """Write what is held, and from now on at once."""
        self._holds = False
        self.flush()

    def _send(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        held = self._held
        if len(held) == 1:  # as often as not
            try:
                destinations, series, value = held.popleft()
            except IndexError:  # another thread was faster
                return
            for destination in destinations:
                self._write_documents(destination, {series: [value]}, now_ms)
            return
        for destination, values in self._taken().items():
            self._write_documents(destination, values, now_ms)

    def _write_documents(self, destination: Destination, series: dict[Series, list[float]], now_ms: int) -> None:
        try:
            for text in documents_of(destination, series, now_ms, self._properties):
                self._write(text)
        except Exception as error:  # noqa: BLE001  # what has run must not fail for its metrics
            say(f"metrics of {destination.namespace} could not be written: {type(error).__name__}: {error}")

    def _taken(self) -> dict[Destination, dict[Series, list[float]]]:
        """All that is held, by destination; it is not held any more."""
        groups: dict[Destination, dict[Series, list[float]]] = {}
        held = self._held
        last: list[Destination] | None = None
        current: dict[Series, list[float]] = {}
        try:
            while held:
                destinations, series, value = held.popleft()
                if destinations is not last:
                    last, current = destinations, groups.setdefault(destinations[0], {})
                if series in current:
                    current[series].append(value)
                else:
                    current[series] = [value]
                for other in destinations[1:]:
                    groups.setdefault(other, {}).setdefault(series, []).append(value)
        except IndexError:  # another thread has taken the last one
            pass
        return groups
