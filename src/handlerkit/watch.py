"""A thread that looks at the clock while a function runs, and speaks when there is just time left to answer."""

from __future__ import annotations

import sys
import threading

__all__ = ["Watch", "seconds_left_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Of a timeout that is hardly longer than the margin, the function gets at least half.
LEAST_SHARE = 0.5
UNKNOWN_S = 60.0


class Watch:
    """For one invocation: `start` has `answer()` called when `margin_s` before the end has come; `stop` ends that.

    `answer` is then what it returned, or None where the function was in time, or the answer could not be sent.
    """

    def __init__(self, seconds_left: Callable[[], float], margin_s: float) -> None:
        self._seconds_left = seconds_left
        self._margin_s = min(margin_s, seconds_left() * LEAST_SHARE)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.answer: Any = None

    def start(self, answer: Callable[[], Any]) -> None:
        """Watch from now on."""
        self._thread = threading.Thread(target=self._watch, args=(answer,), name="handlerkit-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; an answer that it is about to send is waited for."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, answer: Callable[[], Any]) -> None:
        # The clock is asked again each time: a frozen environment makes a wait longer than it says.
        while (left := self._seconds_left() - self._margin_s) > 0:
            if self._over.wait(left):
                return
        if self._over.is_set():
            return
        try:
            self.answer = answer()
        except Exception as error:  # noqa: BLE001  # the function still runs, and its own end may yet be told
            print(f"handlerkit: {error}", file=sys.stderr)


def seconds_left_of(context: Any) -> Callable[[], float]:
    """How long an invocation may still last, asked anew each time; always a minute where nobody knows."""
    ask = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: UNKNOWN_S) if ask is None else (lambda: float(ask()) / 1000)
