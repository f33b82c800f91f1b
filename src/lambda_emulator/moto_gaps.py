"""What an embedded moto does otherwise than AWS, mended here and nowhere else. Only in this process, only while open.

1. moto's time is the machine's. Here it is the mapping's clock: visibility timeouts, delays, retention, deduplication
   and arrival times pass with it, also when a test advances it.
2. Of several messages of a FIFO group whose visibility ends by itself, moto hands out only the last, and the order is
   lost. Here those that are visible again are no longer in flight before anything is handed out.
3. A long poll waits by moto's time. Under a clock that stands still it would never end, so here it waits by the
   machine's.

What moto cannot do at all (a split shard that fills its children, streams that expire) stays undone:
docs/event-source-mappings.md has the list.
"""

import datetime
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["MotoGaps"]

# Milliseconds as floating-point numbers: the end of a timeout may come out a little after the moment it was meant for.
_ROUNDING_MS = 0.01


class MotoGaps:
    """From `mend` to `restore`."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._undo: list[Callable[[], None]] = []

    def mend(self) -> None:
        """Raises RuntimeError if this process has an embedded moto already: they would share all state."""
        self._follow_the_clock()
        self._mend_receive()

    def restore(self) -> None:
        """As moto was."""
        while self._undo:
            self._undo.pop()()

    def _follow_the_clock(self) -> None:
        import moto.core.utils as moto_time  # late: moto costs 80 ms, and only an embedded one needs this

        if moto_time.utcnow.__module__ != moto_time.__name__:
            raise RuntimeError("this process has an embedded AWS already: share it, all moto of a process is one")
        now_s, original = self._now_s, moto_time.unix_time

        def utcnow() -> datetime.datetime:
            return datetime.datetime.fromtimestamp(now_s(), datetime.UTC).replace(tzinfo=None)

        # moto asks for the time twice for each message in a queue at each receive, and takes 10 µs for an answer by way
        # of two datetimes: most of what a receive costs. These take less than one.
        def unix_time(moment: datetime.datetime | None = None) -> float:
            return now_s() if moment is None else original(moment)

        def unix_time_millis(moment: datetime.datetime | None = None) -> float:
            return unix_time(moment) * 1000.0

        for ours in (utcnow, unix_time, unix_time_millis):
            self._replace(ours.__name__, ours, getattr(moto_time, ours.__name__))

    def _replace(self, name: str, ours: Any, theirs: Any) -> None:
        _put(name, ours, theirs)
        self._undo.append(lambda: _put(name, theirs, ours))

    def _mend_receive(self) -> None:
        from moto.sqs.models import SQSBackend  # late: as above

        original = SQSBackend.receive_message

        def receive_message(
            backend: Any, queue_name: str, count: int, wait_s: int, visibility_s: int, names: Any = None
        ) -> Any:
            deadline_s = time.monotonic() + wait_s
            while True:
                queue = backend.get_queue(queue_name)
                self._end_visibility(queue)
                found = original(backend, queue_name, count, 0, visibility_s, names)
                left_s = deadline_s - time.monotonic()
                if found or left_s <= 0:
                    return found
                queue.wait_for_messages(min(left_s, 0.2))

        setattr(SQSBackend, original.__name__, receive_message)
        self._undo.append(lambda: setattr(SQSBackend, original.__name__, original))

    def _end_visibility(self, queue: Any) -> None:
        now_ms = self._now_s() * 1000 + _ROUNDING_MS
        # Copies: other threads send and delete meanwhile.
        for message in list(queue._messages):
            if message.visible_at and message.visible_at <= now_ms:
                message.visible_at = 0.0
                queue.pending_messages.discard(message)


def _put(name: str, wanted: Any, other: Any) -> None:
    """Modules of moto have a function under its name; those that are imported later take it from where it was made."""
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] == "moto" and getattr(module, name, None) is other:
            setattr(module, name, wanted)
