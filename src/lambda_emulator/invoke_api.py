"""Lambda's API over HTTP on loopback, for boto3 and every other client that takes an endpoint URL: Invoke here, the
operations on functions in `management_api`.

It turns headers into an `InvokeRequest` and what comes back into the service's statuses, headers and error shapes;
every decision is the dispatcher's. Signatures are not looked at.
"""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from lambda_emulator import event_stream
from lambda_emulator.answer import Answer, failure_of
from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.dispatcher import Dispatched, Dispatcher
from lambda_emulator.errors import InvokeError, TooManyRequests, UnsupportedMediaType
from lambda_emulator.function_api import MAX_CODE_REQUEST_BYTES, FunctionApi
from lambda_emulator.http_message import Request, Response, Route, Routes
from lambda_emulator.http_server import HttpServer
from lambda_emulator.invoke_request import InvokeRequest
from lambda_emulator.management_api import ManagementApi
from lambda_emulator.mapping_api import MappingApi
from lambda_emulator.pollers.registry import EventSourceMappings
from lambda_emulator.result import log_tail
from runtime import protocol

__all__ = ["InvokeApi"]

_FUNCTION = "/2015-03-31/functions/{name}"
_STREAMING = "/2021-11-15/functions/{name}/response-streaming-invocations"
# What clients send for JSON: most SDKs declare a payload's bytes, boto3 declares nothing.
_JSON_TYPES = re.compile(r"(?i)application/(json|octet-stream|x-amz-json-1\.[01])(\s*;.*)?|binary/octet-stream")
_TRACE_HEADER = "x-amzn-trace-id"
# The longest body that a client may send to be told by how much it is too long.
_DISCARD_BYTES = 64 * 1024 * 1024
# More than any document of the management operations needs.
_MAX_DOCUMENT_BYTES = 1024 * 1024


class InvokeApi:
    """Listens from `start` to `close`, on a port of 127.0.0.1."""

    def __init__(self, dispatcher: Dispatcher, control: ControlPlane, mappings: EventSourceMappings) -> None:
        self._dispatcher = dispatcher
        self._starting = asyncio.Lock()
        management = ManagementApi(dispatcher, control)
        self._functions = FunctionApi(dispatcher, control)
        routes = Routes(
            (
                _route("POST", f"{_FUNCTION}/invocations", self._invoke, protocol.MAX_REQUEST_BYTES),
                _route("POST", _STREAMING, self._invoke_streamed, protocol.MAX_REQUEST_BYTES),
                *(
                    _route(method, path, _answering(handler), _MAX_DOCUMENT_BYTES)
                    for method, path, handler in (
                        *self._functions.table(),
                        *management.table(),
                        *MappingApi(mappings).table(),
                    )
                ),
                *(
                    _route(method, path, _answering(handler), MAX_CODE_REQUEST_BYTES)
                    for method, path, handler in self._functions.table_with_code()
                ),
            )
        )
        self._server = HttpServer(routes, discard_bytes=_DISCARD_BYTES)

    async def start(self, port: int = 0) -> str:
        """The URL; the first call opens the port, a free one unless told. Raises `OSError` if it is taken."""
        async with self._starting:
            if not self._server.is_listening:
                await self._server.start(port)
        return f"http://{self._server.address}"

    async def close(self) -> None:
        """Close the port; callers that wait are cut off."""
        await self._server.close()
        await self._functions.close()

    async def _invoke(self, request: Request, _request_id: str) -> Response:
        asked = _asked(request, streamed=False)
        dispatched = self._dispatcher.dispatch(asked)
        common = _common_headers(asked, dispatched)
        if asked.invocation_type == "Event":
            return Response(status=202, headers=tuple(common))
        if dispatched.answered is None or dispatched.completed is None:
            return Response(status=204, headers=tuple(common))
        # Shielded: a caller that hangs up does not stop the function.
        answer = await asyncio.shield(dispatched.answered)
        common += [("content-type", protocol.JSON), ("x-amz-executed-version", dispatched.executed_version)]
        if answer.failed:
            common.append(("x-amz-function-error", "Unhandled"))
        if asked.log_type == "Tail":
            completion = await asyncio.shield(dispatched.completed)
            common.append(("x-amz-log-result", log_tail(completion.log)))
        return Response(status=200, headers=tuple(common), body=answer.payload)

    async def _invoke_streamed(self, request: Request, _request_id: str) -> Response:
        asked = _asked(request, streamed=True)
        dispatched = self._dispatcher.dispatch(asked)
        common = _common_headers(asked, dispatched)
        if dispatched.answered is None:
            return Response(status=204, headers=tuple(common))
        answer = await asyncio.shield(dispatched.answered)
        common += [
            ("content-type", event_stream.CONTENT_TYPE),
            ("x-amz-executed-version", dispatched.executed_version),
        ]
        frames = _frames(answer, dispatched, with_log=asked.log_type == "Tail")
        return Response(status=200, headers=tuple(common), stream=frames)


