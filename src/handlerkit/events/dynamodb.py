"""DynamoDB Streams: a batch of changes of one shard, polled. Generic in the item, and in its key.

Wire names are those of the event. What the wire nests under `dynamodb` stands in the record itself: `NewImage` is
`new_image`. Attribute values become plain Python values, numbers `Decimal`, before they meet the user's type; as they
came they are in `record.raw["dynamodb"]`. A change that came through Kinesis Data Streams for DynamoDB is the same
record as a payload: `KinesisRecord[DynamoDBRecord[Item]]`.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import instant, maybe_integer, maybe_text, text
from .generics import Any, Generic, TypeVar
from .nested import maybe_view, views
from .payload import Payload, attributes_payload
from .view import View
from .windowed import WindowedEvent

__all__ = ["DynamoDBEvent", "DynamoDBRecord", "DynamoDBUserIdentity"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ItemT = TypeVar("ItemT", default=dict[str, Any])
KeyT = TypeVar("KeyT", default=dict[str, Any])


class DynamoDBUserIdentity(View):
    """Who made the change, where it was not a client: the service, when an item expired."""

    type = text("type", "Type")
    principal_id = text("principalId", "PrincipalId", "PrincipalID", "principalID")


class DynamoDBRecord(View, Generic[ItemT, KeyT], payloads=(dict, dict)):
    """One change; images and keys are dicts, or the types named: `DynamoDBRecord[Order, OrderKey]`.

    An insertion has no old image, a removal no new one, a KEYS_ONLY stream neither.
    """

    event_name = text("eventName")
    new_image: Payload[ItemT | None] = attributes_payload("NewImage", inside="dynamodb", optional=True)
    old_image: Payload[ItemT | None] = attributes_payload("OldImage", inside="dynamodb", optional=True)
    keys: Payload[KeyT] = attributes_payload("Keys", inside="dynamodb", parameter=1)
    sequence_number = text("SequenceNumber", inside="dynamodb")
    size_bytes = maybe_integer("SizeBytes", inside="dynamodb")
    stream_view_type = maybe_text("StreamViewType", inside="dynamodb")
    approximate_creation_date_time = instant("ApproximateCreationDateTime", inside="dynamodb")
    event_id = text("eventID")
    event_source = text("eventSource")
    event_source_arn = text("eventSourceARN")
    event_version = text("eventVersion")
    aws_region = text("awsRegion")
    user_identity = maybe_view("userIdentity", DynamoDBUserIdentity)
    table_name = maybe_text("tableName")
    record_format = maybe_text("recordFormat")

    @property
    def is_expiry(self) -> bool:
        """Whether the item was removed by its time to live (replicas of a global table do not say so)."""
        identity = self.user_identity
        by_service = identity is not None and identity.principal_id == "dynamodb.amazonaws.com"
        return by_service and self.event_name == "REMOVE"


class DynamoDBEvent(WindowedEvent, Generic[ItemT, KeyT], kinds=("dynamodb_stream",), payloads=(dict, dict)):
    """A batch of changes; iterating gives its records."""

    records: Field[tuple[DynamoDBRecord[ItemT, KeyT], ...]] = views("Records", DynamoDBRecord[ItemT, KeyT])

    def __iter__(self) -> Iterator[DynamoDBRecord[ItemT, KeyT]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
