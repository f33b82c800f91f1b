"""Amazon SNS: one notification, asynchronous; the same notification as an SQS body. Generic in the message.

Wire names are those of the Lambda event: `TopicArn` is `topic_arn`. Both spellings of the two URLs are read
(`SigningCertUrl` to Lambda, `SigningCertURL` through every other protocol). Notifications of a FIFO topic, which
come through SQS only, have a sequence number and no signature.
"""

from __future__ import annotations

from .descriptor import Field
from .encoded import from_base64
from .errors import EventFieldError, shortened
from .fields import instant, maybe_text, text
from .generics import Generic, TypeVar
from .json_text import load
from .nested import view, view_map, views
from .payload import Payload, text_payload
from .view import View

__all__ = ["SnsEvent", "SnsMessageAttribute", "SnsNotification", "SnsRecord"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MessageT = TypeVar("MessageT", default=str)


class SnsMessageAttribute(View):
    """An attribute the publisher gave, as it travels: everything is text."""

    type = text("Type")
    value = text("Value")

    @property
    def decoded(self) -> Any:
        """The value by its type: bytes, a list, an int or float, or the text itself. Raises `EventFieldError`."""
        kind, text = self.type, self.value
        try:
            if kind == "Binary":
                return from_base64(text)
            if kind == "String.Array":
                return load(text)
            if kind == "Number":
                return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            reason = f"not a value of type {kind}"
            raise EventFieldError(type(self).__name__, "decoded", "Value", reason, shortened(text)) from None
        return text


class SnsNotification(View, Generic[MessageT], kinds=("sns",), payloads=(str,)):
    """A notification; `message` is text, or the type named: `SnsNotification[S3Event]`."""

    message: Payload[MessageT] = text_payload("Message")
    message_id = text("MessageId")
    topic_arn = text("TopicArn")
    subject = maybe_text("Subject")
    timestamp = instant("Timestamp")
    type = text("Type")
    message_attributes = view_map("MessageAttributes", SnsMessageAttribute)
    sequence_number = maybe_text("SequenceNumber")
    signature_version = maybe_text("SignatureVersion")
    signature = maybe_text("Signature")
    signing_cert_url = maybe_text("SigningCertUrl", "SigningCertURL")
    unsubscribe_url = maybe_text("UnsubscribeUrl", "UnsubscribeURL")


class SnsRecord(View, Generic[MessageT], payloads=(str,)):
    """A notification as Lambda wraps it."""

    sns: Field[SnsNotification[MessageT]] = view("Sns", SnsNotification[MessageT])
    event_source = text("EventSource")
    event_version = text("EventVersion")
    event_subscription_arn = text("EventSubscriptionArn")

    @property
    def message(self) -> MessageT:
        """The notification's message."""
        return self.sns.message


class SnsEvent(View, Generic[MessageT], kinds=("sns",), payloads=(str,)):
    """What a subscribed function gets: a list that has always held one record."""

    records: Field[tuple[SnsRecord[MessageT], ...]] = views("Records", SnsRecord[MessageT])

    def __iter__(self) -> Iterator[SnsRecord[MessageT]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
