"""Amazon SES receipt rules, asynchronous or, as `RequestResponse`, synchronous.

Wire names are those of the event; what the wire nests under `ses` stands in the record itself, and `from` is `from_`.
The message's body is never there: have S3 store it first. A synchronous function answers
`{"disposition": "CONTINUE"}`, or STOP_RULE, or STOP_RULE_SET.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .fields import boolean, instant, maybe_integer, maybe_text, text, texts
from .nested import view, views
from .view import View

__all__ = ["SesAction", "SesCommonHeaders", "SesEvent", "SesMail", "SesReceipt", "SesRecord", "SesVerdict"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .headers import Headers


def _sender(value: Any) -> str:
    """One text, also where a list of them is sent, as it is for the headers around it."""
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in found):
        raise ValueError("not text")
    return ", ".join(found)


def _headers(value: Any) -> Headers:
    from .headers import Headers  # late: only when somebody asks for a header

    if not isinstance(value, list):
        raise TypeError("not a list of headers")
    found: dict[str, list[object]] = {}
    for one in value:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise TypeError("not a list of names and values")
        found.setdefault(one["name"], []).append(one.get("value"))
    return Headers(None, found)


class _HeadersField(KeptField["Headers"]):
    __slots__ = ()

    def when_absent(self) -> Headers:
        return _headers([])


class SesCommonHeaders(View):
    """The headers that nearly every message has; `date` is what the sender claims."""

    from_ = texts("from")
    to = texts("to")
    cc = texts("cc")
    bcc = texts("bcc")
    reply_to = texts("replyTo")
    sender: Field[str | None] = Field("sender", _sender, None)
    subject = maybe_text("subject")
    message_id = text("messageId")
    return_path = text("returnPath")
    date = instant("date")


class SesMail(View):
    """The message. `headers` are looked up in any case; cut off at 10 KB, then `headers_truncated` is set."""

    message_id = text("messageId")
    source = text("source")
    destination = texts("destination")
    timestamp = instant("timestamp")
    common_headers = view("commonHeaders", SesCommonHeaders)
    headers: Field[Headers] = _HeadersField("headers", _headers, None)  # type: ignore[arg-type]
    headers_truncated = boolean("headersTruncated")


class SesVerdict(View):
    """What a check found: PASS, FAIL, GRAY, PROCESSING_FAILED or DISABLED; "" where there was none."""

    status = text("status")

    @property
    def is_pass(self) -> bool:
        """Whether the check passed; also False where it was not made."""
        return self.status == "PASS"


class SesAction(View):
    """The action that brought the message here; which fields it has depends on `type`."""

    type = text("type")
    function_arn = maybe_text("functionArn")
    invocation_type = maybe_text("invocationType")
    topic_arn = maybe_text("topicArn")
    bucket_name = maybe_text("bucketName")
    object_key = maybe_text("objectKey")
    object_key_prefix = maybe_text("objectKeyPrefix")
    organization_arn = maybe_text("organizationArn")
    smtp_reply_code = maybe_text("smtpReplyCode")
    status_code = maybe_text("statusCode")
    message = maybe_text("message")
    sender = maybe_text("sender")
    scope = maybe_text("scope")
    header_name = maybe_text("headerName")
    header_value = maybe_text("headerValue")


class SesReceipt(View):
    """How SES received the message. Old events lack both DMARC fields; the policy is none, quarantine or reject."""

    recipients = texts("recipients")
    timestamp = instant("timestamp")
    processing_time_millis = maybe_integer("processingTimeMillis")
    spam_verdict = view("spamVerdict", SesVerdict)
    virus_verdict = view("virusVerdict", SesVerdict)
    spf_verdict = view("spfVerdict", SesVerdict)
    dkim_verdict = view("dkimVerdict", SesVerdict)
    dmarc_verdict = view("dmarcVerdict", SesVerdict)
    dmarc_policy = maybe_text("dmarcPolicy")
    action = view("action", SesAction)


class SesRecord(View):
    """One message received."""

    mail = view("mail", SesMail, inside="ses")
    receipt = view("receipt", SesReceipt, inside="ses")
    event_source = text("eventSource")
    event_version = text("eventVersion")


class SesEvent(View, kinds=("ses",)):
    """What a receipt rule hands over: a list that has always held one message."""

    records = views("Records", SesRecord)

    def __iter__(self) -> Iterator[SesRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
