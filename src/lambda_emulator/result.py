"""What a caller and a test see of an invocation: the answer at once, and what is known only at its end.

Lambda answers the caller when the runtime posts the response; the invocation itself ends later, at the runtime's
following `/next`. So an `InvocationResult` holds the answer, and its log and report wait for the end when they are
read. The wait is bounded: an invocation is killed at its deadline.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from lambda_emulator.log_records import emitted_metrics, json_records
from lambda_emulator.xray_trace import Trace
from runtime import protocol

__all__ = ["Completion", "InvocationResult", "Report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of the REPORT line."""

    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None
    """Only for the invocation that started its environment; a repeated initialisation is in the duration."""
    status: Literal["success", "error", "timeout"]
    error_type: str | None
    restore_ms: float | None = None
    """SnapStart: what the invocation waited for the restore of its environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What is known when an invocation is over."""

    log: str
    init_log: str
    report: Report
    began_s: float = 0.0
    """When the event was delivered; seconds since the epoch."""
    trace: Callable[[], Trace] | None = field(repr=False, compare=False, default=None)
    """Reads what has been sent of the trace; None where tracing is not active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """The response to one invocation. `log`, `log_tail` and `report` wait for its end."""

    status_code: int
    payload: bytes
    function_error: str | None
    """`Unhandled` where the function failed, else None."""
    executed_version: str
    request_id: str
    completion: Callable[[], Completion] | None = field(repr=False, compare=False, default=None)
    """Waits for the end; None for a dry run, where nothing runs."""

    def json(self) -> Any:
        """The payload parsed. Raises ValueError if it is not JSON."""
        return json.loads(self.payload)

    @property
    def log(self) -> str:
        """All lines of this invocation, START to REPORT; empty for a dry run."""
        return self.completion().log if self.completion else ""

    @property
    def init_log(self) -> str:
        """What was logged before START: the environment's initialisation; empty for a warm one."""
        return self.completion().init_log if self.completion else ""

    @property
    def log_records(self) -> list[dict[str, Any]]:
        """The lines of the log that are JSON objects, parsed."""
        return json_records(self.log)

    @property
    def emitted_metrics(self) -> dict[str, list[float]]:
        """What the function has written in the embedded metric format: values by name."""
        return emitted_metrics(self.log)

    @property
    def log_tail(self) -> str:
        """Base64 of the last 4 KB of the log, as `X-Amz-Log-Result` carries it."""
        return log_tail(self.log)

    @property
    def report(self) -> Report:
        """The figures of the REPORT line. Raises ValueError for a dry run."""
        if self.completion is None:
            raise ValueError("a dry run has no report: nothing was run")
        return self.completion().report

    @property
    def trace(self) -> Trace:
        """The invocation's trace, as far as it has come by now. Raises ValueError where tracing is not active."""
        read = self.completion().trace if self.completion else None
        if read is None:
            raise ValueError("no trace: configure the function with tracing='Active', and do not run it dry")
        return read()


def log_tail(log: str) -> str:
    """Base64 of the last 4096 bytes.

    >>> log_tail("END\\n")
    'RU5ECg=='
    """
    return base64.b64encode(log.encode("utf-8", "replace")[-protocol.LOG_TAIL_BYTES :]).decode("ascii")
