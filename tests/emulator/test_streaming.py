"""Streamed responses from the function's first byte to the caller's last, with our runtime and with raw programs."""

import base64
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lambda_emulator import FunctionConfiguration, InvalidPrelude, LocalLambda, StreamFailure, ValidationFailed
from tests.emulator.conftest import MakeFunction
from tests.emulator.raw_client import RawClient

Start = Callable[..., LocalLambda]
MakePython = Callable[..., FunctionConfiguration]

# A stream whose chunks a program decides one by one.
RAW_STREAM = """
    import base64, json, os, socket, time
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")

    def stream(request_id, *chunks, trailers=b"", end=True):
        connection = socket.create_connection((host, int(port)))
        connection.sendall(
            f"POST {ROOT}/invocation/{request_id}/response HTTP/1.1\\r\\nHost: t\\r\\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n".encode()
        )
        for chunk in chunks:
            connection.sendall(b"%x\\r\\n%b\\r\\n" % (len(chunk), chunk))
        if end:
            connection.sendall(b"0\\r\\n" + trailers + b"\\r\\n")
            status = connection.recv(4096).split()[1].decode()
            print("stream answered", status, flush=True)
        return connection
"""


@pytest.fixture
def make_python(task_root: Path) -> MakePython:
    """A module that our own bootstrap runs."""

    def make(module: str, **fields: Any) -> FunctionConfiguration:
        (task_root / "app.py").write_text(module)
        settings: dict[str, Any] = {"handler": "app.handler", "task_root": task_root, "timeout_s": 30, "memory_mb": 256}
        return FunctionConfiguration(**(settings | fields))

    return make


def boto_client(service: LocalLambda) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=service.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def boto() -> Iterator[Callable[[LocalLambda], Any]]:
    clients = []

    def make(service: LocalLambda) -> Any:
        clients.append(boto_client(service))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


# The function opens the gate only when the caller has closed it, and the caller does so with the first chunk in hand.
GATED = """
import os
import time


def handler(event, context):
    yield "first"
    while not os.path.exists(event["gate"]):
        time.sleep(0.005)
    yield "last"
"""


def test_the_first_chunk_arrives_before_the_last_is_produced(
    make_python: MakePython, start_lambda: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    service = start_lambda(make_python(GATED))
    with service.invoke_stream("function", {"gate": str(gate)}) as stream:
        assert next(stream) == b"first"
        gate.touch()
        assert stream.read() == b"last"
        assert stream.error is None
        assert (stream.content_type, stream.executed_version) == ("application/octet-stream", "$LATEST")
        assert stream.report.status == "success"
        assert stream.log.startswith(f"START RequestId: {stream.request_id} ")
        assert stream.init_log.startswith("INIT_START")
        assert stream.prelude is None


def test_boto3_reads_a_stream_live(
    make_python: MakePython, start_lambda: Start, tmp_path: Path, boto: Callable[[LocalLambda], Any]
) -> None:
    gate = tmp_path / "gate"
    client = boto(start_lambda(make_python(GATED)))
    payload = json.dumps({"gate": str(gate)})
    response = client.invoke_with_response_stream(FunctionName="function", Payload=payload, LogType="Tail")
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert response["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    events = iter(response["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"first"}}
    gate.touch()
    assert next(events) == {"PayloadChunk": {"Payload": b"last"}}
    (end,) = events
    log = base64.b64decode(end["InvokeComplete"].pop("LogResult")).decode()
    assert end == {"InvokeComplete": {}}  # botocore leaves out what is null
    assert log.startswith("START RequestId: ")
    assert "\nREPORT RequestId: " in log


