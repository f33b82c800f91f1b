"""One request at a time over kept connections: a POST or GET, an answer with a length. No redirects, no proxies.

`http.client` costs 12 ms more than the sockets below it; what DynamoDB and the credentials endpoint speak is this.
"""

from __future__ import annotations

import os

__all__ = ["Answer", "Endpoint", "HttpConnections", "HttpError"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from ssl import SSLContext

# The longest that DynamoDB answers is 16 MB (a query, which nobody makes here).
MAX_ANSWER_BYTES = 16_000_000
MAX_HEAD_BYTES = 65_536


class HttpError(Exception):
    """The request or its answer was lost on the way."""


class Endpoint:
    """Where a service is: `http://host:port` or `https://host`."""

    __slots__ = ("host", "is_secure", "path", "port")

    def __init__(self, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in ("http", "https") or not rest:
            raise ValueError(f"{url!r} is no address of a service: http://host[:port] or https://host[:port]")
        place, slash, path = rest.partition("/")
        host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
        self.is_secure = scheme == "https"
        self.host = (host if colon else place).strip("[]")
        self.port = int(port) if colon else 443 if self.is_secure else 80
        self.path = slash + path or "/"

    @property
    def authority(self) -> str:
        """What the `host` header says: without the port if it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"


class Answer:
    """Status and body."""

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body


class HttpConnections:
    """Connections to one endpoint, kept while they are idle; each thread takes one. A fork's child opens its own."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._idle: list[socket.socket] = []
        self._process = os.getpid()
        self._tls: SSLContext | None = None

    def request(self, method: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """The answer. Raises `HttpError`; what was asked for may have happened. A kept connection that turns out to
        be closed is replaced once, so callers must only send what may be sent twice."""
        head = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        start = f"{method} {self._endpoint.path} HTTP/1.1\r\nhost: {self._endpoint.authority}\r\n"
        request = f"{start}{head}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        try:
            kept = self._idle.pop()
        except IndexError:
            pass
        else:
            try:
                return self._exchange(kept, request)
            except (HttpError, OSError):
                pass  # closed while we were frozen or idle
        try:
            return self._exchange(self._connected(), request)
        except OSError as error:
            place = self._endpoint.authority
            raise HttpError(f"{place}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _connected(self) -> socket.socket:
        import socket  # late: 6 ms, with the first request

        endpoint = self._endpoint
        plain = socket.create_connection((endpoint.host, endpoint.port), self._timeout_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not endpoint.is_secure:
                return plain
            if self._tls is None:
                from ssl import create_default_context  # late: 6 ms, and 17 to read the certificates

                self._tls = create_default_context()
            return self._tls.wrap_socket(plain, server_hostname=endpoint.host)
        except BaseException:
            plain.close()
            raise

    def _exchange(self, connection: socket.socket, request: bytes) -> Answer:
        try:
            connection.sendall(request)
            answer, keeps = _answer(connection)
        except BaseException:
            connection.close()
            raise
        if keeps:
            self._idle.append(connection)
        else:
            connection.close()
        return answer


def _answer(connection: socket.socket) -> tuple[Answer, bool]:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _received(connection, data)
        if len(data) > MAX_HEAD_BYTES:
            raise HttpError("the answer's head has no end")
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise HttpError(f"no HTTP answer: {first[:80]!r}")
    body = data[end + 4 :]
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _chunks(connection, body)
    else:
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_ANSWER_BYTES:
            raise HttpError(f"an answer of length {length[:20]!r}")
        while len(body) < int(length):
            body += _received(connection, body)
    keeps = headers.get("connection", "").lower() != "close" and version != "HTTP/1.0"
    return Answer(int(rest[:3]), body), keeps


def _chunks(connection: socket.socket, data: bytes) -> bytes:
    body = b""
    while True:
        while (end := data.find(b"\r\n")) < 0:
            data += _received(connection, data)
        try:
            size = int(data[:end].split(b";")[0], 16)
        except ValueError as error:
            raise HttpError("a chunk without a size") from error
        if not 0 <= size <= MAX_ANSWER_BYTES - len(body):
            raise HttpError("an answer that is too long")
        data = data[end + 2 :]
        while len(data) < size + 2:
            data += _received(connection, data)
        body += data[:size]
        data = data[size + 2 :]
        if not size:
            return body


def _received(connection: socket.socket, so_far: bytes) -> bytes:
    more = connection.recv(65_536)
    if not more:
        raise HttpError(f"the connection was closed after {len(so_far)} bytes of the answer")
    return more
