"""Events and a context for unit tests: complete, as the platform sends them, from no more than what a test is about.

Payloads may be models, dataclasses, views, dicts or other JSON values (written as JSON), text, or bytes. Everything
else has a plausible value, the same at each call. The results are plain dicts, to be changed as a test needs.
"""

from __future__ import annotations

__all__ = [
    "FakeContext",
    "activemq_event",
    "appsync_event",
    "authorizer_event",
    "captured_logs",
    "captured_metrics",
    "cloudwatch_alarm_event",
    "cloudwatch_logs_event",
    "codepipeline_event",
    "cognito_event",
    "custom_resource_event",
    "documentdb_event",
    "dynamodb_event",
    "eventbridge_event",
    "firehose_event",
    "handler_transport",
    "http_event",
    "kafka_event",
    "kinesis_event",
    "rabbitmq_event",
    "s3_batch_event",
    "s3_event",
    "scheduled_event",
    "ses_event",
    "sns_event",
    "sns_notification",
    "sqs_event",
    "websocket_event",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .batches import documentdb_event, firehose_event, s3_batch_event
    from .brokers import activemq_event, kafka_event, rabbitmq_event
    from .buses import eventbridge_event, scheduled_event
    from .context import FakeContext
    from .gateway import authorizer_event, websocket_event
    from .http import http_event
    from .identity import appsync_event, cognito_event
    from .messages import sns_event, sns_notification, sqs_event
    from .operations import cloudwatch_alarm_event, codepipeline_event, custom_resource_event, ses_event
    from .storage import dynamodb_event, s3_event
    from .streams import cloudwatch_logs_event, kinesis_event
    from .telemetry import captured_logs, captured_metrics
    from .transport import handler_transport

_NAMES = {
    "batches": "documentdb_event firehose_event s3_batch_event",
    "brokers": "activemq_event kafka_event rabbitmq_event",
    "buses": "eventbridge_event scheduled_event",
    "context": "FakeContext",
    "gateway": "authorizer_event websocket_event",
    "http": "http_event",
    "identity": "appsync_event cognito_event",
    "messages": "sns_event sns_notification sqs_event",
    "operations": "cloudwatch_alarm_event codepipeline_event custom_resource_event ses_event",
    "storage": "dynamodb_event s3_event",
    "streams": "cloudwatch_logs_event kinesis_event",
    "telemetry": "captured_logs captured_metrics",
    "transport": "handler_transport",
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
