"""What has run: every invocation that is over, whoever asked for it, kept for tests and for a live view.

Callers of `invoke` have their result; of asynchronous invocations, mappings and HTTP fronts this is the place to look.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lambda_emulator.log_records import emitted_metrics, json_records
from lambda_emulator.result import Completion, Report

__all__ = ["History", "PastInvocation"]

# Bounds memory over a long run: so many, and of these only as many as have so many bytes of events, answers and logs.
_KEPT = 10_000
_KEPT_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInvocation:
    """One attempt at an invocation: a retry is another one with the same request id."""

    function: str
    qualifier: str | None
    """The alias or version that was asked for."""
    version: str
    request_id: str
    ended_s: float
    """Of the local Lambda's clock, seconds since the epoch."""
    event: bytes
    payload: bytes
    """The answer; the first part of it where it was streamed."""
    failed: bool
    completion: Completion = field(repr=False)

    @property
    def log(self) -> str:
        """All lines of this invocation, START to REPORT, with those of the initialisation before them."""
        return self.completion.init_log + self.completion.log

    @property
    def report(self) -> Report:
        """The figures of the REPORT line."""
        return self.completion.report

    @property
    def log_records(self) -> list[dict[str, Any]]:
        """The lines that are JSON objects, parsed."""
        return json_records(self.log)

    @property
    def emitted_metrics(self) -> dict[str, list[float]]:
        """What the function has written in the embedded metric format: values by name."""
        return emitted_metrics(self.log)

    @property
    def bytes(self) -> int:
        """Roughly what it takes to keep."""
        return len(self.event) + len(self.payload) + len(self.completion.log) + len(self.completion.init_log)


class History:
    """The last 10,000 invocations, or 64 MB of them. May be read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[PastInvocation] = deque()
        self._bytes = 0
        self._listeners: list[Callable[[PastInvocation], object]] = []

    def add(self, past: PastInvocation) -> None:
        """Keep it, and tell those who listen."""
        with self._lock:
            self._kept.append(past)
            self._bytes += past.bytes
            while len(self._kept) > _KEPT or (self._bytes > _KEPT_BYTES and len(self._kept) > 1):
                self._bytes -= self._kept.popleft().bytes
            listeners = list(self._listeners)
        for listener in listeners:
            listener(past)

    def listen(self, listener: Callable[[PastInvocation], object]) -> None:
        """Have it called, in the service's thread, with every invocation that ends from now on."""
        with self._lock:
            self._listeners.append(listener)

    def of(self, function: str | None = None) -> list[PastInvocation]:
        """Those of a function, or all, in the order in which they ended."""
        with self._lock:
            return [one for one in self._kept if function is None or one.function == function]
