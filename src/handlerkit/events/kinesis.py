"""Kinesis Data Streams: a batch of records of one shard, polled. Generic in the data.

Wire names are those of the event. What the wire nests under `kinesis` stands in the record itself: `partitionKey` is
`partition_key`. Data is base64 on the wire; gzip data (CloudWatch Logs) is inflated for every type but `bytes`.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import instant, maybe_integer, maybe_text, text
from .generics import Generic, TypeVar
from .kpl import user_records
from .nested import ViewsField
from .payload import Payload, base64_payload
from .view import View
from .windowed import WindowedEvent

__all__ = ["KinesisEvent", "KinesisRecord"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

V = TypeVar("V", bound=View)
DataT = TypeVar("DataT", default=bytes)


class KinesisRecord(View, Generic[DataT], payloads=(bytes,)):
    """One record; `data` is bytes, or the type named: `KinesisRecord[Reading]`.

    `sub_sequence_number` is set where the producer library had packed several user records into one: all of them
    carry the packed record's `sequence_number`, which is what a partial-batch response has to name.
    """

    data: Payload[DataT] = base64_payload("data", inside="kinesis")
    partition_key = text("partitionKey", inside="kinesis")
    sequence_number = text("sequenceNumber", inside="kinesis")
    sub_sequence_number = maybe_integer("subSequenceNumber", inside="kinesis")
    explicit_hash_key = maybe_text("explicitHashKey", inside="kinesis")
    approximate_arrival_timestamp = instant("approximateArrivalTimestamp", inside="kinesis")
    encryption_type = maybe_text("encryptionType", inside="kinesis")
    kinesis_schema_version = text("kinesisSchemaVersion", inside="kinesis")
    event_id = text("eventID")
    event_name = text("eventName")
    event_source = text("eventSource")
    event_source_arn = text("eventSourceARN")
    event_version = text("eventVersion")
    invoke_identity_arn = text("invokeIdentityArn")
    aws_region = text("awsRegion")

    @property
    def shard_id(self) -> str:
        """The shard, e.g. `shardId-000000000006`."""
        return self.event_id.partition(":")[0]


class _RecordsField(ViewsField[V]):
    __slots__ = ()

    def make(self, value: Any) -> tuple[V, ...]:
        if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
            return super().make(value)
        return super().make([one for record in value for one in user_records(record)])


class KinesisEvent(WindowedEvent, Generic[DataT], kinds=("kinesis_stream",), payloads=(bytes,)):
    """A batch of records; iterating gives them. Where the producer library packed several into one, these are many."""

    records: Field[tuple[KinesisRecord[DataT], ...]] = _RecordsField("Records", KinesisRecord[DataT])

    def __iter__(self) -> Iterator[KinesisRecord[DataT]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
