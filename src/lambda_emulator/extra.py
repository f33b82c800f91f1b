"""The extra `emulator`: what is said where a package is missing that it brings."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needed_by"]

_OURS = ("handlerkit", "lambda_emulator", "runtime")


@contextmanager
def needed_by(what: str) -> Iterator[None]:
    """Within, a package of others that is not installed is named with `what` needs it, and with the extra.

    Raises ModuleNotFoundError, as the import itself does.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in _OURS:
            raise
        raise ModuleNotFoundError(
            f"{what} needs {package}, which is not installed: pip install 'handlerkit[emulator]'", name=error.name
        ) from None
