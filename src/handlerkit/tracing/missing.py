"""What happens where a span is opened outside of any invocation: `AWS_XRAY_CONTEXT_MISSING` decides.

At import, in a thread that has no copy of the invocation's context, in a unit test. Where the variable is not set,
nothing happens at all.
"""

from __future__ import annotations

__all__ = ["ContextMissingError", "report_missing"]


class ContextMissingError(RuntimeError):
    """A span was opened outside of any invocation, and `AWS_XRAY_CONTEXT_MISSING=RUNTIME_ERROR` asks for this."""


def report_missing(name: str, strategy: str) -> None:
    """Raise `ContextMissingError`, log an error, or nothing."""
    if strategy not in ("RUNTIME_ERROR", "LOG_ERROR"):
        return
    text = f"no trace here for the span {name!r}: it is outside of an invocation, or in a thread without its context"
    if strategy == "RUNTIME_ERROR":
        raise ContextMissingError(text)
    import logging  # late: only on the way to an error

    logging.getLogger("handlerkit.tracing").error(text)
