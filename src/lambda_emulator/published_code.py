"""A published version's code: what it hashes to, and a copy that no edit reaches. Blocking; run it in a thread."""

import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lambda_emulator.errors import InvalidParameterValue

__all__ = ["code_sha256", "copy_code"]

# Of the unzipped code with its layers, documented.
_MAX_BYTES = 262_144_000
# What builds and tools leave in a folder, and no deployment package has.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache")


def code_sha256(folder: Path) -> str:
    """Base64 of the SHA-256 over the names, modes and contents of all files, in order of their names.

    It changes when the code does, and is no digest of a zip file. Raises `InvalidParameterValue` for more than Lambda
    takes.
    """
    digest = hashlib.sha256()
    left = _MAX_BYTES
    for path in _files(folder):
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        else:
            left -= path.stat().st_size
            if left < 0:
                raise InvalidParameterValue(f"Unzipped size must be smaller than {_MAX_BYTES} bytes")
            content = path.read_bytes()
        executable = bool(path.lstat().st_mode & 0o100)
        name = os.fsencode(path.relative_to(folder))
        digest.update(b"%d %d %d " % (len(name), executable, len(content)) + name + content)
    return base64.b64encode(digest.digest()).decode("ascii")


def copy_code(folder: Path) -> Path:
    """A copy in a temporary folder of its own, which is the caller's to remove."""
    copy = Path(tempfile.mkdtemp(prefix="local-lambda-version-"))
    try:
        shutil.copytree(folder, copy, symlinks=True, dirs_exist_ok=True, ignore=_LEFT_OUT)
    except BaseException:
        shutil.rmtree(copy, ignore_errors=True)
        raise
    return copy


def _files(folder: Path) -> Iterator[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        skipped = _LEFT_OUT(parent, folders + files)
        folders[:] = [name for name in folders if name not in skipped]
        found += [Path(parent, name) for name in files if name not in skipped]
        found += [Path(parent, name) for name in folders if Path(parent, name).is_symlink()]
    return iter(sorted(found))
