"""The body of a request on its way in: read for the handler, or by it. Values and counting; the bytes are h11's."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import h11

__all__ = ["BodySource", "CountedBody", "ReadableBody", "first_of_each"]


class BodySource(Protocol):
    """What a body is read from."""

    @property
    def has_ended(self) -> bool:
        """The client has closed its side, and all that it had sent has been looked at."""

    async def next_body_event(self) -> h11.Data | h11.EndOfMessage:
        """Raises `h11.RemoteProtocolError`."""


class ReadableBody:
    """A body that its handler reads."""

    def __init__(self, connection: BodySource, patience_bytes: int) -> None:
        self.trailers: Mapping[str, str] = {}
        self.truncated = False
        self._connection = connection
        self._patience_bytes = patience_bytes
        self._ended = False

    async def read(self) -> bytes:
        """The next piece; empty at the end."""
        while not self._ended:
            try:
                event = await self._connection.next_body_event()
            except h11.RemoteProtocolError:
                if not self._connection.has_ended:
                    raise
                self.truncated = self._ended = True
                break
            if isinstance(event, h11.EndOfMessage):
                self.trailers = first_of_each(event.headers)
                self._ended = True
            elif event.data:
                return bytes(event.data)
        return b""

    async def read_all(self, limit_bytes: int) -> tuple[bytes, int]:
        """The beginning, and the length of all that came before patience was over."""
        body = CountedBody(limit_bytes, limit_bytes + self._patience_bytes)
        while body.arrived_bytes <= body.patience_bytes and (data := await self.read()):
            body.add(data)
        return bytes(body.kept), body.arrived_bytes


class CountedBody:
    """A body as it arrives: the beginning is kept, all of it is counted."""

    def __init__(self, limit_bytes: int, patience_bytes: int) -> None:
        self.kept = bytearray()
        self.arrived_bytes = 0
        self.patience_bytes = patience_bytes
        self.trailers: dict[str, str] = {}
        self._limit_bytes = limit_bytes

    def add(self, data: bytes) -> None:
        """The next piece."""
        self.kept += data[: self._limit_bytes - len(self.kept)]
        self.arrived_bytes += len(data)


def first_of_each(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; of a header that was sent twice, the first."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found
