"""Reading and changing ELF files: real ones of this machine, and damaged ones."""

import contextlib
import functools
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambda_emulator.layer.elf import MalformedElf, glibc_version, read_elf
from lambda_emulator.layer.elf_edit import lower_symbols, set_library_path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are ELF files on Linux only")

HYPOT = """
#include <math.h>
#include <stdio.h>
int main(int count, char **words) { printf("%.1f\\n", hypot(count + 2.0, 4.0 * (words != 0))); return 0; }
"""


@functools.cache
def interpreter() -> bytes:
    """The first half megabyte of the one that runs this; no fixture, as hypothesis would print it."""
    with Path(sys.executable).resolve().open("rb") as file:
        return file.read(512 * 1024)


def compiled(folder: Path, *options: str) -> Path:
    """A program that needs `hypot`, which newer C libraries bind by a newer version."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make a program with")
    (folder / "hypot.c").write_text(HYPOT)
    program = folder / "hypot"
    subprocess.run([compiler, "-o", str(program), str(folder / "hypot.c"), "-lm", *options], check=True)
    return program


def test_libraries_versions_and_path_are_those_that_the_linker_was_given(tmp_path: Path) -> None:
    elf = read_elf(compiled(tmp_path, "-Wl,-rpath,/somewhere/far/away/lib").read_bytes())
    assert {"libm.so.6", "libc.so.6"} <= set(elf.needed)
    assert elf.library_path == "/somewhere/far/away/lib"
    assert elf.newest_glibc >= (2, 2, 5)
    assert {"libc.so.6"} <= {need.library for need in elf.versions}


def test_a_symbol_is_bound_to_the_oldest_version_and_the_program_still_computes(tmp_path: Path) -> None:
    program = compiled(tmp_path)
    data = bytearray(program.read_bytes())
    before = [need.version for need in read_elf(bytes(data)).versions]
    if not any(glibc_version(version) > (2, 34) for version in before):
        pytest.skip("this machine's C library has no newer version of hypot")
    assert lower_symbols(data, (2, 34)) == ["hypot"]
    assert read_elf(bytes(data)).newest_glibc <= (2, 34)
    program.write_bytes(data)
    assert subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout == "5.0\n"
    assert lower_symbols(data, (2, 34)) == []


def test_a_version_that_other_symbols_need_too_is_left_alone(tmp_path: Path) -> None:
    data = bytearray(compiled(tmp_path).read_bytes())
    before = bytes(data)
    # Below everything: `puts` and the like are not for us to change.
    assert lower_symbols(data, (2, 1)) in ([], ["hypot"])
    assert {need.version for need in read_elf(bytes(data)).versions} <= {n.version for n in read_elf(before).versions}


def test_a_library_path_is_overwritten_in_place_and_found_by_the_loader(tmp_path: Path) -> None:
    program = compiled(tmp_path, "-Wl,-rpath,/somewhere/far/away/lib")
    data = bytearray(program.read_bytes())
    size = len(data)
    assert set_library_path(data, "$ORIGIN/../lib")
    assert len(data) == size
    assert read_elf(bytes(data)).library_path == "$ORIGIN/../lib"
    program.write_bytes(data)
    assert subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout == "5.0\n"


def test_a_library_path_without_room_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    for options in ([], ["-Wl,-rpath,/lib"]):
        data = bytearray(compiled(tmp_path, *options).read_bytes())
        before = bytes(data)
        assert not set_library_path(data, "$ORIGIN/../lib")
        assert bytes(data) == before


@given(cut=st.integers(4, 4096))
@settings(max_examples=60, deadline=None)
def test_a_truncated_file_is_malformed_and_nothing_else(cut: int) -> None:
    try:
        read_elf(interpreter()[:cut])
    except MalformedElf:
        return
    # Everything that is read lay before the cut.
    assert cut > 64


@given(at=st.integers(4, 3000), value=st.binary(min_size=1, max_size=8))
@example(at=37, value=b"\0\0\x80")
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_malformed_and_never_hangs(at: int, value: bytes) -> None:
    damaged = bytearray(interpreter())
    damaged[at : at + len(value)] = value
    with contextlib.suppress(MalformedElf):
        read_elf(bytes(damaged))


def test_a_count_of_versions_beyond_reason_ends_with_the_last_one(tmp_path: Path) -> None:
    data = bytearray(compiled(tmp_path).read_bytes())
    at = data.find(struct.pack("<Q", 0x6FFFFFFF))
    assert at > 0
    struct.pack_into("<Q", data, at + 8, 2**62)
    assert read_elf(bytes(data)).versions


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(60), b"MZ" + bytes(100)])
def test_what_is_no_64_bit_elf_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedElf):
        read_elf(data)
