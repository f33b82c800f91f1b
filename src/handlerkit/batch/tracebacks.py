"""Errors that have been told, and what their frames hold.

An error holds the frames that it went through, a frame those that it was called from, and these the batch with all of
its records. Where a frame holds the error as well (asyncio's do, and many that raise an error again), that is a ring
which only the garbage collector finds; until then each batch that failed takes its memory, a dozen times its event.
"""

from __future__ import annotations

__all__ = ["clear_frames"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# Of generators and coroutines: to clear one that is not at its end would end it.
CAN_BE_RESUMED = 0x20 | 0x80 | 0x100 | 0x200


def clear_frames(error: BaseException) -> None:
    """Empty the frames of an error and of those that it was made of; the traceback itself stays as it is."""
    seen: set[int] = set()
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        step: TracebackType | None = link.__traceback__
        while step is not None:
            frame = step.tb_frame
            if not frame.f_code.co_flags & CAN_BE_RESUMED:
                try:  # noqa: SIM105  # contextlib costs 3 ms of a cold start
                    frame.clear()
                except RuntimeError:  # it still runs: ours
                    pass
            step = step.tb_next
        links += (link.__cause__, link.__context__)
        if isinstance(link, BaseExceptionGroup):
            links += link.exceptions
