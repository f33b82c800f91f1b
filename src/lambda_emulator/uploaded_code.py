"""Code that comes as a zip file: unpacked within Lambda's limits into a folder that nobody else has. Blocking; run it
in a thread.

Nothing of the file is believed: names that lead out of the folder are refused, and what is unpacked is counted as it
comes, whatever the file says of its size.
"""

import base64
import hashlib
import io
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from lambda_emulator.errors import InvalidParameterValue

__all__ = ["MAX_ZIP_BYTES", "CodeFolder", "UploadedCode"]

MAX_ZIP_BYTES = 50 * 1024 * 1024
"""Of a file that is part of the request, documented."""
_MAX_UNZIPPED_BYTES = 262_144_000
_PIECE_BYTES = 1024 * 1024
_NO_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


class CodeFolder:
    """A folder that is removed with the last of those who hold it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._holders = 1

    def hold(self) -> "CodeFolder":
        """One more."""
        self._holders += 1
        return self

    def release(self) -> None:
        """One less."""
        self._holders -= 1
        if not self._holders:
            shutil.rmtree(self.path, ignore_errors=True)


class UploadedCode:
    """A zip file's contents in a folder, which is the maker's to release.

    Raises `InvalidParameterValue`; there is no folder then.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_ZIP_BYTES:
            raise InvalidParameterValue(f"Zipped size must be smaller than {MAX_ZIP_BYTES} bytes")
        self.size_bytes = len(data)
        self.sha256 = base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")
        path = Path(tempfile.mkdtemp(prefix="local-lambda-code-"))
        path.chmod(0o755)
        try:
            _unpack(data, path)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
            shutil.rmtree(path, ignore_errors=True)
            raise InvalidParameterValue(_NO_ZIP) from error
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        self.folder = CodeFolder(path)


def _unpack(data: bytes, folder: Path) -> None:
    left_bytes = _MAX_UNZIPPED_BYTES
    links: list[tuple[Path, str]] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if not members:
            raise InvalidParameterValue("Uploaded file must be a non-empty zip")
        for member in members:
            target = folder / _inside(member.filename)
            mode = member.external_attr >> 16
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(mode):
                links.append((target, _link(archive.read(member), target, folder)))
                continue
            left_bytes = _write(archive, member, target, left_bytes)
            target.chmod(stat.S_IMODE(mode) & 0o777 or 0o644)
    # Last, so that nothing was written through one.
    for target, pointed_to in links:
        target.symlink_to(pointed_to)


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left_bytes: int) -> int:
    with archive.open(member) as source, target.open("wb") as file:
        while piece := source.read(_PIECE_BYTES):
            left_bytes -= len(piece)
            if left_bytes < 0:
                raise InvalidParameterValue(f"Unzipped size must be smaller than {_MAX_UNZIPPED_BYTES} bytes")
            file.write(piece)
    return left_bytes


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        raise InvalidParameterValue(f"{_NO_ZIP} The name {name!r} leads out of the function's folder.")
    return path


def _link(pointed_to: bytes, target: Path, folder: Path) -> str:
    text = pointed_to.decode("utf-8")
    if text.startswith("/") or not (target.parent / text).resolve().is_relative_to(folder.resolve()):
        raise InvalidParameterValue(
            f"{_NO_ZIP} The link {str(target.relative_to(folder))!r} leads out of the function's folder."
        )
    return text
