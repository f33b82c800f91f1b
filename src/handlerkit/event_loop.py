"""An event loop for a handler that is a coroutine function: one per thread, kept between invocations."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from contextvars import Context

from .events.generics import TypeVar

__all__ = ["KeptLoop"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


class KeptLoop:
    """Runs awaitables to their end. Connections that handlers open in the loop outlive the invocation, as it does."""

    def __init__(self) -> None:
        self._threads = threading.local()
        self._forgotten: list[asyncio.AbstractEventLoop] = []

    def run(self, awaitable: Awaitable[T]) -> T:
        """The awaitable's result. Raises `RuntimeError` inside a running loop, which can await for itself."""
        if asyncio._get_running_loop() is not None:
            if hasattr(awaitable, "close"):
                awaitable.close()
            raise RuntimeError("called in a running event loop: only handlers of `async def` functions can be awaited")
        kept: tuple[int, asyncio.AbstractEventLoop | None] = getattr(self._threads, "kept", (0, None))
        process, loop = kept
        if loop is None or process != os.getpid():
            # A forked child leaves its parent's alone: what is behind it is shared, and a close would count for both.
            if loop is not None:
                self._forgotten.append(loop)
            # In an empty context: the loop keeps the one it is made in, and with it the invocation's event, for good.
            loop, process = Context().run(asyncio.new_event_loop), os.getpid()
            self._threads.kept = process, loop
            weakref.finalize(self, _close, loop, process)
        errors: list[Exception] = []
        result = loop.run_until_complete(_result_or_error(awaitable, errors))
        if errors:
            raise errors.pop()  # in no variable, or it would hold itself by this frame
        return result  # type: ignore[return-value]  # there is one where there is no error


def _close(loop: asyncio.AbstractEventLoop, process: int) -> None:
    if process == os.getpid():
        loop.close()


async def _result_or_error(awaitable: Awaitable[T], errors: list[Exception]) -> T | None:
    """The result, or None and the error laid down beside.

    A task that ended with an error, even as a part of its result, would be held by it: by asyncio's frames, from Python
    3.12 on also by those that its own were called from. And with the task the event, until a collector comes.
    """
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001  # raised again
        errors.append(error)
        return None