def test_an_error_amid_the_stream_comes_with_the_last_message(
    make_python: MakePython, start_lambda: Start, boto: Callable[[LocalLambda], Any]
) -> None:
    module = "def handler(event, context):\n    yield 'begun'\n    raise ValueError('no more')\n"
    service = start_lambda(make_python(module))
    events = list(boto(service).invoke_with_response_stream(FunctionName="function")["EventStream"])
    assert events[0] == {"PayloadChunk": {"Payload": b"begun"}}
    complete = events[-1]["InvokeComplete"]
    assert complete["ErrorCode"] == "Function.ValueError"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "no more"
    with service.invoke_stream("function") as stream:
        before_the_end = stream.error
        assert stream.read() == b"begun"
        assert (before_the_end, stream.error is None) == (None, False)
        assert stream.error is not None
        assert stream.error.error_type == "Function.ValueError"
        assert json.loads(stream.error.document)["errorType"] == "ValueError"
        assert (stream.report.status, stream.report.error_type) == ("error", "Function.ValueError")
    collected = service.invoke("function")
    assert (collected.function_error, collected.json()["errorMessage"]) == ("Unhandled", "no more")


def test_an_error_before_the_first_chunk_has_no_chunks(
    make_python: MakePython, start_lambda: Start, boto: Callable[[LocalLambda], Any]
) -> None:
    module = "def handler(event, context):\n    raise ValueError('early')\n    yield\n"
    service = start_lambda(make_python(module))
    (end,) = boto(service).invoke_with_response_stream(FunctionName="function")["EventStream"]
    assert end["InvokeComplete"]["ErrorCode"] == "Function.ValueError"
    assert json.loads(end["InvokeComplete"]["ErrorDetails"])["errorMessage"] == "early"
    with service.invoke_stream("function") as stream:
        assert list(stream) == []
        assert stream.error is not None
        assert stream.error.error_type == "Function.ValueError"


def test_a_function_that_does_not_stream_gives_one_chunk(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("serve(lambda body: body)"))
    with service.invoke_stream("function", [1]) as stream:
        assert list(stream) == [b"[1]"]
        assert (stream.error, stream.content_type) == (None, "application/json")


def test_a_plain_caller_gets_a_stream_in_one_piece(make_python: MakePython, start_lambda: Start) -> None:
    module = "def handler(event, context):\n    for _ in range(event['n']):\n        yield bytes(1 << 20)\n"
    service = start_lambda(make_python(module))
    fits, over = service.invoke("function", {"n": 6}), service.invoke("function", {"n": 200})
    assert (fits.function_error, len(fits.payload)) == (None, 6 << 20)
    assert over.json() == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert over.report.error_type == "Function.ResponseSizeTooLarge"
    assert service.invoke("function", {"n": 1}).init_log == ""  # the process has survived it


def test_an_http_response_has_a_prelude(make_python: MakePython, start_lambda: Start) -> None:
    module = (
        "from runtime import StreamingResponse\n"
        "def handler(event, context):\n"
        "    return StreamingResponse(iter([b'pay', b'load']), status_code=201, headers={'A': 'b'}, cookies=['c=d'])\n"
    )
    service = start_lambda(make_python(module))
    for prelude_first in (True, False):
        with service.invoke_stream("function") as stream:
            if prelude_first:
                assert stream.prelude is not None
            assert stream.read() == b"payload"
            assert stream.prelude is not None
            assert (stream.prelude.status_code, stream.prelude.headers["A"]) == (201, "b")
            assert stream.prelude.cookies == ("c=d",)


