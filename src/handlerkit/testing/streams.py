"""Events of streams and logs."""

from __future__ import annotations

from handlerkit.reply import encoded

from .wire import ACCOUNT, REGION, SENT_AT_MS, as_base64, as_bytes, as_text

__all__ = ["cloudwatch_logs_event", "kinesis_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def kinesis_event(
    data: Iterable[Any], *, stream: str = "readings", partition_keys: Iterable[str] | None = None
) -> dict[str, Any]:
    """A batch of Kinesis records of one shard, one per payload."""
    keys = list(partition_keys or ())
    records = []
    for number, payload in enumerate(data):
        sequence = str(49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898 + number)
        records.append(
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": keys[number] if number < len(keys) else f"key-{number}",
                    "sequenceNumber": sequence,
                    "data": as_base64(as_bytes(payload)),
                    "approximateArrivalTimestamp": SENT_AT_MS / 1000 + number,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"shardId-000000000006:{sequence}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/handler",
                "awsRegion": REGION,
                "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}",
            }
        )
    return {"Records": records}


def cloudwatch_logs_event(
    messages: Iterable[Any], *, log_group: str = "/aws/lambda/orders", log_stream: str = "2026/01/01/[$LATEST]0"
) -> dict[str, Any]:
    """A batch of log lines, as a subscription delivers them."""
    import gzip

    lines = [
        {"id": f"{number:056d}", "timestamp": SENT_AT_MS + number, "message": as_text(message)}
        for number, message in enumerate(messages)
    ]
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": log_group,
        "logStream": log_stream,
        "subscriptionFilters": ["all"],
        "logEvents": lines,
    }
    return {"awslogs": {"data": as_base64(gzip.compress(encoded(data), mtime=0))}}
