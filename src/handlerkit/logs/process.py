"""The process's logs: one `Lines`, made when somebody first asks for a logger, and joined by others when they come.

Nothing is read or set up by an import. `logging`, `warnings` and structlog are set up if they are loaded, or else when
they are; none of them is loaded from here.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock

from handlerkit.late_imports import when_imported

from .levels import WARNING
from .lines import Lines
from .logger import Logger
from .settings import Settings

__all__ = ["configure", "get_logger", "process_lines"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType
    from typing import Any, TextIO

    from .keys import Keys

_lines: Lines | None = None
_making = allocate_lock()


def process_lines() -> Lines:
    """The one of this process."""
    return _lines if _lines is not None else _made()


def get_logger(name: str | None = None, /, **values: Any) -> Logger:
    """A bound logger under this name, or the calling module's, with these values in all of its lines."""
    if name is None:
        name = sys._getframe(1).f_globals.get("__name__")
    return Logger(process_lines(), name, values)


if TYPE_CHECKING:

    def configure(
        *,
        level: int | str = ...,
        format: str = ...,  # noqa: A002
        keys: str | Keys | Mapping[str, str | None] = ...,
        service: str | None = ...,
        redact: Iterable[str] = ...,
        sample_rate: float = ...,
        debug_buffer_bytes: int = ...,
        max_line_bytes: int = ...,
        correlation_id: Callable[[Any], object] | None = ...,
        fields: Mapping[str, object] = ...,
        stream: TextIO | None = ...,
        stdlib: bool = ...,
    ) -> None: ...

else:

    def configure(**options):
        """Change how this process logs, from here on; what is not given stays as it is.

        - `level`: a name or number; `AWS_LAMBDA_LOG_LEVEL` goes before it. (`HANDLERKIT_LOG_LEVEL`, INFO)
        - `format`: `json`, `text`, `console`, or `auto`: console on a terminal. (`HANDLERKIT_LOG_FORMAT`)
        - `keys`: `handlerkit`, `powertools`, or a dict of fields and names, None to leave one out.
          (`HANDLERKIT_LOG_KEYS`)
        - `service`: what stands under `service`. (`HANDLERKIT_SERVICE`, the function's name)
        - `redact`: patterns of keys that hold secrets, for the ones in `settings.DEFAULT_SECRETS`.
        - `sample_rate`: the share of invocations that log everything. (`HANDLERKIT_LOG_SAMPLE_RATE`, 0)
        - `debug_buffer_bytes`: room for lines below the level, written if the invocation fails.
          (`HANDLERKIT_LOG_DEBUG_BUFFER_BYTES`, 0: none are kept)
        - `max_line_bytes`: longer lines are shortened. (262,144)
        - `correlation_id`: a function of the event for the id, where the event's own rules do not do.
        - `fields`: values in all lines of the process.
        - `stream`: where lines go, for what `sys.stdout` is at the time.
        - `stdlib`: False leaves `logging` and `warnings` alone.

        Raises `TypeError` for an unknown option, `ValueError` for a value that means nothing.
        """
        lines = process_lines()
        settings = lines.settings
        settings.change(options)
        lines.apply(settings)
        for name, set_up in (("logging", "standard"), ("structlog", "structlog_bridge")):
            if name in sys.modules and (settings.stdlib or name == "structlog"):
                _set_up(set_up)(sys.modules[name])


def is_in_use() -> bool:
    """Whether somebody has asked for a logger, and what the program logs by `logging` would come here, too."""
    if _lines is None or not _lines.settings.stdlib:
        return False
    standard = sys.modules.get(f"{__package__}.standard")
    return "logging" not in sys.modules or (standard is not None and standard.is_ours())


def _made() -> Lines:
    global _lines
    with _making:
        if _lines is None:
            import os

            settings = Settings(os.environ)
            lines = Lines(settings)
            for complaint in settings.complaints:
                lines.log(WARNING, "handlerkit.logs", complaint, (), {})
            _lines = lines
            joining = True
        else:
            joining = False
    if joining:
        when_imported("logging", _set_up("standard"))
        when_imported("warnings", _warnings)
        when_imported("structlog", _set_up("structlog_bridge"))
    return _lines


def _set_up(name: str) -> Callable[[ModuleType], None]:
    def set_up(_: ModuleType) -> None:
        lines = process_lines()
        if name == "standard" and not lines.settings.stdlib:
            return
        from importlib import import_module

        import_module(f"{__package__}.{name}").install(lines)

    return set_up


def _warnings(module: ModuleType) -> None:
    """Have `warnings.warn` write a line; `-W error` and filters work as ever."""
    original = module.showwarning

    def showwarning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        lines = process_lines()
        if file is not None or not lines.settings.stdlib:
            return original(message, category, filename, lineno, file, line)  # type: ignore[no-any-return]
        if lines.floor <= WARNING:
            values = {"category": category.__name__, "file": filename, "line": lineno}
            lines.log(WARNING, "py.warnings", str(message), (), values)
        return None

    module.showwarning = showwarning  # type: ignore[attr-defined]
