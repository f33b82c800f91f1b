"""Broken platforms: one clear line and a non-zero exit, nothing hangs, and no event is handled twice."""

import json

import pytest

from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import ACCEPTED, Platform, Reply, event, refusal

COUNTING = """
calls = []
def handler(event, context):
    calls.append(context.aws_request_id)
    return [event, len(calls)]
"""


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Reply(b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws", close=True), "closed in the middle of a response head"),
        (Reply(b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\n\r\n{}"), "neither Content-Length nor chunked"),
        (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", close=True), "99 of them missing"),
        (Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", close=True), "closed in the middle"),
        (Reply(b"\x16\x03\x01\x02\x00\x01garbage\n"), "not an HTTP/1.1 response"),
        (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "without a usable request id"),
        (refusal(403), "refused with 403"),
        (refusal(500), "refused with 500"),
        (refusal(404), "refused with 404"),
        (
            Reply(
                b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: soon\r\n"
                b"Content-Length: 2\r\n\r\n{}"
            ),
            "deadline is not in milliseconds: 'soon'",
        ),
    ],
)
def test_a_broken_event_ends_the_process_with_one_line(
    start: Start, platform: Platform, answer: Reply, text: str
) -> None:
    platform.deliver(answer)
    outcome = start(COUNTING).end()
    assert outcome.status == 1
    assert outcome.stderr.startswith("handlerkit: ")
    assert text in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert outcome.answers == []


def test_a_platform_that_closes_every_connection_ends_the_process(start: Start, platform: Platform) -> None:
    platform.deliver(*[Reply(b"", close=True)] * 3)
    outcome = start(COUNTING).end()
    assert outcome.status == 1
    assert "closed 3 connections in a row" in outcome.stderr


def test_a_platform_that_is_not_there_ends_the_process(start: Start, platform: Platform) -> None:
    for address, text in {
        "127.0.0.1:1": "cannot connect to the Runtime API at 127.0.0.1:1",
        "nonsense": "must be host:port, not 'nonsense'",
        "localhost:99999999": "cannot connect",
    }.items():
        outcome = start(COUNTING, env={"AWS_LAMBDA_RUNTIME_API": address}).end()
        assert outcome.status == 1
        assert text in outcome.stderr


def test_an_idle_connection_that_was_closed_is_opened_again(serve: Serve, platform: Platform) -> None:
    platform.replies.append(Reply(ACCEPTED, close=True))
    outcome = serve(COUNTING, b"1", b"2", b"3")
    assert [json.loads(answer.body) for answer in outcome.answers] == [[1, 1], [2, 2], [3, 3]]
    assert outcome.stderr == ""


def test_connection_close_is_honoured(serve: Serve, platform: Platform) -> None:
    platform.replies.append(Reply(ACCEPTED.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), close=True))
    outcome = serve(COUNTING, b"1", b"2", b"3")
    assert [json.loads(answer.body) for answer in outcome.answers] == [[1, 1], [2, 2], [3, 3]]
    assert {request.connection for request in platform.requests} == {1, 2}


@pytest.mark.parametrize("status", [400, 410, 413])
@pytest.mark.parametrize("close", [False, True])
def test_a_refused_response_loses_its_invocation_and_not_the_process(
    serve: Serve, platform: Platform, status: int, close: bool
) -> None:
    platform.replies.append(Reply(refusal(status).data, close=close))
    outcome = serve(COUNTING, b"1", b"2")
    assert [json.loads(answer.body) for answer in outcome.answers] == [[1, 1], [2, 2]]
    assert f"the answer of id-1 was refused with {status}" in outcome.stderr
    assert outcome.status == 0


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_refusal_for_good_ends_the_process(start: Start, platform: Platform, status: int) -> None:
    platform.replies.append(refusal(status))
    platform.deliver(event())
    outcome = start(COUNTING).end()
    assert outcome.status == 1
    assert f"refused with {status}" in outcome.stderr


def test_an_answer_that_was_not_taken_is_sent_again_and_its_event_not_handled_again(
    serve: Serve, platform: Platform
) -> None:
    # The platform closes instead of acknowledging, and then delivers the same attempt once more.
    platform.replies.append(Reply(b"", close=True))
    again = event(b'"first"', "id-1", invocation_id="nonce-1", deadline_ms=4_000_000_000_000)
    outcome = serve(COUNTING, again, again, event(b'"second"', "id-2"))
    bodies = [json.loads(answer.body) for answer in outcome.answers]
    assert bodies == [["first", 1], ["first", 1], ["second", 2]]
    assert "delivered again" in outcome.stderr


def test_a_large_answer_that_was_not_taken_is_sent_again(serve: Serve, platform: Platform) -> None:
    code = "calls = []\ndef handler(event, context):\n    calls.append(1)\n    return [len(calls), 'x' * 200_000]\n"
    platform.replies.append(Reply(b"", close=True))
    again = event(b"{}", "id-1", deadline_ms=4_000_000_000_000)
    outcome = serve(code, again, again, event(b"{}", "id-2"))
    assert [json.loads(answer.body)[0] for answer in outcome.answers] == [1, 1, 2]


def test_an_attempt_delivered_for_ever_ends_the_process(start: Start, platform: Platform) -> None:
    platform.deliver(*[event(deadline_ms=4_000_000_000_000)] * 10)
    outcome = start(COUNTING).end()
    assert outcome.status == 1
    assert "again and again" in outcome.stderr
    assert [json.loads(answer.body)[1] for answer in outcome.answers] == [1]


def test_a_retry_of_the_same_request_is_a_new_invocation(serve: Serve) -> None:
    outcome = serve(
        COUNTING,
        event(b"1", "id-1", invocation_id="nonce-1", deadline_ms=4_000_000_000_000),
        event(b"1", "id-1", invocation_id="nonce-2", deadline_ms=4_000_000_000_000),
        event(b"1", "id-1", deadline_ms=4_000_000_000_001),
    )
    assert [json.loads(answer.body)[1] for answer in outcome.answers] == [1, 2, 3]


def test_the_user_agent_names_the_runtime_and_its_version(serve: Serve, platform: Platform) -> None:
    serve(COUNTING, b"1")
    agent = platform.requests[0].headers["user-agent"]
    assert agent.startswith("handlerkit/0.")
    assert " " not in agent


def test_the_response_mode_header_is_never_sent_for_a_buffered_response(serve: Serve) -> None:
    outcome = serve(COUNTING, b"1")
    assert "lambda-runtime-function-response-mode" not in outcome.answers[0].headers


def test_an_answer_whose_fate_is_unknown_is_named_when_the_next_event_comes(serve: Serve, platform: Platform) -> None:
    platform.replies.append(Reply(b"", close=True))
    outcome = serve(COUNTING, b"1", b"2")
    assert [json.loads(answer.body) for answer in outcome.answers] == [[1, 1], [2, 2]]
    assert outcome.stderr == ("handlerkit: the connection ended before the answer of id-1 was acknowledged\n")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (refusal(403), "/init/error was refused with 403"),
        (refusal(500), "/init/error was refused with 500"),
        (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "/init/error was refused with 200"),
        (Reply(b"", close=True), "closed the connection instead of answering"),
    ],
)
def test_an_init_error_that_is_not_taken_is_one_line_more(
    start: Start, platform: Platform, reply: Reply, text: str
) -> None:
    platform.replies.append(reply)
    outcome = start("1 / 0\n").end()
    assert outcome.status == 1
    assert len(outcome.answers) == 1
    assert text in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert "ZeroDivisionError" in outcome.stdout


def test_an_address_that_is_not_ascii_is_one_line(start: Start) -> None:
    outcome = start(COUNTING, env={"AWS_LAMBDA_RUNTIME_API": "höst:1"}).end()
    assert outcome.status == 1
    assert outcome.stderr == "handlerkit: AWS_LAMBDA_RUNTIME_API must be host:port, not 'höst:1'\n"
