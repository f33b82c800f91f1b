"""`handlerkit-layer.json`: what is in a layer, so that whoever runs it can tell what an advisory means for them."""

import json
from dataclasses import dataclass, field
from typing import Any

from lambda_emulator.layer.contents import Contents
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.interpreter import Interpreter
from lambda_emulator.layer.target import BASE_GLIBC, Target, host_architecture
from lambda_emulator.layer.wheels import Wheel

__all__ = ["MANIFEST", "Manifest", "manifest_bytes", "read_manifest"]

MANIFEST = "handlerkit-layer.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the commands need of it again."""

    target: Target
    interpreter: bool
    managed: bool
    owners: dict[str, str] = field(default_factory=dict)
    """The package that each name directly below `python/` belongs to."""


def manifest_bytes(
    target: Target,
    *,
    version: str,
    managed: bool,
    wheels: list[Wheel],
    interpreter: Interpreter | None,
    owners: dict[str, str],
    file_hashes: dict[str, str],
) -> bytes:
    """The document. Nothing of it depends on when or where it was made, but libraries taken from the machine."""
    document: dict[str, Any] = {
        "format": _FORMAT,
        "handlerkit": version,
        "kind": "managed" if managed else "os-only",
        "architecture": target.architecture,
        "python": target.version,
        "glibc": ".".join(map(str, BASE_GLIBC)),
        "interpreter": None,
        "packages": [
            {
                "name": wheel.name,
                "version": wheel.version,
                "licence": wheel.licence,
                "wheel": wheel.path.name,
                "sha256": wheel.sha256,
            }
            for wheel in sorted(wheels, key=lambda wheel: wheel.name)
        ],
        "owners": dict(sorted(owners.items())),
    }
    if interpreter is not None:
        document["interpreter"] = {
            "version": interpreter.version,
            "licence": "PSF-2.0",
            "openssl": interpreter.openssl,
            "stripped": interpreter.stripped,
            "libraries": {
                name: {"sha256": file_hashes[f"cpython/lib/{name}"]} for name in sorted(interpreter.libraries)
            },
            "symbolsBoundToOlderVersions": dict(sorted(interpreter.lowered.items())),
        }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest(contents: Contents) -> Manifest:
    """The zip's own, or what can be told of a layer that somebody else made. Raises `LayerError` for a damaged one."""
    if MANIFEST not in contents.entries:
        return _guessed(contents)
    try:
        document = json.loads(contents.read(MANIFEST))
        target = Target.of(document["architecture"], document["python"])
        return Manifest(
            target,
            interpreter=document["interpreter"] is not None,
            managed=document["kind"] == "managed",
            owners={str(name): str(owner) for name, owner in document["owners"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, LayerError) as error:
        raise LayerError(f"{MANIFEST} in the layer is damaged ({error!r}): build the layer anew") from None


def _guessed(contents: Contents) -> Manifest:
    from lambda_emulator.layer.elf import MalformedElf, read_elf  # late: only for a layer that is not ours

    machines = {62: "x86_64", 183: "arm64"}
    architecture, python = "", ""
    for name in contents.entries:
        if name.startswith("cpython/bin/python3."):
            python = name.removeprefix("cpython/bin/python")
        tag = name.partition(".cpython-3")[2]
        if not python and tag:
            digits = "".join(character for character in tag[:2] if character.isdecimal())
            python = f"3.{digits}"
        if not architecture and name.endswith(".so"):
            try:
                architecture = machines.get(read_elf(contents.read(name)).machine, "")
            except MalformedElf:
                continue
    import sys

    target = Target.of(
        architecture or host_architecture() or "x86_64",
        python or f"{sys.version_info.major}.{sys.version_info.minor}",
    )
    return Manifest(
        target,
        interpreter=any(name.startswith("cpython/bin/") for name in contents.entries),
        managed="bootstrap" not in contents.entries,
    )
