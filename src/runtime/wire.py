"""HTTP/1.1 for exactly this API, without I/O: request bytes out, messages in. Knows no socket and no clock.

Requests are made by two functions, one per method. Responses are read by `ResponseReader`: give it bytes as
they come (`feed`), take messages as they become complete (`next_message`). However the bytes are cut, the
messages are the same. What is not a response of this API raises `WireError` as soon as that can be known, never
later: a reader that waits for more of what cannot become a message would hang its process for ever, since
`/next` has no time limit.

Accepted: any case of header names, Content-Length and chunked bodies (with trailers, which are dropped), interim
1xx answers. Refused: a body without a length, two lengths that differ, bare line feeds, more than the limits.
"""

from . import protocol
from .head import Heads, WireError, shown

__all__ = ["Message", "ResponseReader", "WireError", "chunk", "get", "last_chunk", "post", "stream_head"]

MAX_HEAD_BYTES = 64 * 1024
"""An event's own headers stay below 10 kB (the client context is the largest, 3,583 bytes)."""
MAX_CHUNK_LINE_BYTES = 1024
"""Size and extensions of one chunk, or one trailer; Go and Node accept 4 kB and more, nobody sends it."""


class Message:
    """One complete response.

    `headers` has names in lower case and values stripped; `closes` says that nothing more will come on this
    connection.
    """

    __slots__ = ("body", "closes", "headers", "status")

    def __init__(self, status: int, headers: "dict[str, str]", body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        connection = headers.get("connection")
        self.closes = connection is not None and "close" in connection.lower()

    def described(self) -> str:
        """Status and text of a refusal, for a line in a log."""
        text = " ".join(self.body[:300].decode("utf-8", "replace").split())
        text = "".join(character if character.isprintable() else "?" for character in text)
        return f"{self.status} {text}" if text else str(self.status)


def get(host: str, path: str, user_agent: str, extra: str = "") -> bytes:
    """The bytes of a GET request; `extra` holds whole header lines."""
    agent = f"User-Agent: {user_agent}\r\n" if user_agent else ""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{agent}{extra}\r\n".encode("latin-1")


def post(host: str, path: str, content_type: str, length: int, extra: str = "") -> bytes:
    """The head of a POST request with a body of `length` bytes; `extra` holds whole header lines."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n{extra}"
    return f"{head}Content-Length: {length}\r\n\r\n".encode("latin-1")


def stream_head(host: str, invocation: "Invocation", content_type: str) -> bytes:
    """The head of a streamed response; chunks follow, and error trailers if it fails."""
    nonce = f"{protocol.INVOCATION_ID}: {invocation.invocation_id}\r\n" if invocation.invocation_id else ""
    return (
        f"POST {protocol.INVOCATION}{invocation.request_id}{protocol.RESPONSE_SUFFIX} HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: {content_type}\r\n{protocol.RESPONSE_MODE}: {protocol.STREAMING}\r\n{nonce}"
        f"Transfer-Encoding: chunked\r\nTrailer: {protocol.ERROR_TYPE}, {protocol.ERROR_BODY}\r\n\r\n"
    ).encode("latin-1")


def chunk(data: bytes) -> "list[bytes]":
    """One chunk of a chunked body, in parts so that large data is not copied. `data` must not be empty."""
    return [b"%x\r\n" % len(data), data, b"\r\n"]


def last_chunk(error_type: "str | None", error_body: "str | None") -> bytes:
    """The end of a chunked body; with an error, its trailers (`error_body` is base64)."""
    if error_type is None:
        return b"0\r\n\r\n"
    return f"0\r\n{protocol.ERROR_TYPE}: {error_type}\r\n{protocol.ERROR_BODY}: {error_body}\r\n\r\n".encode("ascii")


class ResponseReader:
    """Bytes in, messages out.

    `feed(b"")` says that the peer has closed. `next_message()` returns the next complete message or None for
    "more bytes are needed", and raises `WireError` for what can never become one; after that the reader is
    spent. `started` tells whether part of a message has arrived.
    """

    __slots__ = ("_at", "_data", "_eof", "_heads", "_in_body", "_known", "_known_message", "_steps")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        """How much of `_data` has been read. It is cut off when more comes, not before: cutting copies the rest."""
        self._eof = False
        self._in_body = False
        self._heads = Heads()
        # Acknowledgements repeat to the byte (their Date changes once a second): the last one is not parsed again.
        self._known = b""
        self._known_message = Message(0, {}, b"")
        self._steps = self._messages()

    @property
    def started(self) -> bool:
        """Whether part of a message has arrived and the rest has not (after `next_message` returned None)."""
        return self._in_body or self._at < len(self._data)

    def feed(self, data: bytes) -> None:
        """Take what was received; an empty value means end of stream."""
        if not data:
            self._eof = True
        elif self._at < len(self._data):
            self._data = self._data[self._at :] + data
            self._at = 0
        else:
            self._data = data
            self._at = 0

    def next_message(self) -> "Message | None":
        """The next complete message, or None when it needs more bytes than have come."""
        if self._at == len(self._data) and not self._in_body:
            return None
        return next(self._steps)

    # A generator, so that "wait for more" is a `yield` in the middle of reading and not a state to restore.
    # It yields None to ask for more bytes.
    def _messages(self) -> "Iterator[Message | None]":
        while True:
            if self._known and self._data.startswith(self._known, self._at):
                self._at += len(self._known)
                yield self._known_message
                continue
            searched = 0
            while (end := self._data.find(b"\r\n\r\n", self._at + searched)) < 0:
                searched = max(0, len(self._data) - self._at - 3)
                self._refuse_hopeless_head()
                yield None
            start, body_start = self._at, end + 4
            if end - start > MAX_HEAD_BYTES:
                raise WireError(f"response head of {end - start} bytes, more than {MAX_HEAD_BYTES}")
            status, headers = self._heads.parse(self._data[start:end])
            self._at = body_start
            if status < 200:
                continue
            self._in_body = True
            whole = b""
            if "transfer-encoding" in headers:
                at_once = _plain_chunks(self._data, body_start, headers)
                if at_once is None:
                    body = yield from self._chunked(headers)
                else:
                    body, self._at = at_once
            else:
                body_end = body_start + _content_length(status, headers)
                if body_end <= len(self._data):  # all of it came in one read, as small messages do
                    body = self._data[body_start:body_end]
                    self._at = body_end
                    if status == protocol.ACCEPTED:
                        whole = self._data[start:body_end]
                else:
                    parts: list[bytes] = []
                    yield from self._take(body_end - body_start, parts)
                    body = b"".join(parts)
            self._in_body = False
            message = Message(status, headers, body)
            if status == protocol.ACCEPTED:
                self._known, self._known_message = whole, message
            yield message

    def _refuse_hopeless_head(self) -> None:
        data = self._data[self._at :]
        if self._eof:
            if data:
                raise WireError(f"connection closed in the middle of a response head: {shown(data)}")
            return
        if not data.startswith(b"HTTP/1."[: len(data)]):
            raise WireError(f"not an HTTP/1.1 response: {shown(data)}")
        if len(data) > MAX_HEAD_BYTES + 4:
            raise WireError(f"response head of more than {MAX_HEAD_BYTES} bytes")
        if data.count(b"\n") != data.count(b"\r\n"):
            raise WireError(f"response head with bare line feeds: {shown(data)}")

    def _take(self, length: int, parts: "list[bytes]") -> "Generator[None, None, None]":
        """Read `length` bytes into `parts`, in the pieces in which they come."""
        missing = length
        while missing > len(self._data) - self._at:
            if self._at < len(self._data):
                parts.append(self._data[self._at :] if self._at else self._data)
                missing -= len(self._data) - self._at
                self._at = len(self._data)
            yield from self._more(f"a body of {length} bytes, {missing} of them missing")
        if missing:
            parts.append(self._data[self._at : self._at + missing])
            self._at += missing

    def _chunked(self, headers: "dict[str, str]") -> "Generator[None, None, bytes]":
        if headers["transfer-encoding"].lower() != "chunked":
            raise WireError(f"unknown transfer encoding {headers['transfer-encoding']!r}")
        if "content-length" in headers:
            raise WireError("both Content-Length and chunked: the body's end is ambiguous")
        parts: list[bytes] = []
        total = 0
        while True:
            line = yield from self._line("a chunk's size")
            digits = line.partition(b";")[0].strip()
            # int() alone would take signs, underscores and blanks inside
            if not digits or digits.strip(b"0123456789abcdefABCDEF") or len(digits) > 16:
                raise WireError(f"a chunk's size is no hexadecimal number: {shown(line)}")
            size = int(digits, 16)
            if size == 0:
                break
            total += size
            if total > protocol.MAX_EVENT_BYTES:
                raise WireError(f"a body of more than {protocol.MAX_EVENT_BYTES} bytes")
            yield from self._take(size, parts)
            if (yield from self._line("the end of a chunk")):
                raise WireError("a chunk longer than its stated size")
        while (yield from self._line("a trailer")):
            pass
        return b"".join(parts)

    def _line(self, what: str) -> "Generator[None, None, bytes]":
        while (end := self._data.find(b"\r\n", self._at)) < 0:
            rest = self._data[self._at :]
            if len(rest) > MAX_CHUNK_LINE_BYTES or b"\n" in rest:
                raise WireError(f"expected {what}, found {shown(rest)}")
            yield from self._more(what)
        line = self._data[self._at : end]
        self._at = end + 2
        if len(line) > MAX_CHUNK_LINE_BYTES or b"\n" in line:
            raise WireError(f"expected {what}, found {shown(line)}")
        return line

    def _more(self, missing: str) -> "Generator[None, None, None]":
        """Wait until something is fed that has not been read."""
        before = len(self._data) - self._at
        while len(self._data) - self._at == before:
            if self._eof:
                raise WireError(f"connection closed in the middle of a response: expected {missing}")
            yield None


def _plain_chunks(data: bytes, at: int, headers: "dict[str, str]") -> "tuple[bytes, int] | None":
    """The body in chunks that begins at `at`, and where it ends, if all of it is there and nothing is unusual.

    Events of ordinary size are; what is not, or is wrong, `_chunked` reads and words.
    """
    if headers["transfer-encoding"] != "chunked" or "content-length" in headers:
        return None
    parts: list[bytes] = []
    total = 0
    while True:
        end = data.find(b"\r\n", at, at + 10)
        size = data[at:end]
        if end < 0 or size.strip(b"0123456789abcdef"):
            return None
        start = end + 2
        at = start + int(size or b"0", 16)
        if data[at : at + 2] != b"\r\n":
            return None
        if at == start:
            return (b"".join(parts), at + 2) if size else None
        if not parts and data.startswith(_LAST_CHUNK, at + 2) and at - start <= protocol.MAX_EVENT_BYTES:
            return data[start:at], at + 2 + len(_LAST_CHUNK)  # one chunk, as nearly always
        total += at - start
        if total > protocol.MAX_EVENT_BYTES:
            return None
        parts.append(data[start:at])
        at += 2


_LAST_CHUNK = b"0\r\n\r\n"


def _content_length(status: int, headers: "dict[str, str]") -> int:
    text = headers.get("content-length")
    if text is None:
        if status in (204, 304):
            return 0
        raise WireError(f"a response (status {status}) with neither Content-Length nor chunked body")
    if not (text.isascii() and text.isdecimal()):
        raise WireError(f"Content-Length is not a number: {text[:40]!r}")
    length = int(text[:19])
    if length > protocol.MAX_EVENT_BYTES:
        raise WireError(f"a body of {text[:40]} bytes, more than {protocol.MAX_EVENT_BYTES}")
    return length


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Generator, Iterator

    from .invocation import Invocation
