"""The time that a block or a function takes, as a metric."""

from __future__ import annotations

import time

from handlerkit.events.generics import TypeVar
from handlerkit.signature import dressed, is_coroutine_function, is_generator_function, is_handler

__all__ = ["Timer"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .handle import Metrics

F = TypeVar("F", bound="Callable[..., Any]")
NANOSECONDS = {"Seconds": 1_000_000_000, "Milliseconds": 1_000_000, "Microseconds": 1_000}


class Timer:
    """A context manager, for one block at a time, and a decorator, for as many calls at once as there are."""

    __slots__ = ("_began_ns", "_metrics", "_name", "_per_unit_ns", "_resolution", "_unit")

    def __init__(self, metrics: Metrics, name: str, unit: str, resolution: int) -> None:
        if unit not in NANOSECONDS:
            raise ValueError(f"{unit!r} is no unit of time here; there are {', '.join(NANOSECONDS)}")
        self._metrics = metrics
        self._name = name
        self._unit = unit
        self._resolution = resolution
        self._per_unit_ns = NANOSECONDS[unit]
        self._began_ns = 0

    def __enter__(self) -> None:
        self._began_ns = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._ended(self._began_ns)

    def __call__(self, function: F) -> F:
        """The function, timed: to its result, or until what it returns to be awaited is done.

        What `event_handler` and the like have made remains a handler; its time is written when its invocation is over.
        Raises `TypeError` for a generator, which runs when others ask it to.
        """
        if is_generator_function(function):
            raise TypeError(f"{function!r} is a generator: time what takes its items")
        if is_handler(function):
            from handlerkit.outer_handler import outer_handler  # late: few are above a handler

            return outer_handler("timed", function, self._timed)  # type: ignore[return-value]
        if is_coroutine_function(function):

            async def timed_async(*args: Any, **keywords: Any) -> Any:
                began_ns = time.perf_counter_ns()
                try:
                    return await function(*args, **keywords)
                finally:
                    self._ended(began_ns)

            return dressed(timed_async, function)  # type: ignore[no-any-return]

        return dressed(self._timed(function), function)  # type: ignore[no-any-return]

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **keywords: Any) -> Any:
            began_ns = time.perf_counter_ns()
            try:
                result = function(*args, **keywords)
            except BaseException:
                self._ended(began_ns)
                raise
            if hasattr(result, "__await__"):
                return self._until_done(result, began_ns)
            self._ended(began_ns)
            return result

        return timed

    def _until_done(self, awaitable: Any, began_ns: int) -> Any:
        """What is given to be awaited in the place of what a plain function has returned."""
        if hasattr(awaitable, "add_done_callback"):  # a task or future runs by itself, and must remain one
            awaitable.add_done_callback(lambda _: self._ended(began_ns))
            return awaitable
        if hasattr(awaitable, "__aenter__"):  # what can be entered as well must remain so
            self._ended(began_ns)
            return awaitable
        return self._awaited(awaitable, time.perf_counter_ns() - began_ns)

    async def _awaited(self, awaitable: Any, taken_ns: int) -> Any:
        # As with `async def`, the time until somebody awaits it is not its own.
        began_ns = time.perf_counter_ns() - taken_ns
        try:
            return await awaitable
        finally:
            self._ended(began_ns)

    def _ended(self, began_ns: int) -> None:
        taken = (time.perf_counter_ns() - began_ns) / self._per_unit_ns
        self._metrics.add(self._name, taken, self._unit, resolution=self._resolution)
