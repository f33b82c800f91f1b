"""How far one invocation has come: who is back, when what happened. It gathers what the platform reports of it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lambda_emulator import platform_events
from lambda_emulator.answer_stream import AnswerStream
from lambda_emulator.happenings import Answered, StreamEnded
from lambda_emulator.invocation import Delivery
from lambda_emulator.platform_events import PlatformEvent, Span

__all__ = ["InvocationProgress"]


class InvocationProgress:
    """From the delivery of the event. Times are of `time.monotonic`."""

    def __init__(self, delivery: Delivery) -> None:
        self.error_type: str | None = None
        """Of the runtime's own answer."""
        self.stream: AnswerStream | None = None
        self.runtime_back_at_s: float | None = None
        self.last_back_at_s = 0.0
        """When the last of runtime and extensions came back."""
        self._delivery = delivery
        self._began_s = time.monotonic()
        self._began = datetime.now(UTC)
        self._answer_began_s: float | None = None
        self._answer_ended_s: float | None = None
        self._produced_bytes = 0
        self._done = False

    def answered(self, happening: Answered) -> None:
        """The response has come, or has begun to."""
        answer = happening.answer
        self.error_type, self.stream = answer.error_type, answer.stream
        self._answer_began_s = happening.began_s
        if answer.stream is None:
            self._answer_ended_s = happening.ended_s
            self._produced_bytes = len(answer.payload)

    def stream_ended(self, happening: StreamEnded) -> None:
        """All of the response has come, or will not."""
        failure = happening.stream.failure
        self.error_type = failure.error_type if failure else None
        self._answer_ended_s = happening.at_s
        self._produced_bytes = happening.stream.produced_bytes

    def runtime_back(self, at_s: float) -> Callable[[], PlatformEvent]:
        """The runtime asks for its next event; makes what the platform says of that."""
        self.runtime_back_at_s = self.last_back_at_s = at_s
        self._done = True
        return lambda: self._runtime_done("error" if self.error_type else "success", self.error_type, at_s)

    def runtime_gone(self, status: str, error_type: str | None) -> PlatformEvent | None:
        """The invocation fails; None where the runtime itself was through with it."""
        if self._done:
            return None
        if self.stream is not None:
            self._produced_bytes = self.stream.produced_bytes
        return self._runtime_done(status, error_type, time.monotonic())

    def extension_back(self, at_s: float) -> None:
        """An extension asks for its next event."""
        self.last_back_at_s = max(self.last_back_at_s, at_s)

    def spans_of_report(self) -> list[Span]:
        """What extensions needed after the runtime was back."""
        if self.runtime_back_at_s is None or self.last_back_at_s <= self.runtime_back_at_s:
            return []
        return [self._span("extensionOverhead", self.runtime_back_at_s, self.last_back_at_s)]

    def _runtime_done(self, status: str, error_type: str | None, at_s: float) -> PlatformEvent:
        self._done = True
        invocation = self._delivery.invocation
        spans = []
        if self._answer_began_s is not None:
            ended_s = at_s if self._answer_ended_s is None else self._answer_ended_s
            spans = [
                self._span("responseLatency", self._began_s, self._answer_began_s),
                self._span("responseDuration", self._answer_began_s, ended_s),
                self._span("runtimeOverhead", ended_s, at_s),
            ]
        return platform_events.runtime_done(
            invocation.request_id,
            status,
            error_type=error_type,
            duration_ms=(at_s - self._began_s) * 1000,
            produced_bytes=self._produced_bytes,
            spans=spans,
            trace_header=invocation.trace_header,
            tenant_id=invocation.tenant_id,
        )

    def _span(self, name: str, from_s: float, to_s: float) -> Span:
        start = self._began + timedelta(seconds=from_s - self._began_s)
        return Span(name=name, start=start, duration_ms=max(0.0, to_s - from_s) * 1000)
