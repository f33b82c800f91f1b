"""A local Lambda: the platform's side of the Runtime API, on a developer's machine and in tests.

Names are resolved when they are first used, so importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_emulator.answer_stream import StreamFailure
    from lambda_emulator.async_event import EventOutcome
    from lambda_emulator.aws_clients import AwsClients
    from lambda_emulator.clock import RealClock
    from lambda_emulator.deployment import Deployment
    from lambda_emulator.embedded_aws import EmbeddedAws
    from lambda_emulator.errors import (
        InvalidConfiguration,
        InvalidParameterValue,
        InvalidPrelude,
        InvalidRequestContent,
        InvokeError,
        LocalLambdaError,
        NotQuiet,
        PreconditionFailed,
        ProvisionedConcurrencyConfigNotFound,
        RequestTooLarge,
        ResourceConflict,
        ResourceNotFound,
        ServiceClosed,
        TooManyRequests,
        UnsupportedMediaType,
        ValidationFailed,
    )
    from lambda_emulator.function import FunctionConfiguration
    from lambda_emulator.history import History, PastInvocation
    from lambda_emulator.http_front import HttpFront
    from lambda_emulator.http_prelude import HttpPrelude
    from lambda_emulator.http_route import HttpRoute
    from lambda_emulator.manual_clock import ManualClock
    from lambda_emulator.metrics import Metrics
    from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
    from lambda_emulator.result import InvocationResult, Report
    from lambda_emulator.service import LocalLambda
    from lambda_emulator.streamed_result import StreamedResult
    from lambda_emulator.traffic_shift import TrafficShift
    from lambda_emulator.xray_daemon import XRayDaemon
    from lambda_emulator.xray_trace import Trace, TraceNode

__all__ = [
    "AwsClients",
    "Deployment",
    "EmbeddedAws",
    "EventOutcome",
    "EventSourceMapping",
    "FunctionConfiguration",
    "History",
    "HttpFront",
    "HttpPrelude",
    "HttpRoute",
    "InvalidConfiguration",
    "InvalidParameterValue",
    "InvalidPrelude",
    "InvalidRequestContent",
    "InvocationResult",
    "InvokeError",
    "LocalLambda",
    "LocalLambdaError",
    "ManualClock",
    "Metrics",
    "NotQuiet",
    "PastInvocation",
    "PreconditionFailed",
    "ProvisionedConcurrencyConfigNotFound",
    "RealClock",
    "Report",
    "RequestTooLarge",
    "ResourceConflict",
    "ResourceNotFound",
    "ServiceClosed",
    "StreamFailure",
    "StreamedResult",
    "TooManyRequests",
    "Trace",
    "TraceNode",
    "TrafficShift",
    "UnsupportedMediaType",
    "ValidationFailed",
    "XRayDaemon",
]

_MODULES = {
    "AwsClients": "aws_clients",
    "Deployment": "deployment",
    "EmbeddedAws": "embedded_aws",
    "EventOutcome": "async_event",
    "EventSourceMapping": "pollers.event_source_mapping",
    "FunctionConfiguration": "function",
    "History": "history",
    "HttpFront": "http_front",
    "HttpPrelude": "http_prelude",
    "HttpRoute": "http_route",
    "InvocationResult": "result",
    "LocalLambda": "service",
    "ManualClock": "manual_clock",
    "Metrics": "metrics",
    "PastInvocation": "history",
    "RealClock": "clock",
    "Report": "result",
    "StreamFailure": "answer_stream",
    "StreamedResult": "streamed_result",
    "Trace": "xray_trace",
    "TraceNode": "xray_trace",
    "TrafficShift": "traffic_shift",
    "XRayDaemon": "xray_daemon",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lambda_emulator.extra import needed_by  # late: importing the package loads none of it

    with needed_by(f"{__name__}.{name}"):
        value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
