"""What a built layer is made of, by its zip: places, modes, bytecode, manifest, sizes; and that it repeats."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambda_emulator.layer.build import Built, Order, build
from lambda_emulator.layer.elf import is_elf, read_elf
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.interpreter import find_managed, unpacked
from lambda_emulator.layer.start_bundle import BUNDLE
from lambda_emulator.layer.target import BASE_GLIBC, BASE_LIBRARIES, Target
from tests.layer.conftest import HERE, ROOT, called, target_here

MEGABYTE = 1_000_000
TAG = f"cpython-{sys.version_info.major}{sys.version_info.minor}"


def names(built: Built) -> set[str]:
    """The files of the zip."""
    with zipfile.ZipFile(built.path) as archive:
        return set(archive.namelist())


def manifest_of(built: Built) -> dict[str, object]:
    """The manifest, parsed."""
    with zipfile.ZipFile(built.path) as archive:
        document: dict[str, object] = json.loads(archive.read("handlerkit-layer.json"))
        return document


def test_the_layout_is_lambdas(layer: Built) -> None:
    found = names(layer)
    assert {
        "bootstrap",
        "handlerkit-layer.json",
        f"cpython/bin/python{HERE}",
        "python/handlerkit/py.typed",
        BUNDLE,
    } <= found
    assert {name.partition("/")[0] for name in found} == {"bootstrap", "handlerkit-layer.json", "cpython", "python"}
    with zipfile.ZipFile(layer.path) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["bootstrap"] == modes[f"cpython/bin/python{HERE}"] == 0o100755
    assert modes["python/handlerkit/__init__.py"] == 0o100644


def test_what_no_function_needs_is_not_in_it(layer: Built) -> None:
    found = names(layer)
    for part in ("/test/", "/tests/", "/idlelib/", "/tkinter/", "/ensurepip/", "/lambda_emulator/", "/pip/", "RECORD"):
        assert not [name for name in found if part in f"/{name}"], part
    assert not [name for name in found if name.endswith((".pyi", ".a", ".c", ".h"))]
    assert f"cpython/lib/python{HERE}/unittest/mock.py" in found


def test_every_module_has_bytecode_that_is_not_checked(layer: Built) -> None:
    assert layer.not_compiled == {}
    found = names(layer)
    sources = [name for name in found if name.endswith(".py")]
    assert len(sources) > 600
    with zipfile.ZipFile(layer.path) as archive:
        for name in sources:
            folder, _, file = name.rpartition("/")
            with archive.open(f"{folder}/__pycache__/{file[:-3]}.{TAG}.pyc") as compiled:
                assert compiled.read(8)[4] == 1, name


def test_the_layer_passes_its_own_gates(layer: Built) -> None:
    for finding in layer.findings:
        if finding.kind == "glibc":
            pytest.skip(f"the Python that runs the tests is not for the base: {finding.message}")
    assert layer.findings == []


def test_no_file_needs_what_the_base_does_not_have(layer: Built) -> None:
    inside = {name.rpartition("/")[2] for name in names(layer)}
    count = 0
    with zipfile.ZipFile(layer.path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if is_elf(data):
                count += 1
                elf = read_elf(data)
                assert elf.newest_glibc <= BASE_GLIBC or any(one.kind == "glibc" for one in layer.findings), name
                assert set(elf.needed) <= BASE_LIBRARIES | inside, name
                assert not elf.library_path or "$ORIGIN" in elf.library_path, name
    assert count > 20


def test_the_sizes_are_within_the_design(layer: Built, managed_layer: Built) -> None:
    assert layer.packed <= 20 * MEGABYTE
    assert managed_layer.packed <= 6 * MEGABYTE
    assert sum(share.unpacked for share in layer.shares) == layer.unpacked
    assert layer.shares[0].owner == "interpreter"
    assert {"pydantic", "pydantic-core", "handlerkit"} <= {share.owner for share in layer.shares}


def test_the_manifest_names_versions_hashes_licences_and_openssl(layer: Built) -> None:
    manifest = manifest_of(layer)
    assert manifest["python"] == HERE
    packages = {str(one["name"]): one for one in manifest["packages"]}  # type: ignore[attr-defined]
    lock = (ROOT / "layer" / "layer.lock").read_text()
    for name in ("pydantic", "pydantic-core", "structlog", "typing-extensions"):
        assert f"{name}=={packages[name]['version']} " in lock
        assert f"sha256:{packages[name]['sha256']}" in lock
    assert packages["pydantic"]["licence"] == "MIT"
    interpreter = manifest["interpreter"]
    assert isinstance(interpreter, dict)
    assert interpreter["version"].startswith(HERE)
    assert interpreter["openssl"].startswith("OpenSSL ")
    with zipfile.ZipFile(layer.path) as archive:
        for name, one in interpreter["libraries"].items():
            assert one["sha256"] == hashlib.sha256(archive.read(f"cpython/lib/{name}")).hexdigest()
    text = json.dumps(manifest)
    assert sys.base_prefix not in text
    assert str(ROOT) not in text


def built_elsewhere(folder: Path, cache: Path, interpreter: Path, seed: int) -> str:
    """The hash of a layer that is built by another process with other habits."""
    folder.mkdir()
    arguments = [
        "handlerkit", "layer", "build", "--json", "--python", HERE, "--arch", target_here().architecture,
        "--interpreter", str(interpreter), "--cache", str(cache), "-o", f"{seed}.zip",
    ]  # fmt: skip
    umask = "0o077" if seed % 2 else "0o022"
    script = f"import os, sys; os.umask({umask}); sys.argv = {arguments!r}; import lambda_emulator.cli as c; c.main()"
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "TZ": ["Asia/Tokyo", "UTC"][seed % 2], "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode in (0, 1), done.stderr
    return str(json.loads(done.stdout)["sha256"])


def test_two_builds_are_the_same_to_the_last_byte(layer: Built, wheel_cache: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small_interpreter(small)
    hashes = {built_elsewhere(tmp_path / str(seed), wheel_cache, small, seed) for seed in (7, 8)}
    assert len(hashes) == 1


@pytest.mark.soak
def test_two_builds_with_the_whole_library_are_the_same(layer: Built, wheel_cache: Path, tmp_path: Path) -> None:
    assert built_elsewhere(tmp_path / "7", wheel_cache, Path(sys.base_prefix), 7) == layer.sha256


def small_interpreter(folder: Path) -> None:
    """The interpreter that runs this with a tenth of its library: all that is special about it, in little time."""
    source = Path(sys.base_prefix)
    (folder / "bin").mkdir(parents=True)
    shutil.copy((source / "bin" / f"python{HERE}").resolve(), folder / "bin" / f"python{HERE}")
    (folder / "lib").mkdir()
    for path in (source / "lib").glob("libpython*.so*"):
        shutil.copy(path, folder / "lib")
    library = folder / "lib" / f"python{HERE}"
    library.mkdir()
    for path in (source / "lib" / f"python{HERE}").iterdir():
        if path.suffix == ".py":
            shutil.copy(path, library)
        elif path.name in ("encodings", "collections", "importlib", "re", "json"):
            shutil.copytree(path, library / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    (library / "lib-dynload").mkdir()
    kept = ("_struct", "_ctypes", "cmath", "zlib", "_random", "_bisect", "math", "binascii")
    for path in (source / "lib" / f"python{HERE}" / "lib-dynload").glob("*.so"):
        if path.name.partition(".")[0] in kept:
            shutil.copy(path, library / "lib-dynload")


def test_an_arm64_layer_is_for_arm64_and_nothing_else(arm_layer: Built) -> None:
    assert [finding.kind for finding in arm_layer.findings] == ["interpreter"]
    with zipfile.ZipFile(arm_layer.path) as archive:
        programs = [read_elf(data) for name in archive.namelist() if is_elf(data := archive.read(name))]
    assert programs
    assert {program.machine for program in programs} == {183}
    assert manifest_of(arm_layer)["architecture"] == "arm64"
    # The shell finds an interpreter there, as none is inside.
    with zipfile.ZipFile(arm_layer.path) as archive:
        assert archive.read("bootstrap") == (ROOT / "bootstrap").read_bytes()


def test_an_arm64_layer_can_bring_an_interpreter(
    wheel_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PYTHON_INSTALL_DIR": str(tmp_path / "uv"), "HTTP_RETRIES": "0", "HTTP_TIMEOUT": "20"}.items():
        monkeypatch.setenv(f"UV_{name}", value)
    target = Target.of("arm64", HERE)
    try:
        source = find_managed(target)
    except LayerError as error:
        pytest.skip(f"no Python for arm64 can be had here: {error}")
    output = tmp_path / "arm64.zip"
    order = Order(target=target, output=output, cache=wheel_cache, interpreter=str(source))
    assert [one for one in build(order, lambda _step: None).findings if one.severity == "mistake"] == []


def test_botocore_is_left_with_the_services_that_are_named(arm_layer: Built, wheel_cache: Path, tmp_path: Path) -> None:
    services = {
        name.split("/")[3]
        for name in names(arm_layer)
        if name.startswith("python/botocore/data/") and name.count("/") > 3
    }
    assert services == {"dynamodb", "sts"}
    order = Order(
        target=Target.of("arm64", HERE), output=tmp_path / "no.zip", cache=wheel_cache, interpreter="none",
        extras=("boto3",), services=("dynamodb", "dynamo"),
    )  # fmt: skip
    with pytest.raises(LayerError, match="botocore has no service dynamo:"):
        build(order, lambda _step: None)
    assert not order.output.exists()


def test_a_managed_layer_has_packages_and_no_runtime(managed_layer: Built) -> None:
    found = names(managed_layer)
    assert {name.partition("/")[0] for name in found} == {"python", "handlerkit-layer.json"}
    assert "python/handlerkit/__init__.py" in found
    assert not [name for name in found if name.startswith("python/runtime/")]
    assert managed_layer.findings == []


REFUSED = [
    (["--arch", "sparc"], "architecture 'sparc' is not Lambda's"),
    (["--python", "2.7"], "Python '2.7' is not possible"),
    (["--interpreter", "none", "--with", "nothing"], "no extra 'nothing' for --with: there are "),
    (["--interpreter", "none", "-r", "missing.txt"], "no requirements file "),
    (["--interpreter", "none", "-r", "bad.txt"], "bad.txt, line 2: not a requirement"),
    (["--interpreter", "/nowhere"], "no interpreter at /nowhere"),
    (["--interpreter", "empty"], f"empty holds no python{HERE}"),
    (["--interpreter", "text.tar.gz"], "cannot unpack text.tar.gz"),
    (["-o", "empty"], "empty is a folder: name the zip's file"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_a_wrong_call_is_refused_in_one_line(
    arguments: list[str],
    message: str,
    wheel_cache: Path,
    managed_layer: Built,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bad.txt").write_text("requests\n!!!\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar.gz").write_text("no archive")
    monkeypatch.chdir(tmp_path)
    done = called("build", "-o", "x.zip", "--cache", str(wheel_cache), *arguments)
    assert done.exit_code == 2, done.output
    assert done.stderr.splitlines()[-1].startswith("handlerkit: ")
    assert message in done.stderr
    assert not (tmp_path / "x.zip").exists()


def test_users_files_go_in_by_hash_or_are_resolved_and_handlerkit_in_them_stands_for_its_extras(
    wheel_cache: Path, managed_layer: Built, tmp_path: Path
) -> None:
    lock = (ROOT / "layer" / "layer.lock").read_text()
    jmespath = lock[lock.index("jmespath==") : lock.index("opentelemetry-api==")]
    (tmp_path / "function.lock").write_text(f"# a lock\nhandlerkit[redis]>=0.1\n{jmespath}")
    (tmp_path / "requirements.txt").write_text("python-dateutil\n")
    order = Order(
        target=target_here(),
        output=tmp_path / "theirs.zip",
        cache=wheel_cache,
        managed=True,
        requirements=(tmp_path / "function.lock", tmp_path / "requirements.txt"),
    )
    built = build(order, lambda _step: None)
    assert {"jmespath", "redis", "python-dateutil", "six"} <= {share.owner for share in built.shares}


def test_an_archive_of_an_interpreter_may_have_a_folder_around_it(tmp_path: Path) -> None:
    for name in ("bin", "lib"):
        (tmp_path / "source" / "python" / name).mkdir(parents=True)
    archive = tmp_path / "python.tar.gz"
    subprocess.run(["tar", "-czf", str(archive), "-C", str(tmp_path / "source"), "python"], check=True)
    assert unpacked(archive, tmp_path / "into") == tmp_path / "into" / "python"


def test_python_minus_m_layer_is_the_same_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "layer", "verify", str(tmp_path / "none.zip")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert (
        done.stderr.splitlines()[-1]
        == f"handlerkit: no layer {tmp_path / 'none.zip'}: handlerkit layer build makes one"
    )
