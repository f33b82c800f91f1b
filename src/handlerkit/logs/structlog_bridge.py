"""structlog itself, configured so that its events become lines of ours. Loaded when somebody has imported structlog.

A program that configures structlog itself has said where its events go; that is left alone.
"""

from __future__ import annotations

import structlog
from structlog.contextvars import clear_contextvars, get_contextvars, merge_contextvars

from handlerkit.scope import at_every_start

from .levels import NAMES, level_of

__all__ = ["install"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .lines import Lines


def install(lines: Lines) -> None:
    """Configure structlog, once or again after a change of level."""
    ours = structlog.get_config()["processors"]
    if structlog.is_configured() and not any(isinstance(one, ToLine) for one in ours):
        return
    if lines.contextvars is None:
        # structlog's context is the thread's, and a thread serves one invocation after the other.
        at_every_start(lambda _: clear_contextvars())
        lines.contextvars = get_contextvars
    structlog.configure(
        processors=[merge_contextvars, ToLine()],
        wrapper_class=structlog.make_filtering_bound_logger(lines.floor),
        logger_factory=lambda *names: Sink(lines, str(names[0]) if names else None),
        cache_logger_on_first_use=False,
    )


class ToLine:
    """The last processor: hands the event over as it is."""

    def __call__(self, _: Any, method: str, event: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        values = dict(event)
        if method == "exception":
            values.setdefault("exc_info", True)
        return (values.pop("event", None), values), {}


class Sink:
    """What structlog calls a logger: takes events by the name of a level."""

    def __init__(self, lines: Lines, name: str | None) -> None:
        self._lines = lines
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        level = _METHODS.get(method, level_of("INFO"))

        def take(event: Any, values: dict[str, Any]) -> None:
            self._lines.log(level, self._name, event, (), values)

        return take


_METHODS = {name.lower(): level for level, name in NAMES.items()} | {
    "warning": level_of("WARN"),
    "critical": level_of("FATAL"),
    "exception": level_of("ERROR"),
    "err": level_of("ERROR"),
    "failure": level_of("ERROR"),
}
