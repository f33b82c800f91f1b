"""Amazon MQ, polled: ActiveMQ and RabbitMQ, two shapes. Generic in the messages' data.

Wire names are those of the event: `messageID` is `message_id`, `rmqMessagesByQueue` is `rmq_messages_by_queue`.
Which fields there are differs even between the messages of one batch. What the function returns is ignored; to have
a batch delivered again, raise.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import FreshField, boolean, instant, mapping, maybe_boolean, maybe_integer, maybe_text, text
from .generics import Generic, TypeVar
from .nested import view, view_lists, views
from .payload import Payload, base64_payload
from .view import View

__all__ = [
    "ActiveMQDestination",
    "ActiveMQEvent",
    "ActiveMQMessage",
    "RabbitMQEvent",
    "RabbitMQMessage",
    "RabbitMQProperties",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

DataT = TypeVar("DataT", default=bytes)


def _address(value: Any) -> str | None:
    """A queue to answer to; the broker writes the word "null" where there is none."""
    if not isinstance(value, str):
        raise TypeError("not text")
    return None if value == "null" else value


class ActiveMQDestination(View):
    """Where the message was sent."""

    physical_name = text("physicalName", "physicalname")


class ActiveMQMessage(View, Generic[DataT], payloads=(bytes,)):
    """One message; `data` is bytes, or the type named. `message_type` is jms/text-message or jms/bytes-message."""

    data: Payload[DataT] = base64_payload("data")
    message_id = text("messageID", "messageId")
    message_type = text("messageType")
    destination = view("destination", ActiveMQDestination)
    timestamp = instant("timestamp")
    broker_in_time = instant("brokerInTime")
    broker_out_time = instant("brokerOutTime")
    properties = mapping("properties")
    connection_id = maybe_text("connectionId", "connectionID")
    correlation_id = maybe_text("correlationID", "correlationId")
    reply_to: Field[str | None] = Field("replyTo", _address, None)
    type = maybe_text("type")
    delivery_mode = maybe_integer("deliveryMode")
    expiration = maybe_integer("expiration")
    priority = maybe_integer("priority")
    persistent = maybe_boolean("persistent")
    redelivered = boolean("redelivered")


class ActiveMQEvent(View, Generic[DataT], kinds=("mq.activemq",), payloads=(bytes,)):
    """A batch of messages of one queue; iterating gives them."""

    messages: Field[tuple[ActiveMQMessage[DataT], ...]] = views("messages", ActiveMQMessage[DataT])
    event_source = text("eventSource")
    event_source_arn = text("eventSourceArn")

    def __iter__(self) -> Iterator[ActiveMQMessage[DataT]]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)


def _headers(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return {name: _header_value(item) for name, item in value.items()}


def _header_value(value: Any) -> Any:
    """A header without its wrapping: text comes as `{"bytes": [104, 105]}`, also within lists and tables."""
    if isinstance(value, list):
        return [_header_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    octets = value.get("bytes")
    if len(value) != 1 or not isinstance(octets, list) or not all(type(byte) is int for byte in octets):
        return {name: _header_value(item) for name, item in value.items()}
    content = bytes(byte & 0xFF for byte in octets)
    try:
        return str(content, "utf-8")
    except UnicodeDecodeError:
        return content


class RabbitMQProperties(View):
    """The properties of AMQP; `headers` are texts, numbers, lists and tables, `bytes` what is no UTF-8."""

    content_type = maybe_text("contentType")
    content_encoding = maybe_text("contentEncoding")
    headers: Field[dict[str, Any]] = FreshField("headers", _headers, {})
    delivery_mode = maybe_integer("deliveryMode")
    priority = maybe_integer("priority")
    correlation_id = maybe_text("correlationId")
    reply_to = maybe_text("replyTo")
    expiration = maybe_text("expiration")
    message_id = maybe_text("messageId")
    timestamp = instant("timestamp")
    type = maybe_text("type")
    user_id = maybe_text("userId")
    app_id = maybe_text("appId")
    cluster_id = maybe_text("clusterId")
    body_size = maybe_integer("bodySize")


class RabbitMQMessage(View, Generic[DataT], payloads=(bytes,)):
    """One message; `data` is bytes, or the type named: `RabbitMQMessage[Order]`."""

    data: Payload[DataT] = base64_payload("data")
    basic_properties = view("basicProperties", RabbitMQProperties)
    redelivered = boolean("redelivered")
    # Only in EventBridge Pipes, which hands over messages one by one.
    event_source = maybe_text("eventSource")
    event_source_arn = maybe_text("eventSourceArn")
    event_source_key = maybe_text("eventSourceKey")


class RabbitMQEvent(View, Generic[DataT], kinds=("mq.rabbitmq",), payloads=(bytes,)):
    """A batch; messages by "<queue>::<virtual host>" as on the wire, iterating gives all of them."""

    rmq_messages_by_queue: Field[dict[str, tuple[RabbitMQMessage[DataT], ...]]] = view_lists(
        "rmqMessagesByQueue", RabbitMQMessage[DataT]
    )
    event_source = text("eventSource")
    event_source_arn = text("eventSourceArn")

    def __iter__(self) -> Iterator[RabbitMQMessage[DataT]]:
        return (message for messages in self.rmq_messages_by_queue.values() for message in messages)

    def __len__(self) -> int:
        return sum(map(len, self.rmq_messages_by_queue.values()))
