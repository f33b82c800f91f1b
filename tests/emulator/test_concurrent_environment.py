"""Several invocations open at once in one process, as on managed instances."""

import json
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest

from lambda_emulator import LocalLambda, concurrent_environment
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]

# Four workers, each with a connection of its own; all of them meet before any of them answers.
WORKERS = """
    import http.client, json, os, threading
    together = threading.Barrier(4)
    def work():
        api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        def call(method, path, body=None):
            api.request(method, ROOT + path, body)
            response = api.getresponse()
            return response, response.read()
        while True:
            response, body = call("GET", "/invocation/next")
            request_id = response.getheader("Lambda-Runtime-Aws-Request-Id")
            event = json.loads(body)
            if event.get("meet"):
                together.wait(60)
            if event.get("die"):
                os._exit(9)
            print("seen", event)
            if event.get("late"):
                threading.Event().wait(3)
                status = call("POST", f"/invocation/{request_id}/response", b"1")[0].status
                print(f"late: {status}\\n", end="")  # in one write
            else:
                call("POST", f"/invocation/{request_id}/response", json.dumps([os.getpid(), event]).encode())
    for _ in range(4):
        threading.Thread(target=work).start()
"""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are on their way get all the time that a busy machine needs, where a test needs each of them."""
    monkeypatch.setattr(concurrent_environment, "_ALMOST_IDLE_S", 60.0)


def events_in(log: str) -> list[dict[str, Any]]:
    """The lines that are JSON."""
    return [json.loads(line) for line in log.splitlines() if line.startswith('{"')]


@pytest.mark.usefixtures("patient")
def test_several_invocations_share_one_process(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function(WORKERS, max_concurrency=4))
    cold = service.invoke("function", {"n": 0})
    assert events_in(cold.init_log)[0]["type"] == "platform.initStart"
    assert cold.report.init_ms is not None
    with ThreadPoolExecutor(4) as callers:
        results = list(callers.map(lambda n: service.invoke("function", {"meet": True, "n": n}), range(4)))
    assert len({result.json()[0] for result in results}) == 1
    assert [result.json()[1]["n"] for result in results] == [0, 1, 2, 3]
    platform = [event for event in events_in(results[0].log) if "type" in event]
    assert [event["type"] for event in platform] == ["platform.start", "platform.report"]
    assert {event["record"]["requestId"] for event in platform} == {results[0].request_id}


@pytest.mark.usefixtures("patient")
def test_a_timeout_kills_nothing_and_the_late_answer_is_gone(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function(WORKERS, max_concurrency=4, timeout_s=2))
    pid = service.invoke("function", {}).json()[0]
    late = service.invoke("function", {"late": True})
    assert late.json() == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {late.request_id} Error: Task timed out after 2.00 seconds",
    }
    assert late.report.status == "timeout"
    logs, deadline_s = "", time.monotonic() + 60
    while "late: 410" not in logs and time.monotonic() < deadline_s:
        result = service.invoke("function", {})
        assert result.json()[0] == pid
        logs += result.log
    assert "late: 410" in logs


@pytest.mark.usefixtures("patient")
def test_the_death_of_the_process_takes_all_open_invocations_along(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    service = start_lambda(make_function(WORKERS, max_concurrency=4))
    first = service.invoke("function", {}).json()[0]
    with ThreadPoolExecutor(4) as callers:
        results = list(callers.map(lambda n: service.invoke("function", {"meet": True, "die": True}), range(4)))
    for result in results:
        assert result.json() == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 9",
        }
    assert service.invoke("function", {}).json()[0] != first


def test_without_an_idle_worker_the_call_fails(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        import time
        request_id, body, _ = next_event()
        while not os.path.exists("refused"):
            time.sleep(0.005)
        respond(request_id, body)
        serve(lambda body: body)
    """
    configuration = make_function(program, max_concurrency=2)
    service = start_lambda(configuration)
    with ThreadPoolExecutor(2) as callers:
        calls = [callers.submit(service.invoke, "function", number) for number in range(2)]
        wait(calls, return_when=FIRST_COMPLETED)
        (configuration.task_root / "refused").touch()
        results = [call.result() for call in calls]
    kinds = [result.json()["errorType"] if result.function_error else "none" for result in results]
    assert sorted(kinds) == ["Runtime.Unavailable", "none"]


def test_a_failed_initialisation_is_everybodys(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("raise SystemExit(3)", max_concurrency=2))
    result = service.invoke("function")
    assert result.json()["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    failed = events_in(result.init_log)[-1]
    assert (failed["type"], failed["record"]["phase"]) == ("platform.initReport", "init")
    assert (failed["record"]["status"], failed["record"]["errorType"]) == ("error", "Runtime.ExitError")


def test_too_much_memory_ends_the_environment(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        import time
        hog = []
        serve(lambda body: hog.append(bytearray(b"x") * (200 << 20)) or time.sleep(60))
    """
    result = start_lambda(make_function(program, max_concurrency=2)).invoke("function")
    assert result.json()["errorMessage"].endswith("signal: killed")
    assert result.report.error_type == "Runtime.OutOfMemory"


@pytest.mark.usefixtures("patient")
def test_records_are_their_own_invocations_and_other_lines_everybodys(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
    import http.client, json, os, sys, threading
    together = threading.Barrier(2)
    def work():
        api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        while True:
            api.request("GET", ROOT + "/invocation/next")
            response = api.getresponse()
            body = response.read()
            request_id = response.getheader("Lambda-Runtime-Aws-Request-Id")
            if body != b"0":
                together.wait(60)
            sys.stdout.write(json.dumps({"requestId": request_id, "level": "INFO"}) + "\\n")
            sys.stdout.write("plain " + body.decode() + "\\n")
            sys.stdout.flush()
            if body != b"0":
                together.wait(60)
            api.request("POST", f"{ROOT}/invocation/{request_id}/response", body)
            api.getresponse().read()
    for _ in range(2):
        threading.Thread(target=work).start()
    """
    service = start_lambda(make_function(program, max_concurrency=2))
    service.invoke("function", 0)
    with ThreadPoolExecutor(2) as callers:
        results = list(callers.map(lambda n: service.invoke("function", n), (1, 2)))
    for result in results:
        records = [event for event in events_in(result.log) if "level" in event]
        assert [record["requestId"] for record in records] == [result.request_id]
        assert {"plain 1", "plain 2"} <= set(result.log.splitlines())
