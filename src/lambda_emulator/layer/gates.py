"""What a layer has to be before it is published: files that run on the base, sizes that Lambda takes. Reads the zip."""

import posixpath
from collections.abc import Iterator

from lambda_emulator.layer.contents import LIMIT_UNPACKED_BYTES, Contents
from lambda_emulator.layer.elf import ElfFile, MalformedElf, is_elf, read_elf
from lambda_emulator.layer.findings import Finding, mistake, remark
from lambda_emulator.layer.target import BASE_GLIBC, BASE_LIBRARIES, Target

__all__ = ["LIMIT_UNPACKED_BYTES", "LIMIT_UPLOAD_BYTES", "MOST_LAYERS", "check_files", "check_sizes", "reachable"]

# A quota of the developer guide, "Function configuration, deployment, and execution".
LIMIT_UPLOAD_BYTES = 50 * 1024 * 1024
"""Of a zip that is uploaded directly; a larger one goes by way of S3."""
MOST_LAYERS = 5


def check_files(contents: Contents, target: Target) -> Iterator[Finding]:
    """Every ELF file: the right machine, no symbol above the base's C library, no library that is not there."""
    programs: dict[str, ElfFile] = {}
    for name in contents.entries:
        if is_elf(contents.head(name, 4)):
            try:
                programs[name] = read_elf(contents.read(name))
            except MalformedElf as error:
                yield mistake("damaged", f"{name} is no ELF file that a Lambda machine loads: {error}")
    inside = set(contents.entries)
    # An RPATH of the program counts for all that it loads.
    leader = programs.get(f"cpython/bin/{target.python_name}")
    for name, program in sorted(programs.items()):
        if program.machine != target.elf_machine:
            yield mistake("architecture", f"{name} is built for another machine than {target.architecture}")
            continue
        if program.newest_glibc > BASE_GLIBC:
            newest, ours = (".".join(map(str, version)) for version in (program.newest_glibc, BASE_GLIBC))
            yield mistake("glibc", f"{name} needs glibc {newest}, the base has {ours}: use a build for an older system")
        for library in program.needed:
            if library not in BASE_LIBRARIES and not reachable(name, library, program, leader, inside):
                yield mistake(
                    "missing-library", f"{name} needs {library}: the base has none, nor the layer where it looks"
                )


def reachable(name: str, library: str, program: ElfFile, leader: ElfFile | None, inside: set[str]) -> bool:
    """Whether the loader finds `library` for this file: by its own path, the interpreter's, or in `/opt/lib`."""
    if "/" in library:  # named by its place
        return _resolved(library, posixpath.dirname(name)) in inside
    folders = [_resolved(part, posixpath.dirname(name)) for part in program.library_path.split(":") if part]
    if leader is not None:
        folders += [_resolved(part, "cpython/bin") for part in leader.library_path.split(":") if part]
    return any(f"{folder}/{library}" in inside for folder in (*folders, "lib"))


def _resolved(part: str, folder: str) -> str:
    """A folder of a library path, relative to `/opt`."""
    place = part.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", f"/opt/{folder}")
    return posixpath.normpath(place).removeprefix("/opt/")


def check_sizes(contents: Contents) -> Iterator[Finding]:
    """Lambda's limits, and how much of them this layer takes."""
    if contents.packed > LIMIT_UPLOAD_BYTES:
        yield mistake("size", f"{contents.packed:,} bytes: above 50 MB a layer cannot be uploaded directly; use S3")
    if contents.unpacked > LIMIT_UNPACKED_BYTES:
        yield mistake("size", f"{contents.unpacked:,} bytes unpacked: Lambda takes 250 MB, with all layers")
    elif contents.unpacked > LIMIT_UNPACKED_BYTES // 2:
        yield remark("size", f"{contents.unpacked:,} bytes unpacked: more than half of what all layers may have")
