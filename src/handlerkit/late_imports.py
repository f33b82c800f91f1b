"""Calls something when a module has been imported, by whoever imports it, without importing it oneself.

A finder stands in front of the others until the modules it waits for have come.
"""

from __future__ import annotations

import sys

__all__ = ["when_imported"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Action = Callable[[ModuleType], object]


def when_imported(name: str, action: Action) -> None:
    """Call `action` with the module: now, if it is loaded, else right after its import.

    What the action raises is said on stderr: an import that has nothing to do with it must not fail.
    """
    module = sys.modules.get(name)
    if module is not None:
        _act(action, module)
        return
    for finder in sys.meta_path:
        if isinstance(finder, _Finder):
            finder.actions.setdefault(name, []).append(action)
            return
    # In front, also of a runtime's own: what that sets up at an import is set up before us.
    sys.meta_path.insert(0, _Finder(name, action))


class _Finder:
    """Stands in `sys.meta_path` as long as it waits for something."""

    def __init__(self, name: str, action: Action) -> None:
        self.actions: dict[str, list[Action]] = {name: [action]}
        self._asking: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The others' spec with a loader that acts; None for every module that nobody waits for."""
        if name not in self.actions or name in self._asking:
            return None
        self._asking.add(name)  # another finder may ask the whole chain again
        try:
            spec = self._spec_of_the_others(name, path, target)
        finally:
            self._asking.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
        return spec

    def _spec_of_the_others(self, name: str, path: Any, target: Any) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is not self and find_spec is not None:
                spec: ModuleSpec | None = find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None

    def loaded(self, module: ModuleType) -> None:
        """Act, once, and go when there is nothing left to wait for."""
        actions = self.actions.pop(module.__name__, [])
        if not self.actions and self in sys.meta_path:
            sys.meta_path.remove(self)
        for action in actions:
            _act(action, module)


class _Loader:
    """Runs the real loader, puts it back in its place, and acts."""

    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # what others ask a loader for: sources, resources

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the real loader does, then act."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._finder.loaded(module)


def _act(action: Action, module: ModuleType) -> None:
    try:
        action(module)
    except Exception as error:  # noqa: BLE001  # not the import's fault
        print(f"handlerkit: {module.__name__} could not be set up: {type(error).__name__}: {error}", file=sys.stderr)
