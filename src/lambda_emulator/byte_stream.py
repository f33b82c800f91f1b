"""The bytes of one client, in an event loop: what has come, and what is to go out. It knows no HTTP.

The transport's callbacks only collect bytes and set events; whoever uses the stream takes the bytes out of `received`.
"""

import asyncio
import contextlib
from typing import cast

from lambda_emulator.waiting import Signal

__all__ = ["ByteStream", "Gone"]

# What may wait unread behind what is being handled, before the socket is left alone.
_READ_AHEAD_BYTES = 256 * 1024
# How long a connection that is to be closed is still read, so that the answer is not lost to a reset.
_LINGER_S = 1.0


class Gone(Exception):  # noqa: N818 (no error: clients leave)
    """The client has left; there is nobody to serve."""


class ByteStream(asyncio.Protocol):
    """One connection. Reading pauses when too much waits in `received`; `resume` goes on."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.has_left = False
        """The client has closed its side."""
        self.disconnected = Signal()
        """The same, to be waited for."""
        self.peer = ("", 0)
        """Address and port of the client."""
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.peer = transport.get_extra_info("peername")[:2]

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > _READ_AHEAD_BYTES:
            self._paused = True
            self._transport.pause_reading()
        self._arrived.set()

    def eof_received(self) -> bool:
        self._end()
        return True  # the client may have closed only its sending side: it still gets its answers

    def connection_lost(self, _exc: Exception | None) -> None:
        self._end()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _end(self) -> None:
        self.has_left = True
        self.disconnected.set()
        self._arrived.set()

    def cut(self) -> None:
        """Drop the connection without another byte."""
        self._transport.abort()

    def close(self) -> None:
        """Drop it when all that was written has left."""
        self._transport.close()

    def resume(self) -> None:
        """Something was taken out of `received`."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    async def more(self) -> None:
        """Wait until something has come, or the client has left."""
        self._arrived.clear()
        await self._arrived.wait()

    async def write(self, data: bytes | None) -> None:
        """Send, no faster than the client reads. Raises `Gone`."""
        if self._transport.is_closing():
            raise Gone
        if data:
            self._transport.write(data)
            await self._writable.wait()

    async def flush(self) -> None:
        """Wait until what was written has left: cutting throws away what has not."""
        while self._transport.get_write_buffer_size() and not self._transport.is_closing():
            await asyncio.sleep(0.001)

    async def linger(self) -> None:
        """Say that no more will be sent, and read on for a moment: closing at once could destroy the answer."""
        if self.has_left or self._transport.is_closing():
            return
        self._transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while not self.has_left:
                    self.received.clear()
                    self.resume()
                    await self.more()
