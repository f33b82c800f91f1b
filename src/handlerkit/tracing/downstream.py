"""The trace on its way out: the header for requests that the function makes."""

from __future__ import annotations

from handlerkit.scope import current as current_scope
from handlerkit.scope import current_span

from .header import TraceHeader

__all__ = ["inject", "outgoing_headers", "present_header"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

NAME = "X-Amzn-Trace-Id"


def inject(headers: MutableMapping[str, str]) -> None:
    """Put the trace into the headers of a request, so that the service that gets it goes on with the same trace.

    The present span becomes its parent. What decides about sampling, and fields that others have added, are passed
    on, also where this function's own spans are not recorded. A header that is there already stays.
    """
    if any(name.lower() == NAME.lower() for name in headers):
        return
    for name, value in outgoing_headers().items():
        headers[name] = value


def outgoing_headers() -> dict[str, str]:
    """The same as a dict: `requests.get(url, headers=outgoing_headers())`. Empty outside of an invocation."""
    span = current_span.get()
    value = span.outgoing_header() if span is not None else present_header().render()
    return {NAME: value} if value else {}


def present_header() -> TraceHeader:
    """The header that the invocation came with; empty outside of one."""
    span = current_span.get()
    if span is not None:
        header: TraceHeader = span.trace.header
        return header
    scope = current_scope.get()
    if scope is not None:
        return TraceHeader.parse(scope.trace_header)
    from .outside import header_outside

    return TraceHeader.parse(header_outside())
