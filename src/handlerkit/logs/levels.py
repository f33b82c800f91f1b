"""Levels: `logging`'s numbers, and the names that Lambda's own filter knows."""

from __future__ import annotations

__all__ = ["CRITICAL", "DEBUG", "ERROR", "INFO", "NAMES", "WARNING", "level_of", "rounded"]

TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL = 5, 10, 20, 30, 40, 50

NAMES = {TRACE: "TRACE", DEBUG: "DEBUG", INFO: "INFO", WARNING: "WARN", ERROR: "ERROR", CRITICAL: "FATAL"}
"""As the service writes them: a name that its filter does not know counts as INFO, whatever it says."""

_NUMBERS = {
    "TRACE": TRACE,
    "NOTSET": TRACE,
    "DEBUG": DEBUG,
    "INFO": INFO,
    "WARN": WARNING,
    "WARNING": WARNING,
    "ERROR": ERROR,
    "FATAL": CRITICAL,
    "CRITICAL": CRITICAL,
}


def level_of(level: int | str) -> int:
    """A level's number. Raises `ValueError` for a name that is none.

    >>> level_of("warn"), level_of(25)
    (30, 25)
    """
    if isinstance(level, int):
        return level
    try:
        return _NUMBERS[level.strip().upper()]
    except (KeyError, AttributeError):
        raise ValueError(f"{level!r} is no log level: use {', '.join(NAMES.values())}, or a number") from None


def rounded(level: int) -> int:
    """The nearest level with a name, at or below.

    >>> rounded(25), rounded(0), rounded(99)
    (20, 5, 50)
    """
    return TRACE if level < DEBUG else min(CRITICAL, level // 10 * 10)
