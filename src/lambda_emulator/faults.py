"""Answers that the platform makes in the function's stead, with the bodies that the real service sends.

All of them reach the caller with HTTP 200 and `X-Amz-Function-Error: Unhandled`; `errorType` comes first. Pure.
"""

import json
import re

from lambda_emulator.answer import Answer
from runtime import protocol

__all__ = [
    "exited",
    "invalid_response_mode",
    "recognised_type",
    "response_too_large",
    "start_failed",
    "timed_out",
    "timeout_text",
    "truncated",
    "unavailable",
]

_ERROR_TYPE = re.compile(protocol.ERROR_TYPE_PATTERN)


def timeout_text(timeout_s: float) -> str:
    """Two decimals, always.

    >>> timeout_text(3)
    'Task timed out after 3.00 seconds'
    """
    return f"Task timed out after {timeout_s:.2f} seconds"


def timed_out(request_id: str, timeout_s: float) -> Answer:
    """The function was killed at its deadline."""
    return _fault(protocol.SANDBOX_TIMEDOUT, f"RequestId: {request_id} Error: {timeout_text(timeout_s)}")


def exited(request_id: str, reason: str, error_type: str = protocol.EXIT_ERROR) -> Answer:
    """The process is gone; `reason` as `ExitStatus.reason` words it.

    The caller reads `Runtime.ExitError` also where the report says `Runtime.OutOfMemory`.
    """
    fault = _fault(protocol.EXIT_ERROR, f"RequestId: {request_id} Error: {reason}")
    return Answer(payload=fault.payload, failed=True, error_type=error_type)


def start_failed(request_id: str, error_type: str, reason: str) -> Answer:
    """There is nothing to start, or it cannot be started."""
    return _fault(error_type, f"RequestId: {request_id} Error: {reason}")


def response_too_large(limit_bytes: int = protocol.MAX_RESPONSE_BYTES) -> Answer:
    """The function's result is over the limit."""
    return _fault(
        protocol.RESPONSE_TOO_LARGE,
        f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes).",
    )


def truncated() -> Answer:
    """The connection ended inside the response."""
    return _fault(protocol.TRUNCATED_RESPONSE, "Response body was truncated: the connection closed before its end")


def invalid_response_mode() -> Answer:
    """The runtime named a response mode that there is not; the platform sends an empty body."""
    return Answer(payload=b"", failed=True, error_type=protocol.INVALID_RESPONSE_MODE_HEADER)


def unavailable(request_id: str) -> Answer:
    """Managed instances: no worker waits for an event."""
    return _fault("Runtime.Unavailable", f"RequestId: {request_id} Error: No idle runtime is available")


def recognised_type(text: str | None) -> str:
    """The error type that the platform reads out of a header.

    >>> [recognised_type(text) for text in ("Function.ValueError", "Function.x", "ValueError", None)]
    ['Function.ValueError', 'Function.Unknown', 'Runtime.Unknown', 'Runtime.Unknown']
    """
    if text and _ERROR_TYPE.search(text):
        return text
    return protocol.FUNCTION_UNKNOWN if text and text.startswith("Function.") else protocol.RUNTIME_UNKNOWN


def _fault(error_type: str, message: str) -> Answer:
    document = {"errorType": error_type, "errorMessage": message}
    return Answer(payload=json.dumps(document, separators=(",", ":")).encode(), failed=True, error_type=error_type)
