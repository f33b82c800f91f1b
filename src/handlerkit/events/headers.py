"""HTTP headers as events carry them: looked up in any case, kept in the case they came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["Headers"]


class Headers(Mapping[str, str]):
    """A read-only mapping over the event's own header maps; `get_all` where a name was sent more than once.

    >>> Headers({"X-Id": "7"}, {"Accept": ["a", "b"]})["x-id"]
    '7'
    >>> Headers(None, {"Accept": ["a", "b"]})["accept"]
    'a,b'
    """

    __slots__ = ("_names", "_values")

    def __init__(self, single: Mapping[str, object] | None, multiple: Mapping[str, object] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, list[str]] = {}
        for name, value in (multiple or {}).items():
            for item in value if isinstance(value, list) else [value]:
                self._add(name, item)
        seen = set(self._names)
        for name, value in (single or {}).items():
            if name.lower() not in seen:
                for item in value if isinstance(value, list) else [value]:
                    self._add(name, item)

    def _add(self, name: str, value: object) -> None:
        key = name.lower()
        self._names.setdefault(key, name)
        if value is not None:
            self._values.setdefault(key, []).append(value if isinstance(value, str) else _plain(value))
        else:
            self._values.setdefault(key, [])

    def __getitem__(self, name: str) -> str:
        return ",".join(self._values[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"Headers({', '.join(list(self)[:8])}{', …' if len(self) > 8 else ''})"

    def get_all(self, name: str) -> list[str]:
        """Every value sent under a name, in order; empty where there is none."""
        return list(self._values.get(name.lower(), ()))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
