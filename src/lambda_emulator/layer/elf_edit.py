"""Two changes to a finished ELF file that move nothing in it: where it looks for libraries, and one symbol's version.

Both write over bytes that are there and refuse where that is not possible. What they are for: an interpreter that was
built on a newer system than the base, to be put into another folder.
"""

import struct

from lambda_emulator.layer.elf import DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, Reader, glibc_version

__all__ = ["lower_symbols", "set_library_path"]

# Functions that a newer C library binds by a newer version although the old one does the same (it also sets errno by
# the rules of System V, which Python does not look at), and the version that every library of the machine has.
_SAME_SINCE = frozenset({"hypot", "fmod"})
_OLDEST = {62: b"GLIBC_2.2.5", 183: b"GLIBC_2.17"}
_ENTRY = 16


def lower_symbols(data: bytearray, newest: tuple[int, ...]) -> list[str]:
    """Bind `hypot` and the like to the oldest version where they ask for one above `newest`; the names changed.

    A version that other symbols need as well is left alone: the file is then not for this base, as the gate will say.
    """
    reader = Reader(data)
    changed: list[str] = []
    for need in reader.version_needs():
        if glibc_version(need.version) <= newest or reader.machine not in _OLDEST:
            continue
        names = {reader.string(name) for name, index in reader.symbols(reader.symbol_count()) if index == need.index}
        oldest = _OLDEST[reader.machine]
        found = data.find(b"\0" + oldest + b"\0", reader.strings_at)
        if not names or names - _SAME_SINCE or found < 0:
            continue
        struct.pack_into("<I", data, need.at, _hash_of(oldest))
        struct.pack_into("<I", data, need.at + 8, found + 1 - reader.strings_at)
        changed += sorted(names)
    return changed


def set_library_path(data: bytearray, path: str) -> bool:
    """Have the file look in `path` (RPATH, so that what it loads looks there, too); False where there is no room.

    The text takes the place of the RPATH or RUNPATH that is there. No other text of the file may begin inside of it.
    """
    reader = Reader(data)
    entries = [number for number, (tag, _) in enumerate(reader.dynamic) if tag in (DT_RPATH, DT_RUNPATH)]
    if len(entries) != 1:
        return False
    value = reader.dynamic[entries[0]][1]
    old, new = reader.string(value).encode(), path.encode()
    inside = range(value + 1, value + len(old) + 1)
    used = {offset for tag, offset in reader.dynamic if tag in (DT_NEEDED, DT_SONAME)}
    used.update(name for name, _ in reader.symbols(reader.symbol_count()))
    if len(new) > len(old) or any(offset in inside for offset in used):
        return False
    begin = reader.strings_at + value
    data[begin : begin + len(old)] = new.ljust(len(old), b"\0")
    struct.pack_into("<q", data, reader.dynamic_at + entries[0] * _ENTRY, DT_RPATH)
    return True


def _hash_of(name: bytes) -> int:
    """The hash of the System V format, by which the loader compares versions.

    >>> hex(_hash_of(b"GLIBC_2.2.5"))
    '0x9691a75'
    """
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value & 0xFFFFFFFF
