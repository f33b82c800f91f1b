"""The built layer in a sandbox, with our emulator as the platform; and layers with a mistake each."""

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import LocalLambda
from lambda_emulator.environment import ExecutionEnvironment
from lambda_emulator.layer.build import Built, Order, build
from lambda_emulator.layer.confinement import Confinement, Kind, why_not
from lambda_emulator.layer.start_bundle import BUNDLE, START_MODULES
from lambda_emulator.layer.verify import Sandboxed, import_all, verify
from tests.layer.conftest import HERE, ROOT, called, target_here, zip_of
from tests.test_examples import CASES, TYPED, made

LOOK_AROUND = """
import os, ssl, sys

def attempt(path):
    try:
        with open(path, "w") as file:
            file.write("x")
    except OSError as error:
        return error.strerror
    return "written"

def handler(event, context):
    return {
        "user": [os.getuid(), os.getgid()], "folder": os.getcwd(), "python": sys.executable,
        "path": sys.path, "flags": [sys.flags.isolated, sys.flags.no_site, sys.flags.utf8_mode],
        "writes": [attempt(path) for path in ("/x", "/opt/x", "/var/task/x", "/usr/x", "/tmp/x")],
        "exit": type(exit).__name__, "authorities": len(ssl.create_default_context().get_ca_certs()),
        "home": os.path.exists("/home") or (os.path.isdir(HOME) and bool(os.listdir(HOME))),
        "environment": {name: os.environ.get(name) for name in
                        ("HANDLERKIT_PYTHON", "TMPDIR", "LAMBDA_TASK_ROOT", "PATH", "WRAPPED")},
    }

def modules(event, context):
    return sorted(name for name in sys.modules if name.partition(".")[0] == "runtime")

def where(event, context):
    raise KeyError("lost")

def hold(event, context):
    data = bytearray(event["mib"] << 20)
    for at in range(0, len(data), 4096):
        data[at] = 1
    import time
    time.sleep(30)""".replace("HOME", repr(os.path.expanduser("~")))


@pytest.fixture(params=["bubblewrap", "unshare"])
def every_box(request: pytest.FixtureRequest, box: Sandboxed) -> Sandboxed:
    """The layer in each sandbox; skipped, visibly, where that does not work."""
    kind: Kind = request.param
    if reason := why_not(kind):
        pytest.skip(reason)
    return dataclasses.replace(box, confinement=Confinement(kind, box.confinement.root))


def invoke(box: Sandboxed, task: Path, handler: str, event: Any, **options: Any) -> Any:
    """The first invocation's parsed response."""
    with LocalLambda(box.function(task, handler, **options)) as service:
        result = service.invoke("function", event)
        assert result.payload, result.log
        return result.json()


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A function's folder that every user may enter."""
    for folder in (*reversed(tmp_path.parents), tmp_path):
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    (tmp_path / "app.py").write_text(LOOK_AROUND)
    return tmp_path


def test_a_function_finds_itself_as_on_lambda(every_box: Sandboxed, task: Path) -> None:
    found = invoke(every_box, task, "app.handler", {}, environment={"WRAPPED": "no"})
    assert found["user"] == [993, 990]
    assert found["folder"] == "/var/task"
    assert found["python"] == f"/opt/cpython/bin/python{HERE}"
    assert found["path"][:2] == ["/var/task", "/opt/python"]
    assert found["path"][2:] == [f"/opt/cpython/lib/python{HERE[0]}{HERE[2:]}.zip", f"/opt/cpython/lib/python{HERE}",
                                 f"/opt/cpython/lib/python{HERE}/lib-dynload"]  # fmt: skip
    assert found["flags"] == [1, 1, 1]
    assert found["writes"] == ["Read-only file system"] * 4 + ["written"]
    assert found["exit"] == "Quitter"
    assert found["authorities"] > 10
    assert not found["home"]
    assert found["environment"] == {
        "HANDLERKIT_PYTHON": None,
        "TMPDIR": None,
        "LAMBDA_TASK_ROOT": "/var/task",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "WRAPPED": "no",
    }


@pytest.mark.parametrize(("handler", "event", "expected"), CASES)
def test_a_plain_example_answers_in_the_layer(
    box: Sandboxed, handler: str, event: object, expected: dict[str, object]
) -> None:
    assert expected.items() <= invoke(box, ROOT / "examples", handler, event).items()


