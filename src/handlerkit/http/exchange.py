"""One invocation of an HTTP handler: event in, the front's answer out, whatever happens in between.

Two ways in (a parsed event, its bytes) and one result. What the handler raises becomes a response here, and nowhere
else; what the client is told of it is a problem document without a trace of the code.
"""

from __future__ import annotations

from handlerkit.events.readers import parsed
from handlerkit.scope import Inside, Scope, current, current_span, pause

from .errors import HttpError
from .mapping import UnsendableError, answer_of, prelude_of
from .request import HttpRequest
from .response import HttpResponse, body_bytes, is_stream, response_from, response_of_error

__all__ = ["STREAMING_KINDS", "Exchange", "log_error"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from .loop import AppLoop

# The fronts that can stream a response, if they are set up for it.
STREAMING_KINDS = ("function_url", "apigw_rest")
_MESSAGE = "The server failed to answer this request."
# Of each part of a log line's message.
_CHARACTERS = 200


class Exchange:
    """What all invocations of one handler have in common.

    `respond(request, context, streams)` gives a result, or something to await it from; `streams` tells it that a body
    in pieces reaches the client in pieces. `stream` says that the front passes streams on. `fail_on_error`: an
    unexpected exception fails the invocation, too.
    """

    def __init__(
        self,
        handler: Any,
        request_type: type[HttpRequest[Any]],
        respond: Callable[[HttpRequest[Any], Any, bool], Any],
        *,
        stream: bool,
        fail_on_error: bool,
        loop: Callable[[], AppLoop],
    ) -> None:
        self._handler = handler
        self._request_type = request_type
        self._respond = respond
        self._stream = stream
        self._fail_on_error = fail_on_error
        self._loop = loop
        self._encode: Callable[[Any], bytes] | None = None

    def parsed(self, event: Any, context: Any) -> Any:
        """From a parsed event to a value for a JSON encoder; streams are collected. Awaitable inside a loop."""
        return self._invoked(event, context, is_raw=False)

    def raw(self, body: bytes, context: Any) -> Any:
        """From an event's bytes to the answer's, or to an `HttpStream`. Awaitable inside a loop."""
        return self._invoked(body, context, is_raw=True)

    def _invoked(self, event: Any, context: Any, *, is_raw: bool) -> Any:
        scope = current.get()
        is_own = scope is None or (context is not None and scope.context is not context)
        if scope is None or is_own:
            scope = Scope(self._handler, context)
        call = _Call(self, scope, is_raw=is_raw, ends_scope=is_own)
        before = current.set(scope)
        around, outer = current_span.get(), scope.event
        try:
            if is_own:
                scope.begin()
            return call.run(event, context)
        except BaseException as error:
            scope.error = error
            raise
        finally:
            try:
                call.end()
                if not is_own:
                    scope.event = outer
                elif not scope.has_ended:
                    pause(scope, around)
            finally:
                current.reset(before)

    # --- what a call asks its exchange for ---

    def request_of(self, event: Any, *, is_raw: bool) -> HttpRequest[Any]:
        """The request. Raises `EventValidationError` for what is none."""
        if is_raw or isinstance(event, (bytes, bytearray)):
            event = parsed("HttpRequest", event)
        return self._request_type(event)

    def respond(self, request: HttpRequest[Any], context: Any, *, is_raw: bool) -> Any:
        """The handler's result, or something to await it from."""
        return self._respond(request, context, self.streams(request.kind, is_raw=is_raw))

    def streams(self, kind: str, *, is_raw: bool) -> bool:
        """Whether the answer goes out as a stream."""
        return self._stream and is_raw and kind in STREAMING_KINDS

    def encode(self, answer: dict[str, Any]) -> bytes:
        """An answer as JSON."""
        if self._encode is None:
            from handlerkit.reply import encoded  # late: 5 ms for json; kept: an import statement costs half a µs

            self._encode = encoded
        return self._encode(answer)

    def failed(self, error: BaseException, scope: Scope) -> HttpResponse:
        """The response for what a handler raised. Raises it again where it is to fail the invocation."""
        if isinstance(error, HttpError):
            return response_of_error(error)
        if not isinstance(error, Exception) or self._fail_on_error:
            raise error
        scope.error = error
        log_error("the handler failed", error)
        return response_of_error(HttpError(500, _MESSAGE))

    def unsendable(self, error: Exception, scope: Scope) -> HttpResponse:
        """The response instead of one that no front could send."""
        if self._fail_on_error:
            raise error
        scope.error = error
        log_error("the response cannot be sent", error)
        return response_of_error(HttpError(500, _MESSAGE))

    def loop(self) -> AppLoop:
        """Where to wait for what is asynchronous."""
        return self._loop()


class _Call:
    """One invocation."""

    __slots__ = ("_ends_scope", "_exchange", "_is_raw", "_scope")

    def __init__(self, exchange: Exchange, scope: Scope, *, is_raw: bool, ends_scope: bool) -> None:
        self._exchange = exchange
        self._scope = scope
        self._is_raw = is_raw
        self._ends_scope = ends_scope

    def end(self) -> None:
        """End the scope, unless a stream or a task will."""
        if self._ends_scope:
            self._ends_scope = False
            self._scope.end()

    def run(self, event: Any, context: Any) -> Any:
        """The answer, or something to await it from."""
        request = self._exchange.request_of(event, is_raw=self._is_raw)
        self._scope.event = request
        try:
            result = self._exchange.respond(request, context, is_raw=self._is_raw)
            if not hasattr(result, "__await__"):
                response = response_from(result)
                if not hasattr(response.body, "__aiter__"):
                    return self._finished(response, request)
                result = _given(response)
        except BaseException as error:  # noqa: BLE001  # raised again where it is nobody's answer
            return self._finished(self._exchange.failed(error, self._scope), request)
        from handlerkit.running_loop import is_in_loop

        if is_in_loop():
            ends_scope, self._ends_scope = self._ends_scope, False
            return self._awaited_in_loop(result, request, ends_scope=ends_scope)
        response = self._exchange.loop().run(self._awaited(result, request))
        return self._finished(response, request)

    async def _awaited_in_loop(self, result: Awaitable[Any], request: HttpRequest[Any], *, ends_scope: bool) -> Any:
        """The answer, in the scope, which `_invoked` has left before this begins."""
        self._ends_scope = ends_scope
        with Inside(self._scope):
            try:
                return self._finished(await self._awaited(result, request), request)
            except BaseException as error:
                self._scope.error = error
                raise
            finally:
                self.end()

    async def _awaited(self, result: Awaitable[Any], request: HttpRequest[Any]) -> HttpResponse:
        try:
            response = response_from(await result)
            if not self._exchange.streams(request.kind, is_raw=self._is_raw) and hasattr(response.body, "__aiter__"):
                from .stream import collected_async

                _name_form(response)
                response.body = await collected_async(response.body)
        except BaseException as error:  # noqa: BLE001  # as above
            response = self._exchange.failed(error, self._scope)
        return response

    def _finished(self, response: HttpResponse, request: HttpRequest[Any]) -> Any:
        """The answer as the caller takes it."""
        exchange = self._exchange
        if exchange.streams(request.kind, is_raw=self._is_raw):
            return self._streamed(response, request)
        try:
            if is_stream(response.body):
                from .stream import collected

                _name_form(response)
                response.body = collected(response.body)
        except BaseException as error:  # noqa: BLE001  # as above
            response = exchange.failed(error, self._scope)
        try:
            answer = answer_of(response, request.kind, request.method)
        except (UnsendableError, ValueError, TypeError) as error:
            answer = answer_of(exchange.unsendable(error, self._scope), request.kind, request.method)
        return exchange.encode(answer) if self._is_raw else answer

    def _streamed(self, response: HttpResponse, request: HttpRequest[Any]) -> Any:
        from .stream import AsyncChunks, Chunks, HttpStream, Waited

        try:
            body = response.body
            if is_stream(body):
                _name_form(response)
            else:
                data, form = body_bytes(response)
                if form is not None and response.content_type is None and response.header("content-type") is None:
                    response.content_type = form
                body = iter((data,) if data else ())
            prelude = prelude_of(response, request.method)
        except (UnsendableError, ValueError, TypeError) as error:
            if hasattr(response.body, "abandon"):
                response.body.abandon()
            return self._streamed(self._exchange.unsendable(error, self._scope), request)
        if not self._ends_scope:
            scope = _continued(self._scope, request)
        else:
            scope, self._ends_scope = self._scope, False
        if hasattr(body, "__aiter__"):
            from handlerkit.running_loop import is_in_loop

            if is_in_loop():
                return HttpStream(prelude, AsyncChunks(body, scope))
            body = Waited(body, self._exchange.loop().run)
        return HttpStream(prelude, Chunks(body, scope))


def _continued(scope: Scope, request: HttpRequest[Any]) -> Scope:
    """A scope for what comes of an invocation when its own, which somebody around the handler ends, is over."""
    continued = Scope(scope.handler, scope.context)
    continued.event = request
    opened = current_span.get()
    if opened is not None:
        from handlerkit.tracing.generators import Steps

        continued.paused = Steps(opened)
    return continued


async def _given(response: HttpResponse) -> HttpResponse:
    return response


def _name_form(response: HttpResponse) -> None:
    """A stream without a content type is bytes."""
    if response.content_type is None and response.header("content-type") is None:
        response.content_type = "application/octet-stream"


def log_error(message: str, error: BaseException) -> None:
    """An error with its traceback and the request it met, to the function's log and nowhere else.

    Of the request it tells the method and the API's route; a path may hold what no log should.
    """
    import logging  # late: 9 ms, only for what fails

    from handlerkit.own_frames import exc_info_of

    scope = current.get()
    asked = _line_of(scope.event) if scope is not None and isinstance(scope.event, HttpRequest) else {}
    logging.getLogger("handlerkit.http").error(
        "%s: %s",
        " ".join((*asked.values(), message)) if asked else message,
        _words_of(error),
        exc_info=exc_info_of(error),
        extra={f"http_{name}": value for name, value in asked.items()},
    )


def _line_of(request: HttpRequest[Any]) -> dict[str, str]:
    """`method` and `route`, which is the front's kind where that has no routes."""
    method, route = request.method, request.route or ""
    if route.startswith("$") or not route:
        route = f"({request.kind} {route})" if route else f"({request.kind})"
    return {"method": method[:_CHARACTERS], "route": route.removeprefix(f"{method} ")[:_CHARACTERS]}


def _words_of(error: BaseException) -> str:
    name = type(error).__name__
    try:
        words = str(error)
    except Exception:  # noqa: BLE001  # user code, about to be told of
        return name
    # One line: the whole of it stands in the traceback.
    return f"{name}: {' '.join(words.split())[:_CHARACTERS]}" if words else name
