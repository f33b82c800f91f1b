"""Lines of logs and metrics on their way out: standard output as it is at that moment, one write a line.

**The record hook.** A runtime that sends records off in frames, or that makes records of printed lines, gives its
standard streams a method `__lambda_record__(text, level)`, which takes one complete record; `level` is a number of
`logging`'s. Where it is missing, the line is written as text. The two share that name and nothing else.

A stream that is closed, or nobody's any more, costs the line and never the invocation.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock

__all__ = ["LineOutput"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Up to here the kernel keeps a write to a pipe in one piece (PIPE_BUF).
ATOMIC_CHARACTERS = 4_096 // 4
WAIT_S = 1.0
"""For another thread's long line; after that (a forked child may have inherited a held lock) ours is written anyway."""


class LineOutput:
    """Writes lines to `stream`, or to what `sys.stdout` is at the time, or else to `sys.stderr`."""

    __slots__ = ("_lock", "stream")

    def __init__(self, stream: Any = None) -> None:
        self.stream = stream
        self._lock = allocate_lock()

    def write(self, text: str, level: int) -> None:
        """Write one line, given without its end."""
        if len(text) > ATOMIC_CHARACTERS:
            is_ours = self._lock.acquire(timeout=WAIT_S)
            try:
                self._write(text, level)
            finally:
                if is_ours:
                    self._lock.release()
        else:
            self._write(text, level)

    def _write(self, text: str, level: int) -> None:
        stream = sys.stdout if self.stream is None else self.stream
        try:
            record = getattr(stream, "__lambda_record__", None)
            if record is not None:
                record(text, level)
                return
            stream.write(text + "\n")
            stream.flush()
        except UnicodeEncodeError:
            _rescued(stream, text)
        except Exception:  # noqa: BLE001  # closed, full, gone, or an object of the user's own
            _rescued(sys.stderr, text)


def _rescued(stream: Any, text: str) -> None:
    try:  # contextlib costs 3 ms of a cold start
        stream.write(escaped(text, getattr(stream, "encoding", None) or "ascii") + "\n")
        stream.flush()
    except Exception:  # noqa: BLE001, S110  # nobody is there to read it
        pass


def escaped(text: str, encoding: str) -> str:
    """`text` with what the encoding cannot hold written as JSON writes it."""
    from _json import encode_basestring_ascii  # late: only where standard output is not UTF-8, or text is no text

    def piece(character: str) -> str:
        try:
            character.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return encode_basestring_ascii(character)[1:-1]
        return character

    return "".join(one if one < "\x80" else piece(one) for one in text)
