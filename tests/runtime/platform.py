"""A Runtime API that does what a test tells it: well-behaved by default, broken to the byte where asked.

Real TCP, one thread per connection, standard library only. The emulator is the honest platform of the other tests;
this one is for what an honest platform never sends.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
PATIENCE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    chunks: tuple[bytes, ...] = ()
    trailers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes to answer with, exactly; `close` ends the connection after them, `reset` ends it rudely."""

    data: bytes
    close: bool = False


def event(
    body: bytes = b"{}",
    request_id: str = "id-1",
    *,
    chunked: bool = False,
    deadline_ms: int | None = None,
    **headers: str,
) -> Reply:
    """The answer to `/next` that delivers `body`; keyword `trace_id` becomes `Lambda-Runtime-Trace-Id` and so on."""
    deadline_ms = deadline_ms if deadline_ms is not None else int(time.time() * 1000) + 30_000
    lines = [
        "HTTP/1.1 200 OK",
        f"Lambda-Runtime-Aws-Request-Id: {request_id}",
        f"Lambda-Runtime-Deadline-Ms: {deadline_ms}",
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:demo",
    ]
    if "content_type" not in headers:
        lines.append("Content-Type: application/json")
    for name, value in headers.items():
        prefix = "" if name == "content_type" else "Lambda-Runtime-"
        lines.append(f"{prefix}{name.replace('_', '-').title()}: {value}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
        data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body)}")
        data = body
    return Reply(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8") + data)


def refusal(status: int, kind: str = "SomeError") -> Reply:
    """A refusal as the platform words it."""
    body = b'{"errorMessage":"refused by the test","errorType":"%b"}\n' % kind.encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return Reply(head.encode() + body)


@dataclass
class Platform:
    """Answers `/next` from `events` (waiting while there are none) and every POST from `replies`, else with 202."""

    events: deque[Reply] = field(default_factory=deque)
    replies: deque[Reply] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    on_chunk: Callable[[bytes], object] | None = None
    """Called with every chunk of a streamed body as it arrives."""
    keep_chunks: bool = True
    hang_up_after_bytes: int | None = None
    """Close the connection when so much of a streamed body has arrived; once."""
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._closing = False
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        """For `AWS_LAMBDA_RUNTIME_API`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self._listener.getsockname()[1]}"

    def deliver(self, *replies: Reply) -> None:
        """Queue answers to `/next`."""
        with self._changed:
            self.events.extend(replies)
            self._changed.notify_all()

    @property
    def answers(self) -> list[Request]:
        """The POST requests so far."""
        return [request for request in self.requests if request.method == "POST"]

    def wait_until(self, condition: Callable[["Platform"], bool]) -> bool:
        """Wait for a condition on what has arrived; False when it did not come true in time."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout=PATIENCE_S)

    def close(self) -> None:
        """End all connections and threads. May be called again."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._connections.append(connection)
                number = len(self._connections)
                thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        stream = connection.makefile("rb")
        try:
            while (request := self._read(stream, number)) is not None:
                reply = self._reply_to(request)
                if reply is None:
                    return
                connection.sendall(reply.data)
                if reply.close:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
        except _HungUp:
            with self._changed:
                self.requests.append(Request(method="POST", path="", headers={}, body=b"", connection=number))
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        finally:
            stream.close()
            connection.close()

    def _read(self, stream: BinaryIO, number: int) -> Request | None:
        head = _head(stream)
        if head is None:
            return None
        method, path, headers = head
        if headers.get("transfer-encoding") == "chunked":
            chunks, trailers = self._read_chunks(stream)
            return Request(
                method=method,
                path=path,
                headers=headers,
                body=b"".join(chunks),
                connection=number,
                chunks=tuple(chunks),
                trailers=trailers,
            )
        length = int(headers.get("content-length", "0"))
        body = stream.read(length) if length else b""
        return Request(method=method, path=path, headers=headers, body=body, connection=number)

    def _read_chunks(self, stream: BinaryIO) -> tuple[list[bytes], dict[str, str] | None]:
        """The chunks of a body and its trailers; None for trailers says that the body broke off."""
        chunks: list[bytes] = []
        total = 0
        while line := stream.readline():
            size = int(line, 16)
            if size == 0:
                trailers = {}
                while (line := stream.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode("latin-1").partition(":")
                    trailers[name.lower()] = value.strip()
                return chunks, trailers
            data = stream.read(size)
            stream.read(2)
            total += size
            if self.keep_chunks:
                chunks.append(data)
            if self.on_chunk is not None:
                self.on_chunk(data)
            if self.hang_up_after_bytes is not None and total >= self.hang_up_after_bytes:
                self.hang_up_after_bytes = None
                raise _HungUp
        return chunks, None

    def _reply_to(self, request: Request) -> Reply | None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            if request.method == "POST":
                return self.replies.popleft() if self.replies else Reply(ACCEPTED)
            self._changed.wait_for(lambda: bool(self.events) or self._closing)
            return self.events.popleft() if self.events else None


class _HungUp(OSError):
    """The test wants no more of this stream."""


def _head(stream: BinaryIO) -> tuple[str, str, dict[str, str]] | None:
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode().split(" ")
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return method, path, headers
