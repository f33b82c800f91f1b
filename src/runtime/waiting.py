"""Waiting for what `async def` handlers return: one event loop for the life of the environment.

Loaded with the first awaitable. The loop is the one that user code got from `asyncio.get_event_loop()` while it was
imported, if it did, so that connections opened then stay usable; otherwise a new one. It runs only while
something is waited for: a task that a handler leaves pending is reported, and goes on with the next invocation.
"""

import asyncio
import threading
import warnings
import weakref

__all__ = ["LoopElsewhere", "LoopHere", "loop_of_user_code"]


class _Reported:
    """Tells of pending tasks, of each once."""

    def __init__(self, warn: "Callable[[str], object]") -> None:
        self._warn = warn
        self._known: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def pending(self, tasks: "set[asyncio.Task[Any]]") -> None:
        """Warn of the tasks that are new; those of earlier invocations have had their line."""
        new = [task for task in tasks if task not in self._known]
        if not new:
            return
        self._known.update(new)
        names = ", ".join(sorted(_described(task) for task in new[:10]))
        more = f" and {len(new) - 10} more" if len(new) > 10 else ""
        self._warn(
            f"{len(new)} asyncio task{'s' if len(new) > 1 else ''} still pending when the handler returned: "
            f"{names}{more}; what is not awaited goes on only while a later invocation runs"
        )


class LoopHere:
    """Runs the event loop in the calling thread, for as long as it takes."""

    def __init__(self, warn: "Callable[[str], object]") -> None:
        self._loop = loop_of_user_code() or asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._reported = _Reported(warn)

    def wait_for(self, awaitable: "Awaitable[Any]") -> "Any":
        """The awaitable's result, or its exception."""
        result = self._loop.run_until_complete(awaitable)
        if pending := asyncio.all_tasks(self._loop):
            self._reported.pending(pending)
        return result

    def close(self) -> None:
        """Cancel what is pending and close the loop."""
        if self._loop.is_closed() or self._loop.is_running():
            return
        if pending := asyncio.all_tasks(self._loop):
            for task in pending:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(pending, timeout=0.1))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


class LoopElsewhere:
    """Hands awaitables to an event loop that runs in another thread, for many threads that wait at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None

    @classmethod
    def in_a_thread(cls) -> "LoopElsewhere":
        """A loop of its own, in a thread of its own."""
        made = cls(asyncio.new_event_loop())
        made._thread = threading.Thread(target=made._loop.run_forever, name="runtime-asyncio", daemon=True)
        made._thread.start()
        return made

    def wait_for(self, awaitable: "Awaitable[Any]") -> "Any":
        """The awaitable's result, or its exception; blocks the calling thread only.

        The task sees the calling thread's context variables, so logs and trace ids are its own invocation's.
        """
        if not self._loop.is_running():  # at the end, for shutdown hooks
            return self._loop.run_until_complete(_result_of(awaitable))
        import concurrent.futures
        import contextvars

        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        context = contextvars.copy_context()

        def start() -> None:
            # run_coroutine_threadsafe would make the task in the loop's context, not in the caller's.
            task = self._loop.create_task(_result_of(awaitable), context=context)
            task.add_done_callback(finish)

        def finish(task: "asyncio.Task[Any]") -> None:
            if task.cancelled():
                done.set_exception(asyncio.CancelledError("the handler's task was cancelled"))
            elif (error := task.exception()) is not None:
                done.set_exception(error)
            else:
                done.set_result(task.result())

        self._loop.call_soon_threadsafe(start)
        return done.result()

    def close(self) -> None:
        """Stop the loop, if it is this object's own; what is pending ends with the process."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1)


async def _result_of(awaitable: "Awaitable[Any]") -> "Any":
    try:
        return await awaitable
    except (SystemExit, KeyboardInterrupt) as error:
        # asyncio lets these two end the loop, and with it everybody else's invocation.
        raise RuntimeError(f"{type(error).__name__} in an asynchronous handler: {error}") from error


def loop_of_user_code() -> "asyncio.AbstractEventLoop | None":
    """The loop that user code has made current while it was imported, if it can still be used."""
    with warnings.catch_warnings():
        # Without a loop, 3.12 and 3.13 make one and warn, 3.14 raises.
        warnings.simplefilter("ignore")
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            return None
    return None if loop.is_closed() or loop.is_running() else loop


def _described(task: "asyncio.Task[Any]") -> str:
    coroutine = task.get_coro()
    return f"{task.get_name()} ({getattr(coroutine, '__qualname__', type(coroutine).__name__)})"


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, Protocol

    class Waiter(Protocol):
        """Something that waits for awaitables."""

        def wait_for(self, awaitable: Awaitable[Any]) -> Any:
            """The awaitable's result, or its exception."""

        def close(self) -> None:
            """Give the loop up."""