@pytest.mark.parametrize(("handler", "arguments", "expected"), TYPED)
def test_a_typed_example_answers_in_the_layer(
    box: Sandboxed, handler: str, arguments: list[str], expected: object
) -> None:
    assert invoke(box, ROOT / "examples", handler, json.loads(made(*arguments))) == expected


def test_a_batch_with_a_poisoned_record_is_answered_in_part(box: Sandboxed) -> None:
    event = json.loads((ROOT / "examples" / "events" / "sqs_poison.json").read_bytes())
    failures = invoke(box, ROOT / "examples", "orders.handler", event)["batchItemFailures"]
    assert 0 < len(failures) < len(event["Records"])


def test_a_start_loads_the_bundled_modules_and_no_other_of_ours(box: Sandboxed, task: Path) -> None:
    if box.confinement.kind == "plain":
        pytest.skip("no sandbox works here")
    assert set(invoke(box, task, "app.modules", {})) == set(START_MODULES)


def test_a_function_with_a_runtime_module_of_its_own_has_it_also_with_the_bundle(box: Sandboxed, task: Path) -> None:
    (task / "runtime.py").write_text("NAME = 'theirs'\n")
    (task / "named.py").write_text(
        "import logging, runtime\ndef handler(event, context):\n    logging.warning('seen')\n    return runtime.NAME\n"
    )
    assert invoke(box, task, "named.handler", {}) == "theirs"


def test_a_traceback_shows_the_lines_where_they_are_on_lambda(box: Sandboxed, task: Path) -> None:
    if box.confinement.kind == "plain":
        pytest.skip("no sandbox works here")
    document = invoke(box, task, "app.where", {})
    assert document["errorType"] == "KeyError"
    assert 'File "/var/task/app.py", line' in document["stackTrace"][0]


