"""The document about records of a stream that were given up, and where it lies in a bucket. Pure."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

from lambda_emulator.pollers.attempts import GiveUp
from lambda_emulator.pollers.source_arn import SourceArn
from lambda_emulator.pollers.stream_record import StreamRecord

__all__ = ["failure_document", "object_key", "with_payload"]


def failure_document(
    given_up: GiveUp,
    source: SourceArn,
    *,
    function_arn: str,
    shard_id: str,
    version: str,
    request_id: str,
    now_s: float,
) -> dict[str, Any]:
    """As a queue or a topic gets it: pointers to the records, not the records."""
    records = given_up.batch.records
    exhausted = given_up.condition == "RetryAttemptsExhausted"
    document: dict[str, Any] = {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": given_up.condition,
            # Recorded for records that are too old: one, however often the function has had them.
            "approximateInvokeCount": given_up.batch.invocations if exhausted else 1,
        }
    }
    if exhausted:
        document["responseContext"] = {
            "statusCode": 200,
            "executedVersion": version,
            "functionError": "Unhandled" if given_up.failed_by_error else None,
        }
    milliseconds = source.kind == "kinesis"
    arrivals = [_moment(record.arrived_at_s, milliseconds=milliseconds) for record in (records[0], records[-1])]
    return document | {
        "version": "1.0",
        "timestamp": _moment(now_s, milliseconds=True),
        "KinesisBatchInfo" if source.kind == "kinesis" else "DDBStreamBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": records[0].sequence_number,
            "endSequenceNumber": records[-1].sequence_number,
            "approximateArrivalOfFirstRecord": arrivals[0],
            "approximateArrivalOfLastRecord": arrivals[1],
            "batchSize": len(records),
            "streamArn": source.text,
        },
    }


def with_payload(document: dict[str, Any], records: Sequence[StreamRecord]) -> dict[str, Any]:
    """As an object in a bucket: the records too."""
    return document | {"payload": {"Records": [json.loads(record.text) for record in records]}}


def object_key(mapping_uuid: str, shard_id: str, now_s: float, unique: str) -> str:
    """Where the object lies.

    >>> object_key("u", "shardId-0", 0, "x")
    'aws/lambda/u/shardId-0/1970/01/01/1970-01-01T00.00.00-x'
    """
    moment = datetime.datetime.fromtimestamp(now_s, datetime.UTC)
    return f"aws/lambda/{mapping_uuid}/{shard_id}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{unique}"


def _moment(at_s: float, *, milliseconds: bool) -> str:
    moment = datetime.datetime.fromtimestamp(at_s, datetime.UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03d}Z" if milliseconds else f"{text}Z"
