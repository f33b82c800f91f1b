"""Keys and fingerprints: a value's canonical form, hashed. Equal values hash alike, in every process and version.

Numbers of different types that are equal hash alike (1, 1.0 and Decimal("1") are one number in JSON); texts and
numbers never do, neither do `True` and 1. Lists and tuples are one kind. Sets and objects have no order.
"""

from __future__ import annotations

import sys

from .errors import BadKeyError

__all__ = ["fingerprint_of", "hashed", "is_missing", "key_text"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A fingerprint that begins otherwise was made by another tool and is not compared.
FINGERPRINT = "h1:"


def key_text(scope: str, value: object) -> str:
    """The key as it stands in the store: of one length, whatever the value.

    >>> key_text("orders.place", "o-1")[:16]
    'orders.place#b81'
    """
    return f"{scope}#{hashed(value)}"


def fingerprint_of(value: object) -> str:
    """What tells one payload from another."""
    return FINGERPRINT + hashed(value)


def hashed(value: object) -> str:
    """64 hexadecimal digits. Raises `BadKeyError` for what has no canonical form."""
    from hashlib import sha256  # late: with the first key

    try:
        text = _canonical(value)
    except RecursionError:
        raise BadKeyError("a key or payload is nested too deeply, or contains itself") from None
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_missing(value: Any) -> bool:
    """Whether there is no key, or one with a part missing. 0 and False are keys.

    >>> [is_missing(one) for one in (None, "", [], ["u-1", None], {"a": None}, 0, False, ["u-1", 0])]
    [True, True, True, True, True, False, False, False]
    """
    if value is None or value == "":
        return True
    if isinstance(value, (list, tuple)):
        return not value or any(is_missing(item) for item in value)
    if isinstance(value, dict):
        return not value or any(is_missing(item) for item in value.values())
    return False


def _canonical(value: Any) -> str:
    if value is None or value is True or value is False:
        return repr(value)
    if isinstance(value, str):
        value = str.__str__(value)
        return f"s{len(value)}:{value}"
    if isinstance(value, int):
        return f"n{int(value)}"
    if isinstance(value, float):
        if value - value != 0:
            raise BadKeyError(f"{value!r} is equal to nothing, and so no part of a key or payload")
        return f"n{int(value)}" if value == int(value) else f"n{float(value)!r}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join([_canonical(item) for item in value])}]"
    if isinstance(value, dict):
        return f"{{{','.join(sorted([f'{_canonical(name)}={_canonical(item)}' for name, item in value.items()]))}}}"
    if isinstance(value, (set, frozenset)):
        return f"<{','.join(sorted([_canonical(item) for item in value]))}>"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"b{len(bytes(value))}:{bytes(value).hex()}"
    return _canonical_object(value)


def _canonical_object(value: Any) -> str:
    kind = type(value)
    decimal, enum = sys.modules.get("decimal"), sys.modules.get("enum")
    if decimal is not None and isinstance(value, decimal.Decimal):
        if not value.is_finite():
            raise BadKeyError(f"{value!r} is no part of a key or payload")
        is_whole = value == value.to_integral_value() and value.adjusted() < 400
        return f"n{int(value)}" if is_whole else f"n{value.normalize()}"
    if enum is not None and isinstance(value, enum.Enum):
        return _canonical(value.value)
    if hasattr(kind, "__dataclass_fields__"):
        return _canonical({name: getattr(value, name) for name in kind.__dataclass_fields__})
    if hasattr(kind, "__pydantic_serializer__"):
        return _canonical(dict(value))
    if kind.__module__ in ("datetime", "uuid", "pathlib", "ipaddress"):
        return _canonical(str(value))
    raw = getattr(value, "raw", None)
    if isinstance(raw, dict) and hasattr(kind, "_arguments"):  # a view of an event
        return _canonical(raw)
    what = f"a {kind.__module__}.{kind.__qualname__}"
    raise BadKeyError(f"{what} is no part of a key or payload: name the fields that are")
