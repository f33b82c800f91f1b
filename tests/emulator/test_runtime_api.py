"""The Runtime API over real sockets: every status, body and header that a runtime may meet."""

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator

import pytest

from lambda_emulator.happenings import Answered, InitFailed, Ready, RestoreFailed, RestoreWanted
from lambda_emulator.sessions import ConcurrentSession, SingleSession
from runtime import protocol
from tests.emulator.api_under_test import ApiUnderTest, delivery
from tests.emulator.raw_client import RawAnswer, RawClient, request_bytes

LIMIT = 6 * 1024 * 1024 + 100
STREAMING = {"Lambda-Runtime-Function-Response-Mode": "streaming"}


def refusal(status: int, error_type: str, message: str) -> tuple[int, str, bytes]:
    body = json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":"))
    return status, "application/json", body.encode() + b"\n"


OK = (202, "application/json", b'{"status":"OK"}\n')
INVALID_ID = refusal(400, "InvalidRequestID", "Invalid request ID")
INVALID_MODE = refusal(400, "InvalidFunctionResponseMode", "Invalid function response mode")
TRUNCATED = refusal(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
TOO_LARGE = refusal(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes).")
STALE = refusal(410, "InvokeTimeout", "Invoke timeout")


def forbidden(before: str, tried: str) -> tuple[int, str, bytes]:
    return refusal(
        403,
        "InvalidStateTransition",
        f"State transition from {before} to {tried} failed for runtime. Error: State transition is not allowed",
    )


def seen(answer: RawAnswer) -> tuple[int, str, bytes]:
    return answer.status, answer.headers.get("content-type", ""), answer.body


def response_path(request_id: str = "id-1") -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/response"


def error_path(request_id: str = "id-1") -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/error"


def chunked(path: str, *chunks: bytes, headers: dict[str, str] | None = None, trailers: str = "") -> bytes:
    extra = {"Transfer-Encoding": "chunked", **STREAMING, **(headers or {})}
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: test", *(f"{k}: {v}" for k, v in extra.items()), "", ""])
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head.encode() + body + b"0\r\n" + trailers.encode() + b"\r\n"


@pytest.fixture
def api() -> Iterator[ApiUnderTest]:
    with ApiUnderTest() as under_test:
        yield under_test


@pytest.fixture
def client(api: ApiUnderTest) -> RawClient:
    return api.client()


@pytest.fixture
def running(api: ApiUnderTest, client: RawClient) -> RawClient:
    """A client that has taken an event."""
    api.next_event(client)
    return client


# --- /next ------------------------------------------------------------------------------------------------------


def test_an_event_arrives_with_all_its_headers(api: ApiUnderTest, client: RawClient) -> None:
    request_id, nonce = str(uuid.uuid4()), str(uuid.uuid4())
    event = delivery(
        request_id,
        b'{"a":1}',
        nonce,
        trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        client_context='{"custom":{"a":"\u00e9"}}',
        cognito_identity='{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
        tenant_id="tenant-1",
    )
    answer = api.next_event(client, event)
    assert answer.status == 200
    assert answer.body == b'{"a":1}'
    assert answer.headers["content-length"] == "7"
    expected = {
        "Lambda-Runtime-Aws-Request-Id": request_id,
        "Lambda-Runtime-Deadline-Ms": "1900000000000",
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        "Lambda-Runtime-Client-Context": '{"custom":{"a":"\u00e9"}}'.encode().decode("latin-1"),
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
        "Lambda-Runtime-Aws-Tenant-Id": "tenant-1",
        "Lambda-Runtime-Invocation-Id": nonce,
        "Content-Type": "application/json",
    }
    assert {name: answer.headers[name.lower()] for name in answer.names if name.lower() != "content-length"} == expected


def test_headers_without_a_value_are_left_out(api: ApiUnderTest, client: RawClient) -> None:
    answer = api.next_event(client, delivery(client_context="", trace_header=None))
    assert not {"lambda-runtime-client-context", "lambda-runtime-trace-id"} & answer.headers.keys()


def test_line_ends_in_a_client_context_become_blanks(api: ApiUnderTest, client: RawClient) -> None:
    answer = api.next_event(client, delivery(client_context='{\r\n "custom": {}\n}\n'))
    assert json.loads(answer.headers["lambda-runtime-client-context"]) == {"custom": {}}


@pytest.mark.parametrize("size", [0, 1, 2047, 2048])
def test_a_small_event_comes_with_its_length(api: ApiUnderTest, client: RawClient, size: int) -> None:
    answer = api.next_event(client, delivery(payload=b"x" * size))
    assert answer.headers["content-length"] == str(size)
    assert answer.body == b"x" * size


@pytest.mark.parametrize("size", [2049, 100_000, 6 * 1024 * 1024])
def test_a_large_event_comes_in_chunks(api: ApiUnderTest, client: RawClient, size: int) -> None:
    payload = (b"0123456789" * (size // 10 + 1))[:size]
    answer = api.next_event(client, delivery(payload=payload))
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == payload
    assert len(answer.chunk_sizes) == -(-size // (32 * 1024))


def test_a_repeated_next_while_running_delivers_the_same_event(api: ApiUnderTest, client: RawClient) -> None:
    first = api.next_event(client, delivery(payload=b'{"n":1}'))
    assert client.call("GET", protocol.NEXT) == first
    assert api.client().call("GET", protocol.NEXT) == first


def test_next_waits_while_there_is_no_event_and_may_be_repeated(api: ApiUnderTest) -> None:
    first, second = api.client(), api.client()
    first.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Ready)
    second.send(request_bytes("GET", protocol.NEXT))
    api.client().call("GET", protocol.PING)  # a round trip later both are waiting, and only one was news
    assert api.happenings.empty()
    api.deliver(delivery())
    assert first.answer().status == second.answer().status == 200


def test_a_client_that_leaves_while_it_waits_does_not_take_the_event_along(api: ApiUnderTest) -> None:
    leaving = api.client()
    leaving.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Ready)
    leaving.close()
    api.awaited(lambda: api.api.server.settle(10))
    staying = api.client()
    staying.send(request_bytes("GET", protocol.NEXT))
    api.deliver(delivery())
    assert staying.answer().headers["lambda-runtime-aws-request-id"] == "id-1"


# --- /response ---------------------------------------------------------------------------------------------------


def test_the_caller_is_answered_at_response_and_the_invocation_ends_at_next(
    api: ApiUnderTest, running: RawClient
) -> None:
    assert seen(running.call("POST", response_path(), b'{"ok":true}')) == OK
    answered = api.answered()
    assert (answered.request_id, answered.answer.payload) == ("id-1", b'{"ok":true}')
    assert not answered.answer.failed
    assert api.happenings.empty()
    running.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Ready)


def test_a_response_and_the_following_next_may_leave_in_one_write(api: ApiUnderTest, running: RawClient) -> None:
    post = request_bytes("POST", response_path(), b"1", {"Lambda-Runtime-Invocation-Id": "nonce-1"})
    running.send(post + request_bytes("GET", protocol.NEXT))
    assert seen(running.answer()) == OK
    assert isinstance(api.happening(), Answered)
    assert isinstance(api.happening(), Ready)
    api.deliver(delivery("id-2", b"2", "nonce-2"))
    assert running.answer().body == b"2"


@pytest.mark.parametrize("path", [response_path("other"), error_path("other")])
def test_a_wrong_request_id_is_refused_and_changes_nothing(api: ApiUnderTest, running: RawClient, path: str) -> None:
    assert seen(running.call("POST", path, b"1")) == INVALID_ID
    assert seen(running.call("POST", response_path(), b"1")) == OK


def test_an_answer_before_any_event_is_refused_for_its_id(client: RawClient) -> None:
    assert seen(client.call("POST", response_path(), b"1")) == INVALID_ID


def test_a_second_response_is_refused_by_state_and_after_completion_by_id(
    api: ApiUnderTest, running: RawClient
) -> None:
    running.call("POST", response_path(), b"1")
    again = forbidden("RuntimeResponseSentState", "InvocationResponse")
    assert seen(running.call("POST", response_path(), b"2")) == again
    as_error = forbidden("RuntimeResponseSentState", "InvocationErrorResponse")
    assert seen(running.call("POST", error_path(), b"{}")) == as_error
    waiting = api.client()
    waiting.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Answered)
    assert isinstance(api.happening(), Ready)
    assert seen(running.call("POST", response_path(), b"2")) == INVALID_ID


