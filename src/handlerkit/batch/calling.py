"""What a function is, and when what it returned is done: work that only stands in a result never counts as done."""

from __future__ import annotations

from handlerkit.signature import is_coroutine_function, is_generator_function

__all__ = ["has_run", "is_async", "settled"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling the function makes a coroutine. Raises `TypeError` for generators, which would never be run.

    A function that hides it (a decorator's wrapper) is noticed when it returns something to wait for.
    """
    if is_generator_function(function):
        name = getattr(function, "__qualname__", function)
        raise TypeError(f"{name} is a generator: a record's function must not yield")
    return is_coroutine_function(function)


def settled(result: Any, wait: Callable[[Any], Any]) -> Any:
    """What an ordinary function returned, completed: something to wait for is waited for."""
    if hasattr(result, "__await__"):
        result = wait(result)
    return has_run(result)


def has_run(result: Any) -> Any:
    """The result, if the work behind it is done. Raises `TypeError` for work that nobody would ever do."""
    if (hasattr(result, "__await__") or hasattr(result, "gi_frame") or hasattr(result, "ag_frame")) and _is_of_work(
        result.__class__
    ):
        if hasattr(result, "close"):
            result.close()  # no warning of something never awaited: the error says it
        raise TypeError(f"the function returned a {type(result).__name__}, of which nothing has run")
    if hasattr(result, "add_done_callback") and hasattr(result, "result"):
        return result.result()  # of an executor: a record is done when its work is
    return result


def _is_of_work(kind: type) -> bool:
    """Whether a class says the same of its objects: a mock alone has everything that it is asked for."""
    return hasattr(kind, "__await__") or hasattr(kind, "gi_frame") or hasattr(kind, "ag_frame")
