"""Which frames of a traceback are this package's. Those by which it called the function say nothing to its author."""

from __future__ import annotations

__all__ = ["exc_info_of", "without_callers"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_PACKAGE = __file__[: -len("own_frames.py")]


def without_callers(traceback: TracebackType | None) -> TracebackType | None:
    """Without the outermost frames of this package; all of them if there are no others."""
    first = traceback
    while first is not None and first.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        first = first.tb_next
    return first or traceback


def exc_info_of(error: BaseException) -> ExcInfo:
    """The error as `logging` takes it, with the traceback that concerns the function."""
    return type(error), error, without_callers(error.__traceback__)
