"""HTTP in Lambda: one request type over all fronts, responses mapped to whichever asked, ASGI applications.

Importing this package loads nothing else: names are resolved when they are first used.
"""

from __future__ import annotations

__all__ = ["HttpError", "HttpRequest", "HttpResponse", "Identity", "asgi_handler", "http_handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .asgi import asgi_handler
    from .errors import HttpError
    from .handler import http_handler
    from .identity import Identity
    from .request import HttpRequest
    from .response import HttpResponse

_HOME = {
    "HttpError": "errors",
    "HttpRequest": "request",
    "HttpResponse": "response",
    "Identity": "identity",
    "asgi_handler": "asgi",
    "http_handler": "handler",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
