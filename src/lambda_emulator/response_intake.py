"""What the runtime posts, made into answers: whole responses, streams, errors. It reads bodies and decides nothing
about state; the session has done that before.
"""

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Mapping

from lambda_emulator import faults
from lambda_emulator.answer import Answer
from lambda_emulator.answer_stream import AnswerStream, StreamFailure
from lambda_emulator.bandwidth import TokenBucket
from lambda_emulator.http_message import IncomingBody, Request
from lambda_emulator.xray_cause import accepted_cause, split_error_cause
from runtime import protocol

__all__ = ["error_answer", "init_answer", "relay", "response_answer", "stream_failure"]


async def relay(body: IncomingBody, stream: AnswerStream, *, bytes_per_s: int | None) -> bool:
    """Hand a body on piece by piece until it ends, and end the stream. False if the stream was cut meanwhile.

    A failure is left in the stream: what the trailers say, a truncated body, one over the limit.
    """
    bucket = TokenBucket(bytes_per_s=bytes_per_s, now_s=time.monotonic()) if bytes_per_s else None
    truncated = StreamFailure(error_type=protocol.TRUNCATED_RESPONSE, document=faults.truncated().payload)
    try:
        while data := await body.read():
            if stream.produced_bytes + len(data) > protocol.MAX_STREAM_BYTES:
                too_large = faults.response_too_large(protocol.MAX_STREAM_BYTES)
                stream.end(StreamFailure(error_type=protocol.RESPONSE_TOO_LARGE, document=too_large.payload))
                return True
            if bucket and (wait_s := bucket.take(len(data), time.monotonic())) > 0:
                await asyncio.sleep(wait_s)
            if not await stream.feed(data):
                return False
        stream.end(truncated if body.truncated else stream_failure(body.trailers))
        return True
    finally:
        stream.end(truncated)  # of no effect, unless the body was no HTTP, or the server is being closed


def stream_failure(trailers: Mapping[str, str]) -> StreamFailure | None:
    """What the trailers say went wrong; a body that is no base64 loses only its details."""
    error_type, error_body = trailers.get(protocol.ERROR_TYPE), trailers.get(protocol.ERROR_BODY)
    if not error_type and not error_body:
        return None
    try:
        document = base64.b64decode(error_body or "", validate=True)
    except binascii.Error:
        document = b""
    return StreamFailure(error_type=faults.recognised_type(error_type), document=document)


def response_answer(request: Request, body: bytes, trailers: Mapping[str, str]) -> Answer:
    """A result, or what the trailers of a stream say went wrong in its midst."""
    content_type = request.headers.get("content-type", protocol.JSON)
    failure = stream_failure(trailers)
    if failure is None:
        return Answer(payload=body, content_type=content_type)
    if failure.document:
        return Answer(payload=failure.document, failed=True, error_type=failure.error_type)
    return Answer(payload=body, content_type=content_type, failed=True, error_type=failure.error_type)


def error_answer(request: Request) -> Answer:
    """Verbatim, but for a body that holds its X-Ray cause."""
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


def init_answer(request: Request) -> Answer:
    """Verbatim; its type is decided by what it is, not by what it is said to be."""
    try:
        json.loads(request.body)
    except (ValueError, RecursionError):
        content_type = protocol.OCTET_STREAM
    else:
        content_type = protocol.JSON
    error_type = faults.recognised_type(request.headers.get(protocol.ERROR_TYPE))
    return Answer(payload=request.body, content_type=content_type, failed=True, error_type=error_type)
