"""What takes a span's place where nothing is recorded: everything may be called, nothing happens, nothing is made."""

from __future__ import annotations

__all__ = ["NOTHING", "NoSpan"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self


class NoSpan:
    """Has the methods of `Span`."""

    __slots__ = ()

    is_recording = False
    span_id = ""
    name = ""
    error = None

    def __repr__(self) -> str:
        return "<NoSpan>"

    @property
    def trace_id(self) -> str:
        """Of the invocation's trace, also where that is not sampled, so that logs can name it; else empty."""
        from .downstream import present_header

        return present_header().root

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def _nothing(self, *_: object, **__: object) -> None:
        return None

    annotate = add_metadata = add_event = add_link = record_exception = set_status = set_http = end = _nothing

    def outgoing_header(self) -> str:
        """The invocation's own header, passed on as it came."""
        from .downstream import present_header

        return present_header().render()


NOTHING = NoSpan()
