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


def prepare(settings: "Settings", *, bare: bool) -> None:
    """Set `sys.path`; where `bare`, also what `site` would have set up (`exit`, `quit`)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    given = [entry for entry in (settings.python_path or "").split(":") if entry]
    folders = [
        settings.task_root or posix.getcwd(),
        *given,
        f"{LAYER_ROOT}/lib/{version}/site-packages",
        LAYER_ROOT,
    ]
    _extend(folders, before=True)
    if bare:
        _restore_exit()
        _extend([f"{_prefix()}/lib/{version}/site-packages"], before=False)
    package = __file__.rpartition("/")[0]
    if any(_holds_another(folder, package) for folder in folders):
        from . import identity  # late: few functions have a module of this name

        identity.step_aside()


def _holds_another(folder: str, package: str) -> bool:
    """Whether `folder` has a module named like this package that is not this package."""
    name = package.rpartition("/")[2]
    if _exists(f"{folder}/{name}.py"):
        return True
    try:
        there, here = posix.stat(f"{folder}/{name}"), posix.stat(package)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)


def _extend(folders: "list[str]", *, before: bool) -> None:
    folders = [folder for folder in folders if folder not in sys.path and _is_folder(folder)]
    if before:
        sys.path[:0] = folders
    else:
        sys.path += folders
    for folder in folders:
        if any(name.endswith(".pth") for name in posix.listdir(folder)):
            import site  # late: 2 ms, only where a folder asks for it

            site.addsitedir(folder)


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


def _is_folder(path: str) -> bool:
    try:
        return posix.stat(path).st_mode & 0o170000 == 0o040000
    except OSError:
        return False


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .environ import Settings