def test_a_function_over_its_memory_is_killed(every_box: Sandboxed, task: Path) -> None:
    document = invoke(every_box, task, "app.hold", {"mib": 200}, memory_mb=128)
    assert document["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in document["errorMessage"]


def test_shutdown_hooks_have_their_time_inside_the_sandbox(box: Sandboxed, task: Path) -> None:
    if box.confinement.kind == "plain":
        pytest.skip("no sandbox works here")
    (task / "hooks.py").write_text(
        "import runtime.lifecycle as hooks\n"
        "@hooks.on_shutdown\n"
        "def leave(): open('/tmp/left', 'w').write('goodbye')\n"
        "def handler(event, context): return 1\n"
    )
    kept: list[str] = []
    close = ExecutionEnvironment.close

    async def closing(self: ExecutionEnvironment) -> None:
        await self._end_life("spindown")
        kept.append((self._sandbox.tmp / "left").read_text())
        await close(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExecutionEnvironment, "close", closing)
        assert invoke(box, task, "hooks.handler", {}) == 1
    assert kept == ["goodbye"]


def test_the_wrapper_script_is_honoured_without_a_shell_in_between(box: Sandboxed, task: Path) -> None:
    wrapper = task / "wrapper"
    wrapper.write_text('#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n')
    wrapper.chmod(0o755)
    place = "/var/task/wrapper" if box.confinement.kind != "plain" else str(wrapper)
    found = invoke(box, task, "app.handler", {}, environment={"AWS_LAMBDA_EXEC_WRAPPER": place})
    assert found["environment"]["WRAPPED"] == "yes"


@pytest.mark.parametrize(
    ("mode", "status", "reason"), [(None, 127, "does not exist"), (0o644, 126, "is not executable")]
)
def test_a_wrapper_that_cannot_be_run_ends_with_the_managed_runtimes_status(
    box: Sandboxed, task: Path, mode: int | None, status: int, reason: str
) -> None:
    if mode is not None:
        (task / "wrapper").write_text("#!/bin/sh\n")
        (task / "wrapper").chmod(mode)
    place = "/var/task/wrapper" if box.confinement.kind != "plain" else str(task / "wrapper")
    function = box.function(task, "app.handler", environment={"AWS_LAMBDA_EXEC_WRAPPER": place})
    with LocalLambda(function) as service:
        result = service.invoke("function", {})
        result.report
    assert f"exit status {status}" in result.json()["errorMessage"]
    assert f"AWS_LAMBDA_EXEC_WRAPPER is {place}, which {reason}" in result.init_log


def test_a_good_layer_is_verified_with_times_and_no_mistakes(layer: Built) -> None:
    done = called(
        "verify", str(layer.path), "--function", str(ROOT / "examples"), "--handler", "hello.handler", "--starts", "2"
    )
    assert done.exit_code == 0, done.output
    assert "modules imported: 8" in done.stdout
    assert "cold, process start to the first /next: " in done.stdout
    assert "warm: " in done.stdout
    assert '"message":"Hello, world!"' in done.stdout
    assert done.stdout.endswith("no mistakes\n")


def test_a_function_that_fails_is_told_with_its_log_and_the_plain_mode_what_it_does_not_check(
    layer: Built, task: Path
) -> None:
    arguments = ["--function", str(task), "--handler", "app.where", "--starts", "1", "-n", "0", "--sandbox", "plain"]
    done = called("verify", str(layer.path), *arguments)
    assert done.exit_code == 1
    assert "run without a sandbox (as asked): paths below /opt, the read-only root and the user are not" in done.stdout
    assert '"errorType":"KeyError"' in done.stdout
    assert "cold, process start" not in done.stdout
    assert "REPORT RequestId" in done.stderr
    assert done.stdout.endswith("no mistakes in the layer, but the function failed; its log is on standard error\n")


def test_a_module_that_cannot_be_imported_is_named_with_its_reason(box: Sandboxed) -> None:
    wanting = box.opt / "python" / "wanting.py"
    wanting.write_text("import something_missing\n")
    try:
        findings = list(import_all(box, ["pydantic", "wanting", "structlog"]))
    finally:
        wanting.unlink()
    assert [finding.kind for finding in findings] == ["import"]
    assert findings[0].message == (
        "wanting cannot be imported: ModuleNotFoundError: No module named 'something_missing'"
    )


def test_a_layer_that_does_not_start_says_why(box: Sandboxed) -> None:
    bundle = box.opt / BUNDLE
    bundle.rename(bundle.with_name("elsewhere"))
    try:
        findings = list(import_all(box, ["pydantic"]))
    finally:
        bundle.with_name("elsewhere").rename(bundle)
    assert [finding.kind for finding in findings] == ["start"]
    assert "No such file or directory" in findings[0].message


def test_a_layer_without_an_interpreter_runs_on_one_that_is_given_as_the_base_images(
    managed_layer: Built, layer: Built, tmp_path: Path, wheel_cache: Path
) -> None:
    if why_not("bubblewrap") and why_not("unshare"):
        pytest.skip("no sandbox works here")
    order = Order(target=target_here(), output=tmp_path / "none.zip", cache=wheel_cache, interpreter="none")
    built = build(order, lambda _step: None)
    assert "only looked at" in verify(built.path).not_run
    verification = verify(built.path, base_python=Path(sys.base_prefix), starts=1, warm=1)
    assert verification.mistakes == []
    assert verification.cold_ms


def test_a_layer_for_another_machine_is_only_looked_at(arm_layer: Built) -> None:
    done = called("verify", str(arm_layer.path), "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["sandbox"], document["coldMs"], document["functionError"]) == (None, [], None)
    assert "a layer for arm64 was only looked at" in document["notRun"]


def test_an_event_that_is_no_json_is_refused(layer: Built, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{")
    done = called("verify", str(layer.path), "--event", str(tmp_path / "event.json"))
    assert done.exit_code == 2
    assert "is not JSON" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--function", "/nowhere"], "no function folder /nowhere"),
        (["--sandbox", "jail"], "no sandbox 'jail': there are bubblewrap, unshare, plain, and best"),
        (["--memory", "1"], "memory_mb 1 is not possible"),
        (["--handler", ""], "handler '' is not possible"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(layer: Built, arguments: list[str], message: str) -> None:
    done = called("verify", str(layer.path), *arguments)
    assert done.exit_code == 2, done.stdout
    assert message in done.stderr.splitlines()[-1]


def test_a_zip_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("text")
    done = called("verify", str(tmp_path / "text.zip"))
    assert done.exit_code == 2
    assert "is no zip" in done.stderr
    done = called("verify", str(zip_of(tmp_path / "out.zip", {"../../etc/passwd": ""})))
    assert done.exit_code == 2
    assert "leads out of /opt" in done.stderr
