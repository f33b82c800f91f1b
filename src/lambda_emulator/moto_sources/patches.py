"""Functions of moto in whose place ours stand, until they are given back."""

from collections.abc import Callable
from typing import Any

__all__ = ["Patches"]


class Patches:
    """From the first `replace` to `undo`."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, ours: Callable[..., Any]) -> None:
        """`ours` is called with moto's own function first, and then with the caller's arguments."""
        original = getattr(owner, name)

        def replaced(*arguments: Any, **settings: Any) -> Any:
            return ours(original, *arguments, **settings)

        setattr(owner, name, replaced)
        self._undo.append(lambda: setattr(owner, name, original))

    def undo(self) -> None:
        """Give everything back."""
        while self._undo:
            self._undo.pop()()
