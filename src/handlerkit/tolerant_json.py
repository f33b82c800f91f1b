"""JSON for lines that must be written whatever they hold: what JSON cannot express is degraded and never raises.

`encode` takes what is JSON already and is the C encoder; `plain` makes such values of any others. Models and
dataclasses become objects; NaN and infinities their names as text; a structure that contains itself, one that is too
deep or too large ends in a mark; whatever else there is becomes its text.
"""

from __future__ import annotations

import sys

__all__ = ["REDACTED", "SCALARS", "encode", "is_plain", "plain", "quote", "text_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SCALARS = frozenset({str, int, float, bool, type(None)})
"""Exact types that `encode` writes as they are, if they are finite."""

MAX_DEPTH = 40
MAX_NODES = 20_000
"""Values kept of one structure."""
REDACTED = "[redacted]"


def encode(value: object) -> str:
    """Compact JSON. Raises `TypeError`, `ValueError` or `RecursionError` for what is not of JSON's own types.

    A lone surrogate stays as it is: whoever makes bytes of it escapes it.
    """
    return "".join(_encode(value, 0))


def plain(value: Any, is_secret: Callable[[str], bool] | None = None) -> Any:
    """`value` of types that `encode` takes; under keys that `is_secret` says are, only a mark."""
    try:
        return _Walk(is_secret).plain(value, 0)
    except RecursionError:
        return f"<{type(value).__name__} nested too deeply>"


def text_of(value: object) -> str:
    """`str(value)`, or what can be said where that fails."""
    try:
        text = str(value)
        return text if type(text) is str else str.__str__(text)
    except Exception as error:  # noqa: BLE001  # a value's own __str__ may do anything
        return f"<{type(value).__name__} whose str() raised {type(error).__name__}>"


def is_plain(value: Any, names: set[str] | frozenset[str], depth: int) -> bool:
    """Whether `encode` may take it as it is: of exact types of JSON's, with no other names than these, not too deep."""
    kind = type(value)
    if kind is dict:
        if not names.issuperset(value):
            return False
        value = value.values()
    elif kind is not list and kind is not tuple:
        return kind in SCALARS
    for one in value:  # noqa: SIM110  # all() of a generator takes three times as long
        if type(one) not in SCALARS and (depth <= 0 or not is_plain(one, names, depth - 1)):
            return False
    return True


class _Walk:
    """One structure on its way."""

    def __init__(self, is_secret: Callable[[str], bool] | None) -> None:
        self._is_secret = is_secret
        self._left = MAX_NODES
        self._path: set[int] = set()

    def plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str or kind is int or kind is bool or value is None:
            return _small(value) if kind is int else value
        if kind is float:
            return value if value - value == 0 else _unnumbered(value)
        self._left -= 1
        if self._left < 0:
            return "…"
        try:
            return self._structure(value, kind, depth)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001  # the value's own methods may do anything
            return text_of(value)

    def _structure(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, (dict, list, tuple, set, frozenset)):
            if id(value) in self._path:
                return f"<circular {kind.__name__}>"
            if depth >= MAX_DEPTH:
                return f"<{kind.__name__} of {len(value)}>"
            self._path.add(id(value))
            try:
                if isinstance(value, dict):
                    return self._fields(value, depth)
                if hasattr(value, "_asdict"):
                    return self._fields(value._asdict(), depth)
                return self._items(value, depth)
            finally:
                self._path.discard(id(value))
        if id(value) in self._path or depth >= MAX_DEPTH:
            return f"<circular {kind.__name__}>" if id(value) in self._path else f"<{kind.__name__}>"
        self._path.add(id(value))
        try:
            return self._other(value, depth)
        finally:
            self._path.discard(id(value))

    def _fields(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        is_secret = self._is_secret
        fields: dict[str, Any] = {}
        for key, item in value.items():
            name = key if type(key) is str else text_of(key)
            if self._left < 0:
                fields["…"] = f"{len(value) - len(fields)} more"
                break
            self._left -= 1
            fields[name] = REDACTED if is_secret is not None and is_secret(name) else self.plain(item, depth + 1)
        return fields

    def _items(self, value: Any, depth: int) -> list[Any]:
        items: list[Any] = []
        for item in value:
            if self._left < 0:
                items.append(f"… {len(value) - len(items)} more")
                break
            self._left -= 1
            items.append(self.plain(item, depth + 1))
        return items

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, type):
            return f"{value.__module__}.{value.__qualname__}"
        if _is_a(value, "enum", "Enum"):
            return self.plain(value.value, depth + 1)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, (bool, int)):
            return _small(int(value))
        if isinstance(value, float):
            return self.plain(float(value), depth)
        if isinstance(value, (bytes, bytearray)):
            return str(value[:10_000], "utf-8", "backslashreplace")
        if isinstance(value, BaseException):
            return f"{type(value).__name__}: {text_of(value)}"
        return self._modelled(value, depth)

    def _modelled(self, value: Any, depth: int) -> Any:
        serializer = getattr(value, "__pydantic_serializer__", None)
        if serializer is not None:
            return self.plain(serializer.to_python(value, mode="json"), depth + 1)
        fields = getattr(value, "__dataclass_fields__", None)
        if fields is not None:
            return self.plain({name: getattr(value, name) for name, one in fields.items() if one.repr}, depth + 1)
        if _is_a(value, "decimal", "Decimal"):
            return _number(value)
        if hasattr(value, "isoformat"):
            text = value.isoformat()
            return text[:-6] + "Z" if text.endswith("+00:00") else text
        return text_of(value)


def _small(value: int) -> Any:
    """An integer of more digits than the interpreter writes is none that anyone reads."""
    if -(1 << 64) < value < (1 << 64):
        return value
    try:
        int.__repr__(value)
    except ValueError:
        return f"<int of {value.bit_length()} bits>"
    return value


def _unnumbered(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _number(value: Any) -> Any:
    if not value.is_finite():
        return str(value)
    if abs(value.adjusted()) > 300:
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)


def _is_a(value: object, module: str, name: str) -> bool:
    """Whether it is of a class of a module that somebody has loaded; without it there can be no such value."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)


def _unknown(value: object) -> object:
    raise TypeError(f"a {type(value).__name__} is none of JSON's types")


def _codec() -> tuple[Any, Callable[[str], str]]:
    """The encoder and the function that quotes a text: the C half of `json`, without the 5 ms of its Python half."""
    try:
        from _json import encode_basestring, make_encoder

        encoder = make_encoder(None, _unknown, encode_basestring, None, ":", ",", False, False, False)
        if "".join(encoder({"a": [1, "ä"]}, 0)) == '{"a":[1,"ä"]}':
            return encoder, encode_basestring
    except (ImportError, TypeError, AttributeError):
        pass
    return _plain_codec()


def _plain_codec() -> tuple[Any, Callable[[str], str]]:
    from json import JSONEncoder  # late: only where the private C half is not what it was

    whole = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_unknown)
    return (lambda value, _: whole.iterencode(value)), whole.encode


_encode, quote = _codec()
