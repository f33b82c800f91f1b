"""Events of message brokers: Kafka, ActiveMQ, RabbitMQ."""

from __future__ import annotations

from .wire import ACCOUNT, REGION, SENT_AT_MS, as_base64, as_bytes, uuid

__all__ = ["activemq_event", "kafka_event", "rabbitmq_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# Where a sender sets none of these properties, they come as null.
RABBITMQ_UNSET = (
    *("contentEncoding", "priority", "correlationId", "replyTo", "expiration"),
    *("messageId", "type", "userId", "appId", "clusterId"),
)
BROKER = f"arn:aws:mq:{REGION}:{ACCOUNT}:broker:orders:b-{uuid(0)}"


def kafka_event(
    values: Iterable[Any],
    *,
    keys: Iterable[Any] | None = None,
    headers: Mapping[str, bytes] | None = None,
    topic: str = "orders",
    partition: int = 0,
    self_managed: bool = False,
) -> dict[str, Any]:
    """A batch of Kafka records of one partition, one per value; None is a tombstone.

    `keys` are one key for each record, `headers` headers of every record.
    """
    given = list(keys or ())
    records = []
    for number, value in enumerate(values):
        record: dict[str, Any] = {
            "topic": topic,
            "partition": partition,
            "offset": 15 + number,
            "timestamp": SENT_AT_MS + number,
            "timestampType": "CREATE_TIME",
        }
        if number < len(given) and given[number] is not None:
            record["key"] = as_base64(as_bytes(given[number]))
        if value is not None:
            record["value"] = as_base64(as_bytes(value))
        # Java's bytes have a sign.
        signed = {name: [byte - 256 if byte > 127 else byte for byte in data] for name, data in (headers or {}).items()}
        records.append(record | {"headers": [{name: data} for name, data in signed.items()]})
    event: dict[str, Any] = {
        "eventSource": "SelfManagedKafka" if self_managed else "aws:kafka",
        "bootstrapServers": ",".join(f"b-{number}.orders.kafka.{REGION}.amazonaws.com:9092" for number in (1, 2)),
        "records": {f"{topic}-{partition}": records},
    }
    if not self_managed:
        event["eventSourceArn"] = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/orders/{uuid(0)}-1"
    return event


def activemq_event(data: Iterable[Any], *, queue: str = "orders") -> dict[str, Any]:
    """A batch of ActiveMQ messages, one per payload."""
    messages = [
        {
            "messageID": f"ID:b-{uuid(0)}-1.mq.{REGION}.amazonaws.com-37557-1:1:1:1:{number + 1}",
            "messageType": "jms/bytes-message" if isinstance(payload, bytes) else "jms/text-message",
            "deliveryMode": 1,
            "replyTo": "null",
            "redelivered": False,
            "expiration": 0,
            "priority": 4,
            "data": as_base64(as_bytes(payload)),
            "timestamp": SENT_AT_MS + number,
            "brokerInTime": SENT_AT_MS + number,
            "brokerOutTime": SENT_AT_MS + number + 1,
            "destination": {"physicalName": queue},
            "properties": {},
        }
        for number, payload in enumerate(data)
    ]
    return {"eventSource": "aws:amq", "eventSourceArn": BROKER, "messages": messages}


def rabbitmq_event(
    data: Iterable[Any], *, queue: str = "orders", virtual_host: str = "/", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A batch of RabbitMQ messages of one queue, one per payload; `headers` are of every message."""
    messages = []
    for payload in data:
        body = as_bytes(payload)
        properties: dict[str, Any] = {
            "contentType": "application/octet-stream" if isinstance(payload, bytes) else "application/json",
            **dict.fromkeys(RABBITMQ_UNSET),
            "headers": {name: {"bytes": list(value.encode())} for name, value in (headers or {}).items()},
            "deliveryMode": 2,
            "timestamp": "Jan 1, 2026, 12:00:00 AM",
            "bodySize": len(body),
        }
        messages.append({"basicProperties": properties, "redelivered": False, "data": as_base64(body)})
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": BROKER,
        "rmqMessagesByQueue": {f"{queue}::{virtual_host}": messages},
    }
