"""What all factories share: where and when their events pretend to happen, and payloads in the forms of the wire."""

from __future__ import annotations

import binascii

from handlerkit.events.attribute_values import to_attribute_value
from handlerkit.reply import encoded

__all__ = [
    "ACCOUNT",
    "REGION",
    "SENT_AT",
    "SENT_AT_MS",
    "as_base64",
    "as_bytes",
    "as_item",
    "as_text",
    "digest",
    "uuid",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-central-1"
SENT_AT_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SENT_AT = "2026-01-01T00:00:00.000Z"


def as_text(payload: Any) -> str:
    """A payload as text; JSON unless it is text or bytes already."""
    if isinstance(payload, str):
        return payload
    return str(payload, "utf-8") if isinstance(payload, bytes) else str(encoded(payload), "utf-8")


def as_bytes(payload: Any) -> bytes:
    """A payload as bytes."""
    return payload if isinstance(payload, bytes) else as_text(payload).encode("utf-8", "surrogatepass")


def as_item(image: Any) -> dict[str, Any]:
    """A model, dataclass or dict in DynamoDB's typed JSON."""
    if hasattr(image, "model_dump"):
        image = image.model_dump()
    elif hasattr(image, "__dataclass_fields__"):
        image = {name: getattr(image, name) for name in image.__dataclass_fields__}
    item: dict[str, Any] = to_attribute_value(image)["M"]
    return item


def as_base64(data: bytes) -> str:
    """Base64 without line breaks."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def digest(text: str, algorithm: str) -> str:
    """A hexadecimal digest, e.g. of `md5`."""
    from hashlib import new

    return new(algorithm, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def uuid(number: int) -> str:
    """One of the identifiers that are the same at each call."""
    return f"{number:08x}-0000-4000-8000-000000000000"
