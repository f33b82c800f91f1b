"""The span of a handler: opened with the invocation's scope where the trace is recorded, ended with it."""

from __future__ import annotations

from handlerkit.scope import current_span as current

from .destination import destination, trace_of
from .spans import Span

__all__ = ["begin"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from handlerkit.scope import Scope


def begin(scope: Scope) -> None:
    """Open the handler's span, named as aws-lambda-powertools names it, with the annotations that it gives."""
    trace = trace_of(scope.trace_header)
    if trace is None:
        return
    handler = scope.handler
    name = getattr(handler, "__qualname__", None) or type(handler).__name__
    annotations: dict[str, Any] = {"ColdStart": scope.is_cold_start}
    if service := destination().service:
        annotations["Service"] = service
    opened = Span(trace, f"## {name}", None, annotations)

    def end(scope: Scope) -> None:
        if scope.error is not None:
            opened.record_exception(scope.error)
        opened.end()
        trace.close()
        current.set(None)

    scope.at_end(end)
    opened.__enter__()
