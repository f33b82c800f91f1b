"""A tree as a zip whose bytes depend on names, contents and execute bits alone."""

import zipfile
from pathlib import Path

__all__ = ["write_zip"]

# The first moment that a zip can hold: a newer one would be the build's.
_TIME = (1980, 1, 1, 0, 0, 0)


def write_zip(folder: Path, target: Path) -> None:
    """Write all files below `folder`: sorted, dated 1980, 0755 or 0644, deflated. Replaces `target` when whole.

    The same zlib gives the same bytes; another version of it may pack differently.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
                if not path.is_file():
                    continue
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
                entry.create_system = 3  # Unix, or the modes would not count
                entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes(), compresslevel=9)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
