"""A streamed response between the runtime that produces it and the caller that reads it.

Bounded: the producer waits while the consumer has not taken what is there, so a slow consumer stops the function, and
a stream of any length needs no memory. Both ends belong to one event loop. It ends exactly once: by the producer, or
by the environment that cuts it. A consumer that leaves does not end it: what is produced then is thrown away.
"""

import asyncio
from dataclasses import dataclass

__all__ = ["AnswerStream", "StreamFailure"]

# What may wait for the consumer, besides the piece that went over it.
_BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFailure:
    """What went wrong after the response had begun."""

    error_type: str
    document: bytes = b""
    """The error's JSON; empty where there are no details."""


class AnswerStream:
    """Pieces of one response, in order."""

    def __init__(self) -> None:
        self.failure: StreamFailure | None = None
        """Known once it has ended; None for a stream that is complete."""
        self.produced_bytes = 0
        self._buffer = bytearray()
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._abandoned = False

    @property
    def has_ended(self) -> bool:
        """Nothing more will be produced."""
        return self._ended.is_set()

    async def feed(self, data: bytes) -> bool:
        """Hand a piece on, once the consumer has taken those before it. False if the stream was cut meanwhile."""
        while len(self._buffer) >= _BUFFER_BYTES and not self._abandoned and not self.has_ended:
            self._changed.clear()
            await self._changed.wait()
        if self.has_ended:
            return False
        self.produced_bytes += len(data)
        if not self._abandoned:
            self._buffer += data
            self._changed.set()
        return True

    def end(self, failure: StreamFailure | None = None) -> None:
        """No more pieces. Only the first call counts."""
        if not self.has_ended:
            self.failure = failure
            self._ended.set()
            self._changed.set()

    async def read(self) -> bytes:
        """All that is there, or the next piece; empty at the end."""
        while not self._buffer and not self.has_ended:
            self._changed.clear()
            await self._changed.wait()
        data = bytes(self._buffer)
        self._buffer.clear()
        self._changed.set()
        return data

    def abandon(self) -> None:
        """The consumer has left."""
        self._abandoned = True
        self._buffer.clear()
        self._changed.set()

    async def wait_until_ended(self) -> None:
        """Until nothing more is produced, however much is still to be read."""
        await self._ended.wait()
