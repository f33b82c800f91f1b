"""Where the function's modules are found, in the managed runtime's order, without the `site` module.

Task root, PYTHONPATH, `/opt/python/lib/python3.X/site-packages`, `/opt/python`, the standard library, the
interpreter's site-packages. Folders with `.pth` files go through `site.addsitedir`, as there; the module is loaded
only where there is one.
"""

import builtins
import posix
import sys

__all__ = ["prepare"]

LAYER_ROOT = "/opt/python"

LOADED_FIRST_ELSEWHERE = frozenset((
    "abc", "codecs", "collections", "contextlib", "copyreg", "decimal", "encodings", "enum", "functools",
    "genericpath", "importlib", "io", "json", "keyword", "linecache", "logging", "math", "numbers", "operator",
    "os", "posixpath", "re", "reprlib", "site", "stat", "string", "textwrap", "threading", "token", "tokenize",
    "traceback", "types", "typing", "warnings", "weakref", "zipimport",
))  # fmt: skip
"""What the official client has imported before any user code (4.2.2 on Python 3.11 to 3.13). A function's file with
one of these names is never found by `import` there, and must not be found here: it would break the standard library
for the function, and the runtime's own late imports."""


def prepare(settings: "Settings", *, bare: bool) -> None:
    """Set `sys.path`; where `bare`, also what `site` would have set up (`exit`, `quit`)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = [entry for entry in sys.path if entry.startswith((sys.base_prefix, sys.base_exec_prefix))]
    given = [entry for entry in (settings.python_path or "").split(":") if entry]
    own = [settings.task_root or posix.getcwd(), *given, f"{LAYER_ROOT}/lib/{version}/site-packages", LAYER_ROOT]
    found = _extend(own, before=True)
    if bare:
        _restore_exit()
        found |= _extend([f"{_prefix()}/lib/{version}/site-packages"], before=False)
    hidden = {name.partition(".")[0] for name in found} & LOADED_FIRST_ELSEWHERE
    if hidden:
        from .standard_first import StandardFirst  # late: few functions have such a file

        sys.meta_path.insert(0, StandardFirst(frozenset(hidden), library))
    package = __file__.rpartition("/")[0]
    others = [folder for folder in sys.path if folder not in library]
    if any(_holds_another(folder, package, in_function=folder in own) for folder in others):
        from . import identity  # late: few functions have a module of this name

        identity.step_aside()


def _extend(entries: "list[str]", *, before: bool) -> "set[str]":
    """Put the entries that exist on the path; the names of the files in them."""
    entries = [entry for entry in entries if entry not in sys.path and _exists(entry)]
    if before:
        sys.path[:0] = entries
    else:
        sys.path += entries
    found: set[str] = set()
    for entry in entries:
        try:
            names = posix.listdir(entry)
        except OSError:  # a zip file, or a folder that may be searched but not listed
            continue
        if before:
            found.update(names)
        if any(name.endswith(".pth") for name in names):
            import site  # late: 2 ms, only where a folder asks for it

            site.addsitedir(entry)
    return found


def _holds_another(folder: str, package: str, *, in_function: bool) -> bool:
    """Whether `folder` has a module named like this package that is not this package.

    In the function's own folders a folder of that name is one; elsewhere it needs an `__init__.py`.
    """
    name = package.rpartition("/")[2]
    if _exists(f"{folder}/{name}.py"):
        return True
    if not _exists(f"{folder}/{name}" if in_function else f"{folder}/{name}/__init__.py"):
        return False
    there, here = posix.stat(f"{folder}/{name}"), posix.stat(package)
    return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)


def _prefix() -> str:
    """The virtual environment of this interpreter, or its installation; `site` is what would tell otherwise."""
    folder = sys.executable.rpartition("/")[0].rpartition("/")[0]
    return folder if folder and _exists(f"{folder}/pyvenv.cfg") else sys.prefix


def _restore_exit() -> None:
    from _sitebuiltins import Quitter  # frozen into the interpreter

    for name in ("exit", "quit"):
        if not hasattr(builtins, name):
            setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))


def _exists(path: str) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .environ import Settings
