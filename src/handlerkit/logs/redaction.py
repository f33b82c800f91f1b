"""Which keys hold secrets, by patterns of their names."""

from __future__ import annotations

from .keys import FIELDS

__all__ = ["Redaction", "snake_case"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_KNOWN = 4_096
"""Names remembered; a function that makes up names must not fill the memory with them."""


class Redaction:
    """Answers `is_secret(key)` by patterns like `*token`, `session_*` or `*password*`, matched in snake case.

    Raises `ValueError` for a pattern with a star in its middle.
    """

    __slots__ = ("_both", "_exact", "_known", "_prefixes", "_suffixes", "harmless", "hides_fields")

    def __init__(self, patterns: Iterable[str]) -> None:
        exact: list[str] = []
        prefixes: list[str] = []
        suffixes: list[str] = []
        both: list[str] = []
        for pattern in patterns:
            core = snake_case(pattern.strip("*"))
            if "*" in core or not core:
                raise ValueError(f"{pattern!r}: a pattern is a name with a star before or behind it, or both")
            starts, ends = pattern.startswith("*"), pattern.endswith("*")
            (both if starts and ends else suffixes if starts else prefixes if ends else exact).append(core)
        self._exact = frozenset(exact)
        self._prefixes = tuple(prefixes)
        self._suffixes = tuple(suffixes)
        self._both = tuple(both)
        self._known: dict[str, bool] = {}
        self.harmless: set[str] = set()
        """Names that were asked for and are no secrets."""
        self.hides_fields = any(map(self.is_secret, FIELDS))
        """Whether one of the line's own fields is to be hidden, which none of the default patterns does."""

    def is_secret(self, key: str) -> bool:
        """Whether what stands under this key is not to be written."""
        known = self._known.get(key)
        if known is None:
            known = self._matches(snake_case(key))
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
                self.harmless.clear()
            self._known[key] = known
            if not known:
                self.harmless.add(key)
        return known

    def _matches(self, name: str) -> bool:
        return (
            name in self._exact
            or name.endswith(self._suffixes)
            or name.startswith(self._prefixes)
            or any(part in name for part in self._both)
        )


def snake_case(name: str) -> str:
    """
    >>> snake_case("X-Api-Key"), snake_case("accessToken"), snake_case("APIKey"), snake_case("DB_PASSWORD")
    ('x_api_key', 'access_token', 'api_key', 'db_password')
    """
    letters: list[str] = []
    for at, letter in enumerate(name):
        if letter in "-. ":
            letters.append("_")
            continue
        if letter.isupper() and at:
            before, after = name[at - 1], name[at + 1 : at + 2]
            if before.islower() or before.isdigit() or (before.isupper() and after.islower()):
                letters.append("_")
        letters.append(letter.lower())
    return "".join(letters)
