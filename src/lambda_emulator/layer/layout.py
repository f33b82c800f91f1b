"""Mistakes in how a layer is laid out, told from the zip alone: what Lambda would stumble over, or be slow with."""

import re
import sys
from collections.abc import Iterator

from lambda_emulator.layer.contents import Contents
from lambda_emulator.layer.findings import Finding, mistake, remark
from lambda_emulator.layer.manifest import Manifest

__all__ = ["check_layout", "modules_of"]

_UNCHECKED = 0b01
_CHECKED = 0b11


def check_layout(contents: Contents, manifest: Manifest) -> Iterator[Finding]:
    """Entry, execute bits, names, bytecode."""
    yield from _entry(contents, manifest)
    yield from _places(contents)
    yield from _shadows(contents)
    yield from _extensions(contents, manifest)
    yield from _bytecode(contents, manifest)


def modules_of(contents: Contents) -> list[str]:
    """The importable names directly below `python/`."""
    names = set()
    for entry in contents.below("python/"):
        parts = entry.name.split("/")
        if len(parts) == 2 and parts[1].endswith((".py", ".so")):
            names.add(parts[1].partition(".")[0])
        elif len(parts) == 3 and parts[2].startswith("__init__."):
            names.add(parts[1])
    return sorted(name for name in names if name.isidentifier())


def _entry(contents: Contents, manifest: Manifest) -> Iterator[Finding]:
    if manifest.managed:
        return
    bootstrap = contents.entries.get("bootstrap")
    if bootstrap is None:
        nested = next((name for name in contents.entries if name.endswith("/bootstrap")), None)
        where = f"; {nested} is one folder too deep" if nested and nested.count("/") == 1 else ""
        yield mistake("entry", f"no bootstrap at the zip's root{where}: an OS-only runtime has nothing to start")
    elif not bootstrap.executable:
        yield mistake("execute-bit", "bootstrap cannot be executed (Runtime.InvalidEntrypoint): chmod 755, then zip")
    elif contents.head("bootstrap", 64).split(b"\n", 1)[0].endswith(b"\r"):
        yield mistake("entry", "bootstrap has Windows line ends, so its first line names no program: write it with \\n")
    for entry in contents.below("cpython/bin/"):
        if not entry.executable:
            yield mistake("execute-bit", f"{entry.name} cannot be executed: chmod 755 before zipping")
    if not manifest.interpreter:
        yield remark("interpreter", "no interpreter inside: bootstrap will look in the base image and on the PATH")


def _places(contents: Contents) -> Iterator[Finding]:
    known = ("python/", "cpython/", "bin/", "lib/", "extensions/", "bootstrap", "handlerkit-layer.json")
    loose = sorted(name for name in contents.entries if not name.startswith(known))
    if any(name.endswith(".py") for name in loose):
        first = next(name for name in loose if name.endswith(".py"))
        yield mistake("place", f"{first} is not below python/, so no runtime finds it")


def _shadows(contents: Contents) -> Iterator[Finding]:
    for name in sorted(set(modules_of(contents)) & sys.stdlib_module_names):
        yield mistake("shadow", f"python/{name} hides the standard library's {name}: rename or remove it")


def _extensions(contents: Contents, manifest: Manifest) -> Iterator[Finding]:
    target = manifest.target
    for name in contents.entries:
        match = re.search(r"\.cpython-(\d+)-([\w-]+)\.so$", name)
        if match is None:
            continue
        if match[1] != f"{target.python[0]}{target.python[1]}":
            yield mistake("python-version", f"{name} is for another Python than {target.version}")
        if not match[2].startswith(target.machine):
            yield mistake("architecture", f"{name} is from a wheel for another machine than {target.architecture}")


def _bytecode(contents: Contents, manifest: Manifest) -> Iterator[Finding]:
    missing: dict[str, int] = {}
    checked = 0
    for name in contents.entries:
        if not name.endswith(".py") or not name.startswith(("python/", "cpython/lib/")):
            continue
        folder, _, file = name.rpartition("/")
        compiled = f"{folder}/__pycache__/{file[:-3]}.{manifest.target.cache_tag}.pyc"
        if compiled not in contents.entries:
            top = "/".join(name.split("/")[:2])
            missing[top] = missing.get(top, 0) + 1
        elif contents.head(compiled, 8)[4:5] != bytes([_UNCHECKED]):
            checked += 1
    for top, count in sorted(missing.items()):
        if count > 1 or not top.endswith(".py"):
            yield remark("bytecode", f"{count} files of {top} have no bytecode: they are compiled at every cold start")
    if checked:
        yield remark("bytecode", f"{checked} bytecode files are compared with their sources at every start")
