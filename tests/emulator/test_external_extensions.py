"""Extensions as processes and inside the runtime: who waits for whom, what a death does, and how all of it ends."""

import json
import re
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, InvocationResult, LocalLambda
from tests.emulator.conftest import MakeFunction
from tests.emulator.test_streaming import wait_for

Start = Callable[..., LocalLambda]
ECHO = "serve(lambda body: body)"

_CLIENT = """
import http.client, json, os, signal, sys, time

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
NAME = os.path.basename(sys.argv[0])
me = {}


def call(method, path, document=None, **headers):
    body = None if document is None else json.dumps(document)
    api.request(method, "/2020-01-01/extension" + path, body, {**me, **headers})
    response = api.getresponse()
    return response, response.read()


def register(*events):
    response, _ = call("POST", "/register", {"events": events}, **{"Lambda-Extension-Name": NAME})
    me["Lambda-Extension-Identifier"] = response.getheader("Lambda-Extension-Identifier")


def next_event():
    return json.loads(call("GET", "/event/next")[1])


def error(kind):
    call("POST", f"/{kind}/error", {}, **{"Lambda-Extension-Function-Error-Type": "Extension.Odd"})


def note(line):
    print(f"{NAME}: {line}", flush=True)
"""


@pytest.fixture
def extensions(tmp_path: Path) -> Callable[..., Path]:
    """A folder of programs, each given by its name; the small client's names are there."""
    folder = tmp_path / "extensions"
    folder.mkdir()

    def make(**programs: str) -> Path:
        for name, program in programs.items():
            file = folder / name
            file.write_text(f"#!{sys.executable} -S\n{_CLIENT}\n{textwrap.dedent(program)}")
            file.chmod(0o755)
        return folder

    return make


def document(result: InvocationResult) -> Any:
    assert (result.status_code, result.function_error) == (200, "Unhandled")
    return result.json()


POLITE = """
register("INVOKE", "SHUTDOWN")
note("registered")
while (event := next_event())["eventType"] == "INVOKE":
    note("told of " + event["requestId"])
note("end: " + event["shutdownReason"])
"""


