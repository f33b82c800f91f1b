"""What the environment says of tracing: read here and nowhere else, when the first sampled invocation comes."""

from __future__ import annotations

import os

__all__ = ["Settings", "context_missing", "daemon_address", "trace_header"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OFF = ("0", "false", "no", "off")
_ON = ("1", "true", "yes", "on")


def daemon_address() -> str:
    """`AWS_XRAY_DAEMON_ADDRESS`, empty where it is not set: outside of Lambda there is nobody to send to."""
    return os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")


def trace_header() -> str:
    """`_X_AMZN_TRACE_ID`, which runtime clients set for each invocation; empty without."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")


def context_missing() -> str:
    """`AWS_XRAY_CONTEXT_MISSING`: one of AWS's three words, or empty."""
    return os.environ.get("AWS_XRAY_CONTEXT_MISSING", "")


class Settings:
    """`is_on`; `service`, for the annotation.

    Off by `HANDLERKIT_TRACING=off`, and by what switches the libraries off that people come from:
    `POWERTOOLS_TRACE_DISABLED=true`, `AWS_XRAY_SDK_ENABLED=false`.

    >>> Settings({"HANDLERKIT_TRACING": "off"}).is_on, Settings({}).is_on
    (False, True)
    """

    __slots__ = ("is_on", "service")

    def __init__(self, environ: Mapping[str, str]) -> None:
        get = environ.get
        self.is_on = (
            get("HANDLERKIT_TRACING", "").lower() not in _OFF
            and get("POWERTOOLS_TRACE_DISABLED", "").lower() not in _ON
            and get("AWS_XRAY_SDK_ENABLED", "").lower() not in _OFF
        )
        self.service = (
            get("HANDLERKIT_SERVICE") or get("POWERTOOLS_SERVICE_NAME") or get("AWS_LAMBDA_FUNCTION_NAME") or ""
        )

    @classmethod
    def now(cls) -> Settings:
        """Those of this process."""
        return cls(os.environ)
