"""What Lambda sends to an asynchronous invocation's destination, as recorded on AWS. Pure.

The request's and the response's payload stand in it as JSON values. A field that does not apply is absent.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

__all__ = ["Condition", "EventResult", "error_message", "timestamp"]

Condition: TypeAlias = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]

# Of the error's message in a dead letter, documented.
_MESSAGE_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What became of an asynchronous invocation."""

    request_id: str
    function_arn: str
    """With the qualifier, `$LATEST` where the caller used none."""
    condition: Condition
    invoke_count: int
    payload: bytes
    at_s: float
    """Of the clock, seconds since the epoch."""
    executed_version: str | None = None
    """None if the function never ran."""
    response: bytes | None = None
    failed: bool = False
    """The last run ended with a function error."""

    def document(self) -> dict[str, Any]:
        """The record."""
        document: dict[str, Any] = {
            "version": "1.0",
            "timestamp": timestamp(self.at_s),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": self.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invoke_count,
            },
            "requestPayload": _value(self.payload),
        }
        if self.executed_version is not None:
            document["responseContext"] = {"statusCode": 200, "executedVersion": self.executed_version}
            if self.failed:
                document["responseContext"]["functionError"] = "Unhandled"
            document["responsePayload"] = _value(self.response or b"null")
        return document

    def text(self) -> str:
        """The record as compact JSON."""
        return json.dumps(self.document(), separators=(",", ":"), ensure_ascii=False)

    def bus_entry(self, bus_arn: str) -> dict[str, Any]:
        """The same as an entry for `PutEvents`."""
        outcome = "Success" if self.condition == "Success" else "Failure"
        return {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {outcome}",
            "Resources": [bus_arn, self.function_arn],
            "Detail": self.text(),
            "EventBusName": bus_arn,
            "Time": datetime.fromtimestamp(self.at_s, UTC),
        }

    def dead_letter_attributes(self) -> dict[str, tuple[str, str]]:
        """Name, data type and value of a dead letter's message attributes."""
        if self.executed_version is None:
            code, message = "429", "Rate Exceeded."
        else:
            code, message = "200", error_message(self.response or b"")
        attributes = {"RequestID": ("String", self.request_id), "ErrorCode": ("Number", code)}
        if message:  # a queue takes no empty value
            attributes["ErrorMessage"] = ("String", message)
        return attributes


def error_message(response: bytes) -> str:
    """The function's error message, at most its first 1024 bytes.

    >>> error_message(b'{"errorMessage": "no stock", "errorType": "ValueError"}')
    'no stock'
    """
    value = _value(response)
    message = value.get("errorMessage") if isinstance(value, dict) else None
    text = message if isinstance(message, str) else response.decode("utf-8", "replace")
    return text.encode("utf-8", "replace")[:_MESSAGE_BYTES].decode("utf-8", "ignore")


def timestamp(at_s: float) -> str:
    """Milliseconds, as all of Lambda's records have them.

    >>> timestamp(1735689600.5)
    '2025-01-01T00:00:00.500Z'
    """
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _value(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.decode("utf-8", "replace")
