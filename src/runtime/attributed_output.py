"""What is printed while several invocations run, line by line, each with its invocation's request id.

Loaded only with concurrency: elsewhere all lines between START and END belong to the one invocation.
"""

import io
import sys

from .output import timestamp

__all__ = ["install"]


def install(output: "Output") -> None:
    """Replace standard output and error by streams that make records of lines."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Lines):
            setattr(sys, name, _Lines(stream, output))


class _Lines(io.TextIOBase):
    """A text stream whose complete lines become records; what is unfinished waits with its invocation."""

    def __init__(self, stream: "TextIO", output: "Output") -> None:
        self._stream = stream
        self._output = output
        self._rest = ""

    def __lambda_record__(self, text: str, level: int) -> None:
        """Write a record that is complete: see `output`."""
        self._output.record(text, level)

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

    def reconfigure(self, **options: "Any") -> None:
        """Of the stream behind."""
        self._stream.reconfigure(**options)  # type: ignore[attr-defined]

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take text; every line it completes is one record."""
        *lines, rest = (self._take_unfinished() + text).split("\n")
        self._keep_unfinished(rest)
        for line in lines:
            self._record(line)
        return len(text)

    def flush(self) -> None:
        """Send off what the invocation left unfinished, and what was written as bytes."""
        rest = self._take_unfinished()
        if rest:
            self._record(rest)
        self._stream.flush()

    # With the invocation and not in a context variable: tasks of an asynchronous handler have contexts of their own.
    def _take_unfinished(self) -> str:
        invocation = self._output.present()
        if invocation is None:
            rest, self._rest = self._rest, ""
            return rest
        return invocation.unfinished.pop(self, "") if invocation.unfinished else ""

    def _keep_unfinished(self, rest: str) -> None:
        invocation = self._output.present()
        if invocation is None:
            self._rest = rest
        elif rest:
            if invocation.unfinished is None:
                invocation.unfinished = {}
            invocation.unfinished[self] = rest

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
    from typing import Any, BinaryIO, TextIO

    from .output import Output
