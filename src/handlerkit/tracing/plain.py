"""Any value as one that JSON can say: bounded in depth and in members, never reading what can be read only once."""

from __future__ import annotations

__all__ = ["number_or_text", "plain"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 16
MAX_MEMBERS = 10_000
MAX_TEXT = 64_000
MAX_INTEGER = 2**63
"""Beyond it JSON readers disagree; X-Ray's documentation names no limit."""


def number_or_text(value: Any, limit: int = MAX_TEXT) -> Any:
    """A finite number, a bool, or text of at most `limit` characters.

    >>> number_or_text(1.5), number_or_text(float("nan")), number_or_text(b"x")
    (1.5, 'nan', "b'x'")
    """
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int) and -MAX_INTEGER <= value < MAX_INTEGER:
        return int(value)
    if isinstance(value, float) and value - value == 0:  # neither infinite nor NaN
        return float(value)
    inner = getattr(value, "value", None) if hasattr(type(value), "__members__") else value  # of an enumeration
    if inner is not value and isinstance(inner, (str, int, float)):
        return number_or_text(inner, limit)
    return _text(value)[:limit]


def plain(value: Any) -> Any:
    """Dicts, lists, text, numbers, bools and None, whatever it was.

    >>> cycle = {}
    >>> cycle["self"] = cycle
    >>> plain(cycle), plain({1: {2}})
    ({'self': '<circular>'}, {'1': [2]})
    """
    return _Copy().of(value, 0)


_COLLECTIONS: tuple[type, ...] = (dict, list, tuple, set, frozenset, type({}.keys()), type({}.values()))


class _Copy:
    def __init__(self) -> None:
        self._members = 0
        self._around: set[int] = set()

    def of(self, value: Any, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, (str, int, float)):
            return _text(value)[:MAX_TEXT] if isinstance(value, str) else number_or_text(value)
        if not isinstance(value, _COLLECTIONS):
            return self._object(value, depth)
        if id(value) in self._around:
            return "<circular>"
        if depth >= MAX_DEPTH:
            return f"<{type(value).__name__}, too deep>"
        self._around.add(id(value))
        try:
            if isinstance(value, dict):
                return {_text(key): self.of(member, depth + 1) for key, member in self._some(value.items())}
            return [self.of(member, depth + 1) for member in self._some(value)]
        except RuntimeError:  # it changes while we read it
            return f"<{type(value).__name__}>"
        finally:
            self._around.discard(id(value))

    def _object(self, value: Any, depth: int) -> Any:
        dump = getattr(type(value), "model_dump", None)  # pydantic's, of either a model or something like it
        fields = getattr(type(value), "__dataclass_fields__", None)
        try:
            if dump is not None:
                return self.of(dump(value), depth + 1)
            if fields is not None:
                return self.of({name: getattr(value, name) for name in fields}, depth + 1)
        except Exception:  # noqa: BLE001  # the user's own code
            return _text(value)[:MAX_TEXT]
        return number_or_text(value)

    def _some(self, members: Any) -> list[Any]:
        room = max(MAX_MEMBERS - self._members, 0)
        chosen: list[Any] = []
        for member in members:
            if len(chosen) >= room:
                break
            chosen.append(member)
        self._members += len(chosen)
        return chosen


def _text(value: object) -> str:
    if type(value) is str:
        return value
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # the user's own code
        return f"<{type(value).__name__}>"
