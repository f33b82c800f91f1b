"""Sets the standard library's `logging` up at the moment somebody first imports it, and not before (9 ms).

A finder in front of all others waits for that one name, lets the others find it, and has the root logger
configured when the module has been executed; then it is gone.
"""

import sys

__all__ = ["configure_when_imported"]


def configure_when_imported(configure: "Callable[[ModuleType], None]") -> None:
    """Call `configure` with the module `logging` once it is loaded: now, if it is, else right after its import."""
    module = sys.modules.get("logging")
    if module is not None:
        configure(module)
    else:
        sys.meta_path.insert(0, _LoggingFinder(configure))


class _LoggingFinder:
    """Stands in `sys.meta_path` until `logging` has been imported."""

    def __init__(self, configure: "Callable[[ModuleType], None]") -> None:
        self._configure = configure
        self._asking = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """The spec of `logging` with a loader that configures it; None for every other module."""
        if name != "logging" or self._asking:
            return None
        self._asking = True  # another finder may ask the whole chain again
        try:
            spec = self._spec_of_the_others(name, path, target)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _ConfiguringLoader(spec.loader, self)  # type: ignore[assignment]
        return spec

    def _spec_of_the_others(self, name: str, path: object, target: object) -> "ModuleSpec | None":
        for finder in list(sys.meta_path):
            find_spec: Callable[..., ModuleSpec | None] | None = getattr(finder, "find_spec", None)
            if finder is not self and find_spec is not None:
                spec = find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None

    def loaded(self, module: "ModuleType") -> None:
        """Configure, once, and go."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self._configure(module)


class _ConfiguringLoader:
    """Runs the real loader, puts it back in its place, and configures."""

    def __init__(self, loader: "Loader", finder: _LoggingFinder) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """As the real loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: "ModuleType") -> None:
        """As the real loader does, then configure."""
        self._loader.exec_module(module)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._finder.loaded(module)


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
