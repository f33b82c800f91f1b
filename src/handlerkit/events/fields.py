"""The vocabulary that views are declared in: one function per kind of field, exact for the type checker.

All are lenient in the same way: absent and null are the same; numbers come as numbers or text, text as numbers;
only a value of a hopeless shape (an object where a number belongs) raises, and only when it is read. Fields that
hold other views are in `nested`, payloads in `payload`.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .encoded import from_base64, unquote_plus
from .generics import TypeVar
from .instants import instant as decode_instant
from .json_text import load
from .view import View

__all__ = [
    "FreshField",
    "base64_bytes",
    "boolean",
    "header_map",
    "instant",
    "integer",
    "items",
    "json_text",
    "mapping",
    "maybe_base64_bytes",
    "maybe_boolean",
    "maybe_integer",
    "maybe_number",
    "maybe_text",
    "number",
    "object_key",
    "text",
    "text_map",
    "texts",
    "value",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from .headers import Headers

T = TypeVar("T")


def text(wire: str, *also: str, inside: str | None = None, secret: bool = False) -> Field[str]:
    """Text, "" when absent; numbers and booleans as they are written in JSON."""
    return Field(wire, _text, "", also=also, inside=inside, secret=secret)


def maybe_text(wire: str, *also: str, inside: str | None = None, secret: bool = False) -> Field[str | None]:
    """Text, or None when absent."""
    return Field(wire, _text, None, also=also, inside=inside, secret=secret)


def integer(wire: str, *also: str, inside: str | None = None) -> Field[int]:
    """A whole number, 0 when absent or empty; `60.0` and `"60"` are 60."""
    return Field(wire, _integer, 0, also=also, inside=inside)


def maybe_integer(wire: str, *also: str, inside: str | None = None) -> Field[int | None]:
    """A whole number, or None when absent or empty."""
    return Field(wire, _maybe_integer, None, also=also, inside=inside)


def number(wire: str, *also: str, inside: str | None = None) -> Field[float]:
    """A number, 0.0 when absent or empty."""
    return Field(wire, _number, 0.0, also=also, inside=inside)


def maybe_number(wire: str, *also: str, inside: str | None = None) -> Field[float | None]:
    """A number, or None when absent or empty."""
    return Field(wire, _maybe_number, None, also=also, inside=inside)


def boolean(wire: str, *also: str, inside: str | None = None) -> Field[bool]:
    """A truth value, False when absent; the text "true" is true."""
    return Field(wire, _boolean, False, also=also, inside=inside)


def maybe_boolean(wire: str, *also: str, inside: str | None = None) -> Field[bool | None]:
    """A truth value, or None when absent."""
    return Field(wire, _boolean, None, also=also, inside=inside)


def instant(wire: str, *also: str, inside: str | None = None) -> Field[datetime | None]:
    """An aware point in time; None when absent or in a form nobody knows (the text stays in `raw`)."""
    return Field(wire, decode_instant, None, also=also, inside=inside)


def base64_bytes(wire: str, *also: str, inside: str | None = None) -> Field[bytes]:
    """The bytes of base64 text, b"" when absent."""
    return KeptField(wire, _base64, b"", also=also, inside=inside)


def maybe_base64_bytes(wire: str, *also: str, inside: str | None = None) -> Field[bytes | None]:
    """The bytes of base64 text, or None when absent."""
    return KeptField(wire, _base64, None, also=also, inside=inside)


def object_key(wire: str, *also: str, inside: str | None = None) -> Field[str]:
    """An S3 key, form-encoded on the wire, in its plain form."""
    return Field(wire, _object_key, "", also=also, inside=inside)


def value(wire: str, *also: str, inside: str | None = None) -> Field[Any]:
    """Whatever JSON value is there, as it is; None when absent."""
    return Field(wire, _same, None, also=also, inside=inside)


def json_text(wire: str, *also: str, inside: str | None = None) -> Field[Any]:
    """JSON inside text, parsed once; None when absent or empty. What is no text is taken as parsed already."""
    return KeptField(wire, _json_text, None, also=also, inside=inside)


def mapping(wire: str, *also: str, inside: str | None = None) -> Field[dict[str, Any]]:
    """A JSON object with free keys, the very dict of `raw`; a new empty one when absent."""
    return FreshField(wire, _mapping, {}, also=also, inside=inside)


def text_map(wire: str, *also: str, inside: str | None = None) -> Field[dict[str, str]]:
    """A JSON object of texts as a new dict, empty when absent; null values are ""."""
    return FreshField(wire, _text_map, {}, also=also, inside=inside)


def texts(wire: str, *also: str, inside: str | None = None) -> Field[list[str]]:
    """A list of texts, new at each read, empty when absent; a lone text is a list of one."""
    return FreshField(wire, _texts, [], also=also, inside=inside)


def items(wire: str, *also: str, inside: str | None = None) -> Field[list[Any]]:
    """A JSON array, the very list of `raw`; a new empty one when absent."""
    return FreshField(wire, _items, [], also=also, inside=inside)


def header_map(single: str = "headers", multiple: str = "multiValueHeaders") -> Field[Headers]:
    """Both header maps of an HTTP event as one, looked up in any case."""
    return _HeadersField(single, multiple)


class FreshField(Field[T]):
    """A field whose absent value could be changed by its reader: a new one each time."""

    __slots__ = ()

    def when_absent(self) -> T:
        return type(self.absent)()


class _HeadersField(KeptField["Headers"]):
    __slots__ = ()

    def __init__(self, single: str, multiple: str) -> None:
        super().__init__(single, _same, None, also=(multiple,))  # type: ignore[arg-type]  # read() never asks for it

    def read(self, view: View) -> Headers:
        from .headers import Headers  # late: only events of HTTP fronts have them

        single, multiple = (view.raw.get(key) for key in (self.wire, *self.also))
        for found in (single, multiple):
            if found is not None and not isinstance(found, dict):
                raise self.refusal(found, ValueError("not a map of headers"))
        return Headers(single, multiple)


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError("not text")


def _maybe_integer(value: Any) -> int | None:
    return None if value == "" else _integer(value)


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0
        if len(text) > 400:
            raise ValueError("not a whole number")
        try:
            return int(text)
        except ValueError:
            value = _number(text)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError("not a whole number")


def _maybe_number(value: Any) -> float | None:
    return None if value == "" else _number(value)


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("a number too large") from None
    if isinstance(value, str):
        try:
            return float(value or 0)
        except ValueError:
            pass
    raise ValueError("not a number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else value
    if text in ("true", "1", 1):
        return True
    if text in ("false", "0", "", 0):
        return False
    raise ValueError("not a truth value")


def _base64(value: Any) -> bytes:
    return value if isinstance(value, bytes) else from_base64(_text(value))


def _object_key(value: Any) -> str:
    return unquote_plus(_text(value))


def _json_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return load(value) if value.strip() else None


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError("not an object")


def _text_map(value: Any) -> dict[str, str]:
    return {key: "" if item is None else _text(item) for key, item in _mapping(value).items()}


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in value if item is not None] if isinstance(value, list) else [_text(value)]


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ValueError("not an array")
