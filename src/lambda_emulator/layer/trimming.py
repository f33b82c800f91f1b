"""What of a package or of the standard library no function needs. Decides by name; removes what it decided."""

import shutil
from collections.abc import Collection
from pathlib import Path

from lambda_emulator.layer.errors import LayerError

__all__ = ["STDLIB_LEFT_OUT", "trim_botocore", "trim_packages", "wanted_extension"]

STDLIB_LEFT_OUT = frozenset({
    "test", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "pydoc_data", "venv", "curses", "lib2to3",
    "site-packages", "dist-packages", "__pycache__", "__phello__", "__phello__.foo.py",
    # Stand-ins for modules in C, which a CPython has.
    "_pydecimal.py", "_pydatetime.py", "_pyio.py",
})  # fmt: skip
"""Names directly below `lib/python3.X`; `config-*` as well. Programs for people, and what only tests use."""

_TESTS = frozenset({"test", "tests", "idle_test"})
# Extension modules of the standard library that need a terminal, a display, or a library that no function asks for.
_EXTENSIONS_LEFT_OUT = (
    "_tkinter", "_curses", "_curses_panel", "readline", "nis", "_dbm", "_gdbm", "_crypt", "ossaudiodev", "spwd",
    "xxlimited", "xxlimited_35", "xxsubtype",
)  # fmt: skip
_SUFFIXES_LEFT_OUT = (".pyi", ".pyx", ".pxd", ".c", ".cc", ".cpp", ".h", ".hpp", ".pyc", ".pyo", ".a", ".la")
# What botocore reads whatever the service is.
_BOTOCORE_SHARED = frozenset({
    "_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json",
})  # fmt: skip


def wanted_extension(filename: str) -> bool:
    """Whether a file of `lib-dynload` stays.

    >>> [wanted_extension(f"{name}.cpython-313-x86_64-linux-gnu.so") for name in ("_ssl", "_tkinter", "_testcapi")]
    [True, False, False]
    """
    name = filename.partition(".")[0]
    return name not in _EXTENSIONS_LEFT_OUT and not name.startswith(("_test", "_ctypes_test", "_xxtest", "_xx"))


def trim_packages(folder: Path) -> None:
    """Remove tests, type stubs, sources of extensions and installers' records; licences and metadata stay.

    Only a folder of tests that belongs to a package goes: a distribution may itself be called `tests`.
    """
    for path in sorted(folder.rglob("*")):
        if not path.exists():
            continue  # its folder has gone
        relative = path.relative_to(folder)
        if path.is_dir():
            if path.name == "__pycache__" or (path.name in _TESTS and len(relative.parts) > 1):
                shutil.rmtree(path)
        elif path.suffix in _SUFFIXES_LEFT_OUT or (
            len(relative.parts) == 2
            and relative.parts[0].endswith(".dist-info")
            and relative.name in ("RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "top_level.txt")
        ):
            path.unlink()


def trim_botocore(folder: Path, services: Collection[str]) -> None:
    """Leave only these services' descriptions below `botocore/data` (and `boto3/data`).

    Raises `LayerError` for a service that botocore does not know: a typing error would otherwise break the function.
    """
    data = folder / "botocore" / "data"
    if not data.is_dir():
        return
    if unknown := sorted(name for name in services if not (data / name).is_dir()):
        raise LayerError(f"botocore has no service {', '.join(unknown)}: use the names of boto3.client()")
    for place in (data, folder / "boto3" / "data"):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.name not in services and path.name not in _BOTOCORE_SHARED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
