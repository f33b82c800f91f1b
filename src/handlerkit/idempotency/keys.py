"""Keys and fingerprints: a value's canonical form, hashed. Equal values hash alike, in every process and version.

The form is JSON with sorted names, ASCII, no blanks; what JSON does not know stands in a form that is no JSON: `<1,2>`
for a set, `b"00ff"` for bytes, `{1:2}` for names that are no texts. So numbers of different types that are equal hash
alike (1, 1.0 and Decimal("1") are one number); texts and numbers never do, neither do `True` and 1. Lists and tuples
are one kind. Sets and objects have no order.

Values of which the C encoder's JSON is that form, nearly all, are looked through once and encoded by it; the rest is
encoded here, ten times as slowly.
"""

from __future__ import annotations

import sys

# The C modules: hashlib costs 2 ms and loads OpenSSL, json 5 ms.
from _json import encode_basestring_ascii, make_encoder

try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]  # Python 3.12 and later
except ImportError:
    from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore,no-redef]

from .errors import BadKeyError, KeyMissingError

__all__ = ["fingerprint_of", "hashed", "key_text"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A fingerprint that begins otherwise was made by another tool and is not compared.
FINGERPRINT = "h1:"

PLAIN, MISSING, OTHER = 0, 1, 2
# Python turns no number of more than 4,300 digits into text.
MAX_DIGITS = 4_000
WITH_LENGTH = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
NAMES = (str, int, float, tuple, frozenset, bytes, type(None))


def key_text(scope: str, value: object) -> str:
    """The key as it stands in the store: of one length, whatever the value. Raises `KeyMissingError`, `BadKeyError`.

    >>> key_text("orders.place", "o-1")[:16]
    'orders.place#00d'
    """
    try:
        found = _looked_through(value)
        if found != PLAIN and (missing := _missing_part(value)) is not None:
            raise KeyMissingError(
                f"a part of the key is missing: {missing}" if missing else f"the key is missing: it is {value!r}"
            )
        text = _canonical(value) if found == OTHER else _encoded(value)
    except RecursionError:
        raise BadKeyError(ENDLESS) from None
    return f"{scope}#{sha256(text.encode()).hexdigest()}"


def fingerprint_of(value: object) -> str:
    """What tells one payload from another."""
    return FINGERPRINT + hashed(value)


def hashed(value: object) -> str:
    """64 hexadecimal digits. Raises `BadKeyError` for what has no canonical form."""
    try:
        text = _canonical(value) if _looked_through(value) == OTHER else _encoded(value)
    except RecursionError:
        raise BadKeyError(ENDLESS) from None
    return sha256(text.encode()).hexdigest()  # type: ignore[no-any-return]


ENDLESS = "a key or payload is nested too deeply, or contains itself"
TOO_LONG = "a number of more than 4,300 digits is no part of a key or payload"


def _refused(value: object) -> object:
    raise BadKeyError(f"a {type(value).__qualname__} is no part of a key or payload")


_encoder = make_encoder(None, _refused, encode_basestring_ascii, None, ":", ",", True, False, False)


def _encoded(value: Any) -> str:
    """The canonical form of what the C encoder makes it of."""
    try:
        return "".join(_encoder(value, 0))
    except ValueError as error:
        raise BadKeyError(TOO_LONG) from error


def _looked_through(value: Any) -> int:
    """PLAIN if the C encoder's JSON is the canonical form, MISSING if besides a part is empty, OTHER if it is not."""
    kind = type(value)
    if kind is dict:
        try:
            "".join(value)  # are the names texts?
        except TypeError:
            return OTHER
        value = value.values()
    elif kind is not list and kind is not tuple:
        return _single(value, kind)
    found = PLAIN if value else MISSING
    for item in value:
        kind = type(item)
        if kind is str:
            if not item:
                found = MISSING
        elif kind is not int and (inside := _looked_through(item)):
            if inside == OTHER:
                return OTHER
            found = MISSING
    return found


def _single(value: Any, kind: type) -> int:
    """The same of what has no parts."""
    if kind is str or value is None:
        return PLAIN if value else MISSING
    if kind is float:
        return PLAIN if value % 1 > 0 else OTHER  # 1.0 is 1, and NaN is refused
    return PLAIN if kind is int or kind is bool else OTHER


def _missing_part(value: Any) -> str | None:
    """Which part of any value is missing, as `['a'][0]`, "" for the whole; None if none is. 0 and False are there."""
    if value is None or (isinstance(value, WITH_LENGTH) and not value):
        return ""
    parts: Any = ()
    if isinstance(value, (list, tuple)):
        parts = enumerate(value)
    elif isinstance(value, dict):
        parts = value.items()
    for name, item in parts:
        inside = _missing_part(item)
        if inside is not None:
            return f"[{name!r:.50}]{inside}"
    return None


def _canonical(value: Any) -> str:
    """The canonical form of any value."""
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, str):
        return encode_basestring_ascii(str.__str__(value))
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError as error:
            raise BadKeyError(TOO_LONG) from error
    if isinstance(value, float):
        if value - value != 0:
            raise BadKeyError(f"{value!r} is equal to nothing, and so no part of a key or payload")
        return int.__repr__(int(value)) if value == int(value) else float.__repr__(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join([_canonical(item) for item in value])}]"
    if isinstance(value, dict):
        return f"{{{','.join([text for _, _, text in sorted([_member(*one) for one in value.items()])])}}}"
    if isinstance(value, (set, frozenset)):
        return f"<{','.join(sorted([_canonical(item) for item in value]))}>"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f'b"{bytes(value).hex()}"'
    return _decimal_text(value) or _canonical(_simpler(value))


def _member(name: Any, item: Any) -> tuple[bool, str, str]:
    """A member of an object as it is sorted: texts first, by themselves, as the C encoder sorts them."""
    while not isinstance(name, NAMES) and _decimal_text(name) is None:
        name = _simpler(name)
    text = f"{_canonical(name)}:{_canonical(item)}"
    return (False, str.__str__(name), text) if isinstance(name, str) else (True, "", text)


def _decimal_text(value: Any) -> str | None:
    """The digits of a `Decimal` as JSON would have them, all of them; None for anything else."""
    decimal = sys.modules.get("decimal")
    if decimal is None or not isinstance(value, decimal.Decimal):
        return None
    if not value.is_finite():
        raise BadKeyError(f"{value!r} is no part of a key or payload")
    if value.adjusted() < MAX_DIGITS and value == value.to_integral_value():
        return str(int(value))
    near = float.__repr__(float(value))
    if decimal.Decimal(near) == value:
        return near
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits))
    short = text.rstrip("0")
    return f"{'-' * sign}{short}e{exponent + len(text) - len(short)}"


def _simpler(value: Any) -> Any:
    """What stands for an object of a class that is not built in. Raises `BadKeyError` if nothing does."""
    kind = type(value)
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return value.value
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    if hasattr(kind, "__pydantic_serializer__"):
        return dict(value)
    if kind.__module__ in ("datetime", "uuid", "pathlib", "ipaddress"):
        return str(value)
    raw = getattr(value, "raw", None)
    if isinstance(raw, dict) and hasattr(kind, "_arguments"):  # a view of an event
        return raw
    what = f"a {kind.__module__}.{kind.__qualname__}"
    raise BadKeyError(f"{what} is no part of a key or payload: name the fields that are")
