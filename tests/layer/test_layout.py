"""Mistakes that are told from the zip alone, each in a layer of a few files."""

import importlib.util
import json
import struct
import sys
from pathlib import Path

import pytest

from lambda_emulator.layer import gates
from lambda_emulator.layer.build import inspect
from lambda_emulator.layer.contents import Contents
from lambda_emulator.layer.elf import ElfFile
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.layout import modules_of
from lambda_emulator.layer.reporting import built_lines
from lambda_emulator.layer.target import Target, host_architecture
from tests.layer.conftest import HERE, zip_of

TAG = f"cpython-{sys.version_info.major}{sys.version_info.minor}"
MACHINE = {"x86_64": "x86_64", "arm64": "aarch64"}[host_architecture() or "x86_64"]
OTHER = {"x86_64": "aarch64", "aarch64": "x86_64"}[MACHINE]
MANIFEST = json.dumps({
    "format": 1, "kind": "os-only", "architecture": host_architecture() or "x86_64", "python": HERE,
    "interpreter": {}, "owners": {"good.py": "good"},
})  # fmt: skip
UNCHECKED, TIMESTAMP = (importlib.util.MAGIC_NUMBER + struct.pack("<I", flags) + bytes(8) for flags in (0b01, 0b00))
GOOD: dict[str, bytes | str] = {
    "bootstrap": "#!/bin/sh\n",
    "handlerkit-layer.json": MANIFEST,
    "python/good.py": "",
    f"python/__pycache__/good.{TAG}.pyc": UNCHECKED,
}


def found(path: Path) -> list[tuple[str, str]]:
    """Kind and message of every finding."""
    return [(finding.kind, finding.message) for finding in inspect(path).findings]


def test_a_good_layout_has_no_findings(tmp_path: Path) -> None:
    assert found(zip_of(tmp_path / "good.zip", GOOD)) == []


def program(machine: int = 62) -> bytes:
    """The least that is an ELF file."""
    return b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + struct.pack("<H", machine).ljust(46, b"\0")


CASES = [
    ({"bootstrap": None}, "entry", "no bootstrap at the zip's root"),
    ({"bootstrap": None, "layer/bootstrap": ""}, "entry", "layer/bootstrap is one folder too deep"),
    ({"bootstrap": "#!/bin/sh\r\n"}, "entry", "Windows line ends"),
    ({f"cpython/bin/python{HERE}": "x"}, "execute-bit", f"cpython/bin/python{HERE} cannot be executed"),
    ({"handler.py": ""}, "place", "handler.py is not below python/"),
    ({"python/types.py": ""}, "shadow", "python/types hides the standard library's types"),
    ({"python/logging/__init__.py": ""}, "shadow", "python/logging hides the standard library's logging"),
    ({"python/_x.cpython-39-x86_64-linux-gnu.so": ""}, "python-version", "is for another Python than"),
    ({f"python/_x.{TAG}-{OTHER}-linux-gnu.so": ""}, "architecture", "is from a wheel for another machine"),
    ({"python/_x.so": program(3)}, "architecture", "is built for another machine"),
    ({"python/_x.so": b"\x7fELF" + bytes(8)}, "damaged", "python/_x.so is no ELF file"),
    ({"python/p/__init__.py": "", "python/p/q.py": ""}, "bytecode", "2 files of python/p have no bytecode"),
    ({f"python/__pycache__/good.{TAG}.pyc": TIMESTAMP}, "bytecode", "1 bytecode files are compared with"),
]  # fmt: skip


@pytest.mark.parametrize(("difference", "kind", "message"), CASES)
def test_each_mistake_is_named(
    tmp_path: Path, difference: dict[str, bytes | str | None], kind: str, message: str
) -> None:
    files = {name: content for name, content in {**GOOD, **difference}.items() if content is not None}
    matching = [text for known, text in found(zip_of(tmp_path / "bad.zip", files)) if known == kind and message in text]
    assert len(matching) == 1


def test_a_bootstrap_that_cannot_be_executed_is_a_mistake(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "bad.zip", GOOD, executable=())
    assert [kind for kind, _ in found(path)] == ["execute-bit"]