def test_a_broken_prelude_is_the_readers_error(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        request_id, body, _ = next_event()
        respond(request_id, b"no prelude", {"Content-Type": "application/vnd.awslambda.http-integration-response"})
        serve(lambda body: body)
    """
    with start_lambda(make_function(program)).invoke_stream("function") as stream, pytest.raises(InvalidPrelude):
        next(stream)


def test_a_slow_consumer_stops_the_producer(make_function: MakeFunction, start_lambda: Start, tmp_path: Path) -> None:
    program = (
        RAW_STREAM
        + f"""
    request_id, body, _ = next_event()
    connection = stream(request_id, end=False)
    connection.settimeout(0.3)
    sent = 0
    chunk = b"10000\\r\\n" + bytes(0x10000) + b"\\r\\n"
    try:
        while sent < 1000:
            view = memoryview(chunk)
            while view:
                view = view[connection.send(view):]
            sent += 1
    except TimeoutError:
        pass
    with open({str(tmp_path / "stuck")!r}, "w") as file:
        file.write(str(sent))
    connection.settimeout(None)
    connection.sendall(view)
    connection.sendall(b"3\\r\\nend\\r\\n0\\r\\n\\r\\n")
    connection.recv(4096)
    serve(lambda body: body)
    """
    )
    service = start_lambda(make_function(program))
    with service.invoke_stream("function") as stream:
        stuck = wait_for(tmp_path / "stuck")
        assert int(stuck) * 0x10000 < 16 << 20  # what sockets and buffers hold, and no more
        rest = stream.read()
        assert (len(rest), rest[-3:], stream.error) == ((int(stuck) + 1) * 0x10000 + 3, b"end", None)


def wait_for(path: Path) -> str:
    """Until a file has something in it."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.005)
    raise AssertionError(f"{path.name} was not written")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_two_hundred_megabytes_pass_in_flat_memory(make_python: MakePython, start_lambda: Start) -> None:
    module = "def handler(event, context):\n    for _ in range(200):\n        yield bytes(1 << 20)\n"
    service = start_lambda(make_python(module, timeout_s=60))
    service.endpoint_url
    before = resident_bytes()
    most = total = 0
    with service.invoke_stream("function") as stream:
        for chunk in stream:
            total += len(chunk)
            most = max(most, resident_bytes())
        assert (total, stream.error) == (200 << 20, None)
        assert stream.report.max_memory_mb < 100
    assert most - before < 40 << 20


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_one_byte_more_than_two_hundred_mebibytes_is_too_much(make_function: MakeFunction, start_lambda: Start) -> None:
    program = (
        RAW_STREAM
        + """
    request_id, body, _ = next_event()
    stream(request_id, *[bytes(1 << 20)] * 200, b"1")
    serve(lambda body: body)
    """
    )
    service = start_lambda(make_function(program, memory_mb=512, timeout_s=60))
    with service.invoke_stream("function") as stream:
        assert sum(map(len, stream)) == 200 << 20
        assert stream.error is not None
        assert stream.error.error_type == "Function.ResponseSizeTooLarge"
        assert b"(209715200 bytes)" in stream.error.document
        assert "stream answered 413\n" in stream.log
    assert service.invoke("function", 1).json() == 1


def test_a_runtime_that_breaks_off_has_truncated_its_response(
    make_function: MakeFunction, start_lambda: Start, boto: Callable[[LocalLambda], Any]
) -> None:
    program = (
        RAW_STREAM
        + """
    for _ in range(2):
        request_id, body, _ = next_event()
        connection = stream(request_id, b"half of", end=False)
        connection.shutdown(socket.SHUT_WR)
        print("stream answered", connection.recv(4096).split()[1].decode(), flush=True)
    serve(lambda body: body)
    """
    )
    service = start_lambda(make_function(program))
    with service.invoke_stream("function") as stream:
        assert stream.read() == b"half of"
        assert stream.error is not None
        assert stream.error.error_type == "Runtime.TruncatedResponse"
        assert "stream answered 400\n" in stream.log
    *_, end = boto(service).invoke_with_response_stream(FunctionName="function")["EventStream"]
    assert end["InvokeComplete"]["ErrorCode"] == "Runtime.TruncatedResponse"
    assert service.invoke("function", 1).json() == 1


def test_bytes_that_are_no_http_truncate_it_as_well(make_function: MakeFunction, start_lambda: Start) -> None:
    program = (
        RAW_STREAM
        + """
    request_id, body, _ = next_event()
    connection = stream(request_id, b"fine", end=False)
    connection.sendall(b"nonsense\\r\\n")
    print("answered", connection.recv(4096).split()[1], flush=True)
    serve(lambda body: body)
    """
    )
    service = start_lambda(make_function(program))
    with service.invoke_stream("function") as stream:
        assert stream.read() == b"fine"
        assert stream.error is not None
        assert stream.error.error_type == "Runtime.TruncatedResponse"
        assert "answered b'400'" in stream.log


def test_a_process_that_dies_amid_its_stream_has_truncated_it(make_function: MakeFunction, start_lambda: Start) -> None:
    program = (
        RAW_STREAM
        + """
    request_id, body, _ = next_event()
    connection = stream(request_id, b"half", end=False)
    os._exit(3)
    """
    )
    with start_lambda(make_function(program)).invoke_stream("function") as stream:
        assert stream.read() == b"half"
        assert stream.error is not None
        assert stream.error.error_type == "Runtime.TruncatedResponse"
        assert stream.report.error_type == "Runtime.ExitError"


def test_a_timeout_amid_the_stream_ends_it(make_function: MakeFunction, start_lambda: Start) -> None:
    program = (
        RAW_STREAM
        + """
    request_id, body, _ = next_event()
    connection = stream(request_id, b"begun", end=False)
    time.sleep(600)
    """
    )
    with start_lambda(make_function(program, timeout_s=1)).invoke_stream("function") as stream:
        assert stream.read() == b"begun"
        assert stream.error is not None
        assert stream.error.error_type == "Sandbox.Timedout"
        message = f"RequestId: {stream.request_id} Error: Task timed out after 1.00 seconds"
        assert json.loads(stream.error.document)["errorMessage"] == message
        assert stream.report.status == "timeout"


TYPE_TRAILER = b"Lambda-Runtime-Function-Error-Type: Function.Odd\\r\\n"


@pytest.mark.parametrize(
    ("trailers", "error"),
    [
        (
            TYPE_TRAILER + b"Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\\r\\n",
            StreamFailure(error_type="Function.Odd", document=b'{"a":1}'),
        ),
        (b"Lambda-Runtime-Function-Error-Type: odd\\r\\n", StreamFailure(error_type="Runtime.Unknown")),
        (
            TYPE_TRAILER + b"Lambda-Runtime-Function-Error-Body: !\\r\\n",
            StreamFailure(error_type="Function.Odd"),
        ),
        (b"X-Other: 1\\r\\n", None),
    ],
)
def test_trailers_say_what_went_wrong(
    make_function: MakeFunction, start_lambda: Start, trailers: bytes, error: StreamFailure | None
) -> None:
    program = (
        RAW_STREAM
        + f"""
    request_id, body, _ = next_event()
    stream(request_id, b"data", trailers=b"{trailers.decode()}")
    serve(lambda body: body)
    """
    )
    with start_lambda(make_function(program)).invoke_stream("function") as stream:
        assert stream.read() == b"data"
        assert stream.error == error
        assert "stream answered 202\n" in stream.log


def test_a_consumer_that_leaves_does_not_stop_the_function(
    make_python: MakePython, start_lambda: Start, tmp_path: Path, boto: Callable[[LocalLambda], Any]
) -> None:
    module = (
        "import os\n"
        "def handler(event, context):\n"
        "    for _ in range(50):\n"
        "        yield bytes(1 << 20)\n"
        "    with open(event['done'], 'w') as file:\n"
        "        file.write(str(os.getpid()))\n"
    )
    service = start_lambda(make_python(module))
    with service.invoke_stream("function", {"done": str(tmp_path / "first")}) as stream:
        next(stream)
    first = wait_for(tmp_path / "first")
    assert stream.report.status == "success"
    payload = json.dumps({"done": str(tmp_path / "second")})
    response = boto(service).invoke_with_response_stream(FunctionName="function", Payload=payload)
    next(iter(response["EventStream"]))
    response["EventStream"].close()
    assert wait_for(tmp_path / "second") == first  # the same process


def test_closing_the_service_ends_a_stream(make_function: MakeFunction, start_lambda: Start) -> None:
    program = (
        RAW_STREAM
        + """
    request_id, body, _ = next_event()
    connection = stream(request_id, b"begun", end=False)
    time.sleep(600)
    """
    )
    service = start_lambda(make_function(program))
    with service.invoke_stream("function") as stream:
        assert next(stream) == b"begun"
        service.close()


def test_the_bandwidth_may_be_limited(make_python: MakePython, start_lambda: Start) -> None:
    module = "def handler(event, context):\n    for _ in range(8):\n        yield bytes(1 << 20)\n"
    service = start_lambda(make_python(module, stream_bytes_per_s=4 << 20))
    service.invoke_stream("function").read()
    began_s = time.monotonic()
    with service.invoke_stream("function") as stream:
        assert len(stream.read()) == 8 << 20
    assert time.monotonic() - began_s > 0.37  # two of eight are over the burst of six


def test_the_wire_has_its_head_and_frames_in_chunks(make_python: MakePython, start_lambda: Start) -> None:
    service = start_lambda(make_python("def handler(event, context):\n    yield b'data'\n"))
    path = "/2021-11-15/functions/function/response-streaming-invocations"
    with RawClient(service.endpoint_url) as client:
        answer = client.call("POST", path, b"{}", {"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793"})
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
        assert answer.headers["x-amz-executed-version"] == "$LATEST"
        assert "x-amzn-trace-id" in answer.headers
        assert len(answer.chunk_sizes) == 2
        dry = client.call("POST", path, b"{}", {"X-Amz-Invocation-Type": "DryRun"})
        assert (dry.status, dry.body) == (204, b"")
        event = client.call("POST", path, b"{}", {"X-Amz-Invocation-Type": "Event"})
        assert (event.status, event.headers["x-amzn-errortype"]) == (400, "ValidationException")
        missing = client.call("POST", path.replace("/function/", "/other/"), b"{}")
        assert missing.status == 404


def test_what_invoke_refuses_a_stream_is_refused_too(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("serve(lambda body: body)"))
    with pytest.raises(ValidationFailed):
        service.invoke_stream("no good")


# --- managed instances ----------------------------------------------------------------------------------------------


def test_several_streams_are_open_at_once_on_a_managed_instance(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    program = (
        RAW_STREAM
        + """
    first, _, _ = next_event()
    connection = stream(first, b"one", end=False)
    second, _, _ = next_event()
    stream(second, b"two")
    connection.sendall(b"3\\r\\nend\\r\\n0\\r\\n\\r\\n")
    connection.recv(4096)
    serve(lambda body: body)
    """
    )
    service = start_lambda(make_function(program, max_concurrency=2))
    with service.invoke_stream("function") as one:
        assert next(one) == b"one"
        with service.invoke_stream("function") as two:
            assert two.read() == b"two"
        assert one.read() == b"end"
        assert one.error is None
        assert one.report.status == "success"


def test_a_worker_may_end_its_stream_by_an_error(
    make_function: MakeFunction, start_lambda: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    program = (
        RAW_STREAM
        + f"""
    request_id, body, _ = next_event()
    connection = stream(request_id, b"begun", end=False)
    while not os.path.exists({str(gate)!r}):
        time.sleep(0.005)
    fail(request_id, b'{{"errorMessage":"no"}}', {{"Lambda-Runtime-Function-Error-Type": "Function.Odd"}})
    serve(lambda body: body)
    """
    )
    service = start_lambda(make_function(program, max_concurrency=2))
    with service.invoke_stream("function") as stream:
        assert next(stream) == b"begun"
        gate.touch()
        assert stream.read() == b""
        assert stream.error == StreamFailure(error_type="Function.Odd", document=b'{"errorMessage":"no"}')
        assert stream.report.error_type == "Function.Odd"


@pytest.mark.parametrize("end", ["time.sleep(600)", "os._exit(3)"])
def test_a_stream_of_a_managed_instance_may_be_cut(make_function: MakeFunction, start_lambda: Start, end: str) -> None:
    program = (
        RAW_STREAM
        + f"""
    request_id, body, _ = next_event()
    connection = stream(request_id, b"begun", end=False)
    {end}
    """
    )
    service = start_lambda(make_function(program, max_concurrency=2, timeout_s=1))
    with service.invoke_stream("function") as stream:
        assert stream.read() == b"begun"
        assert stream.error is not None
        assert stream.error.error_type in ("Sandbox.Timedout", "Runtime.TruncatedResponse")
        assert stream.report.status in ("timeout", "error")
