"""One built layer for all tests of a run, whoever needs it first builds it; and zips made of a few files."""

import fcntl
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lambda_emulator.layer.build import Built, Order, build, inspect
from lambda_emulator.layer.commands import layer_app
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.target import Target, host_architecture
from lambda_emulator.layer.verify import Sandboxed, sandboxed

ROOT = Path(__file__).resolve().parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def target_here() -> Target:
    """This machine's architecture and the Python that runs the tests."""
    if sys.platform != "linux" or not host_architecture():
        pytest.skip(f"the layer's programs are for Linux, this is {sys.platform}")
    return Target.of(host_architecture(), HERE)


@pytest.fixture(scope="session")
def wheel_cache(request: pytest.FixtureRequest) -> Path:
    """Kept from run to run, so that only the first one fetches."""
    cache = request.config.cache
    assert cache is not None
    return Path(str(cache.mkdir("layer-wheels")))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "layers"
    folder.mkdir(exist_ok=True)
    return folder


def built_once(order: Order, folder: Path) -> Built:
    """Build it unless another process has; skip, visibly, where this machine cannot."""
    refused = order.output.with_suffix(".refused")
    with (folder / f"{order.output.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if refused.exists():
            pytest.skip(refused.read_text())
        if order.output.exists():
            return inspect(order.output)
        try:
            return build(order, lambda _step: None)
        except LayerError as error:
            refused.write_text(f"no layer can be built here: {error}")
            pytest.skip(refused.read_text())


@pytest.fixture(scope="session")
def layer(shared_folder: Path, wheel_cache: Path) -> Built:
    """A layer with the interpreter that runs the tests, relocated."""
    output = shared_folder / "with-interpreter.zip"
    order = Order(target=target_here(), output=output, cache=wheel_cache, interpreter=sys.base_prefix)
    return built_once(order, shared_folder)


@pytest.fixture(scope="session")
def arm_layer(shared_folder: Path, wheel_cache: Path) -> Built:
    """A layer for the other architecture, with boto3, without an interpreter."""
    order = Order(
        target=Target.of("arm64", HERE),
        output=shared_folder / "arm64.zip",
        cache=wheel_cache,
        interpreter="none",
        extras=("dynamodb",),
    )
    return built_once(order, shared_folder)


@pytest.fixture(scope="session")
def managed_layer(shared_folder: Path, wheel_cache: Path) -> Built:
    """A layer for a managed runtime."""
    output = shared_folder / "managed.zip"
    return built_once(Order(target=target_here(), output=output, cache=wheel_cache, managed=True), shared_folder)


@pytest.fixture(scope="session")
def box(layer: Built) -> Iterator[Sandboxed]:
    """The layer, unpacked, in the best sandbox that works here."""
    with sandboxed(layer.path) as opened:
        yield opened


def called(*arguments: str) -> Result:
    """`handlerkit layer …` in this process, which is a tenth of the work; what it prints is split in two."""
    return CliRunner().invoke(layer_app(), arguments)


def zip_of(path: Path, files: Mapping[str, bytes | str], *, executable: tuple[str, ...] = ("bootstrap",)) -> Path:
    """A zip with these files; those named are executable."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, content)
    return path
