"""Handlers under `traced`, which remain what they were, with the hooks for a runtime that knows them."""

from __future__ import annotations

__all__ = ["TracedHandler", "TracedRawHandler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class TracedHandler:
    """A handler whose calls are `call`'s; all else is its own."""

    def __init__(self, handler: Any, call: Callable[..., Any]) -> None:
        self.__wrapped__ = handler
        self._call = call
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(handler, name):
                setattr(self, name, getattr(handler, name))

    def __repr__(self) -> str:
        return f"<traced {self.__wrapped__!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As the handler's."""
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # a copy that is being made has nothing yet
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)


class TracedRawHandler(TracedHandler):
    """The same with the raw hook. It is a method: a decorator further up, which copies attributes, must not have it."""

    def __init__(self, handler: Any, call: Callable[..., Any], raw: Callable[..., Any]) -> None:
        super().__init__(handler, call)
        self._raw = raw

    def __lambda_raw__(self, body: bytes, context: Any) -> Any:
        """As the handler's."""
        return self._raw(body, context)
