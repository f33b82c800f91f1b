"""One execution environment, with processes whose every call the test decides."""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, InvocationResult, LocalLambda
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
ECHO = "serve(lambda body: body)"


def document(result: InvocationResult) -> Any:
    assert (result.status_code, result.function_error) == (200, "Unhandled")
    return result.json()


def error(request_id: str, kind: str, text: str) -> dict[str, str]:
    return {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {text}"}


# --- the ordinary case ------------------------------------------------------------------------------------------


def test_the_log_of_an_invocation_runs_from_start_to_report(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("print('loaded')\nserve(lambda body: print('working', end='') or body)"))
    cold, warm = service.invoke("function", {"n": 1}), service.invoke("function", {"n": 2})
    assert (cold.json(), warm.json()) == ({"n": 1}, {"n": 2})
    assert re.fullmatch(
        r"INIT_START Runtime Version: provided:al2023\.local\t"
        r"Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:0{64}\n"
        r"loaded\n",
        cold.init_log,
    )
    lines = (
        r"START RequestId: {id} Version: \$LATEST\nworking\nEND RequestId: {id}\n"
        r"REPORT RequestId: {id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\t"
    )
    assert re.fullmatch(lines.format(id=cold.request_id) + r"Init Duration: \d+\.\d\d ms\t\n", cold.log)
    assert re.fullmatch(lines.format(id=warm.request_id) + r"\n", warm.log)
    assert warm.init_log == ""
    assert cold.report.init_ms is not None
    assert warm.report.init_ms is None
    assert (warm.report.status, warm.report.error_type, warm.report.memory_mb) == ("success", None, 128)
    assert warm.report.billed_ms >= warm.report.duration_ms > 0
    assert 5 < warm.report.max_memory_mb < 128


def test_output_of_any_size_is_in_the_log_to_the_last_byte(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("serve(lambda body: print('x' * 3_000_000 + 'end') or body)"))
    for _ in range(3):
        assert "xend\nEND RequestId" in service.invoke("function").log


def test_the_deadline_is_the_timeout_from_now(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        while True:
            request_id, body, response = next_event()
            respond(request_id, response.getheader("Lambda-Runtime-Deadline-Ms").encode())
    """
    service = start_lambda(make_function(program, timeout_s=7))
    before = time.time()
    deadline_s = service.invoke("function").json() / 1000
    assert before + 6.9 < deadline_s < time.time() + 7.1


def test_between_invocations_the_process_is_frozen(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        import threading, time, os
        ticks = 0
        def tick():
            global ticks
            while True:
                time.sleep(0.001)
                ticks += 1
        threading.Thread(target=tick, daemon=True).start()
        while True:
            request_id, body, _ = next_event()
            before = ticks
            while ticks <= before + 5:
                time.sleep(0.001)
            respond(request_id, b"[%d, %d]" % (before, ticks))
    """
    service = start_lambda(make_function(program))
    _, at_answer = service.invoke("function").json()
    time.sleep(0.3)
    at_next, later = service.invoke("function").json()
    assert later > at_next
    assert at_next - at_answer < 100  # 0.3 s of running would have been near 300


def test_the_caller_is_answered_at_response_and_the_invocation_is_timed_until_next(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import time
        while True:
            request_id, body, _ = next_event()
            respond(request_id, b"1")
            while not os.path.exists("answered"):
                time.sleep(0.001)
            print("afterwards")
    """
    configuration = make_function(program)
    result = start_lambda(configuration).invoke("function")
    assert result.payload == b"1"
    time.sleep(0.1)
    (configuration.task_root / "answered").touch()
    assert result.report.duration_ms > 100
    assert "afterwards\nEND" in result.log


def test_work_after_the_response_delays_the_next_event_on_the_same_process(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os, time
        while True:
            request_id, body, _ = next_event()
            respond(request_id, str(os.getpid()).encode())
            time.sleep(0.1)
    """
    service = start_lambda(make_function(program))
    assert len({service.invoke("function").json() for _ in range(3)}) == 1


def test_each_attempt_has_a_nonce_of_its_own(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        while True:
            request_id, body, response = next_event()
            nonce = response.getheader("Lambda-Runtime-Invocation-Id")
            stale = respond(request_id, b"0", {"Lambda-Runtime-Invocation-Id": "stale"})
            same_id, _, again = next_event()
            assert (same_id, again.getheader("Lambda-Runtime-Invocation-Id")) == (request_id, nonce)
            respond(request_id, b'["%s", %d]' % (nonce.encode(), stale), {"Lambda-Runtime-Invocation-Id": nonce})
    """
    service = start_lambda(make_function(program))
    (first, status), (second, _) = service.invoke("function").json(), service.invoke("function").json()
    assert first != second
    assert status == 410


# --- errors, timeouts, deaths --------------------------------------------------------------------------------------


def test_an_error_is_passed_on_verbatim_and_reported_by_its_header(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        while True:
            request_id, body, _ = next_event()
            fail(request_id, b'{"any": "shape"}', {"Lambda-Runtime-Function-Error-Type": "Function.Odd"})
    """
    result = start_lambda(make_function(program)).invoke("function")
    assert document(result) == {"any": "shape"}
    assert (result.report.status, result.report.error_type) == ("error", "Function.Odd")
    assert result.log.endswith("\tStatus: error\tError Type: Function.Odd\t\n")


def test_a_timeout_kills_the_group_keeps_tmp_and_starts_anew(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        import json, os, tempfile, time
        state = os.path.join(tempfile.gettempdir(), "state")
        def handler(body):
            if json.loads(body).get("hang"):
                with open(state, "w") as file:
                    file.write("kept")
                if os.fork() == 0:
                    time.sleep(600)
                print("hanging", flush=True)
                time.sleep(600)
            with open(state) as file:
                return json.dumps([os.getpid(), file.read()]).encode()
        print("loaded")
        serve(handler)
    """
    # Long enough for the next process to start within the timeout, on a busy machine too.
    service = start_lambda(make_function(program, timeout_s=3))
    hung = service.invoke("function", {"hang": True})
    assert document(hung) == error(hung.request_id, "Sandbox.Timedout", "Task timed out after 3.00 seconds")
    assert re.search(
        r"\nhanging\n\d{4}-\S+Z \S+ Task timed out after 3\.00 seconds\n\n"
        r"END RequestId: \S+\nREPORT .*\tStatus: timeout\t\n$",
        hung.log,
    )
    assert (hung.report.status, hung.report.error_type) == ("timeout", "Sandbox.Timedout")
    assert 3000 <= hung.report.duration_ms < 20_000
    again = service.invoke("function", {})
    assert again.json()[1] == "kept"
    assert again.init_log == "loaded\n"  # initialised inside the invocation, whose duration holds it
    assert again.report.init_ms is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_process_that_dies_is_named_and_replaced(
    make_function: MakeFunction, start_lambda: Start, statement: str, reason: str
) -> None:
    program = f"""
        import os
        def handler(body):
            if b"die" in body:
                print("last words", end="", flush=True)
                {statement}
            return body
        serve(handler)
    """
    service = start_lambda(make_function(program))
    dead = service.invoke("function", {"die": True})
    assert document(dead) == error(dead.request_id, "Runtime.ExitError", reason)
    assert f"\nlast words\nRequestId: {dead.request_id} Error: {reason}\nRuntime.ExitError\nEND" in dead.log
    assert (dead.report.status, dead.report.error_type) == ("error", "Runtime.ExitError")
    assert service.invoke("function", {"live": True}).json() == {"live": True}


def test_an_answer_that_was_sent_before_the_process_died_counts(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os
        request_id, body, _ = next_event()
        api.putrequest("POST", f"{ROOT}/invocation/{request_id}/response")
        api.putheader("Content-Length", "2")
        api.endheaders(b"42")
        os._exit(1)  # without waiting for the acknowledgement
    """
    result = start_lambda(make_function(program)).invoke("function")
    assert (result.function_error, result.payload) == (None, b"42")
    assert (result.report.status, result.report.error_type) == ("error", "Runtime.ExitError")


def test_a_death_after_the_response_does_not_concern_the_caller(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os
        request_id, body, _ = next_event()
        respond(request_id, body)
        os._exit(1)
    """
    service = start_lambda(make_function(program))
    for number in range(3):
        result = service.invoke("function", number)
        assert (result.function_error, result.json()) == (None, number)
        assert result.report.error_type == "Runtime.ExitError"


def test_a_timeout_after_the_response_does_not_concern_the_caller(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import time
        request_id, body, _ = next_event()
        respond(request_id, body)
        time.sleep(600)
    """
    result = start_lambda(make_function(program, timeout_s=1)).invoke("function", 1)
    assert result.json() == 1
    assert result.report.status == "timeout"


def test_a_process_that_is_killed_while_frozen_is_replaced_without_anybody_noticing(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = "import os\nserve(lambda body: str(os.getpid()).encode())"
    service = start_lambda(make_function(program))
    first = service.invoke("function")
    first.report
    os.kill(first.json(), 9)
    deadline_s = time.monotonic() + 10
    while Path(f"/proc/{first.json()}").exists() and time.monotonic() < deadline_s:
        time.sleep(0.005)
    second = service.invoke("function")
    assert second.function_error is None
    assert second.json() != first.json()


@pytest.mark.parametrize("grown", ["in one process", "in a child", "for a moment"])
def test_a_function_that_outgrows_its_memory_is_killed(
    make_function: MakeFunction, start_lambda: Start, grown: str
) -> None:
    program = """
        import os, time
        def handler(body):
            if b"one" in body:
                hog = bytearray(b"x") * (200 << 20)
                time.sleep(60)
            if b"child" in body:
                if os.fork() == 0:
                    hog = bytearray(b"x") * (200 << 20)
                time.sleep(60)
            if b"moment" in body:
                bytearray(b"x") * (200 << 20)
            return body
        serve(handler)
    """
    service = start_lambda(make_function(program))
    result = service.invoke("function", {"grown": grown})
    assert document(result) == error(
        result.request_id, "Runtime.ExitError", "Runtime exited with error: signal: killed"
    )
    assert (result.report.status, result.report.error_type) == ("error", "Runtime.OutOfMemory")
    assert result.report.max_memory_mb > 128
    assert result.log.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\t\n")
    assert service.invoke("function", {}).json() == {}


def test_with_enough_memory_it_lives(make_function: MakeFunction, start_lambda: Start) -> None:
    program = "serve(lambda body: body if bytearray(b'x') * (200 << 20) else b'')"
    result = start_lambda(make_function(program, memory_mb=512)).invoke("function", 1)
    assert result.json() == 1
    assert 200 <= result.report.max_memory_mb <= 512


# --- initialisation ---------------------------------------------------------------------------------------------


def test_a_failed_initialisation_is_repeated_inside_the_invocation(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os, sys, tempfile
        marker = os.path.join(tempfile.gettempdir(), "been-here")
        if not os.path.exists(marker):
            open(marker, "w").close()
            print("first try fails")
            call("POST", "/init/error", b'{"errorMessage": "no", "errorType": "E"}',
                 {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"})
            print("on the way out")
            sys.exit(1)
        print("second try")
        serve(lambda body: body)
    """
    result = start_lambda(make_function(program)).invoke("function", 1)
    assert result.json() == 1
    assert re.search(
        r"\nfirst try fails\non the way out\n"
        r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime\.ImportModuleError\n"
        r"second try\n$",
        result.init_log,
    )
    assert result.report.init_ms is None
    assert result.report.status == "success"


def test_an_initialisation_that_fails_twice_is_what_the_caller_sees_and_the_next_call_tries_again(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import sys, os
        call("POST", "/init/error", b'{"errorMessage":"%d","errorType":"E"}' % os.getpid())
        sys.exit(1)
    """
    service = start_lambda(make_function(program))
    first, second = service.invoke("function"), service.invoke("function")
    assert document(first).keys() == {"errorMessage", "errorType"}
    assert document(first) != document(second)
    assert re.findall(r"Phase: (\w+)\tStatus: (\w+)\tError Type: (\S+)", first.init_log) == [
        ("init", "error", "Runtime.Unknown"),
        ("invoke", "error", "Runtime.Unknown"),
    ]
    assert re.findall(r"Phase: (\w+)", second.init_log) == ["invoke"]
    assert re.fullmatch(r"START .*\nEND .*\nREPORT .*\tStatus: error\tError Type: Runtime\.Unknown\t\n", first.log)


def test_an_init_error_is_heard_even_from_a_process_that_does_not_wait(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os
        api.putrequest("POST", f"{ROOT}/init/error")
        api.putheader("Content-Length", "9")
        api.endheaders(b'{"a": 12}')
        os._exit(1)
    """
    assert document(start_lambda(make_function(program)).invoke("function")) == {"a": 12}


def test_a_process_that_dies_before_its_first_next_is_an_exit_error(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    result = start_lambda(make_function("raise SystemExit(7)")).invoke("function")
    assert document(result) == error(result.request_id, "Runtime.ExitError", "Runtime exited with error: exit status 7")


def test_an_initialisation_that_takes_too_long_is_killed_and_repeated(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os, tempfile, time
        marker = os.path.join(tempfile.gettempdir(), "been-here")
        if not os.path.exists(marker):
            open(marker, "w").close()
            time.sleep(600)
        serve(lambda body: body)
    """
    result = start_lambda(make_function(program, init_timeout_s=0.5)).invoke("function", 1)
    assert result.json() == 1
    assert re.search(r"INIT_REPORT Init Duration: 5\d\d\.\d\d ms\tPhase: init\tStatus: timeout\n$", result.init_log)


def test_an_initialisation_that_never_ends_meets_the_functions_timeout(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = "import time\ntime.sleep(600)"
    result = start_lambda(make_function(program, init_timeout_s=0.2, timeout_s=1)).invoke("function")
    assert document(result) == error(result.request_id, "Sandbox.Timedout", "Task timed out after 1.00 seconds")
    assert result.report.status == "timeout"
    assert re.findall(r"Phase: (\w+)\tStatus: (\w+)", result.init_log) == [("init", "timeout"), ("invoke", "timeout")]


def test_an_initialisation_that_outgrows_its_memory_is_killed(make_function: MakeFunction, start_lambda: Start) -> None:
    program = "import time\nhog = bytearray(b'x') * (200 << 20)\ntime.sleep(600)"
    result = start_lambda(make_function(program)).invoke("function")
    assert document(result)["errorMessage"].endswith("signal: killed")
    assert result.report.error_type == "Runtime.OutOfMemory"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("missing", "no such file or directory"),
        ("plain", "permission denied"),
        ("no-program", "exec format error"),
    ],
)
def test_an_entry_point_that_cannot_be_started_is_a_function_error(
    task_root: Path, start_lambda: Start, command: str, reason: str
) -> None:
    (task_root / "plain").write_text("")
    (task_root / "no-program").write_bytes(b"\x7fELF nonsense")
    (task_root / "no-program").chmod(0o755)
    path = str(task_root / command)
    service = start_lambda(FunctionConfiguration(handler="a.b", task_root=task_root, command=(path,)))
    result = service.invoke("function")
    assert document(result) == error(result.request_id, "Runtime.InvalidEntrypoint", f"fork/exec {path}: {reason}")
    assert result.report.error_type == "Runtime.InvalidEntrypoint"


def test_a_code_folder_that_has_gone_is_a_function_error(
    make_function: MakeFunction, start_lambda: Start, task_root: Path
) -> None:
    service = start_lambda(make_function(ECHO))
    for path in task_root.iterdir():
        path.unlink()
    task_root.rmdir()
    assert document(service.invoke("function"))["errorType"] == "Runtime.InvalidWorkingDir"


# --- what the process finds, and how it ends -------------------------------------------------------------------------


def test_the_process_runs_in_its_code_folder_with_a_private_tmp(
    make_function: MakeFunction, start_lambda: Start, task_root: Path, temporary_folder: Path
) -> None:
    program = """
        import json, os, tempfile
        serve(lambda body: json.dumps([os.getcwd(), tempfile.gettempdir(), dict(os.environ)]).encode())
    """
    folder, tmp, variables = start_lambda(make_function(program)).invoke("function").json()
    assert folder == str(task_root)
    assert Path(tmp).parent == temporary_folder
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert "AWS_EXECUTION_ENV" not in variables


def test_without_an_extension_the_end_is_a_sigkill(
    make_function: MakeFunction, start_lambda: Start, task_root: Path
) -> None:
    program = """
        import signal
        signal.signal(signal.SIGTERM, lambda *_: open("terminated", "w").close())
        serve(lambda body: body)
    """
    service = start_lambda(make_function(program))
    service.invoke("function")
    service.close()
    assert not (task_root / "terminated").exists()


def test_with_snap_start_the_runtime_is_restored_before_the_first_event(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os
        response, body = call("GET", "/restore/next")
        print("restored", response.status, body, os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"])
        serve(lambda body: body)
    """
    result = start_lambda(make_function(program, snap_start=True)).invoke("function", 1)
    assert result.json() == 1
    assert "restored 200 b'' snap-start\n" in result.init_log


def test_a_second_invocation_of_an_unlucky_runtime_is_refused_as_lambda_does(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    """The trap: an unknown response mode is found after the state has moved on; nothing gets the runtime out."""
    program = """
        request_id, body, _ = next_event()
        print(respond(request_id, b"1", {"Lambda-Runtime-Function-Response-Mode": "buffered"}))
        response, body = call("GET", "/invocation/next")
        print(response.status, body)
    """
    result = start_lambda(make_function(program)).invoke("function")
    assert (result.function_error, result.payload) == ("Unhandled", b"")
    assert "\n400\n403 b'" in result.log
    assert "from InvocationResponse to Ready failed for runtime" in result.log


def test_the_interpreter_that_runs_us_is_named_for_the_bootstrap(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = "import json, os\nserve(lambda body: json.dumps(os.environ['HANDLERKIT_PYTHON']).encode())"
    assert start_lambda(make_function(program)).invoke("function").json() == sys.executable


def test_json_is_not_required_of_a_result(make_function: MakeFunction, start_lambda: Start) -> None:
    result = start_lambda(make_function("serve(lambda body: b'\\xff\\x00')")).invoke("function")
    assert result.payload == b"\xff\x00"
    with pytest.raises(ValueError):
        json.loads(result.payload)


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "import os\nos._exit(0)"])
def test_even_a_process_that_ends_at_once_has_used_memory(
    make_function: MakeFunction, start_lambda: Start, program: str
) -> None:
    result = start_lambda(make_function(program)).invoke("function")
    assert result.report.max_memory_mb >= 1
    assert "Max Memory Used: 0 MB" not in result.log
