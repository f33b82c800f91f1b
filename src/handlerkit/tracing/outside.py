"""Spans outside of every scope: in a handler that none of our decorators is around, or where there is no invocation."""

from __future__ import annotations

import sys

from .missing import report_missing
from .settings import context_missing, trace_header, trace_header_is_of_context

__all__ = ["header_outside", "trace_outside"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .trace import Trace


def trace_outside(name: str) -> Trace | None:
    """The trace that the process's environment names, where that is this invocation's.

    A thread of which nobody knows for which invocation it works is in none: the variable may be the next one's already.
    """
    header = header_outside()
    if not header:
        report_missing(name, context_missing())
        return None
    from .destination import trace_of

    return trace_of(header)


def header_outside() -> str:
    """The header of the environment; empty in any thread but the main one, unless the environment goes by contexts."""
    threading = sys.modules.get("threading")
    is_main = threading is None or threading.current_thread() is threading.main_thread()
    return trace_header() if is_main or trace_header_is_of_context() else ""
