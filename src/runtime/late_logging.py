"""Sets the standard library's `logging` up at the moment somebody first imports it, and not before (9 ms).

A finder in front of all others waits for that one name, lets the others find it, and has the root logger
configured when the module has been executed; then it is gone.
"""

import sys

__all__ = ["configure_when_imported"]


def configure_when_imported(configure: "Callable[[], None]") -> None:
    """Call `configure` once `logging` is loaded: now, if it is already, else right after its first import."""
    if "logging" in sys.modules:
        configure()
    else:
        sys.meta_path.insert(0, _LoggingFinder(configure))


class _LoggingFinder:
    """Stands in `sys.meta_path` until `logging` is asked for."""

    def __init__(self, configure: "Callable[[], None]") -> None:
        self._configure = configure

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """The spec of `logging` with a loader that configures it; None for every other module."""
        if name != "logging":
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec: ModuleSpec | None = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None and spec.loader is not None:
                spec.loader = _ConfiguringLoader(spec.loader, self._configure)  # type: ignore[assignment]
                return spec
        return None


class _ConfiguringLoader:
    """Runs the real loader, puts it back in its place, and configures."""

    def __init__(self, loader: "Loader", configure: "Callable[[], None]") -> None:
        self._loader = loader
        self._configure = configure

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """As the real loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: "ModuleType") -> None:
        """As the real loader does, then configure."""
        self._loader.exec_module(module)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._configure()


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
