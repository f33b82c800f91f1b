"""The JSON documents of requests to Lambda's API, read with the API's refusals. Pure."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from lambda_emulator.errors import InvalidRequestContent, ValidationFailed
from lambda_emulator.http_message import Request

__all__ = ["Answer", "Handler", "document_of", "required_text", "text_of"]

Answer: TypeAlias = tuple[int, dict[str, Any] | None]
"""Status and document; None for no body."""
Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]


def document_of(request: Request) -> dict[str, Any]:
    """The body; empty for none. Raises `InvalidRequestContent`."""
    if not request.body:
        return {}
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestContent(f"Could not parse request body into json: {error}") from error
    if not isinstance(document, dict):
        raise InvalidRequestContent("Could not parse request body into json: it is no object")
    return document


def text_of(document: Mapping[str, Any], key: str) -> str | None:
    """None where it is not there. Raises `InvalidRequestContent` where it is no text."""
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidRequestContent(f"Could not parse request body into json: {key} is no text")
    return value


def required_text(document: Mapping[str, Any], key: str) -> str:
    """Raises `ValidationFailed` where it is not there."""
    value = text_of(document, key)
    if value is None:
        member = key[0].lower() + key[1:]
        raise ValidationFailed(
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be "
            "null."
        )
    return value
