"""Tumbling windows of one shard: to which window a record belongs, and the state that goes from call to call. Pure.

Windows are aligned to the epoch. A record belongs to the window of its arrival. The state changes only on success;
it is dropped after the window's last call.
"""

import datetime
import json
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["BadWindowResponse", "OpenWindow", "start_of_window_s"]

# Lambda's limit for the state of a window.
MAX_STATE_BYTES: Final = 1024 * 1024


class BadWindowResponse(ValueError):  # noqa: N818 (it is a failed invocation, said by a value)
    """A function with a tumbling window has to return an object with `state`."""


def start_of_window_s(at_s: float, window_s: int) -> int:
    """When the window began that holds this moment.

    >>> start_of_window_s(125.5, 60)
    120
    """
    return int(at_s // window_s) * window_s


@dataclass(slots=True)
class OpenWindow:
    """One window of one shard."""

    start_s: int
    window_s: int
    shard_id: str
    stream_arn: str
    state_text: str = "{}"
    too_large: bool = False
    """The last state was over the limit: the window ends early."""

    @property
    def end_s(self) -> int:
        """The first moment after it."""
        return self.start_s + self.window_s

    def event_fields(self, *, final: bool) -> str:
        """The JSON members that stand next to `Records`."""
        fields = {
            "window": {"start": _moment(self.start_s), "end": _moment(self.end_s)},
            "shardId": self.shard_id,
            "eventSourceARN": self.stream_arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": final and self.too_large,
        }
        return f'{json.dumps(fields, separators=(",", ":"))[1:-1]},"state":{self.state_text}'

    def take_state(self, payload: bytes) -> None:
        """The state of a successful call. Raises `BadWindowResponse`, and keeps the former one."""
        try:
            document: Any = json.loads(payload)
        except (ValueError, RecursionError):
            raise BadWindowResponse("the response is not JSON") from None
        if not isinstance(document, dict) or "state" not in document:
            raise BadWindowResponse("the response has no `state`, which a tumbling window needs")
        text = json.dumps(document["state"], separators=(",", ":"), ensure_ascii=False)
        self.too_large = len(text.encode("utf-8", "surrogatepass")) > MAX_STATE_BYTES
        if not self.too_large:
            self.state_text = text


def _moment(at_s: int) -> str:
    return datetime.datetime.fromtimestamp(at_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
