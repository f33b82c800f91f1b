"""The two kinds of stream behind one shape: their shards, an iterator, a read. The boto3 calls of streams are here.

What a server may do wrong is met here too: iterators that end, numbers that are no longer kept, errors without a code.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.errors import InvalidParameterValue
from lambda_emulator.pollers.position import Position
from lambda_emulator.pollers.source_arn import SourceArn
from lambda_emulator.pollers.stream_record import StreamRecord, dynamodb_record, kinesis_record

__all__ = ["DynamoDBSource", "KinesisSource", "Shard", "ShardRead", "StreamSource", "source_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One shard; its parents are to be read before it."""

    shard_id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShardRead:
    """What one read gave. Without an iterator the shard is closed, and this was the last of it."""

    records: tuple[StreamRecord, ...]
    next_iterator: str | None


class StreamSource(Protocol):
    """A stream that can be read."""

    reads_per_s: float
    """How often Lambda looks at each shard."""
    most_per_read: int

    async def shards(self) -> list[Shard]:
        """All that exist. Raises `InvalidParameterValue`, in the API's words, if there is no such stream."""

    async def iterator(self, shard_id: str, position: Position) -> str:
        """Where to begin; a number that is no longer kept stands for the oldest that is."""

    async def read(self, shard_id: str, iterator: str, limit: int) -> ShardRead | None:
        """The next records; None when the iterator is no longer good and another has to be had."""


def source_of(source: SourceArn, aws: AwsClients) -> StreamSource:
    """The one that the ARN names."""
    return KinesisSource(source, aws) if source.kind == "kinesis" else DynamoDBSource(source, aws)


class KinesisSource:
    """A Kinesis data stream."""

    reads_per_s = 1.0
    most_per_read = 10_000

    def __init__(self, source: SourceArn, aws: AwsClients) -> None:
        self._source = source
        self._aws = aws

    async def shards(self) -> list[Shard]:
        """ListShards, all pages."""
        found: list[Shard] = []
        request: dict[str, Any] = {"StreamARN": self._source.text}
        while True:
            answer = await self._call("list_shards", **request)
            for each in answer["Shards"]:
                parents = (each.get("ParentShardId"), each.get("AdjacentParentShardId"))
                found.append(Shard(shard_id=each["ShardId"], parents=tuple(parent for parent in parents if parent)))
            if not (token := answer.get("NextToken")):
                return found
            request = {"NextToken": token}

    async def iterator(self, shard_id: str, position: Position) -> str:
        """GetShardIterator."""
        request: dict[str, Any] = {"StreamARN": self._source.text, "ShardId": shard_id}
        try:
            answer = await self._call("get_shard_iterator", **request, **_iterator_request(position))
        except Exception as error:
            if position.sequence_number is None or _code(error) != "InvalidArgumentException":
                raise
            answer = await self._call("get_shard_iterator", **request, ShardIteratorType="TRIM_HORIZON")
        return str(answer["ShardIterator"])

    async def read(self, shard_id: str, iterator: str, limit: int) -> ShardRead | None:
        """GetRecords. The ARN goes along: moto looks for it where the iterator was made with it."""
        try:
            answer = await self._call(
                "get_records", ShardIterator=iterator, Limit=min(limit, self.most_per_read), StreamARN=self._source.text
            )
        except Exception as error:
            if _iterator_is_gone(error):
                return None
            raise
        records = tuple(kinesis_record(raw, self._source, shard_id) for raw in answer["Records"])
        return ShardRead(records, answer.get("NextShardIterator"))

    async def _call(self, operation: str, **parameters: Any) -> Any:
        return await _call(self._aws, "kinesis", self._source, operation, parameters)


class DynamoDBSource:
    """The stream of a DynamoDB table."""

    reads_per_s = 4.0
    most_per_read = 1_000

    def __init__(self, source: SourceArn, aws: AwsClients) -> None:
        self._source = source
        self._aws = aws

    async def shards(self) -> list[Shard]:
        """DescribeStream, all pages."""
        found: list[Shard] = []
        request: dict[str, Any] = {"StreamArn": self._source.text}
        while True:
            description = (await self._call("describe_stream", **request))["StreamDescription"]
            for each in description.get("Shards", []):
                parent = each.get("ParentShardId")
                found.append(Shard(shard_id=each["ShardId"], parents=(parent,) if parent else ()))
            if not (last := description.get("LastEvaluatedShardId")):
                return found
            request["ExclusiveStartShardId"] = last

    async def iterator(self, shard_id: str, position: Position) -> str:
        """GetShardIterator."""
        request: dict[str, Any] = {"StreamArn": self._source.text, "ShardId": shard_id}
        wanted = _iterator_request(position)
        if "StartingSequenceNumber" in wanted:
            wanted["SequenceNumber"] = wanted.pop("StartingSequenceNumber")
        try:
            answer = await self._call("get_shard_iterator", **request, **wanted)
        except Exception as error:
            if position.sequence_number is None or _code(error) != "TrimmedDataAccessException":
                raise
            answer = await self._call("get_shard_iterator", **request, ShardIteratorType="TRIM_HORIZON")
        return str(answer["ShardIterator"])

    async def read(self, shard_id: str, iterator: str, limit: int) -> ShardRead | None:  # noqa: ARG002
        """GetRecords."""
        try:
            answer = await self._call("get_records", ShardIterator=iterator, Limit=min(limit, self.most_per_read))
        except Exception as error:
            if _iterator_is_gone(error):
                return None
            raise
        records = tuple(dynamodb_record(raw, self._source) for raw in answer["Records"])
        return ShardRead(records, answer.get("NextShardIterator"))

    async def _call(self, operation: str, **parameters: Any) -> Any:
        return await _call(self._aws, "dynamodbstreams", self._source, operation, parameters)


_NO_STREAM: Final = frozenset({"ResourceNotFoundException", "ValidationException"})


async def _call(aws: AwsClients, service: str, source: SourceArn, operation: str, parameters: Mapping[str, Any]) -> Any:
    try:
        return await aws.call(service, source.region, operation, **parameters)
    except Exception as error:
        # A server without a code for it answers 500 (moto, for a stream that was disabled).
        listing = operation in ("list_shards", "describe_stream")
        if listing and (_code(error) in _NO_STREAM or _status(error) == 500):
            raise InvalidParameterValue(f"Stream not found: {source.text}") from error
        raise


def _iterator_request(position: Position) -> dict[str, Any]:
    request: dict[str, Any] = {"ShardIteratorType": position.kind}
    if position.sequence_number is not None:
        request["StartingSequenceNumber"] = position.sequence_number
    if position.timestamp_s is not None:
        request["Timestamp"] = datetime.datetime.fromtimestamp(position.timestamp_s, datetime.UTC)
    return request


def _iterator_is_gone(error: Exception) -> bool:
    """Also 500: moto has no other word for an iterator that it does not know."""
    return _code(error) in ("ExpiredIteratorException", "TrimmedDataAccessException") or _status(error) == 500


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _status(error: Exception) -> int:
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
