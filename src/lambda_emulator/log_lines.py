"""The platform's own log lines, as they stand in CloudWatch, and the buffer that holds an invocation's log.

Lines are text with `\\n` at the end. Output of the function is bytes; what is no UTF-8 is replaced when it is read.
"""

from collections import deque
from datetime import UTC, datetime
from typing import Literal

from lambda_emulator.faults import timeout_text
from lambda_emulator.result import Report

__all__ = [
    "LogBuffer",
    "crash_line",
    "end_line",
    "init_report_line",
    "init_start_line",
    "report_line",
    "start_line",
    "timeout_line",
]


def init_start_line(region: str) -> str:
    """The runtime's version is ours: there is no managed image behind it."""
    return (
        "INIT_START Runtime Version: provided:al2023.local\t"
        f"Runtime Version ARN: arn:aws:lambda:{region}::runtime:{'0' * 64}\n"
    )


def init_report_line(
    duration_ms: float, phase: Literal["init", "invoke"], status: Literal["error", "timeout"], error_type: str | None
) -> str:
    """Written for an initialisation that failed."""
    line = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    return f"{line}\tError Type: {error_type}\n" if error_type and status == "error" else f"{line}\n"


def start_line(request_id: str, version: str) -> str:
    """The invocation begins."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end_line(request_id: str) -> str:
    """The invocation is over."""
    return f"END RequestId: {request_id}\n"


def timeout_line(request_id: str, timeout_s: float) -> str:
    """The function was killed at its deadline; an empty line follows, as in CloudWatch."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{now} {request_id} {timeout_text(timeout_s)}\n\n"


def crash_line(request_id: str, reason: str, error_type: str) -> str:
    """The process went away by itself."""
    return f"RequestId: {request_id} Error: {reason}\n{error_type}\n"


def report_line(request_id: str, report: Report) -> str:
    """Ends in a tab, also where it is followed by nothing."""
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {report.billed_ms} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {report.max_memory_mb} MB",
    ]
    if report.init_ms is not None:
        parts.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.status != "success":
        parts.append(f"Status: {report.status}")
    if report.status == "error" and report.error_type:
        parts.append(f"Error Type: {report.error_type}")
    return "\t".join(parts) + "\t\n"


class LogBuffer:
    """Collects output and lines in order; of more than `limit_bytes` it keeps the end, and says how much is missing."""

    def __init__(self, limit_bytes: int = 8 * 1024 * 1024) -> None:
        self._limit_bytes = limit_bytes
        self._pieces: deque[bytes] = deque()
        self._held_bytes = 0
        self._dropped_bytes = 0

    def output(self, data: bytes) -> None:
        """What the function wrote."""
        if not data:
            return
        self._pieces.append(data)
        self._held_bytes += len(data)
        while self._held_bytes > self._limit_bytes and len(self._pieces) > 1:
            dropped = len(self._pieces.popleft())
            self._held_bytes -= dropped
            self._dropped_bytes += dropped

    def line(self, text: str) -> None:
        """A line of the platform, which always begins on a line of its own; an empty text is none."""
        if text and self._pieces and not self._pieces[-1].endswith(b"\n"):
            self.output(b"\n")
        self.output(text.encode())

    def take(self) -> str:
        """All of it, as text; the buffer is empty afterwards."""
        text = b"".join(self._pieces).decode("utf-8", "replace")
        if self._dropped_bytes:
            text = f"[local lambda: {self._dropped_bytes} bytes of earlier output are not shown]\n{text}"
        self._pieces.clear()
        self._held_bytes = self._dropped_bytes = 0
        return text
