"""The id that an event brings along from whoever caused it, source by source. Knows shapes, never fails.

An HTTP request's `x-correlation-id` header or else its front's request id; `id` of an EventBridge event; a message
attribute or header of a queue or topic; the execution of a Step Functions state machine that passes its context on.
"""

from __future__ import annotations

__all__ = ["correlation_id_of", "record_correlation_id"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("correlation_id", "x_correlation_id", "correlationid", "x_correlationid")
TRACE_HEADER = "x-amzn-trace-id"


def correlation_id_of(event: Any) -> str | None:
    """Of a whole event, raw or a view of one; of one with a single record, that record's."""
    event = getattr(event, "raw", event)
    if type(event) is not dict:
        return None
    try:
        return _of_event(event)
    except Exception:  # noqa: BLE001  # a hostile event must not cost the line
        return None


def record_correlation_id(record: Any) -> str | None:
    """Of one raw record of a batch."""
    if type(record) is not dict:
        return None
    try:
        return _of_record(record)
    except Exception:  # noqa: BLE001  # as above
        return None


def _of_event(event: dict[str, Any]) -> str | None:
    records = event.get("Records")
    if isinstance(records, list):
        return _of_record(records[0]) if len(records) == 1 and type(records[0]) is dict else None
    headers = _headers(event)
    request = event.get("request")
    if not headers and isinstance(request, dict):  # AppSync
        headers = _headers(request)
    found = _named(headers)
    if found is None:
        front = event.get("requestContext")
        if isinstance(front, dict):
            found = _text(front.get("requestId"))
    if found is None:
        found = _text(headers.get(TRACE_HEADER)) or _text(event.get("xAmzRequestId"))
    return found or _of_other(event)


def _of_other(event: dict[str, Any]) -> str | None:
    if "detail-type" in event and "source" in event:
        detail = event.get("detail")
        inner = _named(_lowered(detail)) if isinstance(detail, dict) else None
        return inner or _text(event.get("id"))
    found = _named(_lowered(event))
    if found is None:
        execution = event.get("Execution")  # Step Functions: "Payload": {"Execution.$": "$$.Execution", ...}
        if isinstance(execution, dict):
            found = _text(execution.get("Id"))
    return found


def _of_record(record: dict[str, Any]) -> str | None:
    attributes = record.get("messageAttributes")
    if isinstance(attributes, dict):
        return _attribute(attributes, "stringValue")
    notification = record.get("Sns")
    if isinstance(notification, dict):
        attributes = notification.get("MessageAttributes")
        return _attribute(attributes, "Value") if isinstance(attributes, dict) else None
    headers = record.get("headers")
    if isinstance(headers, list):  # Kafka: [{name: bytes as numbers}, ...]
        for one in headers:
            for name, value in one.items():
                if _plain_name(name) in NAMES and isinstance(value, list):
                    return bytes(one % 256 for one in value).decode("utf-8", "replace")
    return None


def _attribute(attributes: dict[str, Any], field: str) -> str | None:
    for name, value in attributes.items():
        if _plain_name(name) in NAMES and isinstance(value, dict):
            return _text(value.get(field))
    return None


def _headers(event: dict[str, Any]) -> dict[str, Any]:
    headers = event.get("headers")
    if isinstance(headers, dict):
        return _lowered(headers)
    several = event.get("multiValueHeaders")
    return _lowered(several) if isinstance(several, dict) else {}


def _lowered(values: dict[Any, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in values.items() if isinstance(name, str)}


def _named(values: dict[str, Any]) -> str | None:
    for name, value in values.items():
        if _plain_name(name) in NAMES and (found := _text(value)):
            return found
    return None


def _plain_name(name: str) -> str:
    return name.lower().replace("-", "_")


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[-1] if value else None
    # An id and not a document; a caller may send anything.
    return value[:256] if isinstance(value, str) and value else None
