"""What a process wrote, cut into the records that subscribers get. Bytes in, text out; no I/O.

Standard output is cut at line ends. The telemetry descriptor of managed runtimes carries frames instead, each a
record of its own however many lines it has:

    u32 type | u32 length | u64 microseconds since the epoch | payload, all big-endian
"""

import struct
from dataclasses import dataclass

__all__ = ["Frames", "Lines"]

_HEAD = struct.Struct("!IIQ")
# The upper three bytes of every frame's type; the lowest is format and level.
_MARK = 0xA55A00
# A line without end is a record when it is that long; the service cuts there as well (256 KiB per log event).
_MAX_LINE_BYTES = 256 * 1024
# Nobody frames more at once; a longer one is no frame.
_MAX_FRAME_BYTES = 64 * 1024 * 1024


class Lines:
    """Cuts at line ends.

    >>> lines = Lines()
    >>> lines.feed(b"one\\ntw"), lines.feed(b"o\\n\\nrest"), lines.rest()
    (['one'], ['two', ''], ['rest'])
    """

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without their ends."""
        *complete, self._begun = (self._begun + data).split(b"\n")
        if len(self._begun) > _MAX_LINE_BYTES:
            complete.append(self._begun)
            self._begun = b""
        return [line.decode("utf-8", "replace") for line in complete]

    def rest(self) -> list[str]:
        """What has no end yet, and will get none."""
        begun, self._begun = self._begun, b""
        return [begun.decode("utf-8", "replace")] if begun else []


@dataclass(frozen=True, slots=True)
class _Head:
    kind: int
    length: int


class Frames:
    """Takes frames apart. Bytes that are no frame are dropped up to the next that looks like one.

    >>> frames = Frames()
    >>> data = bytes.fromhex("a55a0003 00000003 0000000000000001") + b"a\\nb"
    >>> frames.feed(data[:9]), frames.feed(data[9:])
    ([], ['a\\nb'])
    """

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The payloads that are complete now."""
        self._received += data
        payloads = []
        while (head := self._head()) is not None and len(self._received) >= _HEAD.size + head.length:
            end = _HEAD.size + head.length
            payloads.append(self._received[_HEAD.size : end].decode("utf-8", "replace"))
            del self._received[:end]
        return payloads

    def _head(self) -> _Head | None:
        """The next frame's; None while it is not complete."""
        while len(self._received) >= _HEAD.size:
            kind, length, _ = _HEAD.unpack_from(self._received)
            if kind >> 8 == _MARK and length <= _MAX_FRAME_BYTES:
                return _Head(kind, length)
            following = self._received.find(b"\xa5\x5a\x00", 1)
            del self._received[: following if following > 0 else len(self._received) - 2]
        return None
