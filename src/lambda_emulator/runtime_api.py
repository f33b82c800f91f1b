"""The server side of the Runtime API: HTTP in, calls on a session out, the exact answers back.

The order of the platform's checks is the order of the lines in `_response` and `_error`: request id, nonce and state
(`Session.begin_answer`, which cannot be undone), then the response mode, then the body. It keeps no state of its own
but the runtime's release; legality is the session's, bodies of faults are `faults`'.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable

from lambda_emulator import faults
from lambda_emulator.answer import Answer
from lambda_emulator.http_message import Request, Response, Route, Routes
from lambda_emulator.http_server import HttpServer
from lambda_emulator.refusals import ACCEPTED, PONG, Refusal
from lambda_emulator.runtime_release import RuntimeRelease
from lambda_emulator.runtime_state import Move
from lambda_emulator.sessions import Session
from lambda_emulator.xray_cause import accepted_cause, split_error_cause
from runtime import protocol

__all__ = ["RuntimeApi"]

# Go's server writes a body that fits its buffer with a length, and any other in chunks.
_CHUNK_ABOVE_BYTES = 2048


class RuntimeApi:
    """One port, one session: what one life of a runtime process talks to."""

    def __init__(self, session: Session, *, snap_start: bool = False) -> None:
        self.release = RuntimeRelease()
        self._session = session
        answer, error = protocol.MAX_RESPONSE_BYTES, session.max_error_bytes
        invocation = f"{protocol.INVOCATION}{{id}}"
        table = [
            self._route("GET", protocol.NEXT, self._next),
            self._route("POST", invocation + protocol.RESPONSE_SUFFIX, self._response, answer),
            self._route("POST", invocation + protocol.ERROR_SUFFIX, self._error, error),
            self._route("POST", protocol.INIT_ERROR, self._init_error, error),
            self._route("GET", protocol.PING, self._ping),
        ]
        if snap_start:
            table += [
                self._route("GET", protocol.RESTORE_NEXT, self._restore_next),
                self._route("POST", protocol.RESTORE_ERROR, self._restore_error, error),
            ]
        self.server = HttpServer(Routes(tuple(table)), chunk_above_bytes=_CHUNK_ABOVE_BYTES)

    def _route(
        self,
        method: str,
        path: str,
        handler: Callable[[Request], Awaitable[Response | None]],
        max_body_bytes: int = 0,
    ) -> Route:
        async def refusing(request: Request) -> Response | None:
            self.release.learn(request.headers)
            try:
                return await handler(request)
            except Refusal as refusal:
                return refusal.response()

        return Route(method=method, path=path, handler=refusing, max_body_bytes=max_body_bytes)

    async def _next(self, request: Request) -> Response | None:
        delivery = await self._session.next(request.disconnected)
        if delivery is None:
            return None
        return Response(status=protocol.OK, headers=delivery.headers(), body=delivery.invocation.payload)

    async def _response(self, request: Request) -> Response:
        request_id = request.captures["id"]
        self._session.begin_answer(request_id, request.headers.get(protocol.INVOCATION_ID), Move.RESPONSE)
        mode = request.headers.get(protocol.RESPONSE_MODE)
        if mode and mode != protocol.STREAMING:
            # Found too late: the state has moved on, and the runtime never gets out of it. So it is in Lambda.
            self._session.answer(request_id, faults.invalid_response_mode())
            raise Refusal(protocol.INVALID_RESPONSE_MODE)
        if request.truncated:
            return self._take(request_id, faults.truncated(), Refusal(protocol.TRUNCATED_REQUEST))
        if request.body_bytes > protocol.MAX_RESPONSE_BYTES:
            return self._take(request_id, faults.response_too_large(), Refusal(protocol.REQUEST_TOO_LARGE))
        return self._take(request_id, _response_answer(request))

    async def _error(self, request: Request) -> Response:
        request_id = request.captures["id"]
        self._session.begin_answer(request_id, request.headers.get(protocol.INVOCATION_ID), Move.ERROR)
        if request.truncated:
            return self._take(request_id, faults.truncated(), Refusal(protocol.TRUNCATED_REQUEST))
        if request.body_bytes > self._session.max_error_bytes:
            return self._take(request_id, faults.response_too_large(), Refusal(protocol.REQUEST_TOO_LARGE))
        return self._take(request_id, _error_answer(request))

    async def _init_error(self, request: Request) -> Response:
        self._session.init_failed(_init_answer(request))
        return ACCEPTED

    async def _restore_next(self, request: Request) -> Response | None:
        restored = await self._session.restore_next(request.disconnected)
        return Response(status=protocol.OK) if restored else None

    async def _restore_error(self, request: Request) -> Response:
        self._session.restore_failed(_init_answer(request))
        return ACCEPTED

    async def _ping(self, _request: Request) -> Response:
        return PONG

    def _take(self, request_id: str, answer: Answer, refusal: Refusal | None = None) -> Response:
        self._session.answer(request_id, answer)
        self._session.answer_taken(request_id)
        return refusal.response() if refusal else ACCEPTED


def _response_answer(request: Request) -> Answer:
    """A result, or what the trailers of a stream say went wrong in its midst."""
    content_type = request.headers.get("content-type", protocol.JSON)
    error_type = request.trailers.get(protocol.ERROR_TYPE)
    error_body = request.trailers.get(protocol.ERROR_BODY)
    if not error_type and not error_body:
        return Answer(payload=request.body, content_type=content_type)
    recognised = faults.recognised_type(error_type)
    try:
        document = base64.b64decode(error_body or "", validate=True)
    except binascii.Error:
        document = b""  # loses only its details
    if document:
        return Answer(payload=document, failed=True, error_type=recognised)
    return Answer(payload=request.body, content_type=content_type, failed=True, error_type=recognised)


def _error_answer(request: Request) -> Answer:
    content_type = request.headers.get("content-type", protocol.JSON)
    error_type = faults.recognised_type(request.headers.get(protocol.ERROR_TYPE))
    if content_type != protocol.ERROR_CAUSE_JSON:
        cause = accepted_cause(request.headers.get(protocol.XRAY_CAUSE))
        return Answer(
            payload=request.body, content_type=content_type, failed=True, error_type=error_type, xray_cause=cause
        )
    split = split_error_cause(request.body)
    if split is None:
        return Answer(
            payload=b"Invalid error body", content_type=protocol.OCTET_STREAM, failed=True, error_type=error_type
        )
    document, cause = split
    return Answer(payload=document, failed=True, error_type=error_type, xray_cause=cause)


def _init_answer(request: Request) -> Answer:
    """Verbatim; its type is decided by what it is, not by what it is said to be."""
    try:
        json.loads(request.body)
    except (ValueError, RecursionError):
        content_type = protocol.OCTET_STREAM
    else:
        content_type = protocol.JSON
    error_type = faults.recognised_type(request.headers.get(protocol.ERROR_TYPE))
    return Answer(payload=request.body, content_type=content_type, failed=True, error_type=error_type)
