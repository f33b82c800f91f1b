"""What is printed while several invocations run, line by line, each with its invocation's request id.

Loaded only with concurrency: elsewhere all lines between START and END belong to the one invocation.
"""

import io
import sys
from _contextvars import ContextVar

from .output import timestamp

__all__ = ["install"]


def install(output: "Output") -> None:
    """Replace standard output and error by streams that make records of lines."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Lines):
            setattr(sys, name, _Lines(stream, output))


class _Lines(io.TextIOBase):
    """A text stream whose complete lines become records; what is unfinished waits in its own context."""

    def __init__(self, stream: "TextIO", output: "Output") -> None:
        self._stream = stream
        self._output = output
        self._unfinished: ContextVar[str] = ContextVar("runtime.unfinished_line")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream behind."""
        return self._stream.encoding

    @property
    def buffer(self) -> "BinaryIO":
        """Bytes written here bypass all of this."""
        return self._stream.buffer

    def fileno(self) -> int:
        """Of the stream behind, for child processes."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take text; every line it completes is one record."""
        *lines, rest = (self._unfinished.get("") + text).split("\n")
        self._unfinished.set(rest)
        for line in lines:
            self._record(line)
        return len(text)

    def flush(self) -> None:
        """Send off what this context left unfinished."""
        rest = self._unfinished.get("")
        if rest:
            self._unfinished.set("")
            self._record(rest)

    def _record(self, line: str) -> None:
        invocation = self._output.present()
        request_id = invocation.request_id if invocation is not None else ""
        if self._output.json:
            from . import marshal  # the module is loaded; the name is only needed here

            values: dict[str, object] = {"timestamp": timestamp(), "level": "INFO", "message": line}
            if invocation is not None:
                values["requestId"] = request_id
                if invocation.tenant_id is not None:
                    values["tenantId"] = invocation.tenant_id
            self._output.record(marshal.dumps(values).decode(), 20)
        else:
            self._output.record(f"[INFO]\t{timestamp()}\t{request_id}\t{line}", 20)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, TextIO

    from .output import Output
