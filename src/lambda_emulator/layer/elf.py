"""Reads of an ELF file what decides where it runs: machine, libraries, symbol versions. Bytes in, values out.

64-bit, little-endian only: Lambda has no other machine. It goes by the program headers, which the loader goes by, and
not by sections, which a file need not have. Any offset that leads out of the file is a `MalformedElf`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["ElfFile", "MalformedElf", "Reader", "glibc_version", "is_elf", "read_elf"]

_PT_LOAD, _PT_DYNAMIC = 1, 2
DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_STRSZ = 1, 5, 6, 10
DT_SONAME, DT_RPATH, DT_RUNPATH = 14, 15, 29
DT_VERSYM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF


class MalformedElf(ValueError):  # noqa: N818  # the file's fault
    """It begins as an ELF file and is none."""


@dataclass(frozen=True, slots=True)
class VersionNeed:
    """One version of one library that symbols are bound to, and where its record lies in the file."""

    library: str
    version: str
    index: int
    at: int


@dataclass(frozen=True, slots=True)
class ElfFile:
    """What the loader will ask for."""

    machine: int
    needed: tuple[str, ...]
    soname: str
    library_path: str
    """RUNPATH or RPATH, "" for neither."""
    versions: tuple[VersionNeed, ...]

    @property
    def newest_glibc(self) -> tuple[int, ...]:
        """The newest `GLIBC_x.y` that it needs; empty for none."""
        return max((glibc_version(one.version) for one in self.versions), default=())


def is_elf(data: bytes) -> bool:
    """Whether it begins as one."""
    return data[:4] == b"\x7fELF"


def glibc_version(name: str) -> tuple[int, ...]:
    """The numbers of a version's name; empty for what is none.

    >>> glibc_version("GLIBC_2.2.5"), glibc_version("GLIBC_PRIVATE"), glibc_version("GCC_3.0")
    ((2, 2, 5), (), ())
    """
    numbers = name.removeprefix("GLIBC_").split(".")
    if name.startswith("GLIBC_") and all(number.isdecimal() for number in numbers):
        return tuple(map(int, numbers))
    return ()


def read_elf(data: bytes) -> ElfFile:
    """Raises `MalformedElf`; also for a 32-bit or big-endian file, which no Lambda machine runs."""
    try:
        reader = Reader(data)
        paths = [reader.string(value) for tag, value in reader.dynamic if tag in (DT_RPATH, DT_RUNPATH)]
        sonames = [reader.string(value) for tag, value in reader.dynamic if tag == DT_SONAME]
        return ElfFile(
            machine=reader.machine,
            needed=tuple(reader.string(value) for tag, value in reader.dynamic if tag == DT_NEEDED),
            soname=sonames[0] if sonames else "",
            library_path=paths[-1] if paths else "",
            versions=tuple(reader.version_needs()),
        )
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise MalformedElf(f"truncated or damaged: {error}") from error


class Reader:
    """The tables of one file. Raises `MalformedElf`, `struct.error` or `IndexError` where they lead out of it."""

    def __init__(self, data: bytes | bytearray) -> None:
        if not is_elf(bytes(data[:4])) or data[4:6] != b"\x02\x01":
            raise MalformedElf("not a 64-bit little-endian ELF file")
        self._data = data
        self.machine = self._unpack("<H", 18)[0]
        (headers_at,) = self._unpack("<Q", 32)
        size, count = self._unpack("<HH", 54)
        headers = [self._unpack("<IIQQQQQQ", headers_at + number * size) for number in range(count)]
        self._loads = [(header[3], header[2], header[5]) for header in headers if header[0] == _PT_LOAD]
        self.dynamic_at = next((header[2] for header in headers if header[0] == _PT_DYNAMIC), 0)
        self.dynamic = list(self._dynamic_entries()) if self.dynamic_at else []

    def first(self, tag: int) -> int | None:
        """The value of the first dynamic entry with this tag."""
        return next((value for known, value in self.dynamic if known == tag), None)

    def offset(self, address: int) -> int:
        """Where in the file an address is loaded from."""
        for start, offset, size in self._loads:
            if start <= address < start + size:
                return int(address - start + offset)
        raise MalformedElf(f"address {address:#x} is in no part of the file")

    @property
    def strings_at(self) -> int:
        """The string table's offset in the file."""
        address = self.first(DT_STRTAB)
        if address is None:
            raise MalformedElf("no string table")
        return self.offset(address)

    def string(self, offset: int) -> str:
        """A text of the string table."""
        begin = self.strings_at + offset
        end = self._data.find(b"\0", begin)
        if begin >= len(self._data) or end < 0:
            raise MalformedElf("a string leads out of the file")
        return self._data[begin:end].decode("utf-8", "surrogateescape")

    def version_needs(self) -> Iterator[VersionNeed]:
        """The versions that its symbols are bound to."""
        address = self.first(DT_VERNEED)
        if address is None:
            return
        at = self.offset(address)
        for _ in range(self.first(DT_VERNEEDNUM) or 0):
            _version, count, file, first, following = self._unpack("<HHIII", at)
            library, each = self.string(file), at + first
            for _ in range(count):
                _hash, _flags, index, name, next_each = self._unpack("<IHHII", each)
                yield VersionNeed(library, self.string(name), index, each)
                each += next_each
                if not next_each:
                    break
            at += following
            if not following:  # the last one; a damaged count must not keep us here
                return

    def symbols(self, count: int) -> Iterator[tuple[int, int]]:
        """Of the first `count` symbols: the name's offset in the string table, and the version's index."""
        names, versions = self.first(DT_SYMTAB), self.first(DT_VERSYM)
        if names is None:
            return
        names_at = self.offset(names)
        versions_at = None if versions is None else self.offset(versions)
        for number in range(count):
            (name,) = self._unpack("<I", names_at + 24 * number)
            index = 0 if versions_at is None else self._unpack("<H", versions_at + 2 * number)[0] & 0x7FFF
            yield name, index

    def symbol_count(self) -> int:
        """How many there are, by the distance to the string table, which linkers write right behind the symbols.

        Never too few where that holds; one that reads too many sees texts, whose "names" match nothing.
        """
        names, strings = self.first(DT_SYMTAB), self.first(DT_STRTAB)
        if names is None or strings is None or strings < names:
            raise MalformedElf("the symbols are not where linkers put them")
        return (strings - names) // 24

    def _dynamic_entries(self) -> Iterator[tuple[int, int]]:
        at = self.dynamic_at
        while True:
            tag, value = self._unpack("<qQ", at)
            if tag == 0:
                return
            yield tag & 0xFFFFFFFF, value
            at += 16

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        if not 0 <= at < len(self._data):
            raise MalformedElf(f"offset {at} leads out of the file")
        return struct.unpack_from(form, self._data, at)
