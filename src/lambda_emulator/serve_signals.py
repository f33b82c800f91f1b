"""Ctrl-C, SIGTERM and the end of the terminal for a command that runs until then. To be used in the main thread.

The first one is a message (`next`), as is everything else that happens. The second one, or the first while the
command is still starting, is a `KeyboardInterrupt` wherever the main thread is. A third one ends the process at once;
the functions' processes end with it (`process_guard`).
"""

import os
import queue
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Self, TypeAlias

__all__ = ["Messages"]

Message: TypeAlias = Callable[[], object] | None
"""What is to be done, or None for the end."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Messages:
    """What the main thread is to do next. `post` may be called from anywhere, from a signal handler too."""

    def __init__(self) -> None:
        # The one queue that may be used in a signal handler.
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._signals = 0
        self._started = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def started(self) -> None:
        """From now on the first signal is a message."""
        self._started = True

    def post(self, message: Message) -> None:
        """Have it done in the main thread; None ends it."""
        self._queue.put(message)

    def next(self) -> Message:
        """Wait for one."""
        return self._queue.get()

    @property
    def signalled(self) -> bool:
        """There was a signal."""
        return self._signals > 0

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1 and self._started:
            self._queue.put(None)
        elif self._signals <= 2:
            raise KeyboardInterrupt
        else:
            os._exit(128 + number)
