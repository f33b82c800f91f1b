"""The bound logger: structlog's methods on the pipeline of `lines`, without structlog's import."""

from __future__ import annotations

from .levels import CRITICAL, DEBUG, ERROR, INFO, WARNING, level_of

__all__ = ["Logger"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .lines import Lines


class Logger:
    """A name and bound values. Never changed: `bind` and the like make another one, so it can be shared freely.

    `log.info("order.received", order_id=1)` writes an event with its values. Positional arguments are put into the
    event as `logging` does (`"%s left", 3`); `exc_info=True` or an exception adds that as data, `stack_info=True` the
    stack. A value may have any name and any type: nothing is refused, and nothing raises.
    """

    __slots__ = ("_context", "_lines", "_name")

    def __init__(self, lines: Lines, name: str | None = None, context: dict[str, Any] | None = None) -> None:
        self._lines = lines
        self._name = name
        self._context = context or {}

    def __repr__(self) -> str:
        # Names alone: this ends up in messages and in dumps of variables, where nothing is redacted.
        return f"<Logger {self._name} with {', '.join(self._context) or 'nothing'} bound>"

    @property
    def name(self) -> str | None:
        """What stands under `logger`."""
        return self._name

    def bind(self, **values: Any) -> Logger:
        """A logger with these values in addition."""
        return Logger(self._lines, self._name, {**self._context, **values})

    def new(self, **values: Any) -> Logger:
        """A logger of the same name with these values and no others."""
        return Logger(self._lines, self._name, values)

    def unbind(self, *names: str) -> Logger:
        """A logger without these values. Raises `KeyError` for one that is not bound."""
        context = dict(self._context)
        for name in names:
            del context[name]
        return Logger(self._lines, self._name, context)

    def try_unbind(self, *names: str) -> Logger:
        """A logger without these values; one that is not bound is fine."""
        return Logger(self._lines, self._name, {key: self._context[key] for key in self._context if key not in names})

    def is_enabled_for(self, level: int | str) -> bool:
        """Whether an event of this level may be written (or kept until the invocation fails)."""
        return level_of(level) >= self._lines.floor

    def get_effective_level(self) -> int:
        """The level below which nothing is written."""
        return self._lines.level

    def debug(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at DEBUG."""
        lines = self._lines
        if lines.floor <= DEBUG:
            lines.log(DEBUG, self._name, event, args, {**self._context, **values})

    def info(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at INFO."""
        lines = self._lines
        if lines.floor <= INFO:
            lines.log(INFO, self._name, event, args, {**self._context, **values})

    def warning(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at WARN."""
        lines = self._lines
        if lines.floor <= WARNING:
            lines.log(WARNING, self._name, event, args, {**self._context, **values})

    def error(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at ERROR."""
        lines = self._lines
        if lines.floor <= ERROR:
            lines.log(ERROR, self._name, event, args, {**self._context, **values})

    def critical(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at FATAL."""
        lines = self._lines
        if lines.floor <= CRITICAL:
            lines.log(CRITICAL, self._name, event, args, {**self._context, **values})

    def exception(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at ERROR with the exception that is being handled."""
        lines = self._lines
        if lines.floor <= ERROR:
            lines.log(ERROR, self._name, event, args, {**self._context, "exc_info": True, **values})

    def log(self, level: int | str, event: Any = None, /, *args: Any, **values: Any) -> None:
        """Write an event at a level given by name or number. Raises `ValueError` for a name that is none."""
        number = level_of(level)
        lines = self._lines
        if lines.floor <= number:
            lines.log(number, self._name, event, args, {**self._context, **values})

    msg = info
    warn = warning
    err = error
    failure = exception
    fatal = critical

    async def adebug(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`debug`, for code written for structlog's asynchronous methods; it does not wait for anything."""
        self.debug(event, *args, **values)

    async def ainfo(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`info`, as above."""
        self.info(event, *args, **values)

    async def awarning(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`warning`, as above."""
        self.warning(event, *args, **values)

    async def aerror(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`error`, as above."""
        self.error(event, *args, **values)

    async def acritical(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`critical`, as above."""
        self.critical(event, *args, **values)

    async def aexception(self, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`exception`, as above."""
        self.exception(event, *args, **values)

    async def alog(self, level: int | str, event: Any = None, /, *args: Any, **values: Any) -> None:
        """`log`, as above."""
        self.log(level, event, *args, **values)

    amsg = ainfo
    awarn = awarning
    afatal = acritical
