"""Heads of requests and responses between h11's form and ours. Pure."""

from http import HTTPStatus

import h11

from lambda_emulator.http_message import Response

__all__ = ["head_bytes", "headers_as_sent", "joined", "malformed", "response_head", "value_bytes"]


def head_bytes(head: h11.Request) -> int:
    """How long a request's head is."""
    return len(head.target) + sum(len(name) + len(value) for name, value in head.headers)


def value_bytes(value: str | bytes) -> bytes:
    """A header's value as it goes out; text is Latin-1."""
    return value.encode("latin-1") if isinstance(value, str) else value


def response_head(response: Response, headers: list[tuple[bytes, bytes]]) -> h11.Response:
    """The status line and headers of a response."""
    reason = response.reason.encode("latin-1", "replace")
    return h11.Response(status_code=response.status, headers=headers, reason=reason)


def headers_as_sent(head: h11.Request) -> list[tuple[bytes, bytes]]:
    """All headers in order, names in the case in which they were sent."""
    return [(bytes(name), bytes(value)) for name, value in head.headers.raw_items()]


def joined(first: bytes | None, second: bytes | None) -> bytes:
    """What h11 gave, which gives None for nothing."""
    return (first or b"") + (second or b"")


def malformed(status: int) -> Response:
    """The answer to bytes that are no HTTP."""
    text = f"{status} {HTTPStatus(status).phrase}"
    return Response(status=status, headers=(("content-type", "text/plain; charset=utf-8"),), body=text.encode("ascii"))
