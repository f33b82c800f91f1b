"""HTTP fronts of local functions: function URLs, API Gateway, load balancers and VPC Lattice on a port of loopback.

A request becomes the front's event, the function's result becomes the response: what AWS refuses is refused with its
status and body. Behind one port there may be routes of different kinds.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Self

from lambda_emulator.answer import Answer
from lambda_emulator.answer_stream import AnswerStream
from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import InvalidConfiguration, InvalidPrelude, InvokeError, RequestTooLarge, TooManyRequests
from lambda_emulator.http_front_kinds import BAD_BASE64, BAD_RESULT, FRONTS, NO_ROUTE, THROTTLED, TIMED_OUT, TOO_LARGE
from lambda_emulator.http_front_request import FrontRequest
from lambda_emulator.http_front_response import BadResponse, Parts, response_of
from lambda_emulator.http_message import Request, Response, Route, StreamCut
from lambda_emulator.http_prelude import HttpPrelude, find_prelude
from lambda_emulator.http_route import HttpRoute, MatchedRoute, find_route
from lambda_emulator.http_server import HttpServer
from lambda_emulator.invoke_request import InvokeRequest
from lambda_emulator.service import LocalLambda, Side
from runtime import protocol

__all__ = ["HttpFront"]

# A test that looks why it got a 502 looks soon.
_REMEMBERED_REFUSALS = 100


class HttpFront:
    """Routes to functions of a `LocalLambda`, on one port.

        with HttpFront(service, [HttpRoute(function_name="orders", kind="http_api")]) as front:
            httpx.get(f"{front.url}/orders")

    `report` is called with one line for each response that the front refused, which the client is not told; `refusals`
    has the last of them. Port 0 takes a free one. Closed with the service, or before.
    """

    def __init__(
        self,
        service: LocalLambda,
        routes: Iterable[HttpRoute],
        *,
        port: int = 0,
        report: Callable[[str], object] | None = None,
    ) -> None:
        self.routes = tuple(routes)
        if not self.routes:
            raise InvalidConfiguration("routes is empty: a front needs one at least")
        self.refusals: deque[str] = deque(maxlen=_REMEMBERED_REFUSALS)
        self._service = service
        self._port = port
        self._report = report
        self._side: Side | None = None
        self._url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def start(self) -> str:
        """Listen; the URL, without a slash at its end. Raises `OSError` if the port is taken."""
        if self._side is None:
            self._side, self._url = self._service.open_side(
                lambda dispatcher: _FrontServer(dispatcher, self.routes, self._port, self._note)
            )
        return self._url

    @property
    def url(self) -> str:
        """Where it listens; empty before `start`."""
        return self._url

    def close(self) -> None:
        """Close the port. May be called again."""
        if self._side is not None:
            self._service.close_side(self._side)

    def _note(self, line: str) -> None:
        self.refusals.append(line)
        if self._report is not None:
            self._report(line)


class _FrontServer:
    """The asynchronous half: one server, in the service's event loop."""

    def __init__(
        self, dispatcher: Dispatcher, routes: tuple[HttpRoute, ...], port: int, note: Callable[[str], None]
    ) -> None:
        self._dispatcher = dispatcher
        self._routes = routes
        self._port = port
        self._note = note
        self._server = HttpServer(self)

    async def start(self) -> str:
        """Listen; the URL."""
        await self._server.start(self._port)
        return f"http://{self._server.address}"

    async def close(self) -> None:
        """Close the port; clients that wait are cut off."""
        await self._server.close()

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The server's route: one of ours, or the refusal of the first one's kind."""
        matched = find_route(self._routes, method, path)
        kind = FRONTS[matched.route.kind if matched else self._routes[0].kind]

        async def answer(request: Request) -> Response:
            if matched is None or not path.startswith("/"):
                return kind.refuse(NO_ROUTE)
            if request.body_bytes > kind.max_body_bytes:
                return kind.refuse(TOO_LARGE)
            return await self._answer(request, matched)

        return Route(method=method, path=path, handler=answer, max_body_bytes=kind.max_body_bytes), {}

    async def _answer(self, request: Request, matched: MatchedRoute) -> Response:
        route, kind = matched.route, FRONTS[matched.route.kind]
        asked = FrontRequest.of(request, matched)
        payload = json.dumps(kind.event(asked), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        invoked = InvokeRequest(
            function_name=route.function_name,
            payload=payload,
            payload_bytes=len(payload),
            qualifier=route.qualifier,
            trace_header=asked.header("x-amzn-trace-id"),
            streamed=route.streamed,
        )
        limit_s = route.timeout_s if route.timeout_s is not None else kind.timeout_s
        try:
            dispatched = self._dispatcher.dispatch(invoked)
            assert dispatched.answered is not None
            # Shielded: a front that stops waiting does not stop the function.
            answer = await asyncio.wait_for(asyncio.shield(dispatched.answered), limit_s)
            extra = _identifiers(route, dispatched.request_id, asked)
            if route.streamed:
                return await _streamed(answer, extra, only_head=request.method == "HEAD")
            parts = kind.parts(_payload(answer, kind.max_response_bytes), asked)
            return response_of(parts, extra=extra, only_head=request.method == "HEAD")
        except (BadResponse, InvalidPrelude, InvokeError, TimeoutError) as error:
            cause = _cause_of(error)
            reason = str(error) or f"the function did not answer within {limit_s} s"
            self._note(f"{request.method} {request.path}: {cause}: {reason}")
            return kind.refuse(cause)


def _identifiers(route: HttpRoute, invocation_id: str, asked: FrontRequest) -> list[tuple[str, str]]:
    """The headers that a front adds to a response."""
    match route.kind:
        case "function_url":
            return [("x-amzn-RequestId", invocation_id), ("x-amzn-trace-id", asked.header("x-amzn-trace-id"))]
        case "http_api":
            return [("Apigw-Requestid", asked.request_id)]
        case "rest":
            return [("x-amzn-RequestId", asked.request_id), ("x-amzn-trace-id", asked.header("x-amzn-trace-id"))]
        case _:
            return []


def _cause_of(error: Exception) -> str:
    match error:
        case TimeoutError():
            return TIMED_OUT
        case TooManyRequests():
            return THROTTLED
        case RequestTooLarge():
            return TOO_LARGE
        case BadResponse(is_base64=True):
            return BAD_BASE64
        case _:
            return BAD_RESULT


def _payload(answer: Answer, limit_bytes: int | None) -> bytes:
    if answer.failed:
        raise BadResponse(f"the function failed: {answer.error_type}")
    if limit_bytes is not None and len(answer.payload) > limit_bytes:
        raise BadResponse(f"the result has {len(answer.payload)} bytes, more than {limit_bytes}")
    return answer.payload


async def _streamed(answer: Answer, extra: list[tuple[str, str]], *, only_head: bool) -> Response:
    """The head when it is known, the rest as it comes. Raises `BadResponse` and `InvalidPrelude`."""
    received, ended = _payload(answer, None), answer.stream is None
    prelude, first = HttpPrelude(headers={"content-type": protocol.OCTET_STREAM}), received
    if answer.content_type == protocol.HTTP_INTEGRATION:
        while (found := find_prelude(received, ended=ended)) is None:
            assert answer.stream is not None
            piece = await answer.stream.read()
            ended = not piece
            received += piece
        prelude, first = found
    headers = [*prelude.headers.items(), *(("set-cookie", cookie) for cookie in prelude.cookies)]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", protocol.OCTET_STREAM))
    if prelude.status_code not in range(200, 600):
        raise BadResponse(f"statusCode is {prelude.status_code}, not a number from 200 to 599")
    parts = Parts(status=prelude.status_code, headers=headers, body=first)
    response = response_of(parts, extra=extra, only_head=only_head)
    if answer.stream is None:
        return response
    return Response(status=response.status, headers=response.headers, stream=_pieces(first, answer.stream))


async def _pieces(first: bytes, stream: AnswerStream) -> AsyncGenerator[bytes, None]:
    """Chunks as they come. A client that leaves only stops listening; a stream that fails breaks off."""
    try:
        if first:
            yield first
        while data := await stream.read():
            yield data
        if stream.failure is not None:
            raise StreamCut(stream.failure.error_type)
    finally:
        stream.abandon()
