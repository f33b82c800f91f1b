"""A local Lambda: the platform's side of the Runtime API, on a developer's machine and in tests.

Names are resolved when they are first used, so importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_emulator.errors import (
        InvalidConfiguration,
        InvalidParameterValue,
        InvalidRequestContent,
        InvokeError,
        LocalLambdaError,
        RequestTooLarge,
        ResourceNotFound,
        ServiceClosed,
        TooManyRequests,
        ValidationFailed,
    )
    from lambda_emulator.function import FunctionConfiguration
    from lambda_emulator.result import InvocationResult, Report
    from lambda_emulator.service import LocalLambda

__all__ = [
    "FunctionConfiguration",
    "InvalidConfiguration",
    "InvalidParameterValue",
    "InvalidRequestContent",
    "InvocationResult",
    "InvokeError",
    "LocalLambda",
    "LocalLambdaError",
    "Report",
    "RequestTooLarge",
    "ResourceNotFound",
    "ServiceClosed",
    "TooManyRequests",
    "ValidationFailed",
]

_MODULES = {
    "FunctionConfiguration": "function",
    "InvocationResult": "result",
    "LocalLambda": "service",
    "Report": "result",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value
