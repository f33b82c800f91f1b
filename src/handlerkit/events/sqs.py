"""Amazon SQS: a batch of messages, polled. Generic in the body.

Wire names are those of the Lambda event: `messageId` is `message_id`, `eventSourceARN` is `event_source_arn`.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .encoded import from_base64
from .fields import instant, integer, maybe_text, text, texts
from .generics import Generic, TypeVar
from .nested import view, view_map, views
from .payload import Payload, text_payload
from .view import View

__all__ = ["SqsAttributes", "SqsEvent", "SqsMessageAttribute", "SqsRecord"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BodyT = TypeVar("BodyT", default=str)


class SqsAttributes(View):
    """System attributes; what a queue, or an emulator, does not send is 0, "" or None."""

    approximate_receive_count = integer("ApproximateReceiveCount")
    sent_timestamp = instant("SentTimestamp")
    approximate_first_receive_timestamp = instant("ApproximateFirstReceiveTimestamp")
    sender_id = text("SenderId")
    sequence_number = maybe_text("SequenceNumber")
    message_group_id = maybe_text("MessageGroupId")
    message_deduplication_id = maybe_text("MessageDeduplicationId")
    aws_trace_header = maybe_text("AWSTraceHeader")
    dead_letter_queue_source_arn = maybe_text("DeadLetterQueueSourceArn")


class _BinaryField(KeptField["bytes | None"]):
    """Bytes; None also where the attribute is of another type and documentation left a placeholder."""

    __slots__ = ()

    def read(self, view: View) -> bytes | None:
        value = self.find(view.raw)
        try:
            return None if value is None else from_base64(value)
        except (ValueError, TypeError) as error:
            if not str(view.raw.get("dataType")).startswith("Binary"):
                return None
            raise self.refusal(value, error) from None


class SqsMessageAttribute(View):
    """An attribute the sender gave; `data_type` is String, Number or Binary, each perhaps with a `.suffix`."""

    data_type = text("dataType")
    string_value = maybe_text("stringValue")
    binary_value: Field[bytes | None] = _BinaryField("binaryValue", from_base64, None)
    string_list_values = texts("stringListValues")
    binary_list_values = texts("binaryListValues")


class SqsRecord(View, Generic[BodyT], payloads=(str,)):
    """One message; `body` is text, or the type named: `SqsRecord[Order]`."""

    message_id = text("messageId")
    receipt_handle = text("receiptHandle")
    body: Payload[BodyT] = text_payload("body")
    attributes = view("attributes", SqsAttributes)
    message_attributes = view_map("messageAttributes", SqsMessageAttribute)
    md5_of_body = text("md5OfBody")
    md5_of_message_attributes = maybe_text("md5OfMessageAttributes")
    event_source = text("eventSource")
    event_source_arn = text("eventSourceARN")
    aws_region = text("awsRegion")

    @property
    def is_fifo(self) -> bool:
        """Whether the queue keeps order (a message group alone does not say so)."""
        return self.event_source_arn.endswith(".fifo")


class SqsEvent(View, Generic[BodyT], kinds=("sqs",), payloads=(str,)):
    """A batch of messages; iterating gives its records."""

    records: Field[tuple[SqsRecord[BodyT], ...]] = views("Records", SqsRecord[BodyT])

    def __iter__(self) -> Iterator[SqsRecord[BodyT]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
