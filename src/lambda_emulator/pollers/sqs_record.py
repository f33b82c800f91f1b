"""A message as the function gets it, and what it costs of the event's 6 MB. Pure."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_emulator.pollers.source_arn import SourceArn

__all__ = ["QueueMessage"]


@dataclass(frozen=True, slots=True, eq=False)
class QueueMessage:
    """One received message."""

    message_id: str
    receipt_handle: str
    group: str | None
    """The message group, in a FIFO queue."""
    record: Mapping[str, Any]
    visible_at_s: float
    """When the queue hands it out again unless it is deleted, by the mapping's clock."""
    text: str = field(repr=False)
    """The record as JSON."""

    @property
    def size_bytes(self) -> int:
        """Of the record in the event, with its comma."""
        return len(self.text.encode("utf-8", "surrogatepass")) + 1

    @classmethod
    def of(
        cls, message: Mapping[str, Any], source: SourceArn, *, visible_at_s: float, dead_letters_of: str | None
    ) -> "QueueMessage":
        """From what boto3's `receive_message` returned.

        `dead_letters_of`: the queue whose dead letters this one holds, for the attribute that some servers leave out.
        """
        attributes = {name: str(value) for name, value in message.get("Attributes", {}).items()}
        if dead_letters_of is not None:
            attributes.setdefault("DeadLetterQueueSourceArn", dead_letters_of)
        record: dict[str, Any] = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": attributes,
            "messageAttributes": {
                name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
            },
        }
        if message.get("MessageAttributes") and message.get("MD5OfMessageAttributes"):
            record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
        record |= {
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": source.text,
            "awsRegion": source.region,
        }
        return cls(
            message_id=message["MessageId"],
            receipt_handle=message["ReceiptHandle"],
            group=attributes.get("MessageGroupId") if source.kind == "sqs-fifo" else None,
            record=record,
            visible_at_s=visible_at_s,
            text=json.dumps(record, separators=(",", ":"), ensure_ascii=False),
        )


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return shown | {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