def test_the_id_is_checked_before_the_state_and_the_state_before_the_mode(running: RawClient) -> None:
    mode = {"Lambda-Runtime-Function-Response-Mode": "buffered"}
    assert seen(running.call("POST", response_path("other"), b"1", mode)) == INVALID_ID
    assert seen(running.call("POST", response_path(), b"1")) == OK
    after = forbidden("RuntimeResponseSentState", "InvocationResponse")
    assert seen(running.call("POST", response_path(), b"1", mode)) == after


def test_the_mode_is_checked_before_the_size(running: RawClient) -> None:
    mode = {"Lambda-Runtime-Function-Response-Mode": "Streaming"}
    assert seen(running.call("POST", response_path(), b"x" * (LIMIT + 1), mode)) == INVALID_MODE


@pytest.mark.parametrize("mode", ["buffered", "Streaming", "streaming,streaming"])
def test_an_invalid_mode_is_a_trap_without_a_way_out(api: ApiUnderTest, running: RawClient, mode: str) -> None:
    answer = running.call("POST", response_path(), b"1", {"Lambda-Runtime-Function-Response-Mode": mode})
    assert seen(answer) == INVALID_MODE
    given = api.answered().answer
    assert (given.payload, given.failed, given.error_type) == (b"", True, "Runtime.InvalidResponseModeHeader")
    assert seen(running.call("GET", protocol.NEXT)) == forbidden("InvocationResponse", "Ready")
    assert seen(running.call("POST", error_path(), b"{}")) == forbidden("InvocationResponse", "InvocationErrorResponse")


