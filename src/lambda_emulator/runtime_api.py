"""The server side of the Runtime API: HTTP in, calls on a session out, the exact answers back.

The order of the platform's checks is the order of the lines in `_response` and `_error`: request id, nonce and state
(`Session.begin_answer`, which cannot be undone), then the response mode, then the body. It keeps no state of its own
but the runtime's release; legality is the session's, bodies of faults are `faults`'.
"""

import time
from collections.abc import Awaitable, Callable

from lambda_emulator import faults
from lambda_emulator.answer import Answer
from lambda_emulator.answer_stream import AnswerStream, StreamFailure
from lambda_emulator.http_message import Request, Response, Route, Routes
from lambda_emulator.http_server import HttpServer
from lambda_emulator.refusals import ACCEPTED, PONG, Refusal, refusing
from lambda_emulator.response_intake import error_answer, init_answer, relay, response_answer
from lambda_emulator.runtime_release import RuntimeRelease
from lambda_emulator.runtime_state import Move
from lambda_emulator.sessions import Session
from runtime import protocol

__all__ = ["RuntimeApi"]

# Go's server writes a body that fits its buffer with a length, and any other in chunks.
_CHUNK_ABOVE_BYTES = 2048


class RuntimeApi:
    """One port, one session: what one life of a runtime process talks to."""

    def __init__(
        self,
        session: Session,
        *,
        snap_start: bool = False,
        stream_bytes_per_s: int | None = None,
        on_next: Callable[[], None] = lambda: None,
        more: tuple[Route, ...] = (),
    ) -> None:
        """`on_next` is called at each /next and /init/error, before anything else; `more` are other APIs' routes."""
        self.release = RuntimeRelease()
        self._session = session
        self._on_next = on_next
        self._stream_bytes_per_s = stream_bytes_per_s
        error = session.max_error_bytes
        invocation = f"{protocol.INVOCATION}{{id}}"
        table = [
            self._route("GET", protocol.NEXT, self._next),
            self._route("POST", invocation + protocol.RESPONSE_SUFFIX, self._response, reads_body=True),
            self._route("POST", invocation + protocol.ERROR_SUFFIX, self._error, error),
            self._route("POST", protocol.INIT_ERROR, self._init_error, error),
            self._route("GET", protocol.PING, self._ping),
        ]
        if snap_start:
            table += [
                self._route("GET", protocol.RESTORE_NEXT, self._restore_next),
                self._route("POST", protocol.RESTORE_ERROR, self._restore_error, error),
            ]
        self.server = HttpServer(Routes((*table, *more)), chunk_above_bytes=_CHUNK_ABOVE_BYTES)

    def _route(
        self,
        method: str,
        path: str,
        handler: Callable[[Request], Awaitable[Response | None]],
        max_body_bytes: int = 0,
        *,
        reads_body: bool = False,
    ) -> Route:
        async def learning(request: Request) -> Response | None:
            self.release.learn(request.headers)
            return await handler(request)

        return Route(
            method=method,
            path=path,
            handler=refusing(learning),
            max_body_bytes=max_body_bytes,
            reads_body=reads_body,
        )

    async def _next(self, request: Request) -> Response | None:
        self._on_next()
        delivery = await self._session.next(request.disconnected)
        if delivery is None:
            return None
        return Response(status=protocol.OK, headers=delivery.headers(), body=delivery.invocation.payload)

    async def _response(self, request: Request) -> Response | None:
        request_id, began_s = request.captures["id"], time.monotonic()
        nonce = request.headers.get(protocol.INVOCATION_ID)
        delivery = self._session.begin_answer(request_id, nonce, Move.RESPONSE)
        mode = request.headers.get(protocol.RESPONSE_MODE)
        if mode and mode != protocol.STREAMING:
            # Found too late: the state has moved on, and the runtime never gets out of it. So it is in Lambda.
            self._session.answer(request_id, faults.invalid_response_mode(), began_s=began_s)
            raise Refusal(protocol.INVALID_RESPONSE_MODE)
        if mode and delivery.invocation.streamed:
            return await self._stream(request, request_id, began_s)
        assert request.incoming is not None
        try:
            body, body_bytes = await request.incoming.read_all(protocol.MAX_RESPONSE_BYTES)
        except BaseException:  # no HTTP any more, or the server is being closed
            self._take(request_id, faults.truncated(), began_s)
            raise
        if request.incoming.truncated:
            return self._take(request_id, faults.truncated(), began_s, Refusal(protocol.TRUNCATED_REQUEST))
        if body_bytes > protocol.MAX_RESPONSE_BYTES:
            return self._take(request_id, faults.response_too_large(), began_s, Refusal(protocol.REQUEST_TOO_LARGE))
        return self._take(request_id, response_answer(request, body, request.incoming.trailers), began_s)

    async def _stream(self, request: Request, request_id: str, began_s: float) -> Response | None:
        """The caller gets the beginning at once; the runtime its answer when all of it is handed on."""
        assert request.incoming is not None
        content_type = request.headers.get("content-type", protocol.OCTET_STREAM)
        stream = AnswerStream()
        self._session.answer(request_id, Answer(payload=b"", content_type=content_type, stream=stream), began_s=began_s)
        try:
            wanted = await relay(request.incoming, stream, bytes_per_s=self._stream_bytes_per_s)
        finally:
            self._session.stream_ended(request_id, stream)
            self._session.answer_taken(request_id)
        failed = stream.failure.error_type if stream.failure else None
        if request.incoming.truncated:
            return Refusal(protocol.TRUNCATED_REQUEST).response()
        if failed == protocol.RESPONSE_TOO_LARGE and not request.incoming.trailers:
            return Refusal(protocol.REQUEST_TOO_LARGE).response()
        return ACCEPTED if wanted else None

    async def _error(self, request: Request) -> Response:
        request_id, began_s = request.captures["id"], time.monotonic()
        if (stream := self._session.open_stream(request_id)) is not None:
            answer = error_answer(request)
            stream.end(StreamFailure(error_type=answer.error_type or protocol.RUNTIME_UNKNOWN, document=answer.payload))
            return ACCEPTED
        self._session.begin_answer(request_id, request.headers.get(protocol.INVOCATION_ID), Move.ERROR)
        if request.truncated:
            return self._take(request_id, faults.truncated(), began_s, Refusal(protocol.TRUNCATED_REQUEST))
        if request.body_bytes > self._session.max_error_bytes:
            return self._take(request_id, faults.response_too_large(), began_s, Refusal(protocol.REQUEST_TOO_LARGE))
        return self._take(request_id, error_answer(request), began_s)

    async def _init_error(self, request: Request) -> Response:
        self._on_next()
        self._session.init_failed(init_answer(request))
        return ACCEPTED

    async def _restore_next(self, request: Request) -> Response | None:
        restored = await self._session.restore_next(request.disconnected)
        return Response(status=protocol.OK) if restored else None

    async def _restore_error(self, request: Request) -> Response:
        self._session.restore_failed(init_answer(request))
        return ACCEPTED

    async def _ping(self, _request: Request) -> Response:
        return PONG

    def _take(self, request_id: str, answer: Answer, began_s: float, refusal: Refusal | None = None) -> Response:
        self._session.answer(request_id, answer, began_s=began_s)
        self._session.answer_taken(request_id)
        return refusal.response() if refusal else ACCEPTED
