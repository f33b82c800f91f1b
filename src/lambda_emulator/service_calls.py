"""How the methods of a `LocalLambda`, called from any thread, reach the one event loop in which all state lives."""

import concurrent.futures
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from lambda_emulator.errors import ServiceClosed
from lambda_emulator.loop_thread import LoopThread

__all__ = ["ServiceCalls"]

_T = TypeVar("_T")


class ServiceCalls:
    """What the groups of methods have in common. The service sets the attributes."""

    _loop: LoopThread
    _closing: "weakref.finalize[..., Any]"

    def _do(self, action: Callable[[], _T]) -> _T:
        """Run it in the loop's thread, where all state belongs."""

        async def run() -> _T:
            return action()

        return self._submit(run()).result()

    def _submit(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        try:
            self._check_open()
        except ServiceClosed:
            coroutine.close()
            raise
        return self._loop.submit(coroutine)

    def _check_open(self) -> None:
        if not self._closing.alive:
            raise ServiceClosed("this LocalLambda is closed: make another one")
