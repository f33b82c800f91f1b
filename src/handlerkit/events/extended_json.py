"""MongoDB's extended JSON to Python values. Pure functions; what carries no known mark stays as it is."""

from __future__ import annotations

from .encoded import from_base64
from .instants import instant

__all__ = ["from_extended_json"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def from_extended_json(value: Any) -> Any:
    """A document as plain values: identifiers are texts, numbers `int`, `float` and `Decimal`, binaries bytes.

    >>> from_extended_json({"_id": {"$oid": "63ee"}, "n": [{"$numberLong": "7"}]})
    {'_id': '63ee', 'n': [7]}
    """
    if isinstance(value, list):
        return [from_extended_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 or value.keys() == {"$binary", "$type"}:
        mark = "$binary" if len(value) == 2 else next(iter(value))
        if mark in _READERS:
            try:
                return _READERS[mark](value[mark])
            except (ValueError, TypeError, LookupError, ArithmeticError):
                pass  # a document of the user's that only looks like a mark
    return {name: from_extended_json(item) for name, item in value.items()}


def _text(inner: Any) -> str:
    if not isinstance(inner, str):
        raise TypeError("not text")
    return inner


def _decimal(inner: Any) -> Any:
    from decimal import Decimal

    return Decimal(_text(inner))


def _date(inner: Any) -> Any:
    if isinstance(inner, dict):
        inner = int(inner["$numberLong"]) if "$numberLong" in inner else None
    if isinstance(inner, (int, float)) and not isinstance(inner, bool):
        from datetime import UTC, datetime, timedelta

        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=inner)  # always ms, before 1970 as well
    moment = instant(_text(inner))
    if moment is None:
        raise ValueError("not a date")
    return moment


def _binary(inner: Any) -> bytes:
    return from_base64(_text(inner["base64"] if isinstance(inner, dict) else inner))


def _regular_expression(inner: Any) -> str:
    return _text(inner["pattern"] if isinstance(inner, dict) else inner)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$oid": _text,
    "$numberLong": int,
    "$numberInt": int,
    "$numberDouble": float,
    "$numberDecimal": _decimal,
    "$date": _date,
    "$binary": _binary,
    "$uuid": _text,
    "$symbol": _text,
    "$regularExpression": _regular_expression,
    "$undefined": lambda _: None,
}
