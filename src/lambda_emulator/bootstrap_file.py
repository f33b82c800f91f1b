"""Where this project's own `bootstrap` is: beside the checkout's packages, or inside the installed wheel."""

from pathlib import Path

from runtime import protocol

__all__ = ["bootstrap_file"]


def bootstrap_file() -> Path:
    """The executable that starts a function which names no command of its own.

    In a wheel it lies in the package `runtime`, in a checkout two folders above it. Where neither is there, the
    wheel's place is returned, and starting it fails as a missing entry point does on Lambda.
    """
    package = Path(protocol.__file__).parent
    candidates = (package / "bootstrap", package.parent.parent / "bootstrap")
    return next((path for path in candidates if path.is_file()), candidates[0])
