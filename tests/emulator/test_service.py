"""The local Lambda as a caller in the same process sees it."""

import base64
import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import (
    FunctionConfiguration,
    InvalidConfiguration,
    InvalidParameterValue,
    InvalidRequestContent,
    InvocationResult,
    InvokeError,
    LocalLambda,
    RequestTooLarge,
    ResourceNotFound,
    ServiceClosed,
    ValidationFailed,
)
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
ECHO = "serve(lambda body: body)"
# Answers with the headers of the event.
HEADERS = """
    import json
    while True:
        request_id, body, response = next_event()
        respond(request_id, json.dumps({k.lower(): v for k, v in response.getheaders()}).encode())
"""


@pytest.mark.parametrize(
    ("payload", "seen"),
    [
        (None, b"{}"),
        (b"", b"{}"),
        (b' {"a":  1}', b' {"a":  1}'),
        ('"\u00e9"', '"\u00e9"'.encode()),
        ({"a": ["\u00e9", None, 1.5]}, '{"a": ["\u00e9", null, 1.5]}'.encode()),
        ([], b"[]"),
        (0, b"0"),
        (bytearray(b"1"), b"1"),
    ],
)
def test_a_payload_is_bytes_text_or_a_value(
    make_function: MakeFunction, start_lambda: Start, payload: object, seen: bytes
) -> None:
    result = start_lambda(make_function(ECHO)).invoke("function", payload)
    assert (result.status_code, result.payload, result.function_error) == (200, seen, None)
    assert (result.executed_version, result.json()) == ("$LATEST", json.loads(seen))


@pytest.mark.parametrize(
    "payload", [b"{", "nonsense", b"\xff", b"NaN", b"[1,]", b"[" * 100_000, {1, 2}, float("nan"), "\ud800"]
)
def test_what_is_no_json_is_refused(make_function: MakeFunction, start_lambda: Start, payload: object) -> None:
    with pytest.raises(InvalidRequestContent) as refused:
        start_lambda(make_function(ECHO)).invoke("function", payload)
    assert (refused.value.status, refused.value.code) == (400, "InvalidRequestContentException")
    if isinstance(payload, bytes):
        assert refused.value.message.startswith(
            "Could not parse request body into json: Could not parse payload into json: "
        )


