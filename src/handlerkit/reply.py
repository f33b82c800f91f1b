"""A handler's result as JSON: the same document whether it leaves as bytes or as values for another runtime.

Models serialise as they say themselves, views as their raw object, dataclasses as objects, enum members by value,
`Decimal` as a number, times in ISO 8601 (`Z` for UTC), sets as arrays, bytes as UTF-8 text. NaN and infinities have
no JSON form and are refused.
"""

from __future__ import annotations

import sys
from json import JSONEncoder, encoder  # 5 ms; loaded with the first event, or by a runtime that prepares for it

from .events.view import View

__all__ = ["encoded", "jsonable"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_AS_TEXT = {"uuid": "UUID", "pathlib": "PurePath", "ipaddress": "_IPAddressBase"}


def encoded(value: object) -> bytes:
    """The result as UTF-8 JSON. Raises `TypeError` or `ValueError` for what has no JSON form, with its place."""
    if value is None:
        return b"null"
    try:
        text = "".join(_parts_of(value, 0))
    except (TypeError, ValueError):  # also keys that only Python knows
        text = "".join(_parts_of(jsonable(value), 0))
    except RecursionError:
        raise _too_deep() from None
    # JSON may escape a lone surrogate, UTF-8 cannot hold one: backslashreplace writes exactly JSON's escape.
    return text.encode("utf-8", "backslashreplace")


def jsonable(value: Any) -> Any:
    """The result as dicts, lists, texts, numbers, booleans and None."""
    try:
        return _plain(value)
    except RecursionError:
        raise _too_deep() from None
    except (TypeError, ValueError) as error:
        from handlerkit.reply_place import placed  # late: only on the way to an error

        raise _refusal(placed(error, value, _plain, _converted)) from None


def _too_deep() -> Exception:
    return _refusal(ValueError("the result is nested too deeply, or contains itself"))


def _refusal(error: Any) -> Exception:
    error.__lambda_error_type__ = "Runtime.MarshalError"
    refused: Exception = error
    return refused


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value - value != 0:
            raise ValueError(f"Out of range float values are not JSON compliant: {value!r}")
        return float(value)
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return _plain(_converted(value))


def _key(key: Any) -> Any:
    if key is None or isinstance(key, (str, int, float)):
        return key
    text = _converted(key)
    if isinstance(text, (str, int, float)):
        return text
    raise TypeError(f"an object's key cannot be of type {type(key).__name__}")


def _converted(value: Any) -> Any:
    """One step from a type that JSON does not know towards those it does."""
    if isinstance(value, View):
        return value.raw
    serializer = getattr(value, "__pydantic_serializer__", None)
    if serializer is not None and not isinstance(value, type):
        return serializer.to_python(value, mode="json")
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None and not isinstance(value, type):
        return {name: getattr(value, name) for name in fields}
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return str(bytes(value), "utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"bytes that are not UTF-8 (at byte {error.start}): encode them, e.g. as base64") from None
    if isinstance(value, (set, frozenset)):
        return list(value)
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return dict(value)
    return _converted_standard(value)


def _converted_standard(value: Any) -> Any:
    """Types of the standard library, known only if their module is loaded: none is imported here."""
    if _is_a(value, "decimal", "Decimal"):
        return _number(value)
    if _is_a(value, "datetime", "date") or _is_a(value, "datetime", "time"):
        text = value.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text
    if _is_a(value, "enum", "Enum"):
        return value.value
    if any(_is_a(value, module, name) for module, name in _AS_TEXT.items()):
        return str(value)
    core = sys.modules.get("pydantic_core")
    if core is not None:
        try:
            return core.to_jsonable_python(value)
        except ValueError:
            pass
    raise TypeError(f"an object of type {type(value).__name__} has no JSON form")


def _is_a(value: object, module: str, name: str) -> bool:
    found = sys.modules.get(module)
    return found is not None and isinstance(value, getattr(found, name))


def _number(value: Any) -> int | float:
    if not value.is_finite():
        raise ValueError(f"Out of range Decimal values are not JSON compliant: {value!s}")
    return int(value) if value == value.to_integral_value() and abs(value.adjusted()) < 400 else float(value)


def _encoder() -> Callable[[object, int], Iterable[str]]:
    """A function that writes JSON in parts; its second argument is 0. The C encoder made once; the standard library
    makes one for every text, at 1 µs."""
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:
        whole = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_converted)
        return lambda value, _: whole.iterencode(value)
    # No markers (None): what contains itself ends in RecursionError, and threads share nothing.
    made: Callable[[object, int], Iterable[str]] = make(
        None, _converted, encoder.encode_basestring, None, ":", ",", False, False, False
    )
    return made


_parts_of = _encoder()
