"""Our bootstrap under AWS's own emulator, and AWS's client wherever a caller must see no difference."""

import base64
import json
import os

import pytest

from tests.rie.conftest import StartEmulator

LIMIT = 6 * 1024 * 1024 + 100


def test_an_event_comes_back_as_the_handler_returned_it(start_emulator: StartEmulator, runtime: str) -> None:
    event = {"do": "echo", "nested": {"list": [1, 2.5, True, None], "empty": {}}, "text": 'quote " and \\'}
    answer = start_emulator(runtime).invoke(event)
    assert (answer.status, answer.json) == (200, event)


def test_text_outside_ascii_survives_both_directions(start_emulator: StartEmulator, runtime: str) -> None:
    event = {"do": "echo", "text": "Zürich 東京 😀 \u2028", "ключ": "\u0000"}
    answer = start_emulator(runtime).invoke(event)
    assert answer.json == event


def test_text_outside_ascii_is_answered_as_itself_and_not_as_escapes(start_emulator: StartEmulator) -> None:
    assert "東京".encode() in start_emulator("bootstrap").invoke({"do": "echo", "text": "東京"}).body


def test_a_large_event_arrives_whole_though_it_is_sent_chunked(start_emulator: StartEmulator, runtime: str) -> None:
    items = [{"number": number, "text": "x" * 130} for number in range(1000)]
    event = json.dumps({"do": "measure", "items": items}).encode()
    assert len(event) > 150_000
    assert start_emulator(runtime).invoke(event).json == {"items": 1000, "sum": 499_500}


def test_two_hundred_invocations_in_a_row_each_get_their_own_answer_from_one_process(
    start_emulator: StartEmulator, runtime: str
) -> None:
    emulator = start_emulator(runtime)
    answers = [emulator.invoke({"do": "echo", "number": number}).json["number"] for number in range(200)]
    assert answers == list(range(200))
    assert emulator.invoke({"do": "process"}).json["invocations"] == 201


def test_the_context_says_what_the_emulator_said(start_emulator: StartEmulator, runtime: str) -> None:
    emulator = start_emulator(runtime, timeout=7, AWS_LAMBDA_FUNCTION_NAME="orders")
    context = emulator.invoke({"do": "describe"}).json
    assert 6_000 < context.pop("remaining_ms") <= 7_000
    assert f"START RequestId: {context.pop('request_id')} " in emulator.log()
    assert context == {
        "function_name": "orders",
        "function_version": "$LATEST",
        "arn": "arn:aws:lambda:us-east-1:012345678912:function:orders",
        "memory": "3008",
        "trace_id": None,
        "has_client_context": False,
    }


def test_a_client_context_reaches_the_handler(start_emulator: StartEmulator, runtime: str) -> None:
    sent = {"custom": {"locale": "de-CH"}, "env": {"make": "x"}, "client": {"app_title": "shop"}}
    header = base64.b64encode(json.dumps(sent).encode()).decode()
    answer = start_emulator(runtime).invoke({"do": "client_context"}, {"X-Amz-Client-Context": header})
    assert answer.json == {"custom": {"locale": "de-CH"}, "env": {"make": "x"}, "app_title": "shop"}


def test_what_the_handler_prints_is_in_the_log(start_emulator: StartEmulator, runtime: str) -> None:
    emulator = start_emulator(runtime)
    emulator.invoke({"do": "shout", "line": "order 17 was refused"})
    assert "order 17 was refused\n" in emulator.log()


def test_an_exception_gives_its_type_message_and_trace_and_the_process_goes_on(
    start_emulator: StartEmulator, runtime: str
) -> None:
    emulator = start_emulator(runtime)
    before = emulator.invoke({"do": "process"}).json
    answer = emulator.invoke({"do": "fail", "message": "nothing left"})
    assert answer.status == 200
    assert answer.json["errorType"] == "RefusedOrder"
    assert answer.json["errorMessage"] == "nothing left"
    assert "working.py" in "".join(answer.json["stackTrace"])
    after = emulator.invoke({"do": "process"}).json
    assert after == {"pid": before["pid"], "invocations": 3}


