"""What the platform says of an environment, once: as an event for subscribers and as a line for the log. Values.

In text mode the log has the lines, in JSON mode the events themselves. Which events are logged at all follows the
service's system log level INFO: what went well in detail is left to subscribers.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from lambda_emulator import log_lines
from lambda_emulator.extension import Extension
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.result import Report

__all__ = [
    "PlatformEvent",
    "Span",
    "extension",
    "init_report",
    "init_runtime_done",
    "init_start",
    "initialization_type",
    "logs_dropped",
    "report",
    "restore_report",
    "restore_runtime_done",
    "restore_start",
    "runtime_done",
    "start",
    "telemetry_subscription",
    "timestamp",
]

Phase = Literal["init", "invoke"]


def timestamp(at: datetime | None = None) -> str:
    """UTC with milliseconds.

    >>> timestamp(datetime(2026, 1, 31, 12, tzinfo=UTC))
    '2026-01-31T12:00:00.000Z'
    """
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEvent:
    """One thing that happened."""

    type: str
    record: Mapping[str, Any]
    line: str = ""
    """Its text form; empty for what text logs do not have."""
    logged: bool = True
    """JSON logs have it."""
    time: str = field(default_factory=timestamp)

    def envelope(self) -> dict[str, Any]:
        """As subscribers and JSON logs get it."""
        return {"time": self.time, "type": self.type, "record": dict(self.record)}

    def rendered(self, *, as_json: bool) -> str:
        """Its line in the log, or nothing."""
        if not as_json:
            return self.line
        return json.dumps(self.envelope(), separators=(",", ":")) + "\n" if self.logged else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of an invocation's time."""

    name: str
    start: datetime
    duration_ms: float

    def document(self) -> dict[str, Any]:
        """For a record."""
        return {"name": self.name, "start": timestamp(self.start), "durationMs": round(self.duration_ms, 3)}


def initialization_type(configuration: FunctionConfiguration) -> str:
    """As `AWS_LAMBDA_INITIALIZATION_TYPE` has it."""
    if configuration.max_concurrency is not None:
        return "lambda-managed-instances"
    if configuration.provisioned:
        return "provisioned-concurrency"
    return "snap-start" if configuration.snap_start else "on-demand"


def _runtime(configuration: FunctionConfiguration, log_stream: str) -> dict[str, Any]:
    return {
        "runtimeVersion": log_lines.RUNTIME_VERSION,
        "runtimeVersionArn": log_lines.runtime_version_arn(configuration.region),
        "functionName": configuration.name,
        "functionVersion": configuration.version,
        "instanceId": log_stream,
        "instanceMaxMemory": configuration.memory_mb * 1024 * 1024,
    }


def init_start(configuration: FunctionConfiguration, phase: Phase, log_stream: str) -> PlatformEvent:
    """A process is about to be started; only the first of an environment has a line."""
    record = {"initializationType": initialization_type(configuration), "phase": phase}
    return PlatformEvent(
        type="platform.initStart",
        record=record | _runtime(configuration, log_stream),
        line=log_lines.init_start_line(configuration.region) if phase == "init" else "",
    )


def init_runtime_done(
    configuration: FunctionConfiguration, phase: Phase, status: str, error_type: str | None = None
) -> PlatformEvent:
    """The runtime has asked for its first event, or never will."""
    record = {"initializationType": initialization_type(configuration), "phase": phase, "status": status}
    return PlatformEvent(
        type="platform.initRuntimeDone", record=_with(record, errorType=error_type), logged=status != "success"
    )


def init_report(
    configuration: FunctionConfiguration,
    phase: Phase,
    status: Literal["success", "error", "timeout"],
    duration_ms: float,
    error_type: str | None = None,
) -> PlatformEvent:
    """The figures of an initialisation; only one that failed has a line."""
    record = {
        "initializationType": initialization_type(configuration),
        "phase": phase,
        "status": status,
        "metrics": {"durationMs": round(duration_ms, 3)},
    }
    failed = status != "success"
    return PlatformEvent(
        type="platform.initReport",
        record=_with(record, errorType=error_type),
        line=log_lines.init_report_line(duration_ms, phase, status, error_type) if failed else "",
        logged=failed,
    )