def test_a_response_of_the_limit_is_taken(api: ApiUnderTest, running: RawClient) -> None:
    assert seen(running.call("POST", response_path(), b"x" * LIMIT)) == OK
    assert len(api.answered().answer.payload) == LIMIT


@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT + 1024 * 1024])
def test_a_larger_response_is_refused_and_the_runtime_may_go_on(
    api: ApiUnderTest, running: RawClient, size: int
) -> None:
    assert seen(running.call("POST", response_path(), b"x" * size)) == TOO_LARGE
    given = api.answered().answer
    assert given.failed
    assert given.payload == (
        b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum '
        b'allowed payload size (6291556 bytes)."}'
    )
    running.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Ready)


def test_a_wrong_nonce_is_gone_and_the_event_is_still_there(api: ApiUnderTest, running: RawClient) -> None:
    stale = {"Lambda-Runtime-Invocation-Id": "nonce-0"}
    assert seen(running.call("POST", response_path(), b"late", stale)) == STALE
    assert seen(running.call("POST", error_path(), b"late", stale)) == STALE
    assert api.happenings.empty()
    assert running.call("GET", protocol.NEXT).headers["lambda-runtime-invocation-id"] == "nonce-1"
    assert seen(running.call("POST", response_path(), b"1", {"Lambda-Runtime-Invocation-Id": "nonce-1"})) == OK


@pytest.mark.parametrize("headers", [{}, {"Lambda-Runtime-Invocation-Id": ""}])
def test_a_missing_nonce_is_an_older_client(running: RawClient, headers: dict[str, str]) -> None:
    assert seen(running.call("POST", response_path(), b"1", headers)) == OK


# --- streamed responses -----------------------------------------------------------------------------------------


def test_a_streamed_response_is_collected(api: ApiUnderTest, running: RawClient) -> None:
    running.send(chunked(response_path(), b"abc", b"def"))
    assert seen(running.answer()) == OK
    assert api.answered().answer.payload == b"abcdef"


def test_an_error_in_mid_stream_comes_as_trailers_and_is_accepted(api: ApiUnderTest, running: RawClient) -> None:
    document = b'{"errorMessage":"half way","errorType":"ValueError"}'
    trailers = (
        "Lambda-Runtime-Function-Error-Type: Function.ValueError\r\n"
        f"Lambda-Runtime-Function-Error-Body: {base64.b64encode(document).decode()}\r\n"
    )
    running.send(chunked(response_path(), b"abc", trailers=trailers))
    assert seen(running.answer()) == OK
    given = api.answered().answer
    assert (given.payload, given.failed, given.error_type) == (document, True, "Function.ValueError")


def test_a_trailer_that_is_no_base64_loses_only_its_details(api: ApiUnderTest, running: RawClient) -> None:
    trailers = "lambda-runtime-function-error-body: {no base64}\r\n"
    running.send(chunked(response_path(), b"abc", trailers=trailers))
    assert seen(running.answer()) == OK
    given = api.answered().answer
    assert (given.payload, given.failed, given.error_type) == (b"abc", True, "Runtime.Unknown")


@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "Content-Length: 100"])
def test_a_connection_that_ends_inside_the_body_is_truncated(
    api: ApiUnderTest, running: RawClient, framing: str
) -> None:
    running.send(f"POST {response_path()} HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n5\r\nabcde\r\n".encode())
    running.finish_sending()
    assert seen(running.answer()) == TRUNCATED
    assert running.at_end()
    given = api.answered().answer
    assert (given.failed, given.error_type) == (True, "Runtime.TruncatedResponse")
    following = api.client()
    following.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Ready)


