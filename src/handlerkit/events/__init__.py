"""Typed events: views over what Lambda delivers, one module per source, generic in the payload.

`from handlerkit.events import SqsRecord` loads the SQS module and no other source's; importing this package loads
none. The names are listed in `_HOME`.
"""

from __future__ import annotations

__all__ = [
    "CloudWatchLogEvent",
    "CloudWatchLogsData",
    "CloudWatchLogsEvent",
    "Decoder",
    "DynamoDBEvent",
    "DynamoDBRecord",
    "EventBridgeEvent",
    "EventFieldError",
    "EventValidationError",
    "Headers",
    "KinesisEvent",
    "KinesisRecord",
    "Problem",
    "S3Event",
    "S3EventBridgeDetail",
    "S3EventBridgeEvent",
    "S3Record",
    "ScheduledEvent",
    "SnsEvent",
    "SnsNotification",
    "SnsRecord",
    "SqsEvent",
    "SqsRecord",
    "View",
    "detect",
    "parse",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cloudwatch_logs import CloudWatchLogEvent, CloudWatchLogsData, CloudWatchLogsEvent
    from .detection import detect
    from .dynamodb import DynamoDBEvent, DynamoDBRecord
    from .errors import EventFieldError, EventValidationError, Problem
    from .eventbridge import EventBridgeEvent, S3EventBridgeDetail, S3EventBridgeEvent, ScheduledEvent
    from .headers import Headers
    from .kinesis import KinesisEvent, KinesisRecord
    from .parsing import parse
    from .readers import Decoder
    from .s3 import S3Event, S3Record
    from .sns import SnsEvent, SnsNotification, SnsRecord
    from .sqs import SqsEvent, SqsRecord
    from .view import View

_NAMES = {
    "cloudwatch_logs": "CloudWatchLogEvent CloudWatchLogsData CloudWatchLogsEvent",
    "detection": "detect",
    "dynamodb": "DynamoDBEvent DynamoDBRecord",
    "errors": "EventFieldError EventValidationError Problem",
    "eventbridge": "EventBridgeEvent S3EventBridgeDetail S3EventBridgeEvent ScheduledEvent",
    "headers": "Headers",
    "kinesis": "KinesisEvent KinesisRecord",
    "parsing": "parse",
    "readers": "Decoder",
    "s3": "S3Event S3Record",
    "sns": "SnsEvent SnsNotification SnsRecord",
    "sqs": "SqsEvent SqsRecord",
    "view": "View",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
