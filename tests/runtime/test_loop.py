"""Whatever a handler does, the loop has a defined outcome for it and goes on."""

import contextvars
import json
import sys
from pathlib import Path

import pytest

from runtime.environ import Settings
from runtime.errors import Terminated
from runtime.function import Function
from runtime.invocation import Invocation
from runtime.loop import run
from runtime.protocol import MAX_RESPONSE_BYTES
from tests.runtime.conftest import Outcome, Serve, Start
from tests.runtime.platform import Platform, event

ECHO = """
def handler(event, context):
    return event
"""


def error_of(outcome: Outcome, index: int = 0) -> dict[str, object]:
    """The error document posted as answer number `index`."""
    request = outcome.answers[index]
    assert request.path.endswith("/error"), request
    document: dict[str, object] = json.loads(request.body)
    return document


@pytest.mark.parametrize("entry", ["bootstrap", "module"])
def test_an_event_reaches_the_handler_and_its_result_the_platform(serve: Serve, entry: str) -> None:
    outcome = serve(ECHO, '{"name": "Zoë", "n": 1.5}'.encode(), entry=entry)
    (answer,) = outcome.answers
    assert answer.path == "/2018-06-01/runtime/invocation/id-1/response"
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == '{"name":"Zoë","n":1.5}'.encode()
    assert outcome.status == 0
    assert outcome.stderr == ""


def test_a_chunked_event_is_the_same_event(serve: Serve) -> None:
    body = json.dumps({"text": "x" * 50_000}).encode()
    outcome = serve(ECHO, event(body, chunked=True))
    assert json.loads(outcome.answers[0].body) == json.loads(body)


def test_all_invocations_use_one_connection(serve: Serve, platform: Platform) -> None:
    serve(ECHO, *[b"{}"] * 20)
    assert {request.connection for request in platform.requests} == {1}


