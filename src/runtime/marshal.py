"""JSON in and out, in the dialect that users of the managed Python runtime rely on.

In: UTF-8 with or without a byte order mark; NaN and infinities are refused. Out: compact, non-ASCII unescaped;
nested `bytes` as UTF-8 text (values and keys), `Decimal` in its own digits, named tuples and whatever has
`_asdict()` as objects, other tuples as arrays, enum members by value. Unlike there, NaN in a result is an error
and not a broken document, and a lone surrogate is escaped and not the end of the process.

The standard library's `json` costs 5 ms to import (for its use of `re`); its C half, `_json`, 0.1 ms. So the C
codec is used directly. Its names are private: where they are missing or have changed, `json` itself serves.
"""

import marshal as _marshal
import sys

__all__ = ["NotSerialisableError", "TooLargeError", "dumps", "loads"]


class NotSerialisableError(ValueError):
    """A value that JSON cannot express; `path` leads from the result to it, outermost step first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[object] = []

    def __str__(self) -> str:
        reason = str(self.args[0])
        return reason + (f" (at result{''.join(f'[{step!r}]' for step in self.path)})" if self.path else "")


class TooLargeError(Exception):
    """A result that is not written, since it would be of `at_least_bytes`."""

    def __init__(self, at_least_bytes: int) -> None:
        super().__init__(f"at least {at_least_bytes} bytes of JSON")
        self.at_least_bytes = at_least_bytes


def loads(body: bytes) -> object:
    """The value of one JSON text. Raises `ValueError` with the position of what is wrong."""
    text = str(body, "utf-8")
    text = text.removeprefix("\ufeff")
    if _scan is not None:
        stripped = text.strip(" \t\n\r")
        try:
            value, end = _scan(stripped, 0)
        except (StopIteration, SystemError, ImportError, AttributeError):
            # No value where one must be, or the scanner could not word its error (it imports `json` for that).
            pass
        except RecursionError:
            raise ValueError("nested too deeply") from None
        else:
            if end == len(stripped):
                return value
    try:
        import json  # late: 5 ms, only to name the fault (or where the C codec is not to be had)

        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (ImportError, AttributeError):  # the function has a `json` of its own
        raise ValueError("not valid JSON") from None


def dumps(value: "Any", max_bytes: int = sys.maxsize) -> bytes:
    """`value` as UTF-8 JSON. Raises `NotSerialisableError` (a `ValueError`), naming the type and where it stands.

    What exceeds `max_bytes` may come all the same; what exceeds it by far raises `TooLargeError` before it is written.
    """
    # marshal takes the exact built-in types and nothing else, and is several times faster than encoding. What passes
    # it needs neither cycle checks (a cycle ends in RecursionError) nor the dialect's conversions.
    try:
        size = len(_marshal.dumps(value, 4))
        if size > max_bytes and (at_least_bytes := size * 2 // 5 - 1) > max_bytes:  # see docs/decisions/json-codec.md
            raise TooLargeError(at_least_bytes)
        text: str | None = "".join(_encode(value, 0))
    except (TypeError, ValueError, RecursionError):
        text = None
    if text is None:  # outside of `except`, so that an error of the value's own has no context of ours
        return _dumps_dialect(value)
    # JSON may escape a lone surrogate, UTF-8 cannot hold one: backslashreplace writes exactly JSON's escape.
    return text.encode("utf-8", "backslashreplace")


def _dumps_dialect(value: object) -> bytes:
    try:
        plain = _plain(value)  # runs user code: what that raises is the user's
    except RecursionError:
        raise NotSerialisableError(_BOTTOMLESS) from None
    try:
        return "".join(_encode_digits(plain, 0)).encode("utf-8", "backslashreplace")
    except RecursionError:
        raise NotSerialisableError(_BOTTOMLESS) from None
    except ValueError as error:  # an int of more digits than the interpreter writes
        raise NotSerialisableError(str(error)) from None


_BOTTOMLESS = "The result is nested too deeply, or contains itself"


class _Digits(str):
    """A number's own digits, on their way through the encoder's string hook."""

    __slots__ = ()


def _plain(value: "Any") -> object:
    """`value` rebuilt from types that the C encoder writes as they are. One frame a level: depth is precious."""
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if isinstance(value, dict):
        fields: dict[object, object] = {}
        for key, item in value.items():
            name = _plain_key(key)
            try:
                fields[name] = _plain(item)
            except NotSerialisableError as error:
                error.path.insert(0, key)
                raise
        return fields
    if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
        items: list[object] = []
        for index, item in enumerate(value):
            try:
                items.append(_plain(item))
            except NotSerialisableError as error:
                error.path.insert(0, index)
                raise
        return items
    if hasattr(value, "_asdict") and not isinstance(value, type):
        return _plain(value._asdict())
    return _plain_scalar(value)


def _plain_scalar(value: "Any") -> object:
    if isinstance(value, float):
        if value - value != 0:
            raise NotSerialisableError(
                f"Out of range float values are not JSON compliant: {value!r}; send null or a string"
            )
        return value
    if isinstance(value, bytes):
        return _decoded(value)
    member = _class_of("enum", "Enum")
    if member is not None and isinstance(value, member):
        return _plain(value.value)
    if isinstance(value, (str, int)):
        return value
    decimal = _class_of("decimal", "Decimal")
    if decimal is not None and isinstance(value, decimal):
        # The class's own methods: a subclass may write anything.
        if not decimal.is_finite(value):
            raise NotSerialisableError(
                f"Out of range Decimal values are not JSON compliant: {decimal.__str__(value)}; send null or a string"
            )
        return _Digits(decimal.__str__(value))
    raise NotSerialisableError(f"Object of type {type(value).__name__} is not JSON serializable")


def _class_of(module: str, name: str) -> "Any":
    """A class of a module, if that has been loaded; without it there can be no value of the class."""
    return getattr(sys.modules.get(module), name, None)


def _plain_key(key: "Any") -> object:
    if isinstance(key, bytes):
        return _decoded(key)
    if key is None or isinstance(key, (str, int, float)):
        if isinstance(key, float) and key - key != 0:
            raise NotSerialisableError(f"Out of range float values are not JSON compliant: {key!r}")
        return key
    raise NotSerialisableError(f"keys must be str, bytes, int, float, bool or None, not {type(key).__name__}")


def _decoded(value: bytes) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise NotSerialisableError(
            f"Object of type bytes is not UTF-8 text ({error.reason} at byte {error.start}); encode it, e.g. as base64"
        ) from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


class _ScannerOptions:
    """What `_json.make_scanner` reads from its argument."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: "dict[str, str]" = {}  # noqa: RUF012  # read by the pure-Python scanner only, never written here


