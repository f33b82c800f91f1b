"""Traces for AWS X-Ray, or for OpenTelemetry where that is set up: `span`, `traced`, and what joins them to others.

A function of `event_handler` or `batch_handler` has its span without a word. Names are resolved when first used; an
invocation that is not sampled loads none of this.
"""

from __future__ import annotations

__all__ = [
    "ContextMissingError",
    "NoSpan",
    "Span",
    "TraceHeader",
    "TraceRecords",
    "annotate",
    "current_span",
    "inject",
    "outgoing_headers",
    "patch",
    "span",
    "traced",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decorator import traced
    from .downstream import inject, outgoing_headers
    from .header import TraceHeader
    from .missing import ContextMissingError
    from .no_span import NoSpan
    from .records import TraceRecords
    from .spans import Span, annotate, current_span, span
    from .xray_sdk import patch

_HOME = {
    "ContextMissingError": "missing",
    "NoSpan": "no_span",
    "Span": "spans",
    "TraceHeader": "header",
    "TraceRecords": "records",
    "annotate": "spans",
    "current_span": "spans",
    "inject": "downstream",
    "outgoing_headers": "downstream",
    "patch": "xray_sdk",
    "span": "spans",
    "traced": "decorator",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
