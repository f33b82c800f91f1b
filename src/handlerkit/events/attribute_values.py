"""DynamoDB's typed JSON to Python values and back. Numbers are `Decimal`, sets are sets, binaries are bytes."""

from __future__ import annotations

from .encoded import from_base64

__all__ = ["from_attribute_map", "from_attribute_value", "to_attribute_value"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from typing import Any


def from_attribute_map(attributes: object) -> dict[str, Any]:
    """An item, image or key as plain values. Raises `ValueError` or `TypeError` for anything else."""
    if not isinstance(attributes, dict):
        raise TypeError("not a map of attribute values")
    return {name: from_attribute_value(value) for name, value in attributes.items()}


def from_attribute_value(value: object) -> Any:
    """One attribute value, e.g. `{"N": "1.50"}`, as a Python value."""
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("not an attribute value")
    ((kind, inner),) = value.items()
    read = _READERS.get(kind)
    if read is None:
        raise ValueError(f"not an attribute value: unknown type {kind[:20]!r}")
    return read(inner)


def to_attribute_value(value: object) -> dict[str, Any]:
    """A Python value in DynamoDB's typed JSON, as a stream delivers it (binaries in base64)."""
    import binascii
    from decimal import Decimal

    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, (int, float, Decimal)):
        return {"N": str(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"B": binascii.b2a_base64(value, newline=False).decode()}
    if isinstance(value, dict):
        return {"M": {name: to_attribute_value(item) for name, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [to_attribute_value(item) for item in value]}
    if isinstance(value, (set, frozenset)):
        typed = [to_attribute_value(item) for item in value]
        kinds = {kind for item in typed for kind in item}
        if len(kinds) == 1 and kinds <= {"S", "N", "B"}:
            kind = kinds.pop()
            return {f"{kind}S": sorted(item[kind] for item in typed)}
    raise ValueError(f"DynamoDB has no attribute type for {type(value).__name__}")


def _text(inner: object) -> str:
    if not isinstance(inner, str):
        raise TypeError("not a text attribute")
    return inner


def _number(inner: object) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(inner if isinstance(inner, str) else str(inner))
    except InvalidOperation:
        raise ValueError("not a number attribute") from None


def _binary(inner: object) -> bytes:
    if isinstance(inner, bytes):
        return inner  # boto3's form, as unit tests build it
    return from_base64(_text(inner))


def _items(inner: object) -> list[Any]:
    if not isinstance(inner, list):
        raise TypeError("not a list attribute")
    return inner


def _boolean(inner: object) -> bool:
    if isinstance(inner, bool):
        return inner
    if inner in ("true", "false"):
        return inner == "true"
    raise ValueError("not a boolean attribute")


_READERS: dict[str, Callable[[object], Any]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": lambda _: None,
    "M": from_attribute_map,
    "L": lambda inner: [from_attribute_value(item) for item in _items(inner)],
    "SS": lambda inner: {_text(item) for item in _items(inner)},
    "NS": lambda inner: {_number(item) for item in _items(inner)},
    "BS": lambda inner: {_binary(item) for item in _items(inner)},
}
