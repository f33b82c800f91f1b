"""What the environment says of tracing: read here and nowhere else, when the first sampled invocation comes."""

from __future__ import annotations

import os

from handlerkit.environ import is_off, is_on, service_name

__all__ = ["Settings", "context_missing", "daemon_address", "trace_header", "trace_header_is_of_context"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def daemon_address() -> str:
    """`AWS_XRAY_DAEMON_ADDRESS`, empty where it is not set: outside of Lambda there is nobody to send to."""
    return os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")


def trace_header() -> str:
    """`_X_AMZN_TRACE_ID`, which runtime clients set for each invocation; empty without."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")


def trace_header_is_of_context() -> bool:
    """Whether that is the header of the running context's own invocation, and empty in a thread of which nobody knows
    for which it works: a runtime that serves by threads may see to it, and then says so."""
    return getattr(getattr(os.environ, "_data", None), "__lambda_by_context__", False)


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
            not is_off(get("HANDLERKIT_TRACING"))
            and not is_on(get("POWERTOOLS_TRACE_DISABLED"))
            and not is_off(get("AWS_XRAY_SDK_ENABLED"))
        )
        self.service = service_name(environ) or ""

    @classmethod
    def now(cls) -> Settings:
        """Those of this process."""
        return cls(os.environ)