def test_an_exception_is_posted_with_its_class_message_and_the_users_frames_only(serve: Serve) -> None:
    outcome = serve(
        """
        def inner():
            raise ValueError("bad order")
        def handler(event, context):
            inner()
        """,
        b"{}",
    )
    document = error_of(outcome)
    assert document["errorType"] == "ValueError"
    assert document["errorMessage"] == "bad order"
    assert document["requestId"] == "id-1"
    trace = document["stackTrace"]
    assert isinstance(trace, list)
    assert "in handler" in trace[0]
    assert "in inner" in trace[1]
    assert "raise ValueError" in trace[1]
    headers = outcome.answers[0].headers
    assert headers["lambda-runtime-function-error-type"] == "Function.ValueError"
    cause = json.loads(headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["type"] == "ValueError"
    assert [frame["label"] for frame in cause["exceptions"][0]["stack"]] == ["handler", "inner"]


@pytest.mark.parametrize(
    ("body", "error_type", "message"),
    [
        ("import sys; sys.exit(3)", "SystemExit", "sys.exit(3)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("return handler(event, context)", "RecursionError", "maximum recursion depth"),
        ("raise GeneratorExit", "GeneratorExit", ""),
        ("exit()", "SystemExit", "sys.exit"),
        ("return {1, 2}", "Runtime.MarshalError", "Object of type set is not JSON serializable"),
        ("return float('nan')", "Runtime.MarshalError", "Out of range float values"),
        ("loop = []; loop.append(loop); return loop", "Runtime.MarshalError", "contains itself"),
        ("raise type('Bad', (Exception,), {'__str__': lambda self: 1 / 0})()", "Bad", "str() failed"),
    ],
)
def test_what_a_handler_does_to_end_the_process_fails_its_invocation_only(
    serve: Serve, body: str, error_type: str, message: str
) -> None:
    code = f"def handler(event, context):\n    if event: return 'next'\n    {body}\n"
    outcome = serve(code, b"{}", b'{"again": 1}')
    document = error_of(outcome)
    assert document["errorType"] == error_type
    assert message in str(document["errorMessage"])
    assert outcome.answers[1].body == b'"next"'
    assert outcome.status == 0


@pytest.mark.parametrize(
    "decorator", ["event_handler", "event_handler(idempotency=Idempotency(MemoryStore(), key='event'))"]
)
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_decorated_handlers_result_that_json_cannot_hold_is_a_marshal_error_as_any_others(
    serve: Serve, decorator: str, keyword: str
) -> None:
    code = f"""
    from handlerkit import event_handler
    from handlerkit.idempotency import Idempotency, MemoryStore

    @{decorator}
    {keyword} handler(event: dict):
        return {{"order": object()}}
    """
    outcome = serve(code, b'{"order": 1}')
    document = error_of(outcome)
    assert document["errorType"] == "Runtime.MarshalError"
    assert str(document["errorMessage"]).startswith("Unable to marshal response: an object of type object has no JSON")
    assert document["stackTrace"] == []
    assert outcome.answers[0].headers["lambda-runtime-function-error-type"] == "Runtime.MarshalError"


def test_a_response_over_the_limit_is_reported_with_both_sizes(serve: Serve) -> None:
    code = "def handler(event, context):\n    return 'x' * (event['size'] - 2)\n"
    outcome = serve(
        code, b'{"size": %d}' % MAX_RESPONSE_BYTES, b'{"size": %d}' % (MAX_RESPONSE_BYTES + 1), b'{"size": 2}'
    )
    assert len(outcome.answers[0].body) == MAX_RESPONSE_BYTES
    document = error_of(outcome, 1)
    assert document["errorType"] == "Function.ResponseSizeTooLarge"
    assert str(MAX_RESPONSE_BYTES + 1) in str(document["errorMessage"])
    assert str(MAX_RESPONSE_BYTES) in str(document["errorMessage"])
    assert outcome.answers[1].headers["lambda-runtime-function-error-type"] == "Function.ResponseSizeTooLarge"
    assert outcome.answers[2].body == b'""'


def test_a_response_far_over_the_limit_is_reported_without_being_written(serve: Serve) -> None:
    outcome = serve("def handler(event, context):\n    return [0] * event\n", b"8000000", b"1")
    document = error_of(outcome)
    assert document["errorType"] == "Function.ResponseSizeTooLarge"
    assert "(at least 16000001 bytes)" in str(document["errorMessage"])
    assert outcome.answers[1].body == b"[0]"


def test_an_event_that_is_not_json_is_an_unmarshal_error(serve: Serve) -> None:
    outcome = serve(ECHO, b'{"a": ', b"", b'{"a": NaN}', b"\xff", b"1 2", b"[" * 100_000, b"{}")
    for index in range(6):
        document = error_of(outcome, index)
        assert document["errorType"] == "Runtime.UnmarshalError"
        assert str(document["errorMessage"]).startswith("Unable to unmarshal input: ")
    assert outcome.answers[6].body == b"{}"


def test_an_event_of_another_content_type_reaches_the_handler_as_bytes(serve: Serve) -> None:
    code = "def handler(event, context): return type(event).__name__"
    outcome = serve(
        code,
        event(b"\x00\x01", "id-1", content_type="application/octet-stream"),
        event(b"{}", "id-2", content_type="application/json; charset=utf-8"),
        event(b"{}", "id-3", content_type=""),
    )
    assert [answer.body for answer in outcome.answers] == [b'"bytes"', b'"dict"', b'"dict"']


def test_bytes_are_posted_as_they_are(serve: Serve) -> None:
    outcome = serve("def handler(event, context): return b'\\x00raw'", b"{}")
    assert outcome.answers[0].body == b"\x00raw"
    assert outcome.answers[0].headers["content-type"] == "application/unknown"


def test_the_raw_hook_takes_and_returns_bytes_without_any_json(serve: Serve) -> None:
    outcome = serve(
        """
        def handler(event, context):
            raise AssertionError("the ordinary call must not be used")
        def raw(body, context):
            return body[::-1] + context.aws_request_id.encode()
        handler.__lambda_raw__ = raw
        """,
        b"not json",
    )
    assert outcome.answers[0].body == b"nosj tonid-1"


def test_a_handlers_preparation_is_part_of_the_initialisation(serve: Serve, start: Start) -> None:
    code = """
    def handler(event, context): return handler.prepared
    def prepare():
        print("preparing")
        handler.prepared = True
    handler.__lambda_prepare__ = prepare
    """
    outcome = serve(code, b"{}", b"{}")
    assert outcome.stdout == "preparing\n"
    assert outcome.answers[1].body == b"true"
    failing = start(code.replace('print("preparing")', 'raise ValueError("no")')).end()
    assert failing.answers[-1].path.endswith("/init/error")


def test_the_trace_of_a_typed_handlers_error_starts_in_user_code(serve: Serve) -> None:
    code = """
    from handlerkit import event_handler
    @event_handler
    def handler(event: dict): raise ValueError("boom")
    """
    trace = error_of(serve(code, b"{}"))["stackTrace"]
    assert isinstance(trace, list)
    assert "app.py" in trace[0]


@pytest.mark.parametrize("importing", ["import os", ""])
def test_the_trace_header_is_set_per_invocation_and_removed_where_absent(serve: Serve, importing: str) -> None:
    code = f"""
    {importing}
    def handler(event, context):
        import os
        return os.environ.get("_X_AMZN_TRACE_ID")
    """
    outcome = serve(
        code,
        event(request_id="id-1", trace_id="Root=1-a;Sampled=1"),
        event(request_id="id-2"),
        event(request_id="id-3", trace_id=""),
        event(request_id="id-4", trace_id="Root=1-b"),
    )
    assert [answer.body for answer in outcome.answers] == [b'"Root=1-a;Sampled=1"', b"null", b"null", b'"Root=1-b"']


def test_the_nonce_is_echoed_when_received_and_left_out_when_not(serve: Serve) -> None:
    code = "def handler(event, context):\n    if event: raise ValueError\n"
    outcome = serve(
        code,
        event(request_id="id-1", invocation_id="nonce-1"),
        event(request_id="id-2"),
        event(b"1", request_id="id-3", invocation_id="nonce-3"),
        event(request_id="id-4", invocation_id=""),
    )
    nonces = [answer.headers.get("lambda-runtime-invocation-id") for answer in outcome.answers]
    assert nonces == ["nonce-1", None, "nonce-3", None]


def test_os_exit_ends_the_process_with_its_status_and_without_an_answer(start: Start, platform: Platform) -> None:
    platform.deliver(event())
    outcome = start("import os\ndef handler(event, context):\n    print('before')\n    os._exit(7)\n").end()
    assert outcome.status == 7
    assert outcome.answers == []
    assert outcome.stdout == "before\n"


def test_a_handler_that_closes_stdout_loses_neither_its_answer_nor_its_error_log(serve: Serve) -> None:
    code = """
    import os, sys
    def handler(event, context):
        if event == 1:
            sys.stdout.close()
        if event == 2:
            os.close(1)
        if event == 3:
            sys.stdout = None
        if event == 4:
            raise ValueError("after closing")
        return event
    """
    outcome = serve(code, b"1", b"2", b"3", b"4", b"5")
    assert [answer.body for answer in outcome.answers[:3]] == [b"1", b"2", b"3"]
    assert error_of(outcome, 3)["errorMessage"] == "after closing"
    assert outcome.answers[4].body == b"5"
    assert "ValueError: after closing" in outcome.stdout
    assert outcome.status == 0


def test_an_invocation_leaves_nothing_of_its_event_behind(serve: Serve) -> None:
    code = """
    import gc
    def handler(event, context):
        return len([o for o in gc.get_objects() if type(o) is dict and o.get("marker") == ["x"]])
    """
    outcome = serve(code, b'{"marker": ["x"]}', b'{"marker": ["x"]}', b"{}")
    assert [answer.body for answer in outcome.answers] == [b"1", b"1", b"0"]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_raw_hooks_answer_is_held_to_the_same_limit(serve: Serve, kind: str) -> None:
    code = f"""
    def handler(event, context): pass
    {kind} raw(body, context): return bytes(int(body))
    handler.__lambda_raw__ = raw
    """
    outcome = serve(code, b"%d" % MAX_RESPONSE_BYTES, b"%d" % (MAX_RESPONSE_BYTES + 1), b"3")
    assert len(outcome.answers[0].body) == MAX_RESPONSE_BYTES
    assert error_of(outcome, 1)["errorType"] == "Function.ResponseSizeTooLarge"
    assert outcome.answers[2].body == bytes(3)


def test_an_integer_that_python_refuses_to_write_fails_its_invocation_only(serve: Serve) -> None:
    outcome = serve("def handler(event, context): return 10 ** event\n", b"5000", b"2")
    assert "4300 digits" in str(error_of(outcome)["errorMessage"])
    assert outcome.answers[1].body == b"100"


@pytest.mark.parametrize("ending", ["pass", "raise ValueError"])
def test_unfinished_lines_are_out_before_the_answer(
    start: Start, platform: Platform, tmp_path: Path, ending: str
) -> None:
    code = f"""
    import sys
    def handler(event, context):
        print("printed", end="")
        sys.stderr.write("written")
        {ending}
    """
    # With a log of its own, no record brings the printed text along; killed, the process cannot send it later.
    with (tmp_path / "telemetry").open("wb") as telemetry:
        number = telemetry.fileno()
        served = start(code, env={"_LAMBDA_TELEMETRY_LOG_FD": str(number)}, pass_fds=[number])
        platform.deliver(event())
        served.wait_for_answers(1)
        served.process.kill()
        outcome = served.end()
    assert (outcome.stdout, outcome.stderr) == ("printed", "written")


def test_the_loop_keeps_no_result_while_it_waits() -> None:
    result = b"x" * 1000
    owners: list[int] = []

    class Client:
        """Hands out one invocation and looks at the result's owners when asked for another."""

        belongs_to_parent = False

        def next(self) -> Invocation:
            owners.append(sys.getrefcount(result))
            if len(owners) == 2:
                raise Terminated
            return Invocation({"lambda-runtime-aws-request-id": "id-1"}, b"{}")

        def respond(self, _invocation: Invocation, body: bytes, _content_type: str) -> None:
            assert body is result

    class Log:
        """An output that is not looked at."""

        invocation = None

        def write(self, _text: str) -> None:
            """Dropped."""

        def flush(self) -> None:
            """Nothing is held."""

    function = Function(lambda _event, _context: result, Settings({}), Log())  # type: ignore[arg-type]
    with pytest.raises(Terminated):
        # In a context of its own: the loop leaves its last invocation in the context variable.
        contextvars.copy_context().run(run, Client(), function, lambda _trace_id: None)  # type: ignore[arg-type]
    assert owners[1] == owners[0]


def test_code_that_the_handler_calls_finds_its_invocation_in_the_context(serve: Serve) -> None:
    code = """
    from runtime.invocation import current
    def handler(event, context): return current.get().request_id
    """
    assert [answer.body for answer in serve(code, b"{}", b"{}").answers] == [b'"id-1"', b'"id-2"']


def test_a_trace_header_is_the_bytes_that_came(serve: Serve) -> None:
    code = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']\n"
    outcome = serve(code, event(trace_id="Root=1-ä;Own=€"))
    assert json.loads(outcome.answers[0].body) == "Root=1-ä;Own=€"


def test_a_log_that_nobody_reads_costs_no_answer(start: Start, platform: Platform) -> None:
    served = start("def handler(event, context): raise ValueError(event)\n")
    assert served.process.stdout is not None
    served.process.stdout.close()
    platform.deliver(event(b"1"), event(b"2", "id-2"))
    served.wait_for_answers(2)
    assert [json.loads(answer.body)["errorMessage"] for answer in served.terminate().answers] == ["1", "2"]
