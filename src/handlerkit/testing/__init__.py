"""Events and a context for unit tests: complete, as the platform sends them, from no more than what a test is about.

Payloads may be models, dataclasses, views, dicts or other JSON values (written as JSON), text, or bytes. Everything
else has a plausible value, the same at each call. The results are plain dicts, to be changed as a test needs.
"""

from __future__ import annotations

__all__ = [
    "FakeContext",
    "cloudwatch_logs_event",
    "dynamodb_event",
    "eventbridge_event",
    "kinesis_event",
    "s3_event",
    "scheduled_event",
    "sns_event",
    "sns_notification",
    "sqs_event",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .buses import eventbridge_event, scheduled_event
    from .context import FakeContext
    from .messages import sns_event, sns_notification, sqs_event
    from .storage import dynamodb_event, s3_event
    from .streams import cloudwatch_logs_event, kinesis_event

_NAMES = {
    "buses": "eventbridge_event scheduled_event",
    "context": "FakeContext",
    "messages": "sns_event sns_notification sqs_event",
    "storage": "dynamodb_event s3_event",
    "streams": "cloudwatch_logs_event kinesis_event",
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
