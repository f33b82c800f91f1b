"""The event loop that asynchronous handlers and applications live in: one, for as long as the environment.

In an ordinary runtime it runs in the thread that calls, only while something is waited for. Where several threads
call, it moves to a thread of its own. Inside a loop that runs already (a runtime that awaits) it is not needed.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import warnings
import weakref

from handlerkit.events.generics import TypeVar

__all__ = ["AppLoop"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

T = TypeVar("T")


class AppLoop:
    """Runs coroutines to their end, each in the context of its caller."""

    def __init__(self) -> None:
        self.turn = threading.RLock()
        """Held by whoever runs the loop in its own thread, and by whoever decides in which one it runs."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forgotten: list[asyncio.AbstractEventLoop] = []
        self.residents: list[object] = []
        """What waits in the loop and is to be cancelled with it: nobody else need hold on to it."""
        self._process = 0
        self._owner = 0
        self._is_threaded = False
        self._finalizer: weakref.finalize[Any, Any] | None = None

    def adopt(self) -> None:
        """Make the loop now, and make it the current one, so that a runtime takes the same; a current one is taken.

        The calling thread is the one that may run it.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without a loop, 3.12 and 3.13 make one and warn, 3.14 raises
            try:
                found = asyncio.get_event_loop()
            except RuntimeError:
                found = None
        if found is None or found.is_closed():
            found = asyncio.new_event_loop()
            asyncio.set_event_loop(found)
        if not found.is_running():
            self._take(found, threading.get_ident())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. One thread (the main one, unless another adopted the loop) runs the loop itself; the
        first call from another moves the loop into a thread of its own."""
        with self.turn:
            loop = self._ready()
            if not self._is_threaded and threading.get_ident() == self._owner:
                return loop.run_until_complete(coroutine)
            if not self._is_threaded:
                self._is_threaded = True
                threading.Thread(target=loop.run_forever, name="handlerkit-asyncio", daemon=True).start()
        return _submitted(loop, coroutine)

    def take(self) -> asyncio.AbstractEventLoop | None:
        """The loop, for the calling thread to run and then to `turn.release()`; None where it may not run it."""
        if asyncio._get_running_loop() is not None:
            return None
        self.turn.acquire()
        loop = self._ready()
        if self._is_threaded or threading.get_ident() != self._owner:
            self.turn.release()
            return None
        return loop

    def _ready(self) -> asyncio.AbstractEventLoop:
        loop = self._loop
        if loop is not None and self._process == os.getpid() and not loop.is_closed():
            return loop
        if loop is not None and self._process != os.getpid():
            # A forked child must not touch the parent's loop, not even to close it.
            self._forgotten.append(loop)
            self._is_threaded = False
        # In an empty context: the loop keeps the one it is made in, and with it the invocation's event, for good.
        loop = contextvars.Context().run(asyncio.new_event_loop)
        self._take(loop, threading.main_thread().ident or 0)
        return loop

    def _take(self, loop: asyncio.AbstractEventLoop, owner: int) -> None:
        self._loop = loop
        self._process = os.getpid()
        self._owner = owner
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = weakref.finalize(self, _close, loop, self._process, self.residents)


def _submitted(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop of another thread, in the context of this one."""
    import concurrent.futures

    done: concurrent.futures.Future[T] = concurrent.futures.Future()
    context = contextvars.copy_context()

    def finish(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            done.set_exception(asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            done.set_exception(error)
        else:
            done.set_result(task.result())

    def start() -> None:
        loop.create_task(coroutine, context=context).add_done_callback(finish)

    loop.call_soon_threadsafe(start)
    return done.result()


def _close(loop: asyncio.AbstractEventLoop, process: int, _residents: list[object]) -> None:
    """At the end of the object or the interpreter: what is pending is cancelled, not forgotten."""
    if process != os.getpid() or loop.is_closed() or loop.is_running():
        return
    if asyncio._get_running_loop() is None:
        _closed(loop)
        return
    # Collected as garbage while another loop runs in this thread.
    thread = threading.Thread(target=_closed, args=(loop,), name="handlerkit-closing")
    thread.start()
    thread.join()


def _closed(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.wait(pending, timeout=0.2))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
