"""Makes a layer: its packages, an interpreter, bytecode, a manifest, and one zip of it. The order is this file's."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from lambda_emulator.bootstrap_file import bootstrap_file
from lambda_emulator.layer import bytecode, interpreter, trimming, wheels
from lambda_emulator.layer.archive import write_zip
from lambda_emulator.layer.contents import Contents
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.extras import DEFAULT_SERVICES, expand_extras
from lambda_emulator.layer.findings import Finding
from lambda_emulator.layer.gates import check_files, check_sizes
from lambda_emulator.layer.layer_files import layer_file
from lambda_emulator.layer.layout import check_layout
from lambda_emulator.layer.manifest import MANIFEST, manifest_bytes, read_manifest
from lambda_emulator.layer.requirements import read_lock, read_user_file
from lambda_emulator.layer.sizes import Share, shares
from lambda_emulator.layer.start_bundle import write_start
from lambda_emulator.layer.target import Target
from runtime import protocol

__all__ = ["Built", "Order", "build"]

OURS = "handlerkit"
_NO_INTERPRETER = "none"
_MANAGED_BY_UV = "uv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for."""

    target: Target
    output: Path
    cache: Path
    interpreter: str = _MANAGED_BY_UV
    """A folder, an archive, `uv` for one of its managed Pythons, or `none`."""
    managed: bool = False
    """For a managed runtime: no interpreter, no bootstrap, no runtime."""
    extras: tuple[str, ...] = ()
    requirements: tuple[Path, ...] = ()
    services: tuple[str, ...] = DEFAULT_SERVICES


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it."""

    path: Path
    packed: int
    unpacked: int
    sha256: str
    shares: list[Share]
    findings: list[Finding]
    not_compiled: dict[str, str]


def build(order: Order, progress: Callable[[str], None]) -> Built:
    """Make the layer; `progress` hears of each step. Raises `LayerError`; a file that is there stays then."""
    if order.output.is_dir():
        raise LayerError(f"{order.output} is a folder: name the zip's file with --output")
    with tempfile.TemporaryDirectory(prefix="handlerkit-layer-") as work:
        tree = Path(work) / "opt"
        packages = tree / "python"
        packages.mkdir(parents=True)
        chosen, owners = _install_packages(order, packages, Path(work) / "resolved", progress)
        owners |= _install_ours(order, tree)
        made = None
        if not order.managed and order.interpreter != _NO_INTERPRETER:
            made = interpreter.install(_source(order, Path(work)), tree / "cpython", order.target, progress)
        not_compiled = _compile(tree, order.target, progress)
        hashes = {
            path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tree / "cpython" / "lib").glob("*.so*")
        }
        document = manifest_bytes(
            order.target,
            version=_version(),
            managed=order.managed,
            wheels=chosen,
            interpreter=made,
            owners=owners,
            file_hashes=hashes,
        )
        (tree / MANIFEST).write_bytes(document)
        progress(f"writing {order.output.name}")
        order.output.parent.mkdir(parents=True, exist_ok=True)
        write_zip(tree, order.output)
    return inspect(order.output, not_compiled)


def inspect(path: Path, not_compiled: dict[str, str] | None = None) -> Built:
    """What can be said of a finished zip without running it. Raises `LayerError` for what is none."""
    with Contents(path) as contents:
        manifest = read_manifest(contents)
        findings = [
            *check_layout(contents, manifest),
            *check_files(contents, manifest.target),
            *check_sizes(contents),
        ]
        return Built(
            path=path,
            packed=contents.packed,
            unpacked=contents.unpacked,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            shares=shares(contents, manifest.owners),
            findings=findings,
            not_compiled=not_compiled or {},
        )


def _install_packages(
    order: Order, folder: Path, resolved: Path, progress: Callable[[str], None]
) -> tuple[list[wheels.Wheel], dict[str, str]]:
    lock = layer_file("layer.lock")
    pins = read_lock(lock.read_text(), lock.name)
    files = [read_user_file(path, order.target) for path in order.requirements]
    extras = [*order.extras, *(extra for file in files for extra in file.extras)]
    chosen: dict[str, wheels.Wheel] = {}
    for file in files:
        if file.pins is None:
            chosen |= wheels.resolve_user_file(file, pins, order.target, resolved, progress)
    for file in files:
        if file.pins is not None:  # a lock: it names all that it needs, and its versions go before ours
            pins = pins | {name: [pin] for name, pin in file.pins.items()}
    locked = [name for file in files for name in file.pins or ()]
    wanted = [name for name in (*expand_extras(extras), *locked) if name not in chosen]
    chosen = wheels.collect(wanted, pins, order.target, order.cache, progress) | chosen
    owners: dict[str, str] = {}
    for wheel in sorted(chosen.values(), key=lambda wheel: wheel.name):
        for name in wheel.extract(folder):
            owners.setdefault(name.partition("/")[0], wheel.name)
    trimming.trim_packages(folder)
    trimming.trim_botocore(folder, order.services)
    return list(chosen.values()), {name: owner for name, owner in owners.items() if (folder / name).exists()}


def _install_ours(order: Order, tree: Path) -> dict[str, str]:
    """Our own packages, and `bootstrap` unless a managed runtime has its own."""
    ours = {"handlerkit": _package_folder("handlerkit")}
    if not order.managed:
        ours["runtime"] = Path(protocol.__file__).parent
    for name, source in ours.items():
        shutil.copytree(source, tree / "python" / name, ignore=shutil.ignore_patterns("__pycache__", "bootstrap"))
        for path in (tree / "python" / name).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    if not order.managed:
        shutil.copyfile(bootstrap_file(), tree / "bootstrap")
        (tree / "bootstrap").chmod(0o755)
    licence = next((path for path in _licences() if path.is_file()), None)
    if licence is not None:
        shutil.copyfile(licence, tree / "python" / "handlerkit" / "LICENSE")
    return dict.fromkeys(ours, OURS)


def _licences() -> Sequence[Path]:
    package = _package_folder("handlerkit")
    try:
        found = [Path(str(one.locate())) for one in metadata.files(OURS) or () if one.name == "LICENSE"]
    except metadata.PackageNotFoundError:
        found = []
    return [*found, package.parent.parent / "LICENSE"]


def _source(order: Order, work: Path) -> Path:
    if order.interpreter == _MANAGED_BY_UV:
        return interpreter.find_managed(order.target)
    return interpreter.unpacked(Path(order.interpreter), work / "interpreter")


def _compile(tree: Path, target: Target, progress: Callable[[str], None]) -> dict[str, str]:
    inside = tree / "cpython" / "bin" / target.python_name
    compiler = bytecode.find_compiler(target, [inside] if inside.exists() and target.runs_here else [])
    progress("compiling")
    failed: dict[str, str] = {}
    for folder, prefix in ((tree / "python", "/opt/python"), (tree / "cpython", "/opt/cpython")):
        if folder.is_dir():
            done = bytecode.compile_folder(folder, python=compiler, prefix=prefix)
            failed |= {f"{folder.name}/{name}": reason for name, reason in done.failed.items()}
    if inside.exists():
        write_start(tree, target, compiler)
    return failed


def _package_folder(name: str) -> Path:
    found = util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise LayerError(f"the package {name} is not installed beside this command: install handlerkit as a whole")
    return Path(next(iter(found.submodule_search_locations)))


def _version() -> str:
    try:
        return metadata.version(OURS)
    except metadata.PackageNotFoundError:
        return "unknown"
