"""Finds certain modules in the standard library, whatever the function's folders hold. Loaded only where needed."""

from _frozen_importlib_external import PathFinder  # what importlib.machinery re-exports

__all__ = ["StandardFirst"]


class StandardFirst:
    """A finder, first in `sys.meta_path`, for names that the function's own files would hide."""

    def __init__(self, names: "frozenset[str]", library: "list[str]") -> None:
        self._names = names
        self._library = library

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """The standard library's module for the hidden names; None for all others."""
        if name not in self._names:
            return None
        spec: ModuleSpec | None = PathFinder.find_spec(name, self._library)
        return spec


TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
