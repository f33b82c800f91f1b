"""An exception for people: one line for those who wait for the outcome, the traceback for the function's author."""

from __future__ import annotations

import sys

__all__ = ["show_traceback", "words_of"]


def words_of(error: BaseException) -> str:
    """Its type and words."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001  # one that cannot describe itself still has a type
        words = ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def show_traceback(error: BaseException) -> None:
    """On stderr. Never raises: an exception that cannot be shown must not keep the outcome from being told."""
    from traceback import print_exception  # late: only on the way to an error

    try:
        print_exception(error)
    except Exception:  # noqa: BLE001
        print(f"handlerkit: {type(error).__name__} (it cannot be described)", file=sys.stderr)
