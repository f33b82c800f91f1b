"""A layer's files as they lie in its zip: names, bytes, execute bits. Reads; knows nothing of what they are for."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from lambda_emulator.layer.errors import LayerError

__all__ = ["LIMIT_UNPACKED_BYTES", "Contents", "Entry"]

LIMIT_UNPACKED_BYTES = 250 * 1024 * 1024
"""Of the function and all its layers together: developer guide, "Function configuration, deployment, and execution"."""
# A layer that is too large is told so, file by file; one that is this much too large is no layer, and not looked into.
_ABSURD = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One file."""

    name: str
    """Relative to `/opt`."""
    size: int
    packed: int
    executable: bool


class Contents:
    """The zip, open; a context manager. Raises `LayerError` for what is no zip or leads out of `/opt`."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise LayerError(f"no layer {path}: handlerkit layer build makes one") from None
        except (zipfile.BadZipFile, OSError) as error:
            raise LayerError(f"{path} is no zip: {error}") from None
        self.packed = path.stat().st_size
        self.entries = {}
        for info in self._archive.infolist():
            parts = PurePosixPath(info.filename).parts
            if not parts or ".." in parts or info.filename.startswith("/"):
                self._archive.close()
                raise LayerError(f"{path} holds {info.filename!r}, which leads out of /opt")
            if not info.is_dir():
                mode = info.external_attr >> 16
                self.entries[info.filename] = Entry(
                    info.filename, info.file_size, info.compress_size, bool(mode & 0o001)
                )

        if self.unpacked > _ABSURD * LIMIT_UNPACKED_BYTES:
            self._archive.close()
            raise LayerError(
                f"{path} would be {self.unpacked:,} bytes unpacked, and Lambda takes 250 MB: not looked into"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def unpacked(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries.values())

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises `LayerError` where they are damaged."""
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, OSError, RuntimeError) as error:
            raise LayerError(f"{name} in the layer is damaged: {error}") from None

    def head(self, name: str, count: int) -> bytes:
        """A file's first bytes."""
        with self._archive.open(name) as file:
            return file.read(count)

    def below(self, folder: str) -> Iterator[Entry]:
        """The files of a folder, `python/`, at any depth."""
        return (entry for name, entry in self.entries.items() if name.startswith(folder))

    def extract(self, folder: Path) -> None:
        """Unpack it there, with the modes that it has."""
        for entry in self.entries.values():
            place = folder / entry.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.read(entry.name))
            place.chmod(0o755 if entry.executable else 0o644)