def test_a_streamed_response_over_the_limit_is_refused(api: ApiUnderTest, running: RawClient) -> None:
    running.send(chunked(response_path(), *[b"x" * 1024 * 1024] * 7))
    assert seen(running.answer()) == TOO_LARGE
    assert api.answered().answer.error_type == "Function.ResponseSizeTooLarge"


# --- /error -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type"), [(b'{"errorMessage":"m"}', "application/json"), (b"no json \xff", "text/plain")]
)
def test_an_error_reaches_the_caller_verbatim(
    api: ApiUnderTest, running: RawClient, body: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type, "Lambda-Runtime-Function-Error-Type": "Function.ValueError"}
    assert seen(running.call("POST", error_path(), body, headers)) == OK
    given = api.answered().answer
    assert (given.payload, given.content_type, given.failed) == (body, content_type, True)
    assert given.error_type == "Function.ValueError"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Function.ValueError", "Function.ValueError"),
        ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
        ("my Runtime.Thing, really", "my Runtime.Thing, really"),
        ("Function.lower", "Function.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        ("Runtime.", "Runtime.Unknown"),
        (None, "Runtime.Unknown"),
    ],
)
def test_the_error_type_is_read_as_the_platform_reads_it(
    api: ApiUnderTest, running: RawClient, sent: str | None, kept: str
) -> None:
    running.call("POST", error_path(), b"{}", {"Lambda-Runtime-Function-Error-Type": sent} if sent else None)
    assert api.answered().answer.error_type == kept


def test_an_error_with_its_cause_inside_is_split(api: ApiUnderTest, running: RawClient) -> None:
    document = {
        "errorMessage": "m",
        "errorType": "T",
        "stackTrace": ["s"],
        "errorCause": {"message": "why", "exceptions": []},
    }
    headers = {"Content-Type": "application/vnd.aws.lambda.error.cause+json"}
    running.call("POST", error_path(), json.dumps(document).encode(), headers)
    given = api.answered().answer
    assert given.content_type == "application/json"
    assert json.loads(given.payload) == {"errorMessage": "m", "errorType": "T", "stackTrace": ["s"]}
    assert json.loads(given.xray_cause or "") == {"message": "why", "exceptions": []}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_an_error_with_cause_that_cannot_be_read_becomes_a_text(
    api: ApiUnderTest, running: RawClient, body: bytes
) -> None:
    running.call("POST", error_path(), body, {"Content-Type": "application/vnd.aws.lambda.error.cause+json"})
    given = api.answered().answer
    assert (given.payload, given.content_type) == (b"Invalid error body", "application/octet-stream")


def test_an_xray_cause_comes_along(api: ApiUnderTest, running: RawClient) -> None:
    cause = '{"working_directory": "/var/task", "exceptions": [], "paths": []}'
    running.call("POST", error_path(), b"{}", {"Lambda-Runtime-Function-XRay-Error-Cause": cause})
    assert api.answered().answer.xray_cause == '{"working_directory":"/var/task","exceptions":[],"paths":[]}'


def test_an_error_over_the_limit_is_refused(api: ApiUnderTest, running: RawClient) -> None:
    assert seen(running.call("POST", error_path(), b"x" * (LIMIT + 1))) == TOO_LARGE
    assert api.answered().answer.failed


def test_an_error_that_is_cut_off_is_truncated(api: ApiUnderTest, running: RawClient) -> None:
    running.send(f"POST {error_path()} HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n{{".encode())
    running.finish_sending()
    assert seen(running.answer()) == TRUNCATED
    assert api.answered().answer.error_type == "Runtime.TruncatedResponse"


# --- initialisation, restore, the rest ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b'{"errorType":"T"}', "application/json"), (b"no json", "application/octet-stream")],
)
def test_an_init_error_is_final(api: ApiUnderTest, client: RawClient, body: bytes, content_type: str) -> None:
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}
    assert seen(client.call("POST", protocol.INIT_ERROR, body, headers)) == OK
    happening = api.happening()
    assert isinstance(happening, InitFailed)
    assert (happening.answer.payload, happening.answer.content_type) == (body, content_type)
    assert happening.answer.error_type == "Runtime.ImportModuleError"
    assert seen(client.call("GET", protocol.NEXT)) == forbidden("InitError", "Ready")
    assert seen(client.call("POST", protocol.INIT_ERROR, body)) == forbidden("InitError", "InitError")


