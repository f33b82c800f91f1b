"""aws-xray-sdk's idea of what is open, answered with our spans: what its recorder opens is a span of ours.

The SDK calls these methods from inside of the user's calls, so none of them raises, but for the one error that
`AWS_XRAY_CONTEXT_MISSING=RUNTIME_ERROR` asks for. Loaded with the SDK only.
"""

from __future__ import annotations

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.models.dummy_entities import DummySegment, DummySubsegment
from aws_xray_sdk.core.models.facade_segment import FacadeSegment
from aws_xray_sdk.core.models.subsegment import Subsegment
from aws_xray_sdk.core.models.trace_header import TraceHeader as SdkHeader

from handlerkit.scope import current as current_scope
from handlerkit.scope import current_span as current

from .downstream import present_header
from .spans import Span

__all__ = ["SpanContext"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .header import TraceHeader


class SpanContext(Context):  # type: ignore[misc]  # the SDK has no types
    """Put in place of the recorder's own context, whose memory is per thread and outlives invocations."""

    def put_segment(self, segment: Any) -> None:
        """Segments are Lambda's."""

    def end_segment(self, end_time: float | None = None) -> None:
        """As above."""

    def get_trace_entity(self) -> Any:
        """The present span as the SDK knows things; a dummy where nothing is recorded."""
        span = current.get()
        if span is not None:
            return _entity_of(span)
        if not global_sdk_config.sdk_enabled():
            return DummySegment()
        header = present_header()
        if current_scope.get() is None and not header.root:
            return self.handle_context_missing()
        if current_scope.get() is None and header.is_recorded:
            return _facade(header)
        return _unrecorded(header)

    def put_subsegment(self, subsegment: Any) -> None:
        """Open a span for it inside of the present one."""
        parent = current.get()
        if parent is None:
            from .outside import trace_outside

            if current_scope.get() is not None or not subsegment.sampled:
                return
            trace: Any = trace_outside(subsegment.name)
            if trace is None:
                return
        else:
            trace = parent.trace if subsegment.sampled else _Unsent(parent.trace.header)
        namespace = getattr(subsegment, "namespace", "")
        span = Span(
            trace,
            subsegment.name,
            parent,
            namespace=namespace if namespace in ("aws", "remote") else "",
            span_id=subsegment.id if parent is None or parent.backend is None else "",
        )
        subsegment.id = span.span_id
        subsegment.parent_id = span.parent_id
        span.foreign = subsegment
        span.__enter__()

    def end_subsegment(self, end_time: float | None = None) -> bool:
        """End the innermost span that the SDK has opened. Always False: there is nothing for the recorder to send."""
        span = current.get()
        while span is not None and (span.end_ns or span.foreign is None or isinstance(span.foreign, _Shown)):
            span = span.parent
        if span is not None:
            try:
                span.foreign.close(end_time)
                _take_over(span, span.foreign)
            finally:
                span.end()
        return False

    def set_trace_entity(self, trace_entity: Any) -> None:
        """What the SDK's users do in a thread of their own, with an entity that they have brought along."""
        current.set(getattr(trace_entity, "_handlerkit_span", None))

    def clear_trace_entities(self) -> None:
        """Nothing of ours outlives its invocation."""


class _Shown(Subsegment):  # type: ignore[misc]  # as above
    """A span of ours as the SDK sees it; what is put on it is put on the span."""

    def __init__(self, span: Span) -> None:
        super().__init__(span.name, span.namespace or "local", _facade(span.trace.header))
        self.id = span.span_id
        self.parent_id = span.parent_id
        self.start_time = span.start_ns / 1e9
        if span.annotations is None:
            span.annotations = {}
        if span.metadata is None:
            span.metadata = {}
        self.annotations = span.annotations
        self.metadata = span.metadata


class _Unsent:
    """The trace of what the SDK was told not to sample."""

    def __init__(self, header: TraceHeader) -> None:
        from .header import TraceHeader

        self.header = TraceHeader(header.root, header.parent, "0", header.rest)

    def opened(self, _span: Span) -> None: ...

    def ended(self, _span: Span) -> None: ...

    def close(self) -> None: ...


def _entity_of(span: Span) -> Any:
    entity = span.foreign
    if entity is None:
        entity = span.foreign = _Shown(span)
    entity._handlerkit_span = span
    return entity


def _unrecorded(header: TraceHeader) -> Any:
    """What is never sent, but passes the header on: its ids are those that came."""
    segment = DummySegment()
    segment.trace_id = header.root
    segment.save_origin_trace_header(SdkHeader.from_header_str(header.render()))
    entity = DummySubsegment(segment, "dummy")
    entity.id = header.parent
    entity.sampled = False if header.sampled == "0" else None  # no decision is not a decision against
    return entity


def _facade(header: TraceHeader) -> Any:
    facade = FacadeSegment(name="facade", entityid=header.parent or None, traceid=header.root, sampled=True)
    facade.save_origin_trace_header(SdkHeader.from_header_str(header.render()))
    return facade


def _take_over(span: Span, subsegment: Any) -> None:
    for name in ("annotations", "metadata", "http", "aws", "sql"):
        value = getattr(subsegment, name, None)
        if value:
            setattr(span, name, value)
    span.is_fault = getattr(subsegment, "fault", False)
    span.is_error = getattr(subsegment, "error", False)
    span.is_throttled = getattr(subsegment, "throttle", False)
    cause = getattr(subsegment, "cause", None)
    if isinstance(cause, dict) and cause.get("exceptions"):
        exceptions = [each.to_dict() for each in cause["exceptions"]]
        span.cause = {"working_directory": cause.get("working_directory", ""), "exceptions": exceptions}
        told = exceptions[-1].get("id", "")
    else:
        span.cause = told = cause if isinstance(cause, str) else ""
    if told and span.parent is not None:
        span.parent.told_cause = told