def _unserialisable(value: object) -> object:
    raise NotSerialisableError(f"Object of type {type(value).__name__} is not JSON serializable")


def _encode_string(text: str) -> str:
    return str.__str__(text) if type(text) is _Digits else _quote(text)


def _codec() -> "tuple[Any, Any, Any, Any]":
    """The scanner, the encoder, the encoder that lets `_Digits` through, and the string quoting function."""
    try:
        from _json import encode_basestring, make_encoder, make_scanner

        settings = (_unserialisable, encode_basestring, None, ":", ",", False, False, False)
        encode = make_encoder(None, *settings)
        encode_digits = make_encoder({}, settings[0], _encode_string, *settings[2:])
        scan = make_scanner(_ScannerOptions)  # type: ignore[arg-type]
        if scan('{"a":[1.5,true]}', 0) != ({"a": [1.5, True]}, 16) or "".join(encode({"a": [1]}, 0)) != '{"a":[1]}':
            return _plain_codec()  # the private module has changed
        return scan, encode, encode_digits, encode_basestring
    except (ImportError, TypeError, AttributeError):
        return _plain_codec()


def _plain_codec() -> "tuple[Any, Any, Any, Any]":
    import json.encoder  # late: only where the C codec is not what it was
    from json import JSONEncoder

    class DigitsEncoder(JSONEncoder):
        """The pure-Python encoder calls `encoder` for strings only; numbers in `_Digits` pass unquoted."""

        def iterencode(self, o: object, _one_shot: bool = False) -> "Iterator[str]":
            return json.encoder._make_iterencode(  # type: ignore[attr-defined,no-any-return]
                {}, _unserialisable, _encode_string, None, float.__repr__, ":", ",", False, False, False
            )(o, 0)

    plain = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    digits = DigitsEncoder()
    return (
        None,
        lambda value, _: plain.iterencode(value),
        lambda value, _: digits.iterencode(value),
        json.encoder.encode_basestring,
    )


_scan, _encode, _encode_digits, _quote = _codec()


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Iterator
    from typing import Any
