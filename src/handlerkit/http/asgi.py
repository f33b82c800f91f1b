"""`asgi_handler`: an ASGI application (FastAPI, Starlette, Django, Litestar, …) as a Lambda handler, unchanged.

asyncio is loaded when a runtime prepares the handler, or with the first request, and not by importing this.
"""

from __future__ import annotations

from posix import getpid

from .exchange import Exchange

__all__ = ["AsgiHandler", "asgi_handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, Self

    from .asgi_cycle import Application, HttpCycle
    from .asgi_lifespan import Lifespan
    from .loop import AppLoop
    from .request import HttpRequest
    from .response import HttpResponse

LIFESPANS = ("auto", "on", "off")
# Kept from the invocation's time for saying that the application did not answer.
MARGIN_S = 0.25


class AsgiHandler:
    """An application as a Lambda handler; `app` is the application.

    In a `with` block the lifespan is ended with it, which is for tests: an environment's ends when it does.
    """

    is_async = True
    """Inside a loop that runs, what a call gives is to be awaited: for what is put around it."""

    def __init__(
        self, app: Application, *, lifespan: str, root_path: str | None, stream: bool, fail_on_error: bool
    ) -> None:
        if lifespan not in LIFESPANS:
            raise ValueError(f"lifespan is {lifespan!r}: there are {', '.join(LIFESPANS)}")
        if root_path is not None and (root_path.endswith("/") or (root_path and not root_path.startswith("/"))):
            raise ValueError(f"root_path is {root_path!r}: it begins with a slash and does not end with one")
        self.app = app
        self._root_path = root_path
        self._lifespan_mode = lifespan
        self._lifespan: _Started | None = None
        self._loop: AppLoop | None = None
        self._makers: tuple[type[HttpCycle], Callable[..., Any]] | None = None
        self._exchange = Exchange(
            self, _request_type(), self._respond, stream=stream, fail_on_error=fail_on_error, loop=self._kept_loop
        )
        if lifespan != "off":
            self.__lambda_shutdown__ = self.close

    def __repr__(self) -> str:
        return f"<asgi_handler {type(self.app).__module__}.{type(self.app).__qualname__}>"

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle a parsed event; streams are collected, for runtimes that cannot stream."""
        return self._exchange.parsed(event, context)

    def __lambda_raw__(self, body: bytes, context: Any) -> Any:
        """Handle an event's bytes."""
        return self._exchange.raw(body, context)

    def __lambda_prepare__(self) -> None:
        """Load what the first request would load, and start the application. Raises `LifespanError`."""
        import json  # noqa: F401
        from os import environ

        from handlerkit import reply  # noqa: F401
        from handlerkit.environ import forks_workers_later
        from handlerkit.events import encoded, headers, json_text, kinds, query, readers  # noqa: F401

        from . import asgi_cycle, asgi_scope, loop  # noqa: F401  # 30 ms for asyncio

        if forks_workers_later(environ):
            return  # each worker starts its own application, with its first request
        self._kept_loop().adopt()
        if self._lifespan_mode == "off":
            return
        lifespan = self._kept_loop().run(self._started())
        if not lifespan.is_supported:
            del self.__lambda_shutdown__  # nothing to wait for: the runtime need not ask to be told of the end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> Any:
        """End the application's lifespan. A runtime that knows `__lambda_shutdown__` calls it when it is to end.

        Inside the application's running loop it gives something to await.
        """
        found, self._lifespan = self._lifespan, None
        if found is None or found.process != getpid():  # none, or the parent process's
            return None
        from asyncio import run_coroutine_threadsafe

        from handlerkit.running_loop import is_in_loop

        stopping = found.lifespan.stop()
        if is_in_loop():
            return stopping
        if found.loop.is_running():
            return run_coroutine_threadsafe(stopping, found.loop).result()
        return found.loop.run_until_complete(stopping)

    def _respond(self, request: HttpRequest[Any], context: Any, streams: bool) -> Any:
        kept = self._loop or self._kept_loop()
        loop = None if streams else kept.take()
        if loop is None:
            return self._answered(request, context, streams)
        try:
            lifespan = None
            if self._lifespan_mode != "off":
                found = self._lifespan
                if found is None or not found.is_of(loop) or not found.has_started:
                    loop.run_until_complete(self._started())
                    found = self._lifespan
                lifespan = found.lifespan if found is not None else None
            return self._cycle(request, context, lifespan, loop).response_here()
        finally:
            kept.turn.release()

    async def _answered(self, request: HttpRequest[Any], context: Any, streams: bool) -> HttpResponse:
        from asyncio import get_running_loop

        lifespan = await self._started() if self._lifespan_mode != "off" else None
        return await self._cycle(request, context, lifespan, get_running_loop(), streams).response()

    def _cycle(
        self, request: HttpRequest[Any], context: Any, lifespan: Lifespan | None, loop: Any, streams: bool = False
    ) -> HttpCycle:
        if self._makers is None:
            from .asgi_cycle import HttpCycle
            from .asgi_scope import http_scope

            self._makers = HttpCycle, http_scope  # kept: an import statement costs half a µs
        make_cycle, make_scope = self._makers
        if streams:
            from .asgi_pieces import PiecewiseCycle  # late: most fronts take whole responses

            make_cycle = PiecewiseCycle
        state = dict(lifespan.state) if lifespan is not None else {}
        return make_cycle(
            self.app,
            make_scope(request, context, state, self._root_path),
            request.content,
            loop,
            limit_s=_limit_s(context),
            after_response=getattr(context, "__lambda_after_response__", None),
        )

    async def _started(self) -> Lifespan:
        """The application's lifespan, started; once per loop and process, also for requests that come together."""
        from asyncio import get_running_loop, shield

        loop = get_running_loop()
        found = self._lifespan
        if found is None or not found.is_of(loop):
            from .asgi_lifespan import Lifespan

            lifespan = Lifespan(self.app, is_required=self._lifespan_mode == "on")
            starting = loop.create_task(lifespan.start(), context=_of_no_invocation())
            found = self._lifespan = _Started(getpid(), loop, lifespan, starting)
            if self._loop is not None:
                self._loop.residents[:] = [lifespan]
        if not found.starting.done():
            await shield(found.starting)
        elif found.starting.cancelled() or found.starting.exception() is not None:
            self._lifespan = None  # this request fails as that one did, the next tries again
            await found.starting
        return found.lifespan

    def _kept_loop(self) -> AppLoop:
        if self._loop is None:
            from .loop import AppLoop  # late: asyncio costs 30 ms

            self._loop = self.__dict__.setdefault("_only_loop", AppLoop())  # atomic: threads may come together
        return self._loop


class _Started:
    """A lifespan with the process and the loop that it belongs to."""

    __slots__ = ("_has_started", "lifespan", "loop", "process", "starting")

    def __init__(self, process: int, loop: Any, lifespan: Lifespan, starting: Any) -> None:
        self.process = process
        self.loop = loop
        self.lifespan = lifespan
        self.starting = starting
        self._has_started = False

    def is_of(self, loop: Any) -> bool:
        """Whether it can be used in this process and this loop."""
        return self.loop is loop and self.process == getpid()

    @property
    def has_started(self) -> bool:
        """Whether nothing is left to wait for."""
        if not self._has_started:
            starting = self.starting
            self._has_started = starting.done() and not starting.cancelled() and starting.exception() is None
        return self._has_started


def asgi_handler(
    app: Application,
    *,
    lifespan: Literal["auto", "on", "off"] = "auto",
    root_path: str | None = None,
    stream: bool = False,
    fail_on_error: bool = False,
) -> AsgiHandler:
    """Make a Lambda handler of an ASGI application: `handler = asgi_handler(app)`.

    `lifespan`: "auto" runs the application's startup and shutdown if it has any, "on" fails without, "off" never does.
    `root_path` is where the application is mounted (`/v1` of a custom domain's mapping); None takes the stage's prefix.
    `stream=True` says that the front streams responses (a function URL with invoke mode `RESPONSE_STREAM`, a REST API
    with response streaming). An exception of the application is a 500 in the log, and the invocation a success, unless
    `fail_on_error`. The scope has the event and the context as `aws.event` and `aws.context`.
    """
    return AsgiHandler(app, lifespan=lifespan, root_path=root_path, stream=stream, fail_on_error=fail_on_error)


def _of_no_invocation() -> Any:
    """The present context without its invocation: what the application starts lives on, and is not the first's."""
    from contextvars import copy_context

    from handlerkit.scope import current, current_span

    context = copy_context()
    context.run(current.set, None)
    context.run(current_span.set, None)
    return context


def _request_type() -> type[HttpRequest[Any]]:
    from .request import HttpRequest

    return HttpRequest


def _limit_s(context: Any) -> float | None:
    """How long the application has to begin its response; None where nobody knows."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return None
    left_s = remaining() / 1000
    return max(left_s - MARGIN_S, left_s / 2)  # type: ignore[no-any-return]
