"""A blocking HTTP client that hides nothing: bytes out as they are given, answers taken apart by hand."""

import json
import socket
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["RawAnswer", "RawClient", "request_bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """One answer; header names are kept as sent in `names`, lower case in `headers`."""

    status: int
    names: tuple[str, ...]
    headers: dict[str, str]
    body: bytes
    chunk_sizes: tuple[int, ...]
    """Empty for an answer that came with its length."""

    def json(self) -> Any:
        return json.loads(self.body)


def request_bytes(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A request with its length; `headers` are added."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test"]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


class RawClient:
    """One connection. Nothing waits longer than ten seconds."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> RawAnswer:
        """One request, one answer."""
        self.send(request_bytes(method, path, body, headers))
        return self.answer()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def finish_sending(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def at_end(self) -> bool:
        """The server has closed the connection and nothing more comes."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True

    def answer(self) -> RawAnswer:
        """The next answer. Raises EOFError if the connection ends instead."""
        line = self._file.readline()
        if not line:
            raise EOFError
        status = int(line.split()[1])
        pairs = []
        while (line := self._file.readline().rstrip(b"\r\n")) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            pairs.append((name, value.strip()))
        headers = {name.lower(): value for name, value in pairs}
        body, sizes = b"", []
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self._file.readline(), 16):
                body += self._file.read(size)
                sizes.append(size)
                assert self._file.readline() == b"\r\n"
            assert self._file.readline() == b"\r\n"
        elif status not in (100, 204):
            body = self._file.read(int(headers["content-length"]))
        names = tuple(name for name, _ in pairs)
        return RawAnswer(status=status, names=names, headers=headers, body=body, chunk_sizes=tuple(sizes))
