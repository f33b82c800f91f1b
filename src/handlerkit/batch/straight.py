"""The ordinary batch: one record after the other, no hooks, no results to keep, and all goes well.

The same as `sequence` with a runner, in one loop without a call in between that is not the model's or the function's:
what a record costs here beyond these two, ten thousand records cost ten thousand times. It ends where something is
out of the ordinary; what that means, and how to go on, others know.
"""

from __future__ import annotations

import sys
from _contextvars import copy_context  # the C modules: contextvars and operator only re-export it
from _operator import length_hint

from handlerkit.events.json_text import may_hold_nan

__all__ = ["Halt", "run_straight"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .deadline import Deadline
    from .reading import RecordReading
    from .sources import Found


class Halt:
    """Where the loop ended: `done` records are. The one behind them raised `error` if that is not None, when it was
    read or, if `has_started`, when the function ran; without an error it was not tried."""

    __slots__ = ("done", "error", "has_started")

    def __init__(self, done: int, error: Exception | None = None, has_started: bool = False) -> None:
        self.done = done
        self.error = error
        self.has_started = has_started


def run_straight(  # noqa: C901  # one loop without calls is what it is for
    pieces: Iterable[tuple[Found, RecordReading]],
    call: Callable[[Any], Any],
    settled: Callable[[Any], Any],
    deadline: Deadline,
) -> Halt | None:
    """Run all records of a batch, which come in one piece or several; None when all are done.

    `settled` completes what a function returned.
    """
    # Where the function logs, each record's lines carry its id.
    logs = sys.modules.get("handlerkit.logs.context")
    bind_record = getattr(logs, "bind_record", None)  # another thread may just be importing it
    new: Callable[[Any], Any] = object.__new__
    # What is left is told in milliseconds: to ask for it twice in one is to pay for the same answer.
    clock = deadline.clock
    again_s = clock() + 0.001 if deadline.is_set else float("inf")
    done = 0
    halt: Halt | None = None
    raw: Any
    context: Any
    for found, reading in pieces:
        read, direct, wire, view = reading.read, reading.direct, reading.wire, reading.view
        raws = iter(found.raws)
        for identifier, raw in zip(found.identifiers, raws):  # noqa: B905  # they are; to check takes time
            if clock() >= again_s:
                if deadline.is_near() and (before := done + _position(found, raws)):
                    halt = Halt(before)
                    break
                again_s = clock() + 0.001
            try:
                if (
                    direct is None
                    or type(text := raw.get(wire)) is not str
                    or (("N" in text or "I" in text) and may_hold_nan(text))
                ):
                    record = read(raw)
                else:
                    try:
                        payload = direct(text)
                    except ValueError:
                        record = read(raw)  # which words the error
                    else:
                        record = new(view)
                        record.raw = raw
                        record._kept = None
                        record._payload = payload
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this record's
                halt = Halt(done + _position(found, raws), error)
                break
            try:
                # Each record in a context of its own: what one binds for its logs does not reach the next.
                context = copy_context()
                if bind_record is None:
                    result = context.run(call, record)
                else:
                    result = context.run(bind_record, call, record, identifier, raw)
                if result is not None:
                    context.run(settled, result)
            except Exception as error:  # noqa: BLE001  # as above
                halt = Halt(done + _position(found, raws), error, True)
                break
        done += len(found.raws)
        # Nothing of this piece is held here when the next is parsed, nor by the error's traceback.
        del found, raws
        raw = record = payload = text = context = result = None
        if halt is not None:
            break
    return halt


def _position(found: Found, raws: Iterator[Any]) -> int:
    """Where the record stands that the iterator gave last; asked once in a batch, where counting costs every record."""
    return len(found.raws) - length_hint(raws) - 1