def test_a_result_that_json_cannot_hold_is_an_error_of_its_own_type_and_the_process_goes_on(
    start_emulator: StartEmulator, runtime: str
) -> None:
    emulator = start_emulator(runtime)
    error = emulator.invoke({"do": "unserialisable"}).json
    assert error["errorType"] == "Runtime.MarshalError"
    assert "set is not JSON serializable" in error["errorMessage"]
    assert emulator.invoke({"do": "process"}).json["invocations"] == 2


def test_an_event_that_is_not_json_is_an_error_of_its_own_type_and_the_process_goes_on(
    start_emulator: StartEmulator, runtime: str
) -> None:
    emulator = start_emulator(runtime)
    error = emulator.invoke(b'{"do": ').json
    assert error["errorType"] == "Runtime.UnmarshalError"
    assert emulator.invoke({"do": "process"}).json["invocations"] == 1


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("broken.handler", "Runtime.ImportModuleError", "a_module_that_is_not_in_the_package"),
        ("raising.handler", "RuntimeError", "no database in this region"),
        ("working.no_such_function", "Runtime.HandlerNotFound", "no_such_function"),
        ("nonsense", "Runtime.MalformedHandlerName", "nonsense"),
    ],
)
def test_a_function_that_cannot_start_tells_every_caller_why(
    start_emulator: StartEmulator, runtime: str, handler: str, error_type: str, message: str
) -> None:
    emulator = start_emulator(runtime, handler)
    for _ in range(2):  # the emulator starts the function anew for the second caller
        answer = emulator.invoke({})
        assert answer.status == 502
        assert answer.json["errorType"] == error_type
        assert message in answer.json["errorMessage"]


def test_a_timeout_ends_the_process_and_the_next_caller_gets_a_fresh_one(
    start_emulator: StartEmulator, runtime: str
) -> None:
    emulator = start_emulator(runtime, timeout=1)
    before = emulator.invoke({"do": "process"}).json["pid"]
    assert b"Task timed out after 1.00 seconds" in emulator.invoke({"do": "sleep", "seconds": 60}).body
    after = emulator.invoke({"do": "process"}).json
    assert after["pid"] != before
    assert after["invocations"] == 1


def test_a_crash_is_told_to_the_caller_and_the_next_one_gets_a_fresh_process(
    start_emulator: StartEmulator, runtime: str
) -> None:
    emulator = start_emulator(runtime)
    before = emulator.invoke({"do": "process"}).json["pid"]
    answer = emulator.invoke({"do": "crash", "status": 3})
    assert (answer.status, answer.json["errorType"]) == (502, "Runtime.ExitError")
    after = emulator.invoke({"do": "process"}).json
    assert after["pid"] != before
    assert after["invocations"] == 1


def test_a_response_of_exactly_the_limit_is_delivered(start_emulator: StartEmulator, runtime: str) -> None:
    answer = start_emulator(runtime).invoke({"do": "produce", "bytes": LIMIT})
    assert (answer.status, len(answer.body)) == (200, LIMIT)


def test_a_response_over_the_limit_is_an_error_that_names_the_limit(
    start_emulator: StartEmulator, runtime: str
) -> None:
    error = start_emulator(runtime).invoke({"do": "produce", "bytes": LIMIT + 1}).json
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291556 bytes" in error["errorMessage"]


def test_a_response_over_the_limit_does_not_cost_us_the_process(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap")
    error = emulator.invoke({"do": "produce", "bytes": LIMIT + 1}).json
    assert "6291557 bytes" in error["errorMessage"]
    assert emulator.invoke({"do": "process"}).json["invocations"] == 2


def test_a_handler_that_calls_exit_fails_its_own_invocation_only(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap")
    assert emulator.invoke({"do": "leave"}).json["errorType"]
    assert emulator.invoke({"do": "process"}).json["invocations"] == 2


def test_the_emulator_ends_our_runtime_when_it_is_told_to_end(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap")
    pid = emulator.invoke({"do": "process"}).json["pid"]
    emulator.process.terminate()
    emulator.process.wait(5)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
