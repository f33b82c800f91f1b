"""Where in a value that is what cannot be written as JSON. Loaded on the way to an error."""

from __future__ import annotations

__all__ = ["placed"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# What contains itself has places without end.
MOST_STEPS = 30
KEY_CHARACTERS = 60


def placed(error: Exception, value: Any, write: Callable[[Any], object], converted: Callable[[Any], Any]) -> Exception:
    """The error again, as TypeError or ValueError, with the place of what `write` refuses.

    `converted` makes one step from a type that JSON does not know towards those it does.
    """
    kind = TypeError if isinstance(error, TypeError) else ValueError
    place = "".join(_steps(value, write, converted))
    return kind(f"{error} (at {place})" if place else str(error))


def _steps(value: Any, write: Callable[[Any], object], converted: Callable[[Any], Any]) -> Iterable[str]:
    for _ in range(MOST_STEPS):
        pairs: Iterable[tuple[Any, Any]]
        if isinstance(value, dict):
            pairs = value.items()
        elif isinstance(value, (list, tuple)):
            pairs = enumerate(value)
        else:
            try:
                value = converted(value)
            except (TypeError, ValueError, RecursionError):
                return
            continue
        for key, item in pairs:
            try:
                write(item)
            except (TypeError, ValueError, RecursionError):
                yield f"[{key!r:.{KEY_CHARACTERS}}]"
                value = item
                break
        else:
            return
