"""One invocation's trace: the header that it came with, the spans that are open, and where they go when they end.

`XRayTrace` sends documents to the daemon; `opentelemetry.OpenTelemetryTrace` has the same methods.
"""

from __future__ import annotations

from .document import datagram

__all__ = ["Trace", "XRayTrace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .emitter import Emitter
    from .header import TraceHeader
    from .spans import Span

    class Trace(Protocol):
        """What spans need of it; none raises. One that gives spans a `backend` also has `entered` and `resume`."""

        header: TraceHeader

        def opened(self, span: Span, /) -> None:
            """A span has begun."""

        def ended(self, span: Span, /) -> None:
            """A span is over."""

        def close(self) -> None:
            """The invocation is over; spans may still be open, and end later."""

else:
    Trace = object

SMALLER_BYTES = (32_000, 8_000, 1_400)
"""What is tried where a machine lets no datagram of X-Ray's full size through: macOS has 9,216, an Ethernet 1,500."""
SLOW_NS = 1_000_000_000


class XRayTrace:
    """For the daemon. Ended spans are sent one by one, so that a function that is killed loses only what was open."""

    __slots__ = ("_emitter", "_open", "header")

    def __init__(self, header: TraceHeader, emitter: Emitter) -> None:
        self.header = header
        self._emitter = emitter
        self._open: set[Span] = set()

    def opened(self, span: Span) -> None:
        """Remember it until it ends."""
        self._open.add(span)

    def ended(self, span: Span) -> None:
        """Send it; an exception that it ended with is told its parent, which refers to it."""
        self._open.discard(span)
        parent = span.parent
        self._send(span)
        if parent is not None and not parent.end_ns and span.end_ns - parent.start_ns > SLOW_NS:
            # Long ones may be killed at their deadline: their children would hang in the air.
            self._announce(parent)

    def close(self) -> None:
        """Announce what is still open, so that the trace shows it; its end is sent when it comes."""
        for span in list(self._open):
            if span.is_ours:
                self._announce(span)

    def _announce(self, span: Span | None) -> None:
        while span is not None and not span.is_announced and not span.end_ns:
            span.is_announced = True
            self._send(span)
            span = span.parent

    def _send(self, span: Span) -> None:
        try:
            if self._emitter.send(datagram(span)):
                return
            for size in SMALLER_BYTES:
                if self._emitter.send(datagram(span, size)):
                    return
        except Exception as error:  # noqa: BLE001  # a trace must not fail what it observes
            import sys

            print(f"handlerkit: span {span.name!r} is lost: {type(error).__name__}", file=sys.stderr)
