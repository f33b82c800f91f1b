"""An interpreter for `/opt/cpython`: found, copied without what no function needs, and made fit for another folder.

Three things can keep a CPython from running elsewhere. Libraries of the machine that the base does not have: they are
copied beside it. The folder it was built for: its library path is overwritten. Symbols of a newer C library: the one
that matters (`hypot`) is bound to its old version. Where one of these cannot be done, `LayerError` says which.
"""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lambda_emulator.layer.elf import MalformedElf, is_elf, read_elf
from lambda_emulator.layer.elf_edit import lower_symbols, set_library_path
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.target import BASE_GLIBC, BASE_LIBRARIES, Target
from lambda_emulator.layer.trimming import STDLIB_LEFT_OUT, wanted_extension

__all__ = ["Interpreter", "find_managed", "install", "unpacked"]

_SYSTEM_FOLDERS = ("/lib/{m}-linux-gnu", "/usr/lib/{m}-linux-gnu", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/lib")
_LICENCES = ("LICENSE", "LICENSE.txt")


@dataclass(slots=True)
class Interpreter:
    """What was put into the layer."""

    version: str
    libraries: dict[str, str] = field(default_factory=dict)
    """Those of the machine's that came along: name and where from."""
    lowered: dict[str, list[str]] = field(default_factory=dict)
    """Symbols bound to an older version, by file."""
    stripped: bool = False
    openssl: str | None = None


def find_managed(target: Target) -> Path:
    """The folder of uv's managed Python of the target, installed if need be. Raises `LayerError`."""
    beside = Path(sys.executable).with_name("uv")
    uv = shutil.which("uv") or (str(beside) if beside.exists() else None)
    advice = "give a folder or an archive (--interpreter PATH), build one with cpython.sh, or use --interpreter none"
    if uv is None:
        raise LayerError(f"no uv to ask for Python {target.version}: install uv, or {advice}")
    wanted = f"cpython-{target.version}-linux-{target.machine}-gnu"
    installed = subprocess.run(
        [uv, "python", "install", wanted], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    listing = subprocess.run(
        [uv, "python", "list", "--only-installed", "--managed-python", "--output-format", "json", wanted],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        paths = [Path(str(one["path"])) for one in json.loads(listing.stdout or "[]")]
    except (ValueError, KeyError, TypeError):
        paths = []
    if not paths:
        lines = [line.strip() for line in installed.stderr.splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("error")), lines[-1] if lines else "uv gave no reason")
        raise LayerError(f"uv has no Python {target.version} for {target.architecture} ({reason}): {advice}")
    return paths[0].resolve().parent.parent


def unpacked(source: Path, folder: Path) -> Path:
    """The folder that holds `bin/` and `lib/`: `source` itself, or below `folder` where `source` is an archive."""
    if source.is_dir():
        return source
    if not source.is_file():
        raise LayerError(f"no interpreter at {source}: name a folder with bin/ and lib/, or an archive of one")
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(folder)  # noqa: S202  # zipfile keeps names inside the folder
                for entry in archive.infolist():
                    if mode := (entry.external_attr >> 16) & 0o777:
                        (folder / entry.filename).chmod(mode)
        else:
            with tarfile.open(source) as archive:
                safe = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}  # from Python 3.11.4 on
                archive.extractall(folder, **safe)  # type: ignore[arg-type]  # noqa: S202
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise LayerError(f"cannot unpack {source}: {str(error).splitlines()[0]}") from None
    for candidate in (
        folder,
        *sorted(path for path in folder.glob("*") if path.is_dir()),
        folder / "python" / "install",
    ):
        if (candidate / "bin").is_dir() and (candidate / "lib").is_dir():
            return candidate
    raise LayerError(f"{source} holds no interpreter: expected bin/ and lib/, at its top or one folder below")


def install(source: Path, folder: Path, target: Target, progress: Callable[[str], None]) -> Interpreter:
    """Copy the interpreter in `source` to `folder` and make it fit for there. Raises `LayerError`."""
    name = target.python_name
    program, library = source / "bin" / name, source / "lib" / name
    if not program.exists() or not (library / "os.py").is_file():
        raise LayerError(f"{source} holds no {name}: expected bin/{name} and lib/{name}/os.py")
    progress(f"copying {name}")
    data = program.resolve().read_bytes()
    if not is_elf(data) or read_elf(data).machine != target.elf_machine:
        raise LayerError(f"{program} is not a program for {target.architecture}: give one that is")
    (folder / "bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    shutil.copyfile(program.resolve(), folder / "bin" / name)
    for soname in map(_file_name, _wanted(data)):
        if soname.startswith("libpython") and (source / "lib" / soname).exists():
            shutil.copyfile((source / "lib" / soname).resolve(), folder / "lib" / soname)
    _copy_library(library, folder / "lib" / name)
    for licence in _LICENCES:
        for place in (library / licence, source / licence):
            if place.is_file() and not (folder / "LICENSE.txt").exists():
                shutil.copyfile(place, folder / "LICENSE.txt")
    made = Interpreter(version=_version(source, target))
    _bundle_libraries(source, folder, target, made)
    made.stripped = _strip(folder, target)
    _relocate(folder, made)
    made.openssl = _openssl(folder)
    return made


def _copy_library(library: Path, into: Path) -> None:
    def left_out(at: str, names: list[str]) -> set[str]:
        if Path(at) == library:
            return {name for name in names if name in STDLIB_LEFT_OUT or name.startswith("config-")}
        if Path(at) == library / "lib-dynload":
            return {name for name in names if not wanted_extension(name)}
        if Path(at) == library / "distutils":
            return {"command", "tests", "__pycache__"}  # Windows programs, and what builds packages (Python 3.11 only)
        return {name for name in names if name in ("__pycache__", "test", "tests", "idle_test")}

    shutil.copytree(library, into, ignore=left_out)


def _bundle_libraries(source: Path, folder: Path, target: Target, made: Interpreter) -> None:
    """Bring what is needed and neither in the base nor here, and what that needs."""
    waiting = list(_elf_files(folder))
    while waiting:
        path = waiting.pop()
        for soname in map(_file_name, _wanted(path.read_bytes())):
            if soname in BASE_LIBRARIES or (folder / "lib" / soname).exists():
                continue
            found = _find_library(soname, source, target)
            if found is None:
                raise LayerError(
                    f"{path.name} needs {soname}, which neither the base nor {source / 'lib'} nor this machine has for "
                    f"{target.architecture}: give an interpreter that brings its libraries"
                )
            shutil.copyfile(found, folder / "lib" / soname)
            made.libraries[soname] = str(found)
            waiting.append(folder / "lib" / soname)


def _find_library(soname: str, source: Path, target: Target) -> Path | None:
    system = [Path(one.format(m=target.machine)) for one in _SYSTEM_FOLDERS]
    for place in (source / "lib", *system):
        path = (place / soname).resolve()
        if path.is_file() and is_elf(data := path.read_bytes()) and read_elf(data).machine == target.elf_machine:
            return path
    return None


def _strip(folder: Path, target: Target) -> bool:
    """Remove debugging information by the machine's `strip`, where it knows the architecture."""
    names = [f"{target.machine}-linux-gnu-strip", "llvm-strip", *(["strip"] if target.runs_here else [])]
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        return False
    files = [str(path) for path in _elf_files(folder)]
    done = subprocess.run([program, "--strip-unneeded", "-p", *files], capture_output=True, check=False)
    return done.returncode == 0


def _relocate(folder: Path, made: Interpreter) -> None:
    """Let every file find its libraries in `lib/`, wherever the folder is, and ask for no symbol above the base's."""
    beside = {path.name for path in (folder / "lib").iterdir() if path.is_file()}
    patchelf = shutil.which("patchelf")
    program_leads = False
    for path in _elf_files(folder):
        data = bytearray(path.read_bytes())
        up = "/".join([".."] * (len(path.relative_to(folder).parts) - 1))
        place = "$ORIGIN" if path.parent == folder / "lib" else f"$ORIGIN/{up}/lib"
        if names := lower_symbols(data, BASE_GLIBC):
            made.lowered[str(path.relative_to(folder))] = names
        moved = set_library_path(data, place)
        path.write_bytes(data)
        in_bin = path.parent == folder / "bin"
        if not moved and not program_leads and beside & set(_wanted(bytes(data))):
            if patchelf is None:
                raise LayerError(
                    f"{path.name} looks for its libraries nowhere that could be changed: install patchelf, or give an "
                    "interpreter that was built with a library path (-Wl,-rpath)"
                )
            subprocess.run([patchelf, "--force-rpath", "--set-rpath", place, str(path)], check=True)
            moved = True
        # An RPATH of the program is looked at for everything that it loads.
        program_leads = program_leads or (in_bin and moved)
        path.chmod(0o755)


def _elf_files(folder: Path) -> list[Path]:
    """The program first."""
    files = []
    for place in ("bin", "lib"):
        for path in sorted((folder / place).rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    if is_elf(file.read(4)):
                        files.append(path)
    return files


def _wanted(data: bytes) -> tuple[str, ...]:
    try:
        return read_elf(data).needed
    except MalformedElf:
        return ()


def _file_name(library: str) -> str:
    """uv's Pythons name theirs by its place, `$ORIGIN/../lib/libpython3.13.so.1.0`, which needs no library path.

    >>> _file_name("$ORIGIN/../lib/libpython3.13.so.1.0")
    'libpython3.13.so.1.0'
    """
    return library.rpartition("/")[2]


def _version(source: Path, target: Target) -> str:
    """The full version, from the header that every installation has; else the minor one."""
    header = source / "include" / target.python_name / "patchlevel.h"
    match = re.search(r'PY_VERSION\s+"([^"]+)"', header.read_text(errors="replace")) if header.is_file() else None
    return match[1] if match else target.version


def _openssl(folder: Path) -> str | None:
    """`OpenSSL 3.5.1 1 Jul 2025`, as the library itself would say it; None where there is none."""
    for path in _elf_files(folder):
        if match := re.search(rb"OpenSSL \d+\.\d+\.\d+\w* +\d+ [A-Z][a-z]+ \d{4}", path.read_bytes()):
            return match[0].decode()
    return None
