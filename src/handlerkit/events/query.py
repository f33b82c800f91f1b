"""Query strings as events carry them: as text, as a map, or as a map of lists. Pure; keeps order and repetitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .encoded import unquote_plus

__all__ = ["Query"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self


class Query(Mapping[str, str]):
    """A read-only mapping of a query's decoded parameters; of one that was sent more than once it gives the last.

    >>> query = Query.from_text("tag=a&tag=b&q=x+y")
    >>> query["tag"], query.get_all("tag"), query["q"]
    ('b', ['a', 'b'], 'x y')
    """

    __slots__ = ("_pairs", "_values")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = list(pairs)
        self._values: dict[str, list[str]] = {}
        for name, value in self._pairs:
            self._values.setdefault(name, []).append(value)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The parameters of a query string; IoT leaves the question mark on it."""
        parts = (part.partition("=") for part in text.removeprefix("?").split("&") if part)
        return cls((unquote_plus(name), unquote_plus(value)) for name, _, value in parts)

    @classmethod
    def from_maps(
        cls, single: Mapping[str, object] | None, multiple: Mapping[str, object] | None, is_encoded: bool = False
    ) -> Self:
        """The parameters of an event's two maps; where both name one, the lists say more."""
        pairs = []
        for name, value in {**(single or {}), **(multiple or {})}.items():
            pairs += [(name, _plain(item)) for item in (value if isinstance(value, list) else [value])]
        return cls([(unquote_plus(name), unquote_plus(value)) for name, value in pairs] if is_encoded else pairs)

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Query({', '.join(list(self)[:8])}{', …' if len(self) > 8 else ''})"

    def get_all(self, name: str) -> list[str]:
        """Every value sent under a name, in order; empty where there is none."""
        return list(self._values.get(name, ()))

    def pairs(self) -> list[tuple[str, str]]:
        """Every parameter as it was sent, in order, repetitions too."""
        return list(self._pairs)


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
