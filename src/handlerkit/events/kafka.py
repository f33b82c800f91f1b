"""Apache Kafka, polled: Amazon MSK and self-managed clusters. Generic in the records' key and value.

Wire names are those of the event: `eventSourceArn` is `event_source_arn`. Records come as a map from
"<topic>-<partition>" to a list; order holds only within one list. A record without a value is a tombstone. Where a
schema registry delivers its own format, the bytes keep the registry's prefix: decode them with `Decoder`.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .encoded import from_base64
from .fields import FreshField, instant, integer, maybe_text, text
from .generics import Generic, TypeVar
from .nested import maybe_view, view_lists
from .payload import Payload, base64_payload
from .view import View

__all__ = ["KafkaEvent", "KafkaRecord", "KafkaSchemaMetadata"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

KeyT = TypeVar("KeyT", default=bytes)
ValueT = TypeVar("ValueT", default=bytes)


def _headers(value: Any) -> tuple[tuple[str, bytes], ...]:
    """The header pairs, in order, with repeats."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise TypeError("not a list of headers")
    return tuple((name, _header_value(content)) for one in value for name, content in one.items())


def _header_value(content: Any) -> bytes:
    """Java's signed bytes, unsigned ones, or the base64 text of older events."""
    if content is None:
        return b""
    if isinstance(content, list) and all(type(byte) is int for byte in content):
        return bytes(byte & 0xFF for byte in content)
    if isinstance(content, str):
        try:
            return from_base64(content)
        except ValueError:
            return content.encode("utf-8", "surrogatepass")
    raise TypeError("not a header's bytes")


def _servers(value: Any) -> list[str]:
    """Host and port of each broker, on the wire joined by commas."""
    if not isinstance(value, str):
        raise TypeError("not text")
    return [server for server in value.split(",") if server]


class KafkaSchemaMetadata(View):
    """Which schema a key or value was written with; `data_format` is AVRO, JSON or PROTOBUF."""

    data_format = text("dataFormat")
    schema_id = maybe_text("schemaId")


class KafkaRecord(View, Generic[KeyT, ValueT], payloads=(bytes, bytes)):
    """One record; key and value are bytes, or the types named: `KafkaRecord[str, Order]`. Either may be None."""

    key: Payload[KeyT | None] = base64_payload("key", optional=True)
    value: Payload[ValueT | None] = base64_payload("value", parameter=1, optional=True)
    topic = text("topic")
    partition = integer("partition")
    offset = integer("offset")
    timestamp = instant("timestamp")
    timestamp_type = text("timestampType")
    headers: Field[tuple[tuple[str, bytes], ...]] = KeptField("headers", _headers, ())
    key_schema_metadata = maybe_view("keySchemaMetadata", KafkaSchemaMetadata)
    value_schema_metadata = maybe_view("valueSchemaMetadata", KafkaSchemaMetadata)
    # Only in EventBridge Pipes, which hands over records one by one.
    event_source = maybe_text("eventSource")
    event_source_arn = maybe_text("eventSourceArn")
    event_source_key = maybe_text("eventSourceKey")
    bootstrap_servers = maybe_text("bootstrapServers")

    @property
    def is_tombstone(self) -> bool:
        """Whether the record says that its key was deleted."""
        return self.raw.get("value") is None

    def header(self, name: str) -> bytes | None:
        """The last value of a header (the one Kafka itself goes by), or None."""
        found = None
        for key, content in self.headers:
            if key == name:
                found = content
        return found


class KafkaEvent(View, Generic[KeyT, ValueT], kinds=("kafka",), payloads=(bytes, bytes)):
    """A batch; `records` by partition as on the wire, iterating gives all of them, partition by partition."""

    records: Field[dict[str, tuple[KafkaRecord[KeyT, ValueT], ...]]] = view_lists("records", KafkaRecord[KeyT, ValueT])
    event_source = text("eventSource")
    event_source_arn = maybe_text("eventSourceArn")
    bootstrap_servers: Field[list[str]] = FreshField("bootstrapServers", _servers, [])

    @property
    def is_self_managed(self) -> bool:
        """Whether the cluster is not Amazon MSK."""
        return "SelfManaged" in self.event_source

    def __iter__(self) -> Iterator[KafkaRecord[KeyT, ValueT]]:
        return (record for records in self.records.values() for record in records)

    def __len__(self) -> int:
        return sum(map(len, self.records.values()))
