"""The platform's own log lines, as they stand in CloudWatch, and the buffer that holds an invocation's log.

Lines are text with `\\n` at the end. Output of the function is bytes; what is no UTF-8 is replaced when it is read.
"""

import math
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from lambda_emulator.faults import timeout_text
from lambda_emulator.result import Report

__all__ = [
    "RUNTIME_VERSION",
    "LogBuffer",
    "crash_line",
    "end_line",
    "extension_line",
    "init_report_line",
    "init_start_line",
    "report_line",
    "restore_report_line",
    "restore_start_line",
    "runtime_version_arn",
    "start_line",
    "telemetry_line",
    "timeout_line",
]

RUNTIME_VERSION = "provided:al2023.local"
"""Ours: there is no managed image behind it."""


def runtime_version_arn(region: str) -> str:
    """Of no image."""
    return f"arn:aws:lambda:{region}::runtime:{'0' * 64}"


def init_start_line(region: str) -> str:
    """The environment begins."""
    return f"INIT_START Runtime Version: {RUNTIME_VERSION}\tRuntime Version ARN: {runtime_version_arn(region)}\n"


def restore_start_line(region: str) -> str:
    """SnapStart: the snapshot is restored."""
    return f"RESTORE_START Runtime Version: {RUNTIME_VERSION}\tRuntime Version ARN: {runtime_version_arn(region)}\n"


def restore_report_line(duration_ms: float) -> str:
    """SnapStart: restored, and the hooks are through."""
    return f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms\n"


def extension_line(name: str, state: str, events: Iterable[str], error_type: str | None = None) -> str:
    """An extension is there, or has failed.

    >>> extension_line("tail", "Ready", ("INVOKE", "SHUTDOWN"))
    'EXTENSION\\tName: tail\\tState: Ready\\tEvents: [INVOKE,SHUTDOWN]\\n'
    """
    line = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{','.join(events)}]"
    return f"{line}\tError Type: {error_type}\n" if error_type else f"{line}\n"


def telemetry_line(name: str, types: Iterable[str]) -> str:
    """An extension has subscribed.

    >>> telemetry_line("tail", ("platform", "function"))
    'TELEMETRY\\tName: tail\\tState: Subscribed\\tTypes: [Platform, Function]\\n'
    """
    listed = ", ".join(each.capitalize() for each in types)
    return f"TELEMETRY\tName: {name}\tState: Subscribed\tTypes: [{listed}]\n"


def init_report_line(duration_ms: float, phase: Literal["init", "invoke"], status: str, error_type: str | None) -> str:
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
    if report.restore_ms is not None:
        parts.append(f"Restore Duration: {report.restore_ms:.2f} ms")
        parts.append(f"Billed Restore Duration: {math.ceil(report.restore_ms)} ms")
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
