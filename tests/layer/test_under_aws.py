"""The layer under AWS's own programs: their emulator runs it inside the sandbox, their client runs its packages."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda
from lambda_emulator.layer.build import Built
from lambda_emulator.layer.verify import Sandboxed
from tests.counterparts import absence_of_awslambdaric, absence_of_rie, awslambdaric_path, rie_binary
from tests.layer.conftest import ROOT
from tests.rie.conftest import Emulator, end, started
from tests.test_examples import TYPED, made


def test_awss_emulator_runs_the_layer_inside_the_sandbox(box: Sandboxed, tmp_path: Path) -> None:
    if absence := absence_of_rie():
        pytest.skip(absence)
    if box.confinement.kind == "plain":
        pytest.skip("no sandbox works here")
    binary = rie_binary()
    assert binary is not None
    (tmp_path / "tmp").mkdir()
    log = tmp_path / "emulator.log"

    def boxed(command: list[str]) -> list[str]:
        # Without a command it looks for /opt/bootstrap, as the service does.
        mounts = {"/opt": box.opt, "/var/task": ROOT / "examples", "/emulator": binary.parent}
        return list(box.confinement.command(mounts, [f"/emulator/{binary.name}", *command[1:]]))

    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path / "tmp"),
        "_HANDLER": "typed_orders.handler",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "20",
    }
    port, process = started([], environment, log, boxed)
    try:
        emulator = Emulator(process, port, log)
        _, arguments, expected = TYPED[1]
        event = json.loads(made(*arguments))
        for _ in range(3):
            answer = emulator.invoke(event)
            assert (answer.status, answer.json) == (200, expected), log.read_text()
    finally:
        end(process)


@pytest.mark.parametrize(("handler", "arguments", "expected"), TYPED[1:2])
def test_the_layers_handlerkit_works_under_the_managed_runtimes_client(
    managed_layer: Built, tmp_path: Path, handler: str, arguments: list[str], expected: object
) -> None:
    if absence := absence_of_awslambdaric():
        pytest.skip(absence)
    with zipfile.ZipFile(managed_layer.path) as archive:
        archive.extractall(tmp_path / "opt")
    # Nothing but AWS's client and the layer: no site-packages of this environment, and their order.
    code = (
        "import sys; sys.path[:0] = sys.argv[1:4]; from awslambdaric.__main__ import main; "
        "main(['awslambdaric', sys.argv[4]])"
    )
    client = awslambdaric_path()
    layer = tmp_path / "opt" / "python"
    function = FunctionConfiguration(
        handler=handler,
        task_root=ROOT / "examples",
        command=(
            sys.executable,
            "-ISB",
            "-c",
            code,
            str(ROOT / "examples"),
            str(layer),
            str(client),
            handler,
        ),
    )
    with LocalLambda(function) as service:
        result = service.invoke("function", json.loads(made(*arguments)))
    assert result.json() == expected, result.log


def test_the_managed_layer_needs_nothing_that_is_not_in_it(managed_layer: Built, tmp_path: Path) -> None:
    with zipfile.ZipFile(managed_layer.path) as archive:
        archive.extractall(tmp_path / "opt")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import handlerkit.batch.handler, handlerkit.events, pydantic; "
        "print(*sorted({m.__file__.split('/opt/')[0] for m in map(sys.modules.get, "
        "('handlerkit', 'pydantic', 'pydantic_core', 'typing_extensions'))}))"
    )
    command = [sys.executable, "-ISB", "-c", code, str(tmp_path / "opt" / "python")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == [str(tmp_path)], done.stderr
