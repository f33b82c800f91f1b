"""AWS's own runtime client runs here unchanged: what it does, and what becomes of it."""

import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, InvocationResult, LocalLambda
from tests.counterparts import awslambdaric_path, needs_awslambdaric

Start = Callable[..., LocalLambda]
pytestmark = needs_awslambdaric()

APP = """
    import os, sys, time

    print("loaded")

    def handler(event, context):
        print("event", event)
        if event.get("raise"):
            raise ValueError("no such thing")
        if event.get("hang"):
            time.sleep(600)
        if event.get("exit") is not None:
            os._exit(event["exit"])
        if event.get("quit"):
            sys.exit(4)
        if event.get("size"):
            return "x" * event["size"]
        return {
            "event": event,
            "id": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "memory": context.memory_limit_in_mb,
            "custom": context.client_context and context.client_context.custom,
            "identity": context.identity.cognito_identity_id,
            "tenant": context.tenant_id,
            "left": context.get_remaining_time_in_millis(),
            "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        }
"""


@pytest.fixture
def service(task_root: Path, start_lambda: Start) -> Callable[..., LocalLambda]:
    def start(program: str = APP, **fields: Any) -> LocalLambda:
        (task_root / "app.py").write_text(textwrap.dedent(program))
        settings: dict[str, Any] = {
            "handler": "app.handler",
            "task_root": task_root,
            "command": (sys.executable, "-m", "awslambdaric", "app.handler"),
            "environment": {"PYTHONPATH": str(awslambdaric_path())},
            "timeout_s": 20,
        }
        return start_lambda(FunctionConfiguration(**(settings | fields)))

    return start


def refused(result: InvocationResult) -> dict[str, Any]:
    assert (result.status_code, result.function_error) == (200, "Unhandled")
    document: dict[str, Any] = result.json()
    return document


def test_an_event_comes_back_with_its_context(service: Start) -> None:
    result = service().invoke(
        "function",
        {"a": "\u00e9"},
        client_context={"custom": {"k": "v"}},
        cognito_identity={"cognitoIdentityId": "me", "cognitoIdentityPoolId": "pool"},
        tenant_id="tenant",
        trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
    )
    seen = result.json()
    assert 15_000 < seen.pop("left") <= 20_000
    assert seen == {
        "event": {"a": "\u00e9"},
        "id": result.request_id,
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:function",
        "memory": "128",
        "custom": {"k": "v"},
        "identity": "me",
        "tenant": "tenant",
        "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
    }
    assert "loaded\n" in result.init_log
    assert "\nevent {'a': '\u00e9'}\n" in result.log


def test_it_serves_one_event_after_the_other_in_one_process(service: Start) -> None:
    running = service()
    for number in range(20):
        result = running.invoke("function", {"n": number})
        assert result.json()["event"] == {"n": number}
        assert result.json()["trace"] is None
        assert (result.report.init_ms is not None) == (number == 0)


def test_a_large_event_and_a_large_result_pass(service: Start) -> None:
    running = service(memory_mb=512)
    event = {"filler": "y" * 5_000_000}
    assert running.invoke("function", event).json()["event"] == event
    assert len(running.invoke("function", {"size": 6_000_000}).payload) == 6_000_002


def test_an_error_is_passed_on_and_its_type_stays_unknown(service: Start) -> None:
    result = service().invoke("function", {"raise": 1})
    document = refused(result)
    assert list(document) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (document["errorMessage"], document["errorType"]) == ("no such thing", "ValueError")
    assert document["requestId"] == result.request_id
    assert result.report.error_type == "Runtime.Unknown"


def test_an_init_error_is_passed_on_after_a_second_try(service: Start) -> None:
    running = service("import nothing_of_that_name")
    result = running.invoke("function")
    document = refused(result)
    assert document["errorType"] == "Runtime.ImportModuleError"
    assert document["errorMessage"] == "Unable to import module 'app': No module named 'nothing_of_that_name'"
    assert document["requestId"] == ""
    assert result.init_log.count("LAMBDA_WARNING: Unhandled exception.") == 2
    assert "\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n" in result.init_log
    assert "\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n" in result.init_log
    assert refused(running.invoke("function"))["errorType"] == "Runtime.ImportModuleError"


def test_a_timeout_ends_it_and_the_next_event_finds_a_fresh_one(service: Start) -> None:
    running = service(timeout_s=5)  # the next one starts within it, on a busy machine too
    result = running.invoke("function", {"hang": True})
    assert refused(result) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 5.00 seconds",
    }
    assert "event {'hang': True}\n" in result.log
    assert running.invoke("function", {}).function_error is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"exit": 3}, "Runtime exited with error: exit status 3"),
        ({"exit": 0}, "Runtime exited without providing a reason"),
        ({"quit": 1}, "Runtime exited with error: exit status 4"),
    ],
)
def test_a_crash_is_named_and_the_next_event_finds_a_fresh_one(
    service: Start, event: dict[str, int], reason: str
) -> None:
    running = service()
    result = running.invoke("function", event)
    assert refused(result) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {reason}",
    }
    assert running.invoke("function", {}).function_error is None


def test_an_oversize_result_is_refused_and_ends_it_as_it_does_on_lambda(service: Start) -> None:
    running = service(memory_mb=512)
    result = running.invoke("function", {"size": 6_291_556})
    assert refused(result)["errorType"] == "Function.ResponseSizeTooLarge"
    assert result.report.error_type == "Runtime.ExitError"  # it takes the 413 for its end
    assert running.invoke("function", {}).function_error is None


def test_its_worker_processes_share_one_environment(service: Start) -> None:
    program = """
        import os
        def handler(event, context):
            return os.getpid()
    """
    running = service(program, max_concurrency=2, memory_mb=512)
    pids = {running.invoke("function").json() for _ in range(10)}
    assert 1 <= len(pids) <= 2


def test_it_serves_several_invocations_at_once(service: Start, tmp_path: Path) -> None:
    program = """
        import os, time
        def handler(event, context):
            open(os.path.join(event["folder"], context.aws_request_id), "w").close()
            deadline = time.monotonic() + 10
            while len(os.listdir(event["folder"])) < event["together"] and time.monotonic() < deadline:
                time.sleep(0.005)
            return os.getpid()
    """
    alone, folder = tmp_path / "alone", tmp_path / "folder"
    alone.mkdir()
    folder.mkdir()
    running = service(program, max_concurrency=2, memory_mb=512)
    running.invoke("function", {"folder": str(alone), "together": 1})
    with ThreadPoolExecutor(2) as callers:
        event = {"folder": str(folder), "together": 2}
        results = list(callers.map(lambda _: running.invoke("function", event), range(2)))
    assert [result.function_error for result in results] == [None, None]
    assert len({result.json() for result in results}) == 2  # a process for each
