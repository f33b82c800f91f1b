"""Ctrl-C, SIGTERM and the end of the terminal for a command that runs until then. To be used in the main thread.

- While the command is still starting, a signal is a `KeyboardInterrupt`.
- After that the first one is a message (`next`), as is everything else that the main thread is to do.
- The second one runs `cut` in a thread that has waited for it: the main thread, which may be anywhere, is left alone,
  and no lock stays locked because of it.
- A signal that comes just before the main thread begins to wait must not be slept through: it also leaves a byte in a
  pipe (`signal.set_wakeup_fd`), and the pipe is what `next` waits for.
- The third one ends the process at once; the functions' processes end with it (`process_guard`).
"""

import contextlib
import os
import queue
import select
import signal
import threading
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
        self._cutting: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._signals = 0
        self._started = False
        self._before: dict[int, Any] = {}
        self._wake_reader, self._wake_writer = os.pipe()
        for end in (self._wake_reader, self._wake_writer):
            os.set_blocking(end, False)
        self._woken = select.poll()  # select() refuses descriptors above 1,023, of which a busy process has many
        self._woken.register(self._wake_reader, select.POLLIN)
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        # The pipe stays open until the process ends: other threads may still post.

    def started(self, cut: Callable[[], object]) -> None:
        """From now on the first signal is a message, and the second one runs this."""

        def wait() -> None:
            self._cutting.get()
            cut()

        threading.Thread(target=wait, name="cut", daemon=True).start()
        self._started = True

    def post(self, message: Message) -> None:
        """Have it done in the main thread; None ends it."""
        self._queue.put(message)
        with contextlib.suppress(BlockingIOError):  # full of bytes that are enough to wake
            os.write(self._wake_writer, b"\0")

    def next(self) -> Message:
        """Wait for one."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._queue.get_nowait()
            self._woken.poll()
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_reader, 4096)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 2:
            os._exit(128 + number)
        if not self._started:
            raise KeyboardInterrupt
        if self._signals == 1:
            self._queue.put(None)
        else:
            self._cutting.put(None)
