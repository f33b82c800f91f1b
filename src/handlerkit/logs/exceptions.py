"""An exception as data: type, message, frames, notes, and what caused it. No source lines, no values of variables.

To read source files for every failed invocation takes ten times as long as all the rest, and file, line and function
say where it was. Bounded in every direction.
"""

from __future__ import annotations

import sys

from handlerkit.tolerant_json import text_of

__all__ = ["exception_of", "flat", "stack_here", "structured"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

# A recursion without end has a thousand frames that say the same.
OUTER_FRAMES, INNER_FRAMES = 15, 35
MAX_CHAIN = 8
MAX_GROUP = 20


def exception_of(exc_info: Any) -> BaseException | None:
    """The exception that `exc_info` means: one, a triple, True for the one being handled, or something false."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) > 1 and isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def structured(error: BaseException, left: int = MAX_CHAIN, seen: tuple[int, ...] = ()) -> dict[str, Any]:
    """`type`, `message`, `stack` (outermost first), and where there are: `notes`, `cause`, `context`, `exceptions`."""
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    fields: dict[str, Any] = {"type": f"{module}{kind.__qualname__}", "message": text_of(error)}
    fields["stack"] = _frames(error.__traceback__)
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, (list, tuple)) and notes:
        fields["notes"] = [text_of(note) for note in notes[:MAX_GROUP]]
    if left <= 0:
        return fields
    seen = (*seen, id(error))
    cause, context = error.__cause__, error.__context__
    if cause is not None and id(cause) not in seen:
        fields["cause"] = structured(cause, left - 1, seen)
    elif context is not None and not error.__suppress_context__ and id(context) not in seen:
        fields["context"] = structured(context, left - 1, seen)
    members = getattr(error, "exceptions", None)
    if isinstance(error, BaseExceptionGroup) and members:
        fields["exceptions"] = [structured(one, left // 2, seen) for one in members[:MAX_GROUP]]
        if len(members) > MAX_GROUP:
            fields["exceptions"].append({"type": f"{len(members) - MAX_GROUP} more"})
    return fields


def flat(error: BaseException) -> dict[str, Any]:
    """As aws-lambda-powertools has it: the traceback's text, the type's name, the frames."""
    import traceback  # late: only for dashboards made for that form

    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001  # the exception's own methods may do anything
        text = f"{type(error).__name__}: {text_of(error)}"
    fields: dict[str, Any] = {"exception": text, "exception_name": type(error).__name__}
    if getattr(error, "__notes__", None):
        fields["exception_notes"] = [text_of(note) for note in error.__notes__]
    fields["stack_trace"] = {
        "type": type(error).__name__,
        "value": text_of(error),
        "module": type(error).__module__,
        "frames": _frames(error.__traceback__),
    }
    return fields


def stack_here(depth: int) -> list[str]:
    """The calling code's stack, outermost first, without the `depth` frames that ask."""
    frames: list[str] = []
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and len(frames) < OUTER_FRAMES + INNER_FRAMES:
        code = frame.f_code
        frames.append(f"{code.co_filename}:{frame.f_lineno} {code.co_qualname}")
        frame = frame.f_back
    return frames[::-1]


def _frames(traceback: TracebackType | None) -> list[dict[str, Any]]:
    from handlerkit.own_frames import without_callers  # late: only where an exception is logged

    traceback = without_callers(traceback)
    frames: list[dict[str, Any]] = []
    count = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append({"file": code.co_filename, "line": traceback.tb_lineno, "function": code.co_qualname})
        count += 1
        if len(frames) > OUTER_FRAMES + INNER_FRAMES:
            del frames[OUTER_FRAMES]
        traceback = traceback.tb_next
    if count > len(frames):
        frames.insert(OUTER_FRAMES, {"omitted": count - len(frames)})
    return frames
