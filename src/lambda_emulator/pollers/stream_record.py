"""A record of a stream as the function gets it. Pure."""

import base64
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_emulator.pollers.source_arn import SourceArn

__all__ = ["StreamRecord", "dynamodb_record", "kinesis_record"]

_ROLE = "arn:aws:iam::{account}:role/lambda-role"


@dataclass(frozen=True, slots=True, eq=False)
class StreamRecord:
    """One record that was read."""

    sequence_number: str
    arrived_at_s: float
    key: str
    """The partition key or the item's key: records of one key keep their order."""
    record: Mapping[str, Any]
    text: str = field(repr=False)
    """The record as JSON."""

    @property
    def size_bytes(self) -> int:
        """Of the record in the event, with its comma."""
        return len(self.text.encode("utf-8", "surrogatepass")) + 1


def kinesis_record(raw: Mapping[str, Any], source: SourceArn, shard_id: str) -> StreamRecord:
    """From boto3's `get_records` of Kinesis."""
    arrived_at_s = raw["ApproximateArrivalTimestamp"].timestamp()
    data = raw["Data"]
    record = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": raw["PartitionKey"],
            "sequenceNumber": raw["SequenceNumber"],
            "data": base64.b64encode(data).decode("ascii"),
            "approximateArrivalTimestamp": round(arrived_at_s, 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{raw['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": _ROLE.format(account=source.account_id),
        "awsRegion": source.region,
        "eventSourceARN": source.text,
    }
    return _record(raw["SequenceNumber"], arrived_at_s, raw["PartitionKey"], record)


def dynamodb_record(raw: Mapping[str, Any], source: SourceArn) -> StreamRecord:
    """From boto3's `get_records` of DynamoDB Streams. Version, region and ARN are written, not copied: not every
    server tells the truth about them."""
    change = dict(raw["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    arrived_at_s = created.timestamp() if isinstance(created, datetime.datetime) else float(created or 0)
    change["ApproximateCreationDateTime"] = int(arrived_at_s) if arrived_at_s.is_integer() else arrived_at_s
    for image in ("Keys", "NewImage", "OldImage"):
        if image in change:
            change[image] = {name: _attribute(value) for name, value in change[image].items()}
    record = {
        "eventID": raw["eventID"],
        "eventName": raw["eventName"],
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": source.region,
        "dynamodb": change,
        "eventSourceARN": source.text,
    }
    if identity := raw.get("userIdentity"):
        record["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
    key = json.dumps(change.get("Keys", {}), sort_keys=True)
    return _record(change["SequenceNumber"], arrived_at_s, key, record)


def _record(sequence_number: str, arrived_at_s: float, key: str, record: dict[str, Any]) -> StreamRecord:
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    return StreamRecord(sequence_number, arrived_at_s, key, record, text)


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute value with its bytes as base64 text."""
    kind, content = next(iter(value.items()))
    if kind == "B":
        content = base64.b64encode(_bytes(content)).decode("ascii")
    elif kind == "BS":
        content = [base64.b64encode(_bytes(each)).decode("ascii") for each in content]
    elif kind == "M":
        content = {name: _attribute(each) for name, each in content.items()}
    elif kind == "L":
        content = [_attribute(each) for each in content]
    return {kind: content}


def _bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else bytes(content.value)
