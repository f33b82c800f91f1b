"""Events of queues and topics."""

from __future__ import annotations

from .wire import ACCOUNT, REGION, SENT_AT, SENT_AT_MS, as_text, digest, uuid

__all__ = ["sns_event", "sns_notification", "sqs_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def sqs_event(
    bodies: Iterable[Any],
    *,
    queue: str = "orders",
    message_group_ids: Iterable[str] | None = None,
    attributes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A batch of SQS messages, one per body. A queue whose name ends in `.fifo` gets message groups.

    `attributes` are message attributes of every message, `message_group_ids` one group for each message.
    """
    groups = list(message_group_ids or ())
    records = []
    for number, body in enumerate(bodies):
        text = as_text(body)
        system = {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(SENT_AT_MS + number),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": str(SENT_AT_MS + number + 1),
        }
        if queue.endswith(".fifo"):
            system["SequenceNumber"] = str(18_850_000_000_000_000_000 + number)
            system["MessageDeduplicationId"] = digest(text, "sha256")
        if groups or queue.endswith(".fifo"):
            system["MessageGroupId"] = groups[number] if number < len(groups) else "group-1"
        records.append(
            {
                "messageId": uuid(number),
                "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number}",
                "body": text,
                "attributes": system,
                "messageAttributes": {
                    name: {
                        "stringValue": value,
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    }
                    for name, value in (attributes or {}).items()
                },
                "md5OfBody": digest(text, "md5"),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
                "awsRegion": REGION,
            }
        )
    return {"Records": records}


def sns_notification(message: Any, *, topic: str = "orders", subject: str | None = None) -> dict[str, Any]:
    """A notification as SNS puts it into a queue: the body of an SQS message."""
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    return {
        "Type": "Notification",
        "MessageId": uuid(0),
        "TopicArn": arn,
        **({} if subject is None else {"Subject": subject}),
        "Message": as_text(message),
        "Timestamp": SENT_AT,
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-EXAMPLE.pem",
        "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}:{uuid(1)}",
    }


def sns_event(message: Any, *, topic: str = "orders", subject: str | None = None) -> dict[str, Any]:
    """A notification as SNS hands it to a function."""
    notification = sns_notification(message, topic=topic)
    subscription = f"{notification['TopicArn']}:{uuid(1)}"
    notification["SigningCertUrl"] = notification.pop("SigningCertURL")
    notification["UnsubscribeUrl"] = notification.pop("UnsubscribeURL")
    notification |= {"Subject": subject, "MessageAttributes": {}}
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    return {"Records": [{**record, "Sns": notification}]}
