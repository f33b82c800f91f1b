"""What a handler's author imports: `event_handler` and `batch_handler` here, the events' types in `handlerkit.events`.

Importing this package must stay nearly free: names are resolved when they are first used.
"""

from __future__ import annotations

__all__ = [
    "DropRecord",
    "HttpRequest",
    "HttpResponse",
    "RetryRecord",
    "__version__",
    "asgi_handler",
    "batch_handler",
    "custom_resource",
    "event_handler",
    "get_logger",
    "http_handler",
    "idempotent",
    "logs",
    "metrics",
    "traced",
    "tracing",
]

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import logs, metrics, tracing
    from .batch.errors import DropRecord, RetryRecord
    from .batch.handler import batch_handler
    from .cloudformation.handler import custom_resource
    from .handler import event_handler
    from .http.asgi import asgi_handler
    from .http.handler import http_handler
    from .http.request import HttpRequest
    from .http.response import HttpResponse
    from .idempotency.decorator import idempotent
    from .logs.process import get_logger
    from .tracing.decorator import traced


_HOME = {
    "DropRecord": "batch.errors",
    "HttpRequest": "http.request",
    "HttpResponse": "http.response",
    "RetryRecord": "batch.errors",
    "asgi_handler": "http.asgi",
    "batch_handler": "batch.handler",
    "custom_resource": "cloudformation.handler",
    "event_handler": "handler",
    "get_logger": "logs.process",
    "http_handler": "http.handler",
    "idempotent": "idempotency.decorator",
    "traced": "tracing.decorator",
}

_MODULES = ("logs", "metrics", "tracing")


def __getattr__(name: str) -> object:
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
