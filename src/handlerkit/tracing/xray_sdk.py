"""`patch`: libraries that aws-xray-sdk can record, recorded inside of our spans."""

from __future__ import annotations

import atexit

from .settings import Settings

__all__ = ["patch"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def patch(*libraries: str) -> None:
    """Have calls of these libraries recorded: `patch("boto3", "requests")`, at the top of the function's module.

    What can be named is what aws-xray-sdk knows: boto3, botocore, requests, httpx, httplib, sqlite3, pymysql and more.
    Its patchers do the work; the spans nest under ours, and requests carry the trace header. Also what uses the SDK's
    recorder by itself is recorded so from then on. Loads those libraries. Raises `ModuleNotFoundError` where
    aws-xray-sdk is missing, `ValueError` for a library that it does not know. Does nothing where tracing is off.
    """
    if not Settings.now().is_on:
        return
    try:
        from aws_xray_sdk.core import patch as patch_with_sdk
        from aws_xray_sdk.core import xray_recorder
        from aws_xray_sdk.core.patcher import SUPPORTED_MODULES
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "aws_xray_sdk":
            raise
        raise ModuleNotFoundError(
            "tracing.patch() needs aws-xray-sdk: pip install 'handlerkit[tracing]'", name="aws_xray_sdk"
        ) from None
    known = {*SUPPORTED_MODULES, "boto3", "aioboto3"}
    if unknown := [library for library in libraries if library not in known]:
        raise ValueError(f"aws-xray-sdk cannot patch {unknown[0]!r}: it knows {', '.join(sorted(known))}")
    from .xray_sdk_context import SpanContext

    if not isinstance(xray_recorder.context, SpanContext):
        xray_recorder.context = SpanContext()
        _close_at_exit(xray_recorder.emitter)
    patch_with_sdk(libraries)


def _close_at_exit(emitter: Any) -> None:
    """The SDK opens a socket where it is imported and never closes it; with warnings on, the end of a process tells."""
    opened = getattr(emitter, "_socket", None)
    if opened is not None:
        atexit.register(opened.close)
