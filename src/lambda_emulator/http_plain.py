"""Requests and answers without peculiarities, read and written in one go; everything else is h11's. Pure.

Nearly all that a local Lambda is sent is complete in one piece: a request line, headers, a body with its length. h11
takes such a request apart event by event, and that was the largest part of a warm invocation. What is read here is a
strict subset of what h11 reads, with the same result; whatever is not sure to be in it is left alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lambda_emulator.http_message import Response

__all__ = ["PlainBody", "PlainRequest", "plain_request", "plain_response"]

_MAX_HEAD_BYTES = 16 * 1024
_MAX_BODY_BYTES = 64 * 1024
_TOKEN = r"[-!#$%&'*+.^_`|~0-9A-Za-z]+"  # noqa: S105 (HTTP's word for a name)
_HEAD = re.compile(rf"({_TOKEN}) ([\x21-\x7e]+) HTTP/1\.1\r\n((?:{_TOKEN}:[\t\x20-\x7e\x80-\xff]*\r\n)+)", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,9}", re.ASCII)
_OWN_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
"""HEAD and CONNECT change what an answer is."""
_PECULIAR = frozenset({"connection", "expect", "transfer-encoding", "upgrade"})
"""Headers that change how a connection goes on, or how a body is read."""
_VISIBLE = rb"[\x21-\x7e\x80-\xff]+"
_RESPONSE_HEAD = re.compile(rb"(?:%s: (?:%s(?:[ \t]+%s)*)?\r\n)*" % (_TOKEN.encode(), _VISIBLE, _VISIBLE))
_FRAMING = frozenset({"connection", "content-length", "transfer-encoding"})
_MAX_ANSWER_BYTES = 32 * 1024


@dataclass(slots=True)
class PlainRequest:
    """A request's head; its body is the `length` bytes that follow the first `head_bytes`."""

    method: str
    target: str
    header_list: list[tuple[str, str]]
    """Names as they were sent."""
    headers: dict[str, str]
    """Names in lower case; of a header that was sent twice, the first."""
    head_bytes: int
    length: int


class PlainBody:
    """A body that has arrived, for a handler that reads it itself."""

    def __init__(self, body: bytes) -> None:
        self.trailers: Mapping[str, str] = {}
        self.truncated = False
        self.ended = False
        """The handler has been told that there is no more."""
        self._body = body

    async def read(self) -> bytes:
        """All of it, then nothing."""
        body, self._body = self._body, b""
        self.ended = not body
        return body

    async def read_all(self, limit_bytes: int) -> tuple[bytes, int]:
        """At most the first `limit_bytes` of what is left, and how long all of it was."""
        body, self._body = self._body, b""
        self.ended = True
        return body[:limit_bytes], len(body)


def plain_request(received: bytes | bytearray) -> PlainRequest | None:
    """The head of the first request among what was received. None where it is incomplete, peculiar or wrong.

    >>> plain_request(b"POST /a HTTP/1.1\\r\\nHost: here\\r\\nContent-Length: 2\\r\\n\\r\\nok").length
    2
    >>> plain_request(b"GET /a HTTP/1.1\\r\\nHost: here\\r\\nExpect: 100-continue\\r\\n\\r\\n") is None
    True
    """
    end = received.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
    if end < 0:
        return None
    match = _HEAD.fullmatch(received[: end + 2].decode("latin-1"))
    if match is None or match[1] not in _OWN_METHODS:
        return None
    header_list, headers, length = [], {}, "0"
    for line in match[3].split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.strip(" \t")
        header_list.append((name, value))
        key = name.lower()
        if key not in headers:
            headers[key] = value
        elif key in {"host", "content-length"}:
            return None
        if key == "content-length":
            length = value
    if "host" not in headers or not _PECULIAR.isdisjoint(headers) or not _LENGTH.fullmatch(length):
        return None
    if int(length) > _MAX_BODY_BYTES:
        return None
    return PlainRequest(match[1], match[2], header_list, headers, end + 4, int(length))


def plain_response(response: Response, *, chunk_above_bytes: int | None) -> bytes | None:
    """All bytes of an answer to a plain request, as h11 writes them. None for one that h11 has to write, or refuse.

    >>> plain_response(Response(status=200, headers=(("a", "b"),), body=b"ok"), chunk_above_bytes=None)
    b'HTTP/1.1 200 \\r\\na: b\\r\\ncontent-length: 2\\r\\n\\r\\nok'
    """
    body = response.body
    limit = _MAX_ANSWER_BYTES if chunk_above_bytes is None else min(chunk_above_bytes, _MAX_ANSWER_BYTES)
    if response.stream is not None or response.reason or response.status < 200 or len(body) > limit:
        return None
    lines = bytearray()
    for name, value in response.headers:
        if name.lower() in _FRAMING or not name.isascii():
            return None
        lines += b"%s: %s\r\n" % (name.encode("ascii"), value.encode("latin-1") if isinstance(value, str) else value)
    # A value with a line end in it would be two headers to whoever reads it, and more lines than there are headers.
    if not _RESPONSE_HEAD.fullmatch(lines) or lines.count(b"\n") != len(response.headers):
        return None
    if response.status in {204, 304}:
        return b"HTTP/1.1 %d \r\n%s\r\n" % (response.status, lines)
    return b"HTTP/1.1 %d \r\n%scontent-length: %d\r\n\r\n%s" % (response.status, lines, len(body), body)
