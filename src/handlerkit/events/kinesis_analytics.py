"""Kinesis Data Analytics for SQL (legacy), synchronous: input to preprocess, output to deliver. Generic in the data.

Wire names are those of the event. The answer names every record once: `{"records": [record.ok(...), ...]}`; what
cannot be processed is `record.failed()` in preprocessing, `record.delivery_failed()` for output.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import instant, integer, maybe_text, text
from .generics import Generic, TypeVar
from .nested import maybe_view, views
from .payload import Payload, base64_payload
from .transformed import result_data
from .view import View

__all__ = [
    "KinesisAnalyticsDelivery",
    "KinesisAnalyticsEvent",
    "KinesisAnalyticsRecord",
    "KinesisAnalyticsSource",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

DataT = TypeVar("DataT", default=bytes)


class KinesisAnalyticsSource(View):
    """Where the record was in its stream; from Firehose only the time is known."""

    shard_id = maybe_text("shardId")
    partition_key = maybe_text("partitionKey")
    sequence_number = maybe_text("sequenceNumber")
    approximate_arrival_timestamp = instant("approximateArrivalTimestamp")


class KinesisAnalyticsDelivery(View):
    """How often the delivery was tried before."""

    retry_hint = integer("retryHint")


class KinesisAnalyticsRecord(View, Generic[DataT], payloads=(bytes,)):
    """One record; `data` is bytes, or the type named."""

    record_id = text("recordId")
    data: Payload[DataT] = base64_payload("data")
    kinesis_stream_record_metadata = maybe_view("kinesisStreamRecordMetadata", KinesisAnalyticsSource)
    kinesis_firehose_record_metadata = maybe_view("kinesisFirehoseRecordMetadata", KinesisAnalyticsSource)
    lambda_delivery_record_metadata = maybe_view("lambdaDeliveryRecordMetadata", KinesisAnalyticsDelivery)

    def ok(self, data: bytes | str | None = None) -> dict[str, Any]:
        """The result that goes on with the record, as it came unless other data is given."""
        return {"recordId": self.record_id, "result": "Ok", "data": result_data(data, self.raw.get("data"))}

    def dropped(self) -> dict[str, Any]:
        """The result of preprocessing that leaves the record out on purpose."""
        return self.ok() | {"result": "Dropped"}

    def failed(self) -> dict[str, Any]:
        """The result of preprocessing that could not make sense of the record."""
        return self.ok() | {"result": "ProcessingFailed"}

    def delivery_failed(self) -> dict[str, Any]:
        """The result of an output function that asks for the record once more."""
        return {"recordId": self.record_id, "result": "DeliveryFailed"}


class KinesisAnalyticsEvent(View, Generic[DataT], kinds=("kinesis_analytics",), payloads=(bytes,)):
    """A batch of an application; iterating gives its records. An output batch has no stream."""

    records: Field[tuple[KinesisAnalyticsRecord[DataT], ...]] = views("records", KinesisAnalyticsRecord[DataT])
    invocation_id = text("invocationId")
    application_arn = text("applicationArn")
    stream_arn = maybe_text("streamArn")

    def __iter__(self) -> Iterator[KinesisAnalyticsRecord[DataT]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
