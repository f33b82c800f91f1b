"""Which source an event comes from, and what is nested in it: envelopes inside the text of envelopes are peeled."""

from __future__ import annotations

from .json_text import load
from .kinds import outer_kind

__all__ = ["detect", "whole_kind"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# An envelope in an envelope doubles its backslashes; what is deeper is no AWS event.
MAX_NESTED_ENVELOPES = 8


def detect(raw: Any) -> str:
    """The kind of an event, e.g. "sqs.standard>sns>s3", given parsed or as JSON text; "unknown" where it has no mark.

    Raises `ValueError` for text that is not JSON.

    >>> detect({"Records": [{"eventSource": "aws:s3", "s3": {}}]})
    's3'
    """
    return whole_kind(load(raw) if isinstance(raw, (bytes, str)) else raw)


def whole_kind(event: Any) -> str:
    """The kind of a parsed event with the kinds nested in its first record."""
    kind = outer_kind(event)
    if kind == "sns" or kind.startswith("sqs."):
        for inner in _nested_kinds(_first_text(event, kind)):
            kind += f">{inner}"
    return kind


def _first_text(event: dict[str, Any], kind: str) -> Any:
    record = event["Records"][0]
    if kind != "sns":
        return record.get("body")
    notification = record.get("Sns")
    return notification.get("Message") if isinstance(notification, dict) else None


def _nested_kinds(text: Any) -> Iterator[str]:
    for _ in range(MAX_NESTED_ENVELOPES):
        if not isinstance(text, str) or not text.lstrip().startswith("{"):
            return
        try:
            inner = load(text)
        except ValueError:
            return
        text = None
        first = inner.get("Records")
        first = first[0] if isinstance(first, list) and first else None
        if inner.get("Type") == "Notification" and "TopicArn" in inner:
            yield "sns"
            text = inner.get("Message")
        elif isinstance(first, dict) and isinstance(first.get("s3"), dict):
            yield "s3"
        elif "detail-type" in inner and "detail" in inner:
            yield "eventbridge"
        elif inner.get("Event") == "s3:TestEvent":
            yield "s3test"
        elif outer_kind(inner) == "lambda_destination" and "responseContext" in inner:
            yield "lambda_destination"