def _asked(request: Request, *, streamed: bool) -> InvokeRequest:
    headers = request.headers
    content_type = headers.get("content-type")
    if content_type and not _JSON_TYPES.fullmatch(content_type.strip()):
        raise UnsupportedMediaType(f"Unsupported content type: {content_type}")
    return InvokeRequest(
        function_name=request.captures["name"],
        payload=request.body,
        payload_bytes=request.body_bytes,
        invocation_type=headers.get("x-amz-invocation-type") or "RequestResponse",
        log_type=headers.get("x-amz-log-type") or "None",
        qualifier=request.query_value("Qualifier"),
        client_context=headers.get("x-amz-client-context"),
        tenant_id=headers.get("x-amz-tenant-id"),
        trace_header=headers.get(_TRACE_HEADER),
        streamed=streamed,
    )


def _common_headers(asked: InvokeRequest, dispatched: Dispatched) -> list[tuple[str, str]]:
    common = [("x-amzn-requestid", dispatched.request_id)]
    if asked.trace_header:
        common.append((_TRACE_HEADER, asked.trace_header))
    return common


async def _frames(answer: Answer, dispatched: Dispatched, *, with_log: bool) -> AsyncGenerator[bytes, None]:
    """Chunks as they come, and one last message. A caller that leaves only stops listening."""
    stream = answer.stream
    try:
        if stream is not None:
            while data := await stream.read():
                yield event_stream.payload_chunk(data)
        elif answer.payload and not answer.failed:
            yield event_stream.payload_chunk(answer.payload)
        failure = failure_of(answer)
        log_result = None
        if with_log and dispatched.completed is not None:
            log_result = log_tail((await asyncio.shield(dispatched.completed)).log)
        details = failure.document.decode("utf-8", "replace") if failure else None
        yield event_stream.invoke_complete(failure.error_type if failure else None, details, log_result)
    finally:
        if stream is not None:
            stream.abandon()


def _route(
    method: str, path: str, handler: Callable[[Request, str], Awaitable[Response]], max_body_bytes: int = 0
) -> Route:
    async def refusing(request: Request) -> Response:
        request_id = str(uuid.uuid4())
        try:
            return await handler(request, request_id)
        except InvokeError as error:
            extra = [("x-amzn-errortype", error.code)]
            if isinstance(error, TooManyRequests):
                extra.append(("retry-after", "1"))
            return _json_response(error.status, error.body(), request_id, extra)

    return Route(method=method, path=path, handler=refusing, max_body_bytes=max_body_bytes)


def _answering(
    handler: Callable[[Request], Awaitable[tuple[int, dict[str, Any] | None]]],
) -> Callable[[Request, str], Awaitable[Response]]:
    """Documents as JSON; nothing as nothing."""

    async def handle(request: Request, request_id: str) -> Response:
        status, document = await handler(request)
        if document is None:
            return Response(status=status, headers=(("x-amzn-requestid", request_id),))
        return _json_response(status, document, request_id)

    return handle


def _json_response(
    status: int, document: dict[str, Any], request_id: str, extra: list[tuple[str, str]] | None = None
) -> Response:
    headers = [("content-type", protocol.JSON), ("x-amzn-requestid", request_id), *(extra or [])]
    return Response(status=status, headers=tuple(headers), body=json.dumps(document).encode())
