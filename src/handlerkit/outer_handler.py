"""A handler under a decorator that does something around its calls: it remains what it was, with the hooks for a
runtime that knows them, and its raw hook is decorated as its calls are."""

from __future__ import annotations

__all__ = ["OuterHandler", "OuterRawHandler", "outer_handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def outer_handler(decorator: str, handler: Any, around: Callable[[Any], Callable[..., Any]]) -> OuterHandler:
    """The handler, with what `around` makes of its call and of its raw hook in their place.

    For a `signature.is_handler`; the decorator's name is for the `repr`.
    """
    raw = getattr(handler, "__lambda_raw__", None)
    if raw is None:
        return OuterHandler(decorator, handler, around(handler))
    return OuterRawHandler(decorator, handler, around(handler), around(raw))


class OuterHandler:
    """A handler whose calls are `call`'s; all else is its own."""

    def __init__(self, decorator: str, handler: Any, call: Callable[..., Any]) -> None:
        self.__wrapped__ = handler
        self._decorator = decorator
        self._call = call
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(handler, name):
                setattr(self, name, getattr(handler, name))

    def __repr__(self) -> str:
        return f"<{self._decorator} {self.__wrapped__!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As the handler's."""
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # a copy that is being made has nothing yet
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)


class OuterRawHandler(OuterHandler):
    """The same with the raw hook. It is a method: a decorator further up, which copies attributes, must not have it."""

    def __init__(
        self, decorator: str, handler: Any, call: Callable[..., Any], raw: Callable[[bytes, Any], Any]
    ) -> None:
        super().__init__(decorator, handler, call)
        self._raw = raw

    def __lambda_raw__(self, body: bytes, context: Any) -> Any:
        """As the handler's."""
        return self._raw(body, context)
