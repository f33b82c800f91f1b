"""An event loop in a daemon thread, for callers that are not asynchronous."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

__all__ = ["Begin", "LoopThread"]

_T = TypeVar("_T")

Begin: TypeAlias = Callable[["concurrent.futures.Future[_T]"], None]
"""Sets off, in the loop, what resolves the future."""


class LoopThread:
    """Runs from its making until `stop`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, _T]) -> "concurrent.futures.Future[_T]":
        """Run it there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call(self, begin: "Begin[_T]") -> "concurrent.futures.Future[_T]":
        """Begin there what is to resolve the future, or raises; two turns of the loop less than a coroutine takes."""
        future: concurrent.futures.Future[_T] = concurrent.futures.Future()

        def run() -> None:
            try:
                begin(future)
            except BaseException as error:  # noqa: BLE001 (the caller in the other thread is told)
                future.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return future

    def stop(self) -> None:
        """End the loop and its thread. What still runs there is abandoned."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self._loop.close()
