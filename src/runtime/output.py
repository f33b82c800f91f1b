"""Where the function's log goes: standard output, or Lambda's telemetry descriptor. One write per record.

On start-up this is all of logging there is. The formatters for the standard library's `logging` are in `logs`
and loaded with it; what `print` writes is not touched beyond being sent off line by line.

**The record hook.** `sys.stdout` and `sys.stderr` carry a method `__lambda_record__(text, level)`. A logging library
that knows the name hands over one complete record (`level` is `logging`'s number), which goes out as the records
of `logging` do: in one piece, in a frame of its level where there are frames, and with nothing put around it.

**The invocation hook.** The streams that the process began with (`sys.__stdout__`, whatever `sys.stdout` has become)
also carry a method `__lambda_invocation__()`: the `Invocation` that the calling code's context belongs to, or None, so
in threads that user code has started without it. For lines of handlers that no framework is around.
"""

import posix
import sys
import time

from .errors import Terminated
from .invocation import current

__all__ = ["INVOCATION_HOOK", "LEVELS", "RECORD_HOOK", "Output", "timestamp"]

LEVELS = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""Level names by `levelno // 10`."""

RECORD_HOOK = "__lambda_record__"
INVOCATION_HOOK = "__lambda_invocation__"

_FRAME = 0xA55A0003
"""First word of a telemetry frame: bit 0 set means text, clear JSON; above it the level (4 would be TRACE)."""


class Output:
    """The log of one process.

    `invocation` is the one being served, for records from threads that do not know theirs; where several are served
    at once, `belongs_to_context` says that only the context variable tells. `descriptor` is the
    number of Lambda's telemetry file, as text, or None for standard output.
    """

    def __init__(self, *, json: bool, levelled: bool, descriptor: "str | None" = None) -> None:
        self.invocation: Invocation | None = None
        self.belongs_to_context = False
        self.json = json
        # Levelled frames only where a format or level was configured, as the managed runtime has it.
        self._levelled = json or levelled
        self._descriptor = _open_descriptor(descriptor) if descriptor else -1
        self._framed = self._descriptor >= 0
        if not self._framed:
            try:
                # A descriptor of our own: a handler that closes standard output does not close the log.
                self._descriptor = posix.dup(1)
            except OSError:
                self._descriptor = 2
        for stream in (sys.stdout, sys.stderr):
            # Line by line, so that a line is out when the process is killed, and in one write, so that lines of
            # different threads do not mix.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
                setattr(stream, RECORD_HOOK, self.record)
                setattr(stream, INVOCATION_HOOK, _invocation)

    def present(self) -> "Invocation | None":
        """The invocation that the calling code belongs to."""
        if self.belongs_to_context:
            return current.get(None)
        return current.get(None) or self.invocation

    def reopen(self) -> None:
        """Use what standard output is now (a worker's log socket)."""
        if not self._framed:
            self._descriptor = posix.dup(1)

    def write(self, text: str) -> None:
        """Write text as it is, without level, request id or newline."""
        self._write(text, _FRAME)

    def record(self, text: str, level: int) -> None:
        """Write one complete record; `level` is `logging`'s number."""
        if not self._framed:
            return self._write(text if text.endswith("\n") else text + "\n", 0)
        frame = _FRAME
        if self._levelled:
            frame += (0, 8, 12, 16, 20, 24)[min(50, max(0, level)) // 10]
            frame -= self.json  # the JSON frames are the text frames without bit 0
        return self._write(text, frame)

    def error(self, fault: "Fault | Undescribed") -> None:
        """Write the record of an error nobody caught."""
        self.record(fault.json_record(timestamp()) if self.json else fault.text_record(timestamp()), 40)

    def warning(self, text: str) -> None:
        """Write a warning of the runtime's own, in the format of the function's records."""
        invocation = self.present()
        request_id = invocation.request_id if invocation is not None else ""
        if not self.json:
            return self.record(f"[WARNING]\t{timestamp()}\t{request_id}\t{text}", 30)
        from . import marshal  # the module is loaded; the name is only needed here

        values = {"timestamp": timestamp(), "level": "WARNING", "message": text, "logger": "runtime"}
        return self.record(marshal.dumps({**values, "requestId": request_id}).decode(), 30)

    def flush(self) -> None:
        """Send off what `print` left unfinished. A stream that user code closed or replaced is its own affair."""
        for name in ("stdout", "stderr"):
            try:
                getattr(sys, name).flush()
            except Terminated:
                raise
            except BaseException:  # noqa: BLE001, S110
                pass

    def _write(self, text: str, frame: int) -> None:
        data = text.encode("utf-8", "backslashreplace")
        if self._framed:
            head = frame.to_bytes(4, "big") + len(data).to_bytes(4, "big")
            data = head + (time.time_ns() // 1000).to_bytes(8, "big") + data
        else:
            self.flush()  # what was printed before comes before
        try:
            while data:
                data = data[posix.write(self._descriptor, data) :]
        except OSError:
            pass  # nobody reads the log any more; the invocation matters more


def _invocation() -> "Invocation | None":
    return current.get(None)


def _open_descriptor(text: str) -> int:
    """The number of an open file, or -1."""
    try:
        posix.fstat(int(text))
        return int(text)
    except (OSError, ValueError, OverflowError):
        return -1


def timestamp() -> str:
    """Now, as Lambda writes it: UTC with milliseconds."""
    milliseconds = time.time_ns() // 1_000_000
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{moment}.{milliseconds % 1000:03d}Z"


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from .faults import Fault
    from .invocation import Invocation
    from .reporting import Undescribed
