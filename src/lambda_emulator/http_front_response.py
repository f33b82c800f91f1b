"""What a function returned, made into an HTTP response; the rules that fronts share, and how each says that it cannot.

`BadResponse` is the one word for a result that a front refuses; its status and body are the front's.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lambda_emulator.errors import LocalLambdaError
from lambda_emulator.http_message import Response

__all__ = ["BadResponse", "Parts", "body_of", "header_text", "json_refusal", "parsed", "response_of", "status_of"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(r"[\r\n\0]")
# What the connection decides, whatever a function says.
_FRAMING = frozenset({"connection", "keep-alive", "transfer-encoding", "trailer", "upgrade", "content-length"})
_STATUSES = range(200, 600)


class BadResponse(LocalLambdaError, ValueError):  # noqa: N818 (named as the others of this package)
    """A result that the front cannot make a response of; says what is wrong with it."""

    def __init__(self, reason: str, *, is_base64: bool = False) -> None:
        super().__init__(reason)
        self.is_base64 = is_base64
        """The body is at fault; REST APIs have a status of their own for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A response before it is written."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reason: str = ""


def parsed(payload: bytes) -> Any:
    """The result as a value. Raises `BadResponse`."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise BadResponse("the result is no JSON") from None


def status_of(value: Any) -> int:
    """A status code: a number, or digits in a text. Raises `BadResponse`."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or value not in _STATUSES:
        raise BadResponse(f"statusCode is {value!r:.40}, not a number from 200 to 599")
    return value


def header_text(name: str, value: Any) -> str:
    """A header's value as text: numbers and booleans may be values. Raises `BadResponse`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise BadResponse(f"header {name!r:.40} is a {type(value).__name__}, not text")
    return str(value)


def body_of(result: dict[str, Any], *, decode: bool = True) -> bytes:
    """The body, decoded if it says that it is base64. Raises `BadResponse`."""
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BadResponse(f"body is a {type(body).__name__}, not text")
    if result.get("isBase64Encoded") is True and decode:
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            raise BadResponse("body is no base64, though isBase64Encoded says so", is_base64=True) from None
    return body.encode("utf-8", "replace")


def response_of(parts: Parts, *, extra: Iterable[tuple[str, str]] = (), only_head: bool = False) -> Response:
    """The response. Raises `BadResponse` for headers that cannot be sent."""
    headers: list[tuple[str, str | bytes]] = []
    for name, value in parts.headers:
        if not _TOKEN.fullmatch(name) or _BAD_IN_VALUE.search(value):
            raise BadResponse(f"header {name!r:.60} cannot be sent: it has characters that no header may have")
        if name.lower() not in _FRAMING or (only_head and name.lower() == "content-length" and value.isdigit()):
            headers.append((name, value.strip().encode("utf-8") if not _is_latin(value) else value.strip()))
    names = {name.lower() for name, _ in headers}
    headers += [(name, value) for name, value in extra if name.lower() not in names]
    return Response(status=parts.status, headers=tuple(headers), body=parts.body, reason=parts.reason)


def json_refusal(status: int, document: Any, *extra: tuple[str, str]) -> Response:
    """A refusal in JSON."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Response(status=status, headers=(("Content-Type", "application/json"), *extra), body=body)


def _is_latin(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
