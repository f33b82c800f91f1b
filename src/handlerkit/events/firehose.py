"""Firehose data transformation, synchronous: direct, from Kinesis, from MSK. Generic in the record's data.

Wire names are those of the event: `recordId` is `record_id`; from MSK `kafkaRecordValue` is `data` too. Data is
base64 on the wire; gzip data (CloudWatch Logs) is inflated for every type but `bytes`. The answer names every record
exactly once: `{"records": [record.ok(...), record.dropped(), ...]}`, at most 6 MB in all.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import instant, maybe_integer, maybe_text, text
from .generics import Generic, TypeVar
from .nested import maybe_view, views
from .payload import Payload, base64_payload
from .transformed import result_data
from .view import View

__all__ = ["FirehoseEvent", "FirehoseKinesisMetadata", "FirehoseMskMetadata", "FirehoseRecord"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from handlerkit.answers.firehose import TransformationAnswer

DataT = TypeVar("DataT", default=bytes)


class FirehoseKinesisMetadata(View):
    """Where in a Kinesis stream the record was."""

    shard_id = text("shardId")
    partition_key = text("partitionKey")
    sequence_number = text("sequenceNumber")
    subsequence_number = maybe_integer("subsequenceNumber")
    approximate_arrival_timestamp = instant("approximateArrivalTimestamp")


class FirehoseMskMetadata(View):
    """Where in a Kafka topic the record was."""

    offset = maybe_integer("offset")
    partition_id = text("partitionId")
    approximate_arrival_timestamp = instant("approximateArrivalTimestamp")


class FirehoseRecord(View, Generic[DataT], payloads=(bytes,)):
    """One record; `data` is bytes, or the type named: `FirehoseRecord[Reading]`."""

    record_id = text("recordId")
    data: Payload[DataT] = base64_payload("data", "kafkaRecordValue")
    approximate_arrival_timestamp = instant("approximateArrivalTimestamp")
    kinesis_record_metadata = maybe_view("kinesisRecordMetadata", FirehoseKinesisMetadata)
    msk_record_metadata = maybe_view("mskRecordMetadata", FirehoseMskMetadata)

    def ok(
        self,
        data: bytes | str | None = None,
        *,
        partition_keys: Mapping[str, str] | None = None,
        otf_metadata: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The result that delivers the record, as it came unless other data is given. Firehose adds no newline.

        `partition_keys` are for dynamic partitioning, `otf_metadata` (destinationTableName, destinationDatabaseName,
        operation) for Apache Iceberg tables.
        """
        metadata: dict[str, Any] = {}
        if partition_keys is not None:
            metadata["partitionKeys"] = dict(partition_keys)
        if otf_metadata is not None:
            metadata["otfMetadata"] = dict(otf_metadata)
        result = self._result("Ok", data)
        return result | {"metadata": metadata} if metadata else result

    def dropped(self) -> dict[str, Any]:
        """The result that leaves the record out on purpose; it counts as a success."""
        return self._result("Dropped", None)

    def failed(self) -> dict[str, Any]:
        """The result that sends the record, as it came, to where Firehose keeps what failed."""
        return self._result("ProcessingFailed", None)

    def _result(self, result: str, data: bytes | str | None) -> dict[str, Any]:
        key = "kafkaRecordValue" if "kafkaRecordValue" in self.raw else "data"
        return {"recordId": self.record_id, "result": result, key: result_data(data, self.raw.get(key))}


class FirehoseEvent(View, Generic[DataT], kinds=("firehose",), payloads=(bytes,)):
    """A batch to transform; iterating gives its records."""

    answered_by = "firehose"
    records: Field[tuple[FirehoseRecord[DataT], ...]] = views("records", FirehoseRecord[DataT])
    invocation_id = text("invocationId")
    delivery_stream_arn = text("deliveryStreamArn")
    region = text("region")
    source_kinesis_stream_arn = maybe_text("sourceKinesisStreamArn")
    source_msk_arn = maybe_text("sourceMSKArn")

    def __iter__(self) -> Iterator[FirehoseRecord[DataT]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def reply(self, *results: dict[str, Any]) -> TransformationAnswer:
        """The answer: one result of each record."""
        from handlerkit.answers.firehose import TransformationAnswer  # late: it is needed for the answer

        return TransformationAnswer(records=list(results))
