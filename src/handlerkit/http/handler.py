"""`http_handler`: a function of a request as a Lambda handler, behind whichever HTTP front.

As `event_handler`'s, the result is an ordinary `handler(event, context)` with the raw hook `__lambda_raw__`; both give
the same answer. Inside a running event loop (concurrency by asyncio) both give something to await.
"""

from __future__ import annotations

import sys

from handlerkit.events.generics import Generic, TypeVar

from .exchange import Exchange
from .parameters import Parameters

__all__ = ["HttpHandler", "http_handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from handlerkit.idempotency import Idempotency

    from .loop import AppLoop
    from .request import HttpRequest

F = TypeVar("F", bound="Callable[..., Any]")


class HttpHandler(Generic[F]):
    """A function as a Lambda handler. `func` is the function itself, for tests that need no event."""

    __name__: str
    __qualname__: str

    def __init__(
        self,
        func: F,
        *,
        stream: bool = False,
        fail_on_error: bool = False,
        idempotency: Idempotency | None = None,
        names: dict[str, Any] | None = None,
    ) -> None:
        self.func = func
        self._guarded: Callable[..., Any] | None = None
        if idempotency is not None:
            from .once import guarded  # late: not all are

            self._guarded = guarded(func, idempotency)
        self.__wrapped__ = func
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(func, name):
                setattr(self, name, getattr(func, name))
        self._loop: AppLoop | None = None
        self._parameters = Parameters(func, names or {})
        self._exchange = Exchange(
            self,
            self._parameters.request_type,
            self._respond,
            stream=stream,
            fail_on_error=fail_on_error,
            loop=self._kept_loop,
        )

    def __repr__(self) -> str:
        return f"<http_handler {getattr(self.func, '__qualname__', self.func)}>"

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle a parsed event; streams are collected, for runtimes that cannot stream."""
        return self._exchange.parsed(event, context)

    def __lambda_raw__(self, body: bytes, context: Any) -> Any:
        """Handle an event's bytes."""
        return self._exchange.raw(body, context)

    def __lambda_prepare__(self) -> None:
        """Load now what the first request would load."""
        import json  # noqa: F401

        from handlerkit import reply  # noqa: F401
        from handlerkit.events import encoded, headers, json_text, kinds, query, readers  # noqa: F401

        self._parameters.prepare()

    def _respond(self, request: HttpRequest[Any], context: Any, streams: bool) -> Any:
        del streams
        call = self._guarded or self.func
        return call(**self._parameters.of(request, context))

    def _kept_loop(self) -> AppLoop:
        if self._loop is None:
            from .loop import AppLoop  # late: asyncio costs 30 ms

            self._loop = self.__dict__.setdefault("_only_loop", AppLoop())  # atomic: threads may come together
        return self._loop


if TYPE_CHECKING:

    @overload
    def http_handler(func: F, /) -> HttpHandler[F]: ...
    @overload
    def http_handler(
        *, stream: bool = False, fail_on_error: bool = False, idempotency: Idempotency | None = None
    ) -> Callable[[F], HttpHandler[F]]: ...


def http_handler(
    func: F | None = None,
    /,
    *,
    stream: bool = False,
    fail_on_error: bool = False,
    idempotency: Idempotency | None = None,
) -> HttpHandler[F] | Callable[[F], HttpHandler[F]]:
    """Make a Lambda handler of a function that takes a request, its typed `body`, the `context`, or none of them.

    What it returns is the response: see `HttpResponse`. What it raises is one, too: an `HttpError` as it says, a body
    of the wrong shape 400 or 422, anything else 500 with the error in the log only; the invocation counts as a success
    unless `fail_on_error`. `stream=True` says that the front streams responses (a function URL with invoke mode
    `RESPONSE_STREAM`, a REST API with response streaming). `idempotency` keeps the function's effect to once per key:
    duplicates get the first response, 409 while it is being made, 422 for the same key with another payload, 400 for a
    request without a key. Its `key` is given what the function is given, by the same names, but for the context.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return HttpHandler(func, names=names)
    return lambda function: HttpHandler(
        function, stream=stream, fail_on_error=fail_on_error, idempotency=idempotency, names=names
    )