def test_an_init_error_after_the_first_next_is_refused(api: ApiUnderTest, client: RawClient) -> None:
    client.send(request_bytes("GET", protocol.NEXT))
    assert isinstance(api.happening(), Ready)
    assert seen(api.client().call("POST", protocol.INIT_ERROR, b"{}")) == forbidden("Ready", "InitError")


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/2018-06-01/ping", 200, b"pong"),
        ("GET", "/2018-06-01/runtime/restore/next", 404, b"404 page not found\n"),
        ("POST", "/2018-06-01/runtime/restore/error", 404, b"404 page not found\n"),
        ("GET", "/2018-06-01/runtime/nothing", 404, b"404 page not found\n"),
        ("GET", "/", 404, b"404 page not found\n"),
        ("POST", "/2018-06-01/runtime/invocation/next", 405, b""),
        ("GET", "/2018-06-01/runtime/invocation/x/response", 405, b""),
    ],
)
def test_other_paths_and_methods(client: RawClient, method: str, path: str, status: int, body: bytes) -> None:
    answer = client.call(method, path)
    assert (answer.status, answer.body) == (status, body)


def test_with_snap_start_a_runtime_is_restored_before_its_first_event() -> None:
    with ApiUnderTest(snap_start=True) as api:
        client = api.client()
        client.send(request_bytes("GET", protocol.RESTORE_NEXT))
        assert isinstance(api.happening(), RestoreWanted)
        api.on_loop(lambda: api.session.restored())
        restored = client.answer()
        assert (restored.status, restored.body) == (200, b"")
        assert api.next_event(client).status == 200
        assert seen(client.call("GET", protocol.RESTORE_NEXT)) == forbidden("Running", "RestoreReady")


@pytest.mark.parametrize("path", [protocol.RESTORE_ERROR, protocol.INIT_ERROR])
def test_with_snap_start_hooks_may_fail_after_the_restore(path: str) -> None:
    with ApiUnderTest(snap_start=True) as api:
        client = api.client()
        assert seen(client.call("POST", protocol.RESTORE_ERROR)) == forbidden("Started", "RuntimeRestoreErrorState")
        client.send(request_bytes("GET", protocol.RESTORE_NEXT))
        assert isinstance(api.happening(), RestoreWanted)
        api.on_loop(lambda: api.session.restored())
        client.answer()
        headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.AfterRestoreError"}
        assert seen(client.call("POST", path, b"{}", headers)) == OK
        happening = api.happening()
        assert isinstance(happening, RestoreFailed)
        assert happening.answer.error_type == "Runtime.AfterRestoreError"


def test_a_runtime_that_leaves_while_it_waits_for_the_restore_is_forgotten() -> None:
    with ApiUnderTest(snap_start=True) as api:
        client = api.client()
        client.send(request_bytes("GET", protocol.RESTORE_NEXT))
        assert isinstance(api.happening(), RestoreWanted)
        client.close()
        api.awaited(lambda: api.api.server.settle(10))
        assert seen(api.client().call("GET", protocol.NEXT)) == forbidden("RestoreReady", "Ready")


def test_the_first_user_agent_names_the_runtime(api: ApiUnderTest, client: RawClient) -> None:
    client.call("GET", protocol.PING, headers={"User-Agent": "aws-lambda-python/3.13.1-4.2.2 and more"})
    client.call("GET", protocol.PING, headers={"User-Agent": "other"})
    assert str(api.api.release) == "aws-lambda-python/3.13.1-4.2.2"
    client.call("GET", protocol.PING, headers={"Lambda-Runtime-Features": "a (b)"})
    client.call("GET", protocol.PING, headers={"Lambda-Runtime-Features": "c"})
    assert str(api.api.release) == "aws-lambda-python/3.13.1-4.2.2 (a b)"


def test_headers_of_more_than_a_mebibyte_are_refused(client: RawClient) -> None:
    answer = client.call("POST", error_path(), b"{}", {"Lambda-Runtime-Function-XRay-Error-Cause": "x" * 1024 * 1024})
    assert answer.status == 431


# --- both kinds of session ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SingleSession, ConcurrentSession])
def test_an_event_and_its_answer_look_alike_in_both_modes(kind: Callable[..., SingleSession]) -> None:
    with ApiUnderTest(kind) as api:
        client = api.client()
        event = api.next_event(client)
        assert re.fullmatch(r"\d+", event.headers["lambda-runtime-deadline-ms"])
        assert seen(client.call("POST", response_path(), b"1")) == OK
        assert api.answered().answer.payload == b"1"
