"""Bytecode beside the sources, valid without a look at them: what a read-only folder needs to start quickly.

Lambda's `/opt` and `/var/task` cannot be written, so a module without bytecode is compiled at every cold start. The
files are compiled by the Python that will load them, one after the other in a process of their own, so that the same
sources give the same bytes.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.target import Target

__all__ = ["Compiled", "compile_folder", "find_compiler", "version_of"]

# Run by the target's Python: nothing of this project is there. It prints one JSON object.
_PROGRAM = """
import json, os, py_compile, sys
folder, prefix = sys.argv[1:3]
done, failed = 0, {}
for at, folders, files in os.walk(folder):
    folders[:] = sorted(name for name in folders if name != "__pycache__")
    for name in sorted(files):
        if not name.endswith(".py"):
            continue
        path = os.path.join(at, name)
        shown = os.path.join(prefix, os.path.relpath(path, folder))
        try:
            py_compile.compile(path, dfile=shown, doraise=True, optimize=0,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            done += 1
        except (py_compile.PyCompileError, OSError, ValueError, RecursionError) as error:
            failed[os.path.relpath(path, folder)] = str(error).strip().splitlines()[-1]
print(json.dumps({"done": done, "failed": failed}))
"""
_VERSION = "import sys; print(*sys.version_info[:3], sep='.')"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of a folder."""

    count: int
    failed: dict[str, str]
    """Why, by relative name; such a file fails in the function only if it is imported."""


def compile_folder(folder: Path, *, python: Path, prefix: str) -> Compiled:
    """Write `__pycache__` beside every source below `folder`; `prefix` is where the folder will be on Lambda.

    That path is written into the bytecode, so that its bytes do not depend on this folder, and the import need not
    correct it. Raises `LayerError` when the interpreter fails as a whole, and for a folder that is none.
    """
    if not folder.is_dir():
        raise LayerError(f"{folder} is no folder: name the one that holds the code")
    # -S would leave out nothing that matters; -I keeps the caller's PYTHON* variables and folder out of it.
    command = [str(python), "-IBS", "-c", _PROGRAM, str(folder), prefix]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise LayerError(f"{python} cannot compile {folder}: {reason}")
    report = json.loads(done.stdout.splitlines()[-1])
    return Compiled(report["done"], report["failed"])


def find_compiler(target: Target, candidates: Iterable[Path] = ()) -> Path:
    """An interpreter of the target's minor version that runs here: one of the candidates, this one, one on the path.

    Bytecode belongs to a minor version and to no architecture. Raises `LayerError` when there is none.
    """
    named = shutil.which(target.python_name)
    for candidate in (*candidates, Path(sys.executable), *([Path(named)] if named else [])):
        if version_of(candidate)[:2] == target.python:
            return candidate
    raise LayerError(
        f"bytecode for Python {target.version} needs a Python {target.version} that runs here, and there is none: "
        f"run this command with one, or put {target.python_name} on the path"
    )


def version_of(python: Path) -> tuple[int, ...]:
    """An interpreter's version; empty for what cannot be run."""
    try:
        done = subprocess.run(
            [str(python), "-IS", "-c", _VERSION], capture_output=True, text=True, check=False, timeout=30
        )
        return tuple(map(int, done.stdout.split(".")))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()