def test_the_largest_payload_passes_and_a_larger_one_is_refused(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    service = start_lambda(make_function(ECHO))
    largest = b'"' + b"x" * (6 * 1024 * 1024 - 2) + b'"'
    assert service.invoke("function", largest).payload == largest
    with pytest.raises(RequestTooLarge) as refused:
        service.invoke("function", largest + b" ")
    assert refused.value.status == 413
    assert refused.value.message == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    with pytest.raises(RequestTooLarge) as refused:
        service.invoke("function", b'"' + b"x" * 1024 * 1024 + b'"', invocation_type="Event")
    assert refused.value.message == (
        "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    )


def test_a_result_over_the_limit_is_an_error_and_the_process_lives_on(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os
        while True:
            request_id, body, _ = next_event()
            print("answered", respond(request_id, b"x" * int(body)), os.getpid())
    """
    service = start_lambda(make_function(program))
    fits, over = service.invoke("function", 6291556), service.invoke("function", 6291557)
    assert (fits.function_error, len(fits.payload)) == (None, 6291556)
    assert over.function_error == "Unhandled"
    assert over.json() == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert over.report.error_type == "Function.ResponseSizeTooLarge"
    pid = fits.log.split("answered 202 ")[1].split()[0]
    assert f"answered 413 {pid}\n" in over.log


def test_everything_about_the_caller_reaches_the_function(make_function: MakeFunction, start_lambda: Start) -> None:
    result = start_lambda(make_function(HEADERS)).invoke(
        "function",
        client_context={"custom": {"k": "\u00e9"}},
        tenant_id="tenant-1",
        trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        cognito_identity={"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"},
    )
    headers = result.json()
    assert headers["lambda-runtime-aws-request-id"] == result.request_id
    assert json.loads(headers["lambda-runtime-client-context"]) == {"custom": {"k": "\u00e9"}}
    assert headers["lambda-runtime-aws-tenant-id"] == "tenant-1"
    assert headers["lambda-runtime-trace-id"] == "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    assert headers["lambda-runtime-cognito-identity"] == '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}'


def test_without_all_that_the_headers_are_not_there(make_function: MakeFunction, start_lambda: Start) -> None:
    headers = start_lambda(make_function(HEADERS)).invoke("function").json()
    assert sorted(name for name in headers if name.startswith("lambda-runtime")) == [
        "lambda-runtime-aws-request-id",
        "lambda-runtime-deadline-ms",
        "lambda-runtime-invocation-id",
        "lambda-runtime-invoked-function-arn",
    ]


ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"


@pytest.mark.parametrize(
    ("name", "qualifier", "arn"),
    [
        ("function", None, ARN),
        ("function", "$LATEST", f"{ARN}:$LATEST"),
        ("function:$LATEST", None, f"{ARN}:$LATEST"),
        ("function:$LATEST", "$LATEST", f"{ARN}:$LATEST"),
        ("123456789012:function:function", None, ARN),
        (ARN, None, ARN),
        (f"{ARN}:$LATEST", None, f"{ARN}:$LATEST"),
    ],
)
def test_a_function_has_many_names_and_sees_the_qualifier_that_was_used(
    make_function: MakeFunction, start_lambda: Start, name: str, qualifier: str | None, arn: str
) -> None:
    headers = start_lambda(make_function(HEADERS)).invoke(name, qualifier=qualifier).json()
    assert headers["lambda-runtime-invoked-function-arn"] == arn


@pytest.mark.parametrize(
    ("name", "qualifier", "missing"),
    [
        ("other", None, f"{ARN[:-8]}other:$LATEST"),
        ("function", "7", f"{ARN}:7"),
        ("function:live", None, f"{ARN}:live"),
        (ARN.replace("us-east-1", "eu-west-1"), None, f"{ARN.replace('us-east-1', 'eu-west-1')}:$LATEST"),
        (ARN.replace("123", "999"), None, f"{ARN.replace('123', '999')}:$LATEST"),
    ],
)
def test_what_is_not_there_is_named_in_full(
    make_function: MakeFunction, start_lambda: Start, name: str, qualifier: str | None, missing: str
) -> None:
    with pytest.raises(ResourceNotFound) as refused:
        start_lambda(make_function(ECHO)).invoke(name, qualifier=qualifier)
    assert (refused.value.status, refused.value.message) == (404, f"Function not found: {missing}")
    assert refused.value.body() == {"Type": "User", "Message": refused.value.message}


def test_an_empty_service_knows_no_function(start_lambda: Start) -> None:
    with pytest.raises(ResourceNotFound, match="us-east-1:123456789012:function:x"):
        start_lambda().invoke("x")


def test_two_qualifiers_that_differ_are_refused(make_function: MakeFunction, start_lambda: Start) -> None:
    with pytest.raises(InvalidParameterValue, match="derived qualifier from the function name does not match"):
        start_lambda(make_function(ECHO)).invoke("function:1", qualifier="2")


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"function_name": "no good"}, "'no good' at 'functionName'"),
        ({"function_name": "x" * 200}, "at 'functionName'"),
        ({"invocation_type": "Later"}, "'Later' at 'invocationType'"),
        ({"log_type": "All"}, "'All' at 'logType'"),
        ({"tenant_id": "#"}, "'#' at 'tenantId'"),
        ({"tenant_id": "t" * 257}, "at 'tenantId'"),
    ],
)
def test_parameters_outside_their_sets_are_refused(
    make_function: MakeFunction, start_lambda: Start, arguments: dict[str, Any], where: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        start_lambda(make_function(ECHO)).invoke(**({"function_name": "function"} | arguments))
    assert refused.value.message.startswith("1 validation error detected: Value '")
    assert where in refused.value.message


@pytest.mark.parametrize("context", [{"a": "x" * 3000}, {"a": {1}}])
def test_a_client_context_has_a_limit_and_is_json(
    make_function: MakeFunction, start_lambda: Start, context: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestContent, match="client context"):
        start_lambda(make_function(ECHO)).invoke("function", client_context=context)


def test_an_event_is_accepted_at_once_and_run_in_the_background(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import time
        def handler(body):
            time.sleep(0.3)
            print("did", body)
            return body
        serve(handler)
    """
    result = start_lambda(make_function(program)).invoke(
        "function", {"a": 1}, invocation_type="Event", client_context={"custom": {}}
    )
    assert (result.status_code, result.payload, result.function_error) == (202, b"", None)
    assert "did b'{\"a\": 1}'" in result.log
    assert result.report.duration_ms > 300


def test_a_dry_run_checks_and_runs_nothing(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("raise SystemExit(1)"))
    result = service.invoke("function", invocation_type="DryRun")
    assert (result.status_code, result.payload, result.log, result.init_log) == (204, b"", "", "")
    with pytest.raises(ValueError, match="nothing was run"):
        _ = result.report
    with pytest.raises(ResourceNotFound):
        service.invoke("other", invocation_type="DryRun")


def test_the_log_tail_is_the_last_four_kilobytes(make_function: MakeFunction, start_lambda: Start) -> None:
    result = start_lambda(make_function("serve(lambda body: print('x' * 10_000) or body)")).invoke("function")
    tail = base64.b64decode(result.log_tail)
    assert len(tail) == 4096
    assert result.log.encode().endswith(tail)


def test_concurrent_calls_get_environments_of_their_own_and_free_ones_are_used_again(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import os, time
        serve(lambda body: time.sleep(0.5) or str(os.getpid()).encode())
    """
    service = start_lambda(make_function(program))
    with ThreadPoolExecutor(3) as callers:
        first = {result.json() for result in callers.map(lambda _: service.invoke("function"), range(3))}
    assert len(first) == 3
    assert service.invoke("function").json() in first


def test_at_the_limit_of_environments_calls_wait(make_function: MakeFunction, start_lambda: Start) -> None:
    program = "import os, time\nserve(lambda body: time.sleep(0.05) or str(os.getpid()).encode())"
    service = start_lambda(make_function(program), max_environments=2)
    with ThreadPoolExecutor(6) as callers:
        pids = [result.json() for result in callers.map(lambda _: service.invoke("function"), range(6))]
    assert len(set(pids)) <= 2


def test_functions_have_names_of_their_own(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function(ECHO, name="one"))
    service.create_function(make_function("serve(lambda body: b'2')", name="two"))
    assert (service.invoke("one", 1).json(), service.invoke("two", 1).json()) == (1, 2)
    with pytest.raises(InvalidConfiguration, match="name 'two' is taken"):
        service.create_function(make_function(ECHO, name="two"))


def test_a_numbered_version_is_reported(make_function: MakeFunction, start_lambda: Start) -> None:
    result = start_lambda(make_function(ECHO, version="3")).invoke("function", qualifier="3")
    assert result.executed_version == "3"
    assert " Version: 3\n" in result.log


def test_closing_ends_what_runs_and_nothing_can_be_called_any_more(make_function: MakeFunction) -> None:
    program = """
        import time
        def handler(body):
            open("running", "w").close()
            time.sleep(600)
        serve(handler)
    """
    configuration = make_function(program)
    service = LocalLambda(configuration)
    outcomes: list[BaseException | InvocationResult] = []

    def call() -> None:
        try:
            outcomes.append(service.invoke("function"))
        except ServiceClosed as error:
            outcomes.append(error)

    event = service.invoke("function", invocation_type="Event")
    caller = threading.Thread(target=call)
    caller.start()
    while not (configuration.task_root / "running").exists():
        threading.Event().wait(0.005)
    service.close()
    service.close()
    caller.join(10)
    assert [type(outcome) for outcome in outcomes] == [ServiceClosed]
    for late in (lambda: service.invoke("function"), lambda: service.endpoint_url, lambda: event.log):
        with pytest.raises(ServiceClosed):
            late()


def test_metrics_and_history_wait_for_the_end_of_what_was_answered(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = """
        import time
        while True:
            request_id, body, response = next_event()
            respond(request_id, b"1")
            time.sleep(0.1)
    """
    service = start_lambda(make_function(program))
    service.invoke("function")
    assert service.metrics.statistics("Duration").count == 1
    service.invoke("function")
    assert len(service.history.of("function")) == 2


def test_running_out_waits_for_what_runs_and_for_nothing_else(
    make_function: MakeFunction, start_lambda: Start, task_root: Path
) -> None:
    program = """
        import os, time
        def handler(body):
            open("running", "w").close()
            while not os.path.exists("go"):
                time.sleep(0.002)
            return b"1"
        serve(handler)
    """
    service = start_lambda(make_function(program))
    service.run_out()
    with ThreadPoolExecutor(2) as callers:
        call = callers.submit(service.invoke, "function")
        while not (task_root / "running").exists():
            assert not call.done()
        running_out = callers.submit(service.run_out)
        wait([running_out], timeout=0.1)
        assert not running_out.done()
        (task_root / "go").touch()
        running_out.result()
        assert service.running == 0
        assert call.result().payload == b"1"


def test_a_service_that_is_forgotten_ends_its_processes(make_function: MakeFunction) -> None:
    service = LocalLambda(make_function(ECHO))
    result = service.invoke("function", 1)
    log = result.log
    del service
    gc.collect()
    assert result.log == log


def test_a_program_that_forgets_to_close_ends_and_leaves_nothing(
    make_function: MakeFunction, temporary_folder: Path, task_root: Path
) -> None:
    make_function(ECHO)
    program = f"""
import sys
from pathlib import Path
from lambda_emulator import FunctionConfiguration, LocalLambda
command = (sys.executable, "-S", "function.py")
service = LocalLambda(FunctionConfiguration(handler="a.b", task_root=Path({str(task_root)!r}), command=command))
print(service.invoke("function", 1).payload)
"""
    environment = {**os.environ, "TMPDIR": str(temporary_folder)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert (ended.stdout, ended.stderr) == ("b'1'\n", "")


def test_a_with_block_closes(make_function: MakeFunction) -> None:
    with LocalLambda(make_function(ECHO)) as service:
        assert service.invoke("function", 1).json() == 1
    with pytest.raises(ServiceClosed):
        service.invoke("function")


def test_every_refusal_has_the_shape_of_the_service() -> None:
    from lambda_emulator import TooManyRequests

    assert TooManyRequests().body() == {
        "Reason": "ConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }
    assert InvokeError("m").body() == {"Type": "Service", "message": "m"}
    assert ValidationFailed("m").body() == {"message": "m"}
    assert InvalidParameterValue("m").body() == {"Type": "User", "message": "m"}


def test_our_own_bootstrap_is_what_runs_without_a_command(task_root: Any, start_lambda: Start) -> None:
    (task_root / "app.py").write_text("def handler(event, context):\n    return [event, context.aws_request_id]\n")
    result = start_lambda(FunctionConfiguration(handler="app.handler", task_root=task_root)).invoke("function", 1)
    assert (result.function_error, result.json()) == (None, [1, result.request_id])
