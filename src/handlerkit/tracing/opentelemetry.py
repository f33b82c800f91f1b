"""The same spans as OpenTelemetry's, for functions that have its SDK set up: loaded only there.

Parents come from OpenTelemetry's own context where it has a span, else from Lambda's trace header, read as the X-Ray
propagator reads it. Each of our spans is OpenTelemetry's present one while it encloses code, so that its
instrumentations nest under ours and ours under theirs. Sampling is the SDK's.
"""

from __future__ import annotations

from opentelemetry import context as contexts
from opentelemetry import trace as api

from .details import annotation_key, encoded
from .plain import number_or_text

__all__ = ["OpenTelemetryTrace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from opentelemetry.context import Context

    from .header import TraceHeader
    from .spans import Span

FLUSH_MS = 1_000
INDEXED = "aws.xray.annotations"
"""What AWS's exporter makes annotations of; all other attributes become metadata."""


class OpenTelemetryTrace:
    """One invocation's, in the tracer provider that is set up."""

    def __init__(self, header: TraceHeader) -> None:
        self.header = header
        self._tracer = api.get_tracer("handlerkit")

    def opened(self, span: Span) -> None:
        """Begin OpenTelemetry's."""
        try:
            kind = api.SpanKind.CLIENT if span.namespace else api.SpanKind.INTERNAL
            if span.parent is None:
                kind = api.SpanKind.SERVER
            context = self._parent()
            span.backend = self._tracer.start_span(span.name, context, kind, start_time=span.start_ns)
            made = span.backend.get_span_context()
            span.span_id = f"{made.span_id:016x}"
            root = f"{made.trace_id:032x}"
            self.header.root = f"1-{root[:8]}-{root[8:]}"
            self.header.sampled = "1" if made.trace_flags.sampled else "0"
        except Exception as error:  # noqa: BLE001  # a trace must not fail what it observes
            _say(span, error)

    def entered(self, span: Span) -> Context:
        """Make it the present one; returns the context to `resume` afterwards."""
        before = contexts.get_current()
        contexts.attach(api.set_span_in_context(span.backend))
        return before

    def resume(self, context: Context) -> None:
        """Have that context again. Not by a token, which is refused in any other context than its own."""
        contexts.attach(context)

    def ended(self, span: Span) -> None:
        """Say all that is known of it, and end it."""
        if span.backend is None:
            return
        if api.get_current_span() is span.backend:
            around = span.around()
            before = span.outside if span.outside is not None else contexts.Context()
            contexts.attach(before if around is None else api.set_span_in_context(around.backend, before))
        try:
            _describe(span)
            span.backend.end(end_time=span.end_ns)
        except Exception as error:  # noqa: BLE001  # as above
            _say(span, error)

    def close(self) -> None:
        """Send what waits: the process may be frozen from now on."""
        flush = getattr(api.get_tracer_provider(), "force_flush", None)
        if flush is not None:
            flush(FLUSH_MS)

    def _parent(self) -> Context | None:
        if api.get_current_span().get_span_context().is_valid or not (self.header.root and self.header.parent):
            return None
        flags = api.TraceFlags(api.TraceFlags.SAMPLED if self.header.sampled == "1" else api.TraceFlags.DEFAULT)
        remote = api.SpanContext(
            trace_id=int(self.header.root[2:].replace("-", ""), 16),
            span_id=int(self.header.parent, 16),
            is_remote=True,
            trace_flags=flags,
        )
        return api.set_span_in_context(api.NonRecordingSpan(remote))


def _describe(span: Span) -> None:
    to: Any = span.backend
    annotations = {
        annotation_key(key): value if isinstance(value, str) else number_or_text(value)
        for key, value in (span.annotations or {}).items()
        if value is not None
    }
    if annotations:
        to.set_attributes({**annotations, INDEXED: list(annotations)})
    for space, values in (span.metadata or {}).items():
        to.set_attributes({f"metadata.{space}.{key}": encoded(value) for key, value in values.items()})
    for name, at_ns, attributes in span.events or ():
        to.add_event(name, {key: number_or_text(value) for key, value in attributes.items()}, at_ns)
    for link in span.links or ():
        trace_id, span_id = int(link["trace_id"][2:].replace("-", ""), 16), int(link["id"], 16)
        to.add_link(api.SpanContext(trace_id, span_id, is_remote=True), link.get("attributes"))
    request, response = (span.http or {}).get("request", {}), (span.http or {}).get("response", {})
    said = {
        "http.request.method": request.get("method"),
        "url.full": request.get("url"),
        "http.response.status_code": response.get("status"),
        **{f"aws.{key}": number_or_text(value) for key, value in (span.aws or {}).items()},
        **{f"db.{key}": number_or_text(value) for key, value in (span.sql or {}).items()},
    }
    to.set_attributes({key: value for key, value in said.items() if value is not None})
    if span.error is not None:
        to.record_exception(span.error)
    if span.is_fault or span.is_error:
        to.set_status(api.StatusCode.ERROR, "" if span.error is None else type(span.error).__name__)


def _say(span: Span, error: Exception) -> None:
    import sys

    print(f"handlerkit: span {span.name!r}: OpenTelemetry: {type(error).__name__}: {error}", file=sys.stderr)
