"""CloudWatch Logs subscriptions, asynchronous; the same data in Kinesis and Firehose. Generic in the log message.

The event is one field of base64 of gzip of JSON, inflated when first read, to a limit. Wire names are those of that
JSON: `logGroup` is `log_group`.
"""

from __future__ import annotations

from .descriptor import Field
from .encoded import from_base64, inflate
from .fields import instant, text, text_map, texts
from .generics import Generic, TypeVar
from .json_text import load
from .nested import ViewField, views
from .payload import Payload, text_payload
from .view import View

__all__ = ["CloudWatchLogEvent", "CloudWatchLogsData", "CloudWatchLogsEvent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

V = TypeVar("V", bound=View)
MessageT = TypeVar("MessageT", default=str)


class CloudWatchLogEvent(View, Generic[MessageT], payloads=(str,)):
    """One line of a log; `message` is text, or the type named, for functions that log JSON."""

    id = text("id")
    timestamp = instant("timestamp")
    message: Payload[MessageT] = text_payload("message")
    extracted_fields = text_map("extractedFields")


class CloudWatchLogsData(View, Generic[MessageT], payloads=(str,)):
    """A batch of lines of one log stream. As a payload: `KinesisRecord[CloudWatchLogsData]`."""

    message_type = text("messageType")
    owner = text("owner")
    log_group = text("logGroup")
    log_stream = text("logStream")
    subscription_filters = texts("subscriptionFilters")
    policy_level = text("policyLevel")
    log_events: Field[tuple[CloudWatchLogEvent[MessageT], ...]] = views("logEvents", CloudWatchLogEvent[MessageT])

    @property
    def is_control_message(self) -> bool:
        """Whether this is only CloudWatch trying whether the function can be reached."""
        return self.message_type == "CONTROL_MESSAGE"


class _InflatedField(ViewField[V]):
    __slots__ = ()

    def make(self, value: Any) -> V:
        if not isinstance(value, str):
            raise TypeError("not base64 text")
        return self.one(load(inflate(from_base64(value))))


class CloudWatchLogsEvent(View, Generic[MessageT], kinds=("cloudwatch_logs",), payloads=(str,)):
    """What a subscribed function gets; iterating gives the lines. What it inflates to is limited, see `encoded`."""

    data: Field[CloudWatchLogsData[MessageT]] = _InflatedField("data", CloudWatchLogsData[MessageT], inside="awslogs")

    @property
    def is_control_message(self) -> bool:
        """Whether this is only CloudWatch trying whether the function can be reached."""
        return self.data.is_control_message

    @property
    def log_group(self) -> str:
        """The log group of all lines."""
        return self.data.log_group

    @property
    def log_stream(self) -> str:
        """The log stream of all lines."""
        return self.data.log_stream

    @property
    def log_events(self) -> tuple[CloudWatchLogEvent[MessageT], ...]:
        """The lines."""
        return self.data.log_events

    def __iter__(self) -> Iterator[CloudWatchLogEvent[MessageT]]:
        return iter(self.log_events)

    def __len__(self) -> int:
        return len(self.log_events)
