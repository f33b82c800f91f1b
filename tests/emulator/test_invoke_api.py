"""The Invoke API over HTTP: raw requests for statuses, headers and bodies, boto3 for what its users see."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambda_emulator import LocalLambda
from tests.emulator.conftest import MakeFunction
from tests.emulator.raw_client import RawClient

Start = Callable[..., LocalLambda]
PATH = "/2015-03-31/functions/{}/invocations"
# Does what the event says; otherwise answers with the event's headers and body.
PROGRAM = """
    import json, os, time
    while True:
        request_id, body, response = next_event()
        event = json.loads(body)
        if "sleep" in event:
            time.sleep(event["sleep"])
        print("event", body)
        if "fail" in event:
            fail(request_id, b'{"errorMessage":"no","errorType":"E"}')
            continue
        if "mark" in event:
            open(event["mark"], "w").close()
        headers = {k.lower(): v for k, v in response.getheaders()}
        respond(request_id, json.dumps({"event": event, "headers": headers}).encode())
"""


@pytest.fixture
def service(make_function: MakeFunction, start_lambda: Start) -> LocalLambda:
    return start_lambda(make_function(PROGRAM))


@pytest.fixture
def client(service: LocalLambda) -> Iterator[RawClient]:
    with RawClient(service.endpoint_url) as connected:
        yield connected


def error(code: str, **document: str) -> tuple[str, dict[str, str]]:
    return code, document


def test_a_call_is_answered_with_the_result(client: RawClient) -> None:
    answer = client.call("POST", PATH.format("function"), b'{"a":1}')
    assert answer.status == 200
    assert answer.json()["event"] == {"a": 1}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert answer.headers["x-amzn-requestid"] == answer.json()["headers"]["lambda-runtime-aws-request-id"]
    assert not {"x-amz-function-error", "x-amz-log-result"} & answer.headers.keys()


def test_a_function_error_is_status_200_and_a_header(client: RawClient) -> None:
    answer = client.call("POST", PATH.format("function"), b'{"fail":1}')
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert answer.body == b'{"errorMessage":"no","errorType":"E"}'


def test_an_empty_body_is_an_empty_object(client: RawClient) -> None:
    assert client.call("POST", PATH.format("function")).json()["event"] == {}


def test_the_log_tail_runs_to_the_report(client: RawClient) -> None:
    answer = client.call("POST", PATH.format("function"), b"{}", {"X-Amz-Log-Type": "Tail"})
    tail = base64.b64decode(answer.headers["x-amz-log-result"]).decode()
    request_id = answer.headers["x-amzn-requestid"]
    assert tail.startswith(
        f"START RequestId: {request_id} Version: $LATEST\nevent b'{{}}'\nEND RequestId: {request_id}\n"
    )
    assert tail.endswith("\t\n")


def test_headers_of_the_caller_reach_the_function(client: RawClient) -> None:
    context = json.dumps({"custom": {"k": "v"}})
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    sent = {
        "X-Amz-Client-Context": base64.b64encode(context.encode()).decode(),
        "X-Amz-Tenant-Id": "tenant-1",
        "X-Amzn-Trace-Id": trace,
    }
    answer = client.call("POST", PATH.format("function"), b"{}", sent)
    headers = answer.json()["headers"]
    assert headers["lambda-runtime-client-context"] == context
    assert headers["lambda-runtime-aws-tenant-id"] == "tenant-1"
    assert headers["lambda-runtime-trace-id"] == trace
    assert answer.headers["x-amzn-trace-id"] == trace


@pytest.mark.parametrize(
    ("path", "qualifier"),
    [
        ("function%3A%24LATEST", "$LATEST"),
        ("function?Qualifier=%24LATEST", "$LATEST"),
        ("arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Afunction", None),
        ("arn:aws:lambda:us-east-1:123456789012:function:function:$LATEST", "$LATEST"),
        ("123456789012:function:function", None),
    ],
)
def test_a_function_may_be_named_in_many_ways(client: RawClient, path: str, qualifier: str | None) -> None:
    name, _, query = path.partition("?")
    answer = client.call("POST", PATH.format(name) + (f"?{query}" if query else ""), b"{}")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:function" + (f":{qualifier}" if qualifier else "")
    assert answer.json()["headers"]["lambda-runtime-invoked-function-arn"] == arn


def test_an_event_is_accepted_and_run_in_the_background(client: RawClient, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    event = json.dumps({"sleep": 0.2, "mark": str(mark)}).encode()
    answer = client.call("POST", PATH.format("function"), event, {"X-Amz-Invocation-Type": "Event"})
    assert (answer.status, answer.body) == (202, b"")
    assert "x-amzn-requestid" in answer.headers
    assert not mark.exists()
    deadline_s = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert mark.exists()


def test_a_dry_run_runs_nothing(client: RawClient, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    event = json.dumps({"mark": str(mark)}).encode()
    answer = client.call("POST", PATH.format("function"), event, {"X-Amz-Invocation-Type": "DryRun"})
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers
    client.call("POST", PATH.format("function"), b"{}")
    assert not mark.exists()


NOT_FOUND = "Function not found: arn:aws:lambda:us-east-1:123456789012:function:other:$LATEST"
TOO_LARGE = "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
TOO_LARGE_EVENT = "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"
NO_JSON = "Could not parse request body into json: Could not parse payload into json: "
NO_CONTEXT = "Client context must be a valid Base64-encoded JSON object."


@pytest.mark.parametrize(
    ("name", "body", "headers", "status", "code", "document"),
    [
        ("other", b"{}", {}, 404, "ResourceNotFoundException", {"Type": "User", "Message": NOT_FOUND}),
        ("function", b"{", {}, 400, "InvalidRequestContentException", {"Type": "User", "message": NO_JSON}),
        ("function", b"\xff", {}, 400, "InvalidRequestContentException", {"Type": "User", "message": NO_JSON}),
        (
            "function",
            b"x" * 6291457,
            {},
            413,
            "RequestEntityTooLargeException",
            {"Type": "User", "Message": TOO_LARGE},
        ),
        (
            "function",
            b"x" * 1048577,
            {"X-Amz-Invocation-Type": "Event"},
            413,
            "RequestEntityTooLargeException",
            {"Type": "User", "Message": TOO_LARGE_EVENT},
        ),
        (
            "function",
            b"{}",
            {"X-Amz-Client-Context": "{}"},
            400,
            "InvalidRequestContentException",
            {"Type": "User", "message": NO_CONTEXT},
        ),
        (
            "function",
            b"{}",
            {"X-Amz-Client-Context": base64.b64encode(b"[1]").decode()},
            400,
            "InvalidRequestContentException",
            {"Type": "User", "message": NO_CONTEXT},
        ),
        (
            "no%20good",
            b"{}",
            {},
            400,
            "ValidationException",
            {"message": "1 validation error detected: Value 'no good'"},
        ),
        (
            "function",
            b"{}",
            {"X-Amz-Invocation-Type": "Later"},
            400,
            "ValidationException",
            {"message": "1 validation error detected: Value 'Later' at 'invocationType'"},
        ),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_own_words(
    client: RawClient, name: str, body: bytes, headers: dict[str, str], status: int, code: str, document: dict[str, str]
) -> None:
    answer = client.call("POST", PATH.format(name), body, headers)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == document.keys()
    assert all(answer.json()[key].startswith(text) for key, text in document.items())
    assert client.call("POST", PATH.format("function"), b"{}").status == 200


def test_a_caller_that_hangs_up_does_not_stop_the_function(client: RawClient, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    event = json.dumps({"sleep": 0.2, "mark": str(mark)}).encode()
    head = f"POST {PATH.format('function')} HTTP/1.1\r\nHost: t\r\nContent-Length: {len(event)}\r\n\r\n"
    client.send(head.encode() + event)
    client.close()
    deadline_s = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert mark.exists()


def test_the_configuration_can_be_read(client: RawClient) -> None:
    answer = client.call("GET", "/2015-03-31/functions/function/configuration")
    assert (answer.status, answer.json()["FunctionArn"][-8:], answer.json()["Timeout"]) == (200, "function", 20)
    assert client.call("GET", "/2015-03-31/functions/other").status == 404
    assert client.call("GET", "/2015-03-31/nothing").status == 404


# --- boto3 ------------------------------------------------------------------------------------------------------


@pytest.fixture
def boto(service: LocalLambda) -> Iterator[Any]:
    client = boto3.client(
        "lambda",
        endpoint_url=service.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


def test_boto3_invokes_unchanged(boto: Any) -> None:
    response = boto.invoke(
        FunctionName="function",
        Payload=json.dumps({"a": 1}),
        LogType="Tail",
        ClientContext=base64.b64encode(b'{"custom":{}}').decode(),
        Qualifier="$LATEST",
    )
    payload = json.loads(response["Payload"].read())
    assert payload["event"] == {"a": 1}
    assert (response["StatusCode"], response["ExecutedVersion"], "FunctionError" in response) == (200, "$LATEST", False)
    assert base64.b64decode(response["LogResult"]).startswith(b"START RequestId: ")
    request_id = response["ResponseMetadata"]["RequestId"]
    assert request_id == payload["headers"]["lambda-runtime-aws-request-id"]


def test_boto3_sees_a_function_error(boto: Any) -> None:
    response = boto.invoke(FunctionName="function", Payload=b'{"fail":1}')
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert json.loads(response["Payload"].read())["errorType"] == "E"


def test_boto3_sends_events_and_dry_runs(boto: Any) -> None:
    assert boto.invoke(FunctionName="function", InvocationType="Event")["StatusCode"] == 202
    assert boto.invoke(FunctionName="function", InvocationType="DryRun")["StatusCode"] == 204


def test_boto3_raises_its_own_exceptions(boto: Any) -> None:
    with pytest.raises(boto.exceptions.ResourceNotFoundException, match="Function not found: arn:aws"):
        boto.invoke(FunctionName="other")
    with pytest.raises(boto.exceptions.InvalidRequestContentException):
        boto.invoke(FunctionName="function", Payload=b"{")
    with pytest.raises(ClientError) as refused:
        boto.invoke(FunctionName="function", Payload=b'"' + b"x" * 7_000_000 + b'"')
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_boto3_reads_the_configuration(boto: Any) -> None:
    assert boto.get_function(FunctionName="function")["Configuration"]["Handler"] == "function.handler"
    assert boto.get_function_configuration(FunctionName="function")["MemorySize"] == 128


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/octet-stream", 200),
        ("application/x-amz-json-1.0", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
    ],
)
@pytest.mark.parametrize("path", [PATH, "/2021-11-15/functions/{}/response-streaming-invocations"])
def test_a_body_that_is_declared_as_something_else_is_refused(
    client: RawClient, path: str, content_type: str, status: int
) -> None:
    answer = client.call("POST", path.format("function"), b"{}", {"Content-Type": content_type})
    assert answer.status == status
    if status == 415:
        assert answer.headers["x-amzn-errortype"] == "UnsupportedMediaTypeException"
        assert answer.json() == {"Type": "User", "message": f"Unsupported content type: {content_type}"}
