"""Structured logs: one line of JSON an event, with the invocation it belongs to.

`get_logger` gives a bound logger with structlog's methods; `bind`, `bound`, `unbind` and `clear` are for the whole
invocation; `configure` is for the process. Records of `logging`, warnings, and events of structlog itself take the same
way when somebody imports those. See docs/logs.md.
"""

from __future__ import annotations

__all__ = [
    "DEFAULT_SECRETS",
    "Logger",
    "bind",
    "bound",
    "clear",
    "configure",
    "get_logger",
    "set_correlation_id",
    "unbind",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .context import bind, bound, clear, set_correlation_id, unbind
    from .logger import Logger
    from .process import configure, get_logger
    from .settings import DEFAULT_SECRETS

_HOME = {
    "DEFAULT_SECRETS": "settings",
    "Logger": "logger",
    "bind": "context",
    "bound": "context",
    "clear": "context",
    "configure": "process",
    "get_logger": "process",
    "set_correlation_id": "context",
    "unbind": "context",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
