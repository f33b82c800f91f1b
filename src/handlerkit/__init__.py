"""What a handler's author imports: `event_handler` here, the events' types in `handlerkit.events`.

Importing this package must stay nearly free: names are resolved when they are first used.
"""

from __future__ import annotations

__all__ = ["__version__", "event_handler"]

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .handler import event_handler


def __getattr__(name: str) -> object:
    if name == "event_handler":
        from .handler import event_handler

        globals()[name] = event_handler
        return event_handler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