def test_an_extension_is_there_before_the_runtime_and_hears_of_each_invocation(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    function = make_function("print('runtime starts')\n" + ECHO, extensions=extensions(polite=POLITE))
    service = start_lambda(function)
    first, second = service.invoke("function", 1), service.invoke("function", 2)
    assert (first.json(), second.json()) == (1, 2)
    assert re.search(
        r"\npolite: registered\nruntime starts\n"
        r"EXTENSION\tName: polite\tState: Ready\tEvents: \[INVOKE,SHUTDOWN\]\n$",
        first.init_log,
    )
    for result in (first, second):
        assert f"\npolite: told of {result.request_id}\n" in result.log


def test_the_caller_does_not_wait_for_extensions_but_the_invocation_does(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    program = f"""
    register("INVOKE")
    while True:
        next_event()
        while not os.path.exists({str(gate)!r}):
            time.sleep(0.005)
        note("done")
    """
    service = start_lambda(make_function(ECHO, extensions=extensions(slow=program)))
    result = service.invoke("function", 1)
    assert result.json() == 1  # though the extension is far from done
    gate.touch()
    assert "\nslow: done\nEND RequestId" in result.log
    assert result.report.status == "success"


def test_an_extension_that_never_comes_back_runs_into_the_timeout(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    program = "register('INVOKE')\nnext_event()\ntime.sleep(600)"
    service = start_lambda(make_function(ECHO, extensions=extensions(stuck=program), timeout_s=3))
    result = service.invoke("function", 1)
    assert (result.json(), result.report.status) == (1, "timeout")
    assert service.invoke("function", 2).json() == 2


def test_initialisation_waits_for_every_extension(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    program = "register()\ntime.sleep(600)"
    function = make_function(ECHO, extensions=extensions(forgetful=program), init_timeout_s=0.5, timeout_s=1)
    result = start_lambda(function).invoke("function")
    assert document(result)["errorType"] == "Sandbox.Timedout"
    assert re.findall(r"Phase: (\w+)\tStatus: (\w+)", result.init_log) == [("init", "timeout"), ("invoke", "timeout")]


def test_an_extension_that_never_registers_keeps_the_runtime_from_starting(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path], task_root: Path
) -> None:
    program = "open('started', 'w').close()\n" + ECHO
    folder = extensions(mute="time.sleep(600)")
    function = make_function(program, extensions=folder, init_timeout_s=0.3, timeout_s=1)
    assert document(start_lambda(function).invoke("function"))["errorType"] == "Sandbox.Timedout"
    assert not (task_root / "started").exists()


@pytest.mark.parametrize(
    ("program", "error_type", "reason"),
    [
        ("sys.exit(0)", "Extension.Crash", "exit code 0"),
        ("sys.exit(255)", "Extension.Crash", "exit status 255"),
        ("register()\nsys.exit(7)", "Extension.Crash", "exit status 7"),
        ("register()\nos.kill(os.getpid(), 9)", "Extension.Crash", "signal: killed"),
        ("register()\nerror('init')\nsys.exit(0)", "Extension.InitError", "exit code 0"),
        ("register()\nerror('init')\nsys.exit(4)", "Extension.InitError", "exit status 4"),
        ("register()\nerror('exit')\nsys.exit(1)", "Extension.ExitError", "exit status 1"),
    ],
)
def test_an_extension_that_fails_at_initialisation_fails_it(
    make_function: MakeFunction,
    start_lambda: Start,
    extensions: Callable[..., Path],
    program: str,
    error_type: str,
    reason: str,
) -> None:
    result = start_lambda(make_function(ECHO, extensions=extensions(bad=program))).invoke("function")
    message = f"RequestId: {result.request_id} Error: {reason}"
    assert document(result) == {"errorType": error_type, "errorMessage": message}
    assert result.report.error_type == error_type
    if error_type != "Extension.Crash":
        state = error_type.removeprefix("Extension.")
        assert f"EXTENSION\tName: bad\tState: {state}\tEvents: []\tError Type: Extension.Odd\n" in result.init_log
    assert f"\n{message}\n{error_type}\n" in result.log


@pytest.mark.parametrize(
    ("program", "error_type", "reason"),
    [
        ("sys.exit(3)", "Extension.Crash", "exit status 3"),
        ("error('exit')\n    sys.exit(0)", "Extension.ExitError", "exit code 0"),
    ],
)
def test_an_extension_that_fails_in_an_invocation_takes_the_environment_along(
    make_function: MakeFunction,
    start_lambda: Start,
    extensions: Callable[..., Path],
    tmp_path: Path,
    program: str,
    error_type: str,
    reason: str,
) -> None:
    once = tmp_path / "once"
    folder = extensions(
        bad=f"""
register("INVOKE")
next_event()
if not os.path.exists({str(once)!r}):
    open({str(once)!r}, "w").close()
    {program}
while True:
    next_event()
"""
    )
    function = make_function(
        """
        import os, time
        def handler(body):
            if body == b"1":
                time.sleep(600)
            return str(os.getpid()).encode()
        serve(handler)
        """,
        extensions=folder,
    )
    service = start_lambda(function)
    result = service.invoke("function", 1)
    assert document(result) == {
        "errorType": error_type,
        "errorMessage": f"RequestId: {result.request_id} Error: {reason}",
    }
    assert service.invoke("function", 2).function_error is None


def test_an_extension_that_died_while_frozen_is_replaced_with_everything(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    program = "register()\nnote(str(os.getpid()))\nnext_event()"
    service = start_lambda(make_function(ECHO, extensions=extensions(mortal=program)))
    first = service.invoke("function", 1)
    pid = int(re.search(r"mortal: (\d+)", first.init_log)[1])  # type: ignore[index]
    first.report
    import os

    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        pass
    second = service.invoke("function", 2)
    assert second.json() == 2
    assert "mortal: " in second.init_log


def test_a_file_that_is_no_program_is_a_launch_error(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    folder = extensions()
    (folder / "README").write_text("not executable, so not started")
    broken = folder / "broken"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    result = start_lambda(make_function(ECHO, extensions=folder)).invoke("function")
    assert document(result) == {
        "errorType": "Extension.LaunchError",
        "errorMessage": f"RequestId: {result.request_id} Error: fork/exec {broken}: exec format error",
    }
    assert "EXTENSION\tName: broken\tState: LaunchError\tEvents: []\tError Type: UnknownError\n" in result.init_log


def test_an_extension_finds_the_customers_variables_and_none_of_the_runtimes(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path], tmp_path: Path
) -> None:
    found = tmp_path / "found"
    program = f"""
    with open({str(found)!r}, "w") as file:
        json.dump([os.getcwd(), dict(os.environ)], file)
    register()
    next_event()
    """
    function = make_function(ECHO, extensions=extensions(curious=program), environment={"STAGE": "test"})
    start_lambda(function).invoke("function").report
    folder, variables = json.loads(wait_for(found))
    assert folder == "/"
    assert (variables["STAGE"], variables["AWS_REGION"]) == ("test", "us-east-1")
    assert {"AWS_ACCESS_KEY_ID", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"} <= variables.keys()
    hidden = {"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"}
    assert not hidden & variables.keys()
    assert not [name for name in variables if name.startswith("_")]


def test_a_folder_that_is_none_is_refused(make_function: MakeFunction, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no folder: name the one that holds the extensions' programs"):
        make_function(ECHO, extensions=tmp_path / "missing")


# --- the end --------------------------------------------------------------------------------------------------------

# Says when it was asked to end; whether it does so is the test's choice.
ON_TERM = """
    import os, signal, threading
    def write(name, text):
        with open(name + ".new", "w") as file:
            file.write(text)
        os.rename(name + ".new", name)
    def term(*_):
        write("terminated", "yes")
        {then}
    signal.signal(signal.SIGTERM, term)
    {register}
    serve(lambda body: body)
"""
INTERNAL = """
    import http.client
    other = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    other.request("POST", "/2020-01-01/extension/register", '{"events":[]}', {"Lambda-Extension-Name": "inner"})
    response = other.getresponse()
    response.read()
    identifier = response.getheader("Lambda-Extension-Identifier")
    other.request("GET", "/2020-01-01/extension/event/next", headers={"Lambda-Extension-Identifier": identifier})
"""


def on_term(then: str, *, internal: bool) -> str:
    register = textwrap.indent(textwrap.dedent(INTERNAL), "    ").strip() if internal else "pass"
    return ON_TERM.format(then=then, register=register)


def test_with_an_internal_extension_the_runtime_is_asked_to_end(
    make_function: MakeFunction, start_lambda: Start, task_root: Path
) -> None:
    service = start_lambda(make_function(on_term("os._exit(0)", internal=True)))
    result = service.invoke("function", 1)
    assert "EXTENSION\tName: inner\tState: Ready\tEvents: []\n" in result.init_log
    service.close()
    assert (task_root / "terminated").exists()


def test_with_an_internal_extension_the_runtime_has_half_a_second(
    make_function: MakeFunction, start_lambda: Start, task_root: Path
) -> None:
    import time

    service = start_lambda(make_function(on_term("pass", internal=True)))
    service.invoke("function", 1).report
    began_s = time.monotonic()
    service.close()
    assert 0.5 <= time.monotonic() - began_s < 20
    assert (task_root / "terminated").exists()


def test_our_runtimes_shutdown_hooks_run(start_lambda: Start, task_root: Path) -> None:
    (task_root / "app.py").write_text(
        "from runtime import on_shutdown\n"
        "@on_shutdown\n"
        "def bye():\n"
        "    open('goodbye', 'w').close()\n"
        "def handler(event, context):\n"
        "    return event\n"
    )
    service = start_lambda(FunctionConfiguration(handler="app.handler", task_root=task_root))
    assert service.invoke("function", 1).json() == 1
    service.close()
    assert (task_root / "goodbye").exists()


def test_external_extensions_hear_of_the_end_after_the_runtime(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path], task_root: Path
) -> None:
    program = f"""
    register("SHUTDOWN")
    event = next_event()
    event["runtime was asked"] = os.path.exists({str(task_root / "terminated")!r})
    event["now"] = time.time()
    with open({str(task_root / "end")!r}, "w") as file:
        json.dump(event, file)
    """
    folder = extensions(last=program, unasked="register()\nnext_event()\nnote('never')")
    service = start_lambda(make_function(on_term("os._exit(0)", internal=False), extensions=folder))
    service.invoke("function", 1)
    service.close()
    event = json.loads((task_root / "end").read_text())
    assert (event["eventType"], event["shutdownReason"]) == ("SHUTDOWN", "spindown")
    assert event["runtime was asked"]
    assert 0 < event["deadlineMs"] / 1000 - event["now"] <= 2


def test_external_extensions_have_two_seconds(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    import time

    program = "register('SHUTDOWN')\nnext_event()\ntime.sleep(600)"
    service = start_lambda(make_function(ECHO, extensions=extensions(stubborn=program)))
    service.invoke("function", 1).report
    began_s = time.monotonic()
    service.close()
    assert 1.9 <= time.monotonic() - began_s < 20


@pytest.mark.parametrize(("event", "reason"), [("hang", "timeout"), ("die", "failure")])
def test_extensions_are_told_why(
    make_function: MakeFunction,
    start_lambda: Start,
    extensions: Callable[..., Path],
    tmp_path: Path,
    event: str,
    reason: str,
) -> None:
    file = tmp_path / "reason"
    program = f"""
    register("SHUTDOWN")
    event = next_event()
    with open({str(file)!r}, "w") as file:
        file.write(event["shutdownReason"])
    """
    function = make_function(
        """
        import os, time
        def handler(body):
            if b"hang" in body:
                time.sleep(600)
            os._exit(1)
        serve(handler)
        """,
        extensions=extensions(why=program),
        timeout_s=1,
    )
    service = start_lambda(function)
    assert service.invoke("function", [event]).report.status in ("timeout", "error")
    assert wait_for(file) == reason


def test_extensions_are_frozen_with_the_runtime(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path], tmp_path: Path
) -> None:
    import time

    file = tmp_path / "ticks"
    program = f"""
    import threading
    def tick():
        while True:
            with open({str(file)!r}, "a") as ticks:
                ticks.write(".")
            time.sleep(0.001)
    threading.Thread(target=tick, daemon=True).start()
    register()
    next_event()
    """
    service = start_lambda(make_function(ECHO, extensions=extensions(ticker=program)))
    service.invoke("function").report
    frozen_at = file.stat().st_size
    time.sleep(0.5)
    # A stop signal takes its time where both processors are busy: a few more, not the 400 of half a second.
    assert file.stat().st_size - frozen_at < 100


# --- managed instances ----------------------------------------------------------------------------------------------


def test_a_managed_instance_ends_its_runtime_and_then_its_extensions(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path], task_root: Path
) -> None:
    program = f"register('SHUTDOWN')\nnext_event()\nopen({str(task_root / 'end')!r}, 'w').close()"
    function = make_function(
        on_term("os._exit(0)", internal=False), extensions=extensions(last=program), max_concurrency=2
    )
    service = start_lambda(function)
    service.invoke("function", 1)
    service.close()
    assert (task_root / "terminated").exists()
    assert (task_root / "end").exists()


def test_an_extension_that_dies_ends_a_managed_instance(
    make_function: MakeFunction, start_lambda: Start, extensions: Callable[..., Path]
) -> None:
    program = """
    import threading
    register("SHUTDOWN")
    threading.Timer(0.3, lambda: os._exit(3)).start()
    next_event()
    """
    service = start_lambda(
        make_function(
            "import time\nserve(lambda body: time.sleep(600))", extensions=extensions(bad=program), max_concurrency=2
        )
    )
    result = service.invoke("function", 1)
    assert document(result)["errorType"] == "Extension.Crash"
    assert result.report.error_type == "Extension.Crash"