def restore_start(configuration: FunctionConfiguration, log_stream: str) -> PlatformEvent:
    """A snapshot is about to be restored."""
    return PlatformEvent(
        type="platform.restoreStart",
        record=_runtime(configuration, log_stream),
        line=log_lines.restore_start_line(configuration.region),
    )


def restore_runtime_done(status: str, error_type: str | None = None) -> PlatformEvent:
    """The runtime's after-restore hooks are done."""
    return PlatformEvent(
        type="platform.restoreRuntimeDone",
        record=_with({"status": status}, errorType=error_type),
        logged=status != "success",
    )


def restore_report(status: str, duration_ms: float, error_type: str | None = None) -> PlatformEvent:
    """The figures of a restore."""
    record = {"status": status, "metrics": {"durationMs": round(duration_ms, 3)}}
    return PlatformEvent(
        type="platform.restoreReport",
        record=_with(record, errorType=error_type),
        line=log_lines.restore_report_line(duration_ms),
    )


def start(request_id: str, version: str, trace_header: str | None, tenant_id: str | None) -> PlatformEvent:
    """The invocation begins."""
    record = {"requestId": request_id, "version": version}
    return PlatformEvent(
        type="platform.start",
        record=_with(record, tracing=_tracing(trace_header), tenantId=tenant_id),
        line=log_lines.start_line(request_id, version),
    )


def runtime_done(
    request_id: str,
    status: str,
    *,
    error_type: str | None,
    duration_ms: float,
    produced_bytes: int,
    spans: Iterable[Span] = (),
    trace_header: str | None = None,
    tenant_id: str | None = None,
) -> PlatformEvent:
    """The runtime is back, or gone."""
    record = {
        "requestId": request_id,
        "status": status,
        "metrics": {"durationMs": round(duration_ms, 3), "producedBytes": produced_bytes},
        "spans": [span.document() for span in spans],
    }
    return PlatformEvent(
        type="platform.runtimeDone",
        record=_with(record, errorType=error_type, tracing=_tracing(trace_header), tenantId=tenant_id),
        logged=status != "success",
    )


def report(
    request_id: str, report_: Report, status: str, *, spans: Iterable[Span] = (), trace_header: str | None = None
) -> PlatformEvent:
    """The figures of an invocation."""
    metrics = _with(
        {
            "durationMs": report_.duration_ms,
            "billedDurationMs": report_.billed_ms,
            "memorySizeMB": report_.memory_mb,
            "maxMemoryUsedMB": report_.max_memory_mb,
        },
        initDurationMs=report_.init_ms,
        restoreDurationMs=report_.restore_ms,
    )
    record = {"requestId": request_id, "metrics": metrics, "status": status}
    documents = [span.document() for span in spans]
    return PlatformEvent(
        type="platform.report",
        record=_with(record, errorType=report_.error_type, spans=documents or None, tracing=_tracing(trace_header)),
        line=log_lines.report_line(request_id, report_),
    )


def extension(each: Extension, state: str, error_type: str | None = None) -> PlatformEvent:
    """An extension is initialised, or has failed."""
    record = {"name": each.name, "state": state, "events": list(each.events)}
    return PlatformEvent(
        type="platform.extension",
        record=_with(record, errorType=error_type),
        line=log_lines.extension_line(each.name, state, each.events, error_type),
    )


def telemetry_subscription(name: str, types: Iterable[str]) -> PlatformEvent:
    """An extension has subscribed."""
    return PlatformEvent(
        type="platform.telemetrySubscription",
        record={"name": name, "state": "Subscribed", "types": list(types)},
        line=log_lines.telemetry_line(name, types),
    )


def logs_dropped(reason: str, records: int, size_bytes: int) -> PlatformEvent:
    """For the one subscriber that has lost something."""
    record = {"reason": reason, "droppedRecords": records, "droppedBytes": size_bytes}
    return PlatformEvent(type="platform.logsDropped", record=record)


def _tracing(header: str | None) -> dict[str, str] | None:
    if not header:
        return None
    return {"spanId": uuid.uuid4().hex[:16], "type": "X-Amzn-Trace-Id", "value": header}


def _with(record: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return record | {name: value for name, value in optional.items() if value is not None}
