"""What a handler's function asks for: the request, its body, the context; by the names and types of its parameters."""

from __future__ import annotations

from handlerkit.signature import Signature

from .request import HttpRequest

__all__ = ["Parameters"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.events.readers import Reader

BODY, CONTEXT = "body", "context"


class Parameters:
    """`body` gets the body as its annotation says, `context` the context, one of any other name the request.

    Raises `TypeError` for a function that asks for more.
    """

    def __init__(self, function: Callable[..., Any], names: dict[str, Any]) -> None:
        self._function = function
        self.names, required = _names_of(function)
        others = [name for name in self.names if name not in (BODY, CONTEXT)]
        wanted = [name for name in others if name in required] or others[:1]
        if len(wanted) > 1:
            raise TypeError(
                f"{_title(function)} asks for {' and '.join(wanted)}: a handler gets the request, `body` and `context`"
            )
        self.request = wanted[0] if wanted else None
        self._reader: Reader | None = None
        self.request_type: type[HttpRequest[Any]] = HttpRequest
        self._is_ready = False
        try:  # noqa: SIM105  # contextlib costs 3 ms of a cold start
            self._resolve(names)
        except NameError:
            pass  # a name that the module defines further down: resolved with the first request

    def prepare(self) -> None:
        """Resolve what could not be when the function was defined."""
        if not self._is_ready:
            self._resolve({})

    def of(self, request: HttpRequest[Any], context: Any) -> dict[str, Any]:
        """The arguments for one call. Raises `HttpError` for a body that is not of its type."""
        self.prepare()
        arguments: dict[str, Any] = {}
        if self.request is not None:
            if self.request_type is not HttpRequest:
                typed = request if isinstance(request, self.request_type) else self.request_type(request.raw)
                _ = typed.body  # before the function runs
                request = typed
            arguments[self.request] = request
        if self._reader is not None:
            arguments[BODY] = request.body_by(self._reader)
        if CONTEXT in self.names:
            arguments[CONTEXT] = context
        return arguments

    def _resolve(self, names: dict[str, Any]) -> None:
        if self.request is not None:
            kind = self._annotation(self.request, names)
            if isinstance(kind, type) and issubclass(kind, HttpRequest):
                self.request_type = kind
            elif kind is not None:
                raise TypeError(
                    f"{_title(self._function)}: {self.request!r} is annotated as {kind!r:.80}, not as HttpRequest; "
                    "a typed body is a parameter named 'body'"
                )
        if BODY in self.names:
            from handlerkit.events.readers import reader_of

            kind = self._annotation(BODY, names)
            self._reader = reader_of(bytes if kind is None else kind)
        self._is_ready = True

    def _annotation(self, name: str, names: dict[str, Any]) -> Any:
        return Signature(self._function, name, Signature.NOT).annotation(names)


def _names_of(function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """All parameters, and those without a default."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__") or hasattr(function, "__self__"):
        from inspect import signature  # late: 9 ms, for methods, callable objects and decorated functions

        named = [one for one in signature(function).parameters.values() if one.kind not in (0, 2, 4)]
        return [one.name for one in named], [one.name for one in named if one.default is one.empty]
    count = code.co_argcount + code.co_kwonlyargcount
    if code.co_posonlyargcount:
        raise TypeError(f"{_title(function)}: positional-only parameters cannot be filled by their names")
    names = list(code.co_varnames[:count])
    defaults = len(function.__defaults__ or ())
    optional = {*names[code.co_argcount - defaults : code.co_argcount], *(function.__kwdefaults__ or ())}
    return names, [name for name in names if name not in optional]


def _title(function: object) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__
