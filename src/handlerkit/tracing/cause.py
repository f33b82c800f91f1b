"""Exceptions as X-Ray shows them: type, message, stack, and what they were caused by. Reads no source file."""

from __future__ import annotations

import os

__all__ = ["cause_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from .spans import Span

MAX_FRAMES = 50
"""Of one stack, the innermost; an endless recursion has a thousand alike."""
MAX_EXCEPTIONS = 8
MAX_MESSAGE = 4_000
PACKAGE = __file__.removesuffix("tracing/cause.py")


def cause_of(span: Span) -> dict[str, Any] | str:
    """The exception of a span, or only its id where a span inside of it has told it already."""
    error = span.error
    assert error is not None
    below = span.cause_below
    if below is not None and below[0] is error:
        _tell(span, error, below[1])
        return below[1]
    if span.told_cause and getattr(error, "_cause_id", None) == span.told_cause:  # aws-xray-sdk's mark
        if span.parent is not None:
            span.parent.told_cause = span.told_cause
        return span.told_cause
    exceptions: list[dict[str, Any]] = []
    seen: set[int] = set()
    related: BaseException | None = error
    while related is not None and id(related) not in seen and len(exceptions) < MAX_EXCEPTIONS:
        seen.add(id(related))
        described = _described(related, span.namespace != "")
        if exceptions:
            exceptions[-1]["cause"] = described["id"]
        exceptions.append(described)
        related = related.__cause__ or (None if related.__suppress_context__ else related.__context__)
    if related is not None and id(related) not in seen:
        exceptions[-1]["skipped"] = 1
    _tell(span, error, exceptions[0]["id"])
    try:
        folder = os.getcwd()  # noqa: PTH109  # pathlib costs 7 ms of a cold start
    except OSError:
        folder = ""  # removed under us
    return {"working_directory": folder, "exceptions": exceptions}


def _tell(span: Span, error: BaseException, exception_id: str) -> None:
    """The span around it, if that is still open, will probably end with the same one."""
    if span.parent is not None and not span.parent.end_ns:
        span.parent.cause_below = (error, exception_id)


def _described(error: BaseException, remote: bool) -> dict[str, Any]:
    stack, left_out = _stack(error.__traceback__)
    try:
        message = str(error)[:MAX_MESSAGE]
    except Exception:  # noqa: BLE001  # the user's own code
        message = ""
    described: dict[str, Any] = {
        "id": os.urandom(8).hex(),
        "type": type(error).__name__,
        "message": message,
        "stack": stack,
    }
    if remote:
        described["remote"] = True
    if left_out:
        described["truncated"] = left_out
    return described


def _stack(traceback: TracebackType | None) -> tuple[list[dict[str, Any]], int]:
    """The innermost frames, outermost of them first, and how many others there were; handlerkit's own are left out."""
    places: list[tuple[Any, int]] = []
    total = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            places.append((code, traceback.tb_lineno))
            total += 1
        if len(places) > 1_000:
            del places[:-MAX_FRAMES]
        traceback = traceback.tb_next
    kept = places[-MAX_FRAMES:]
    frames = [{"path": code.co_filename[:500], "line": line or 0, "label": code.co_name[:200]} for code, line in kept]
    return frames, total - len(kept)
