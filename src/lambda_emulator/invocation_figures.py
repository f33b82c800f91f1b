"""The figures of an invocation: its deadline when it begins, and the report's when it is over."""

import math
import time
import uuid
from dataclasses import dataclass
from typing import Literal

from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.initialisation import Initialised
from lambda_emulator.invocation import Delivery, Invocation
from lambda_emulator.result import Report

__all__ = ["Outcome", "delivery_of", "epoch_of", "make_report"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation ended."""

    ended_at_s: float
    """Of `time.monotonic`."""
    status: Literal["success", "error", "timeout"] = "success"
    event_status: str = "success"
    """As subscribers get it, who are told a crash from an error."""
    error_type: str | None = None


def delivery_of(invocation: Invocation, timeout_s: float) -> Delivery:
    """An attempt that begins now: its deadline, and a nonce of its own."""
    deadline_ms = math.floor((time.time() + timeout_s) * 1000)
    return Delivery(invocation=invocation, nonce=str(uuid.uuid4()), deadline_ms=deadline_ms)


def epoch_of(monotonic_s: float) -> float:
    """Epoch seconds of a moment of `time.monotonic` that is not long past."""
    return time.time() - (time.monotonic() - monotonic_s)


def make_report(
    configuration: FunctionConfiguration,
    outcome: Outcome,
    *,
    began_s: float,
    initialised: Initialised | None,
    peak_bytes: int,
) -> Report:
    """The figures: milliseconds billed are whole ones, begun ones count."""
    duration_ms = max(0.0, outcome.ended_at_s - began_s) * 1000
    restore_ms = initialised.restore_ms if initialised else None
    # What a snapshot was made of is not the invocation's; what was restored is.
    init_ms = initialised.init_ms if initialised and restore_ms is None else None
    return Report(
        duration_ms=round(duration_ms, 2),
        billed_ms=max(1, math.ceil(duration_ms)),
        memory_mb=configuration.memory_mb,
        max_memory_mb=max(1, math.ceil(peak_bytes / _MIB)),
        init_ms=None if init_ms is None else round(init_ms, 2),
        status=outcome.status,
        error_type=outcome.error_type,
        restore_ms=None if restore_ms is None else round(restore_ms, 2),
    )
