"""What the batches of the two stream sources have in common: the state of a tumbling window."""

from __future__ import annotations

from .fields import boolean, instant, maybe_text, value
from .nested import maybe_view
from .view import View

__all__ = ["TumblingWindow", "WindowedEvent"]


class TumblingWindow(View):
    """The window that an aggregating function is in."""

    start = instant("start")
    end = instant("end")


class WindowedEvent(View):
    """A batch that may belong to a window; outside of one `window` is None and the rest empty.

    `state` is what the previous invocation of the window returned. The final invocation can have no records.
    """

    window = maybe_view("window", TumblingWindow)
    state = value("state")
    shard_id = maybe_text("shardId")
    event_source_arn = maybe_text("eventSourceARN")
    is_final_invoke_for_window = boolean("isFinalInvokeForWindow")
    is_window_terminated_early = boolean("isWindowTerminatedEarly")
