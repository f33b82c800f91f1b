"""What a caller of Invoke asks for, and the service's checks of it: sizes, JSON, sets of values. Pure.

Each check raises the `InvokeError` that the service would answer with.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from lambda_emulator.errors import InvalidRequestContent, RequestTooLarge, ValidationFailed
from runtime import protocol

__all__ = ["InvokeRequest", "client_context_from_base64", "client_context_to_base64"]

_INVOCATION_TYPES = ("RequestResponse", "Event", "DryRun")
_STREAMED_TYPES = ("RequestResponse", "DryRun")
_LOG_TYPES = ("None", "Tail")
_TENANT_ID = re.compile(r"[a-zA-Z0-9\._:\/=+\-@ ]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """One call of Invoke."""

    function_name: str
    payload: bytes = b""
    payload_bytes: int = 0
    """How much the caller sent; more than `payload` holds where it was cut for being over the limit."""
    invocation_type: str = "RequestResponse"
    log_type: str = "None"
    qualifier: str | None = None
    client_context: str | None = None
    """Base64, as the header has it."""
    tenant_id: str | None = None
    trace_header: str | None = None
    cognito_identity: Mapping[str, str] | None = None
    streamed: bool = False
    """InvokeWithResponseStream, which knows no `Event`."""

    def checked_event(self) -> bytes:
        """The event's bytes: an empty payload stands for `{}`. Raises InvokeError for what the service refuses."""
        for name, value, allowed in (
            ("invocationType", self.invocation_type, _STREAMED_TYPES if self.streamed else _INVOCATION_TYPES),
            ("logType", self.log_type, _LOG_TYPES),
        ):
            if value not in allowed:
                _refuse_value(name, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
        if self.tenant_id is not None and not _TENANT_ID.fullmatch(self.tenant_id):
            _refuse_value(
                "tenantId", self.tenant_id, f"Member must satisfy regular expression pattern: {_TENANT_ID.pattern}"
            )
        self._check_size()
        if not self.payload:
            return b"{}"
        try:
            json.loads(self.payload.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidRequestContent(
                f"Could not parse request body into json: Could not parse payload into json: {error}"
            ) from error
        return self.payload

    def client_context_text(self) -> str | None:
        """The client context as the function gets it; asynchronous invocations have none."""
        if not self.client_context:
            return None
        text = client_context_from_base64(self.client_context)
        return text if self.invocation_type == "RequestResponse" else None

    def _check_size(self) -> None:
        sent_bytes = max(self.payload_bytes, len(self.payload))
        if self.invocation_type == "Event" and sent_bytes > protocol.MAX_ASYNC_REQUEST_BYTES:
            raise RequestTooLarge(
                f"{sent_bytes} byte payload is too large for the Event invocation type "
                f"(limit {protocol.MAX_ASYNC_REQUEST_BYTES} bytes)"
            )
        if sent_bytes > protocol.MAX_REQUEST_BYTES:
            raise RequestTooLarge(
                f"Request must be smaller than {protocol.MAX_REQUEST_BYTES} bytes for the InvokeFunction operation"
            )


def client_context_to_base64(context: Mapping[str, Any]) -> str:
    """As the header carries it. Raises `InvalidRequestContent` if it is no JSON."""
    try:
        text = json.dumps(context, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequestContent(f"The client context cannot be written as JSON: {error}") from error
    return base64.b64encode(text.encode("ascii")).decode("ascii")


def client_context_from_base64(encoded: str) -> str:
    """The JSON text. Raises `InvalidRequestContent` for what is no base64 of a JSON object, or is too long."""
    if len(encoded) > protocol.MAX_CLIENT_CONTEXT_BYTES:
        allowed = protocol.MAX_CLIENT_CONTEXT_BYTES
        raise InvalidRequestContent(f"The client context is {len(encoded)} bytes long, more than the {allowed} allowed")
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
        document = json.loads(text)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from error
    if not isinstance(document, dict):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.")
    return text


def _refuse_value(name: str, value: str, constraint: str) -> NoReturn:
    raise ValidationFailed(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