def test_a_library_that_is_not_there_and_a_symbol_above_the_base_are_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Path(sys.executable).resolve().read_bytes()
    monkeypatch.setattr(gates, "BASE_GLIBC", (2, 1))
    monkeypatch.setattr(gates, "BASE_LIBRARIES", frozenset())
    path = zip_of(tmp_path / "bad.zip", {**GOOD, "python/_x.so": library, "lib/libm.so.6": "here"})
    findings = found(path)
    assert "glibc" in {kind for kind, _ in findings}
    missing = [message for kind, message in findings if kind == "missing-library"]
    assert any("needs libc.so.6" in message for message in missing)
    assert not any("libm.so.6" in message for message in missing)  # /opt/lib is on the loader's path


@pytest.mark.parametrize(
    ("needed", "path", "there"),
    [
        ("$ORIGIN/../lib/libpython3.13.so.1.0", "", True),
        ("$ORIGIN/libpython3.13.so.1.0", "", False),
        ("libpython3.13.so.1.0", "$ORIGIN/../lib", True),
        ("libpython3.13.so.1.0", "/opt/cpython/lib", True),
        ("libpython3.13.so.1.0", "/usr/lib", False),
        ("libpython3.13.so.1.0", "", False),
    ],
)
def test_a_library_is_looked_for_where_the_loader_would(needed: str, path: str, *, there: bool) -> None:
    elf = ElfFile(machine=62, needed=(needed,), soname="", library_path=path, versions=())
    inside = {"cpython/bin/python3.13", "cpython/lib/libpython3.13.so.1.0"}
    assert gates.reachable("cpython/bin/python3.13", needed, elf, None, inside) is there


def test_sizes_above_lambdas_are_mistakes_and_come_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owners = json.dumps({**json.loads(MANIFEST), "owners": {"botocore": "botocore"}})
    path = zip_of(
        tmp_path / "big.zip",
        {**GOOD, "handlerkit-layer.json": owners, "python/botocore/data/all.json": "x" * 5000},
    )
    monkeypatch.setattr(gates, "LIMIT_UPLOAD_BYTES", 3000)
    monkeypatch.setattr(gates, "LIMIT_UNPACKED_BYTES", 4000)
    built = inspect(path)
    assert [finding.kind for finding in built.findings] == ["size", "size"]
    assert any(line.startswith("to drop: botocore: name the services") for line in built_lines(built))


def test_a_layer_without_a_manifest_is_judged_by_its_files(tmp_path: Path) -> None:
    files = {name: content for name, content in GOOD.items() if name != "handlerkit-layer.json"}
    path = zip_of(tmp_path / "theirs.zip", files)
    assert [kind for kind, _ in found(path)] == ["interpreter"]


def test_a_zip_that_would_fill_the_disk_is_not_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambda_emulator.layer.contents.LIMIT_UNPACKED_BYTES", 1000)
    path = zip_of(tmp_path / "bomb.zip", {**GOOD, "python/zeros.bin": bytes(9000)})
    with pytest.raises(LayerError, match=r"bytes unpacked, and Lambda takes 250 MB: not looked into"):
        inspect(path)


@pytest.mark.parametrize("manifest", ["{", "[]", '{"architecture": "x86_64"}', '{"architecture": 1, "python": 2}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, manifest: str) -> None:
    path = zip_of(tmp_path / "bad.zip", {**GOOD, "handlerkit-layer.json": manifest})
    with pytest.raises(LayerError, match=r"handlerkit-layer\.json in the layer is damaged"):
        inspect(path)


def test_modules_are_files_packages_and_extensions_at_the_top(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "some.zip", {
        "python/one.py": "", "python/two/__init__.py": "", "python/two/three.py": "", "python/four.abi3.so": "",
        "python/five-1.0.dist-info/METADATA": "", "python/six/data.txt": "",
    })  # fmt: skip
    with Contents(path) as contents:
        assert modules_of(contents) == ["four", "one", "two"]


def test_the_tags_of_a_target_are_those_that_its_base_can_run() -> None:
    tags = Target.of("arm64", "3.13").wheel_platforms
    assert tags[0] == "manylinux_2_34_aarch64"
    assert "manylinux2014_aarch64" in tags
    assert not [tag for tag in tags if "musl" in tag or "2_35" in tag or "x86" in tag]
