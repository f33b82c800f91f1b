"""Streamed responses: chunks as they are produced, errors where they belong, nothing kept in memory."""

import base64
import json
import socket
import threading
from pathlib import Path

import pytest

from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import ACCEPTED, Platform, Reply, Request, event, refusal


def trailer_error(request: Request) -> dict[str, object]:
    """The error document in the trailers of a stream."""
    assert request.trailers is not None
    document: dict[str, object] = json.loads(base64.b64decode(request.trailers["lambda-runtime-function-error-body"]))
    return document


@pytest.mark.parametrize(
    "code",
    [
        "def handler(e, c):\n    yield b'one'\n    yield b''\n    yield 'zwei ü'\n    yield bytearray(b'3')\n",
        "async def handler(e, c):\n    yield b'one'\n    yield b''\n    yield 'zwei ü'\n    yield memoryview(b'3')\n",
    ],
)
def test_a_generator_is_a_stream_of_its_chunks(serve: Serve, code: str) -> None:
    outcome = serve(code, event(invocation_id="nonce-1"), event(request_id="id-2"))
    first, second = outcome.answers
    assert first.path.endswith("/id-1/response")
    assert first.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert first.headers["transfer-encoding"] == "chunked"
    assert first.headers["content-type"] == "application/octet-stream"
    assert first.headers["lambda-runtime-invocation-id"] == "nonce-1"
    assert "content-length" not in first.headers
    assert first.chunks == (b"one", "zwei ü".encode(), b"3")
    assert first.trailers == {}
    assert second.chunks == first.chunks
    assert outcome.stderr == ""


def test_a_generator_without_chunks_is_an_empty_stream(serve: Serve) -> None:
    outcome = serve("def handler(event, context):\n    return\n    yield\n", b"{}", b"{}")
    assert [answer.chunks for answer in outcome.answers] == [(), ()]
    assert outcome.answers[0].trailers == {}


def test_a_streaming_response_begins_with_its_prelude(serve: Serve) -> None:
    code = """
    from runtime import StreamingResponse
    def handler(event, context):
        body = iter([b"a", b"b"]) if event else []
        return StreamingResponse(body, status_code=201, headers={"X-Name": "Zoë"}, cookies=["a=b; Path=/"],
                                 content_type="text/plain")
    """
    for request, payload in zip(serve(code, b"1", b"{}").answers, (b"ab", b""), strict=True):
        assert request.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
        prelude, separator, rest = request.body.partition(bytes(8))
        assert separator
        assert rest == payload
        assert json.loads(prelude) == {
            "statusCode": 201,
            "headers": {"X-Name": "Zoë", "Content-Type": "text/plain"},
            "cookies": ["a=b; Path=/"],
        }
        assert request.chunks[0].startswith(prelude + bytes(8))


def test_an_error_before_the_first_chunk_is_an_ordinary_error(serve: Serve) -> None:
    code = "def handler(event, context):\n    yield b''\n    raise ValueError('early')\n"
    outcome = serve(code, b"{}", b"{}")
    for answer in outcome.answers:
        assert answer.path.endswith("/error")
        assert json.loads(answer.body)["errorMessage"] == "early"


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_an_error_after_the_first_chunk_travels_in_the_trailers_and_the_loop_goes_on(serve: Serve, kind: str) -> None:
    code = f"{kind} handler(event, context):\n    yield b'begun'\n    if not event: raise ValueError('l\\u00e4te')\n"
    outcome = serve(code, b"{}", b"1")
    first, second = outcome.answers
    assert first.path.endswith("/response")
    assert first.body == b"begun"
    assert first.trailers is not None
    assert first.trailers["lambda-runtime-function-error-type"] == "Function.ValueError"
    assert trailer_error(first)["errorMessage"] == "läte"
    assert "in handler" in str(trailer_error(first)["stackTrace"])
    assert "ValueError: läte" in outcome.stdout
    assert second.trailers == {}


@pytest.mark.parametrize("ending", ["sys.exit(2)", "raise KeyboardInterrupt", "1 / 0"])
def test_nothing_that_ends_a_generator_ends_the_process(serve: Serve, ending: str) -> None:
    code = f"import sys\ndef handler(event, context):\n    yield b'x'\n    if not event: {ending}\n"
    outcome = serve(code, b"{}", b"1")
    assert trailer_error(outcome.answers[0])["errorType"]
    assert outcome.answers[1].trailers == {}


@pytest.mark.parametrize("first", ["b'x'", ""])
def test_a_chunk_that_is_neither_bytes_nor_text_is_an_error_that_names_it(serve: Serve, first: str) -> None:
    code = f"def handler(event, context):\n    try:\n        {'yield ' + first if first else 'pass'}\n        yield {{}}\n    finally:\n        print('closed')\n"  # noqa: E501
    outcome = serve(code, b"{}")
    answer = outcome.answers[0]
    document = trailer_error(answer) if first else json.loads(answer.body)
    assert document["errorType"] == "Runtime.MarshalError"
    assert f"chunk {2 if first else 1} is a dict" in str(document["errorMessage"])
    assert outcome.stdout.startswith("closed\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("[], headers={'A': 'x' * 70_000}", "status, headers and cookies take 700"),
        ("[], headers={'A': 5}", "header 'A' is 5: names and values are text"),
        ("[], headers={'A': 'x\\r\\nB: y'}", "has a line break"),
        ("[], status_code='200'", "status_code is '200'"),
        ("[], status_code=700", "status_code is 700"),
        ("[], cookies=[1]", "cookies is not a list of text"),
        ("5", "the body is a int, which is not iterable"),
    ],
)
def test_a_response_that_cannot_be_begun_is_an_error(serve: Serve, arguments: str, message: str) -> None:
    code = f"from runtime import StreamingResponse\ndef handler(e, c): return StreamingResponse({arguments})\n"
    document = json.loads(serve(code, b"{}").answers[0].body)
    assert document["errorType"] == "Runtime.MarshalError"
    assert message in document["errorMessage"]


def test_bytes_as_the_body_of_a_streaming_response_are_one_chunk(serve: Serve) -> None:
    code = "from runtime import StreamingResponse\ndef handler(e, c): return StreamingResponse(b'abc')\n"
    assert serve(code, b"{}").answers[0].body.endswith(bytes(8) + b"abc")


def test_chunks_leave_before_the_next_is_produced(start: Start, platform: Platform) -> None:
    # The second chunk waits for a word that the test gives only when it has seen the first.
    listener = socket.create_server(("127.0.0.1", 0))
    code = f"""
    import socket
    def handler(event, context):
        yield b"first"
        with socket.create_connection(("127.0.0.1", {listener.getsockname()[1]})) as word:
            word.recv(1)
        yield b"second"
    """
    seen = threading.Event()
    platform.on_chunk = lambda data: seen.set() if data == b"first" else None
    platform.deliver(event())
    served = start(code)
    assert seen.wait(20)
    connection, _ = listener.accept()
    connection.sendall(b"!")
    connection.close()
    listener.close()
    served.wait_for_answers(1)
    assert served.terminate().answers[0].chunks == (b"first", b"second")


def test_a_stream_of_200_mb_leaves_memory_flat(serve: Serve, platform: Platform) -> None:
    code = """
    import resource
    def handler(event, context):
        if event == 2:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return chunks(event)
    def chunks(event):
        for _ in range(200 if event else 1):
            yield bytes(1_000_000)
    """
    platform.keep_chunks = False
    outcome = serve(code, b"0", b"2", b"1", b"2")
    before, after = int(outcome.answers[1].body), int(outcome.answers[3].body)
    assert after - before < 3_000


def test_a_consumer_that_hangs_up_closes_the_generator_and_the_loop_goes_on(serve: Serve, platform: Platform) -> None:
    code = """
    def handler(event, context):
        if event:
            return event
        return chunks()
    def chunks():
        try:
            while True:
                yield bytes(100_000)
        finally:
            print("closed")
    """
    platform.hang_up_after_bytes = 1_000_000
    outcome = serve(code, b"{}", b"1")
    assert outcome.answers[-1].body == b"1"
    assert outcome.stdout == "closed\n"
    assert "before the answer of id-1 was acknowledged" in outcome.stderr
    assert outcome.status == 0


def test_a_refused_stream_loses_its_invocation_only(serve: Serve, platform: Platform) -> None:
    platform.replies.extend([refusal(413), Reply(ACCEPTED)])
    outcome = serve("def handler(event, context):\n    yield b'x'\n", b"{}", b"{}")
    assert len(outcome.answers) == 2
    assert "the answer of id-1 was refused with 413" in outcome.stderr


def test_a_broken_stream_that_is_delivered_again_is_answered_by_an_error_and_not_run_again(
    serve: Serve, platform: Platform
) -> None:
    code = "calls = []\ndef handler(event, context):\n    calls.append(1)\n    yield str(len(calls))\n"
    platform.replies.append(Reply(b"", close=True))
    again = event(deadline_ms=4_000_000_000_000)
    outcome = serve(code, again, again, event(request_id="id-2"))
    assert [answer.path.rsplit("/", 2)[1:] for answer in outcome.answers] == [
        ["id-1", "response"],
        ["id-1", "error"],
        ["id-2", "response"],
    ]
    assert outcome.answers[2].body == b"2"


def test_any_result_may_be_a_stream_by_its_own_word(serve: Serve) -> None:
    code = """
    class Download:
        def __lambda_stream__(self):
            return "text/csv", b"head;", iter([b"1", b"2"])
    def handler(event, context): return Download()
    """
    answer = serve(code, b"{}").answers[0]
    assert (answer.headers["content-type"], answer.body) == ("text/csv", b"head;12")


def test_the_head_of_a_stream_announces_its_error_trailers(serve: Serve) -> None:
    answer = serve("def handler(event, context):\n    yield b'x'\n", b"{}").answers[0]
    assert answer.headers["trailer"] == ("lambda-runtime-function-error-type, lambda-runtime-function-error-body")


def test_a_content_type_among_the_headers_is_not_doubled(serve: Serve) -> None:
    code = """
    from runtime import StreamingResponse
    def handler(event, context):
        return StreamingResponse([b"x"], headers={"content-TYPE": "text/csv"}, content_type="text/plain")
    """
    prelude = json.loads(serve(code, b"{}").answers[0].body.partition(bytes(8))[0])
    assert prelude == {"statusCode": 200, "headers": {"content-TYPE": "text/csv"}}


def test_text_that_utf_8_cannot_hold_is_sent_with_marks_in_its_place(serve: Serve) -> None:
    outcome = serve("def handler(event, context):\n    yield 'a\\ud800b'\n", b"{}")
    assert outcome.answers[0].chunks == (b"a?b",)


def test_an_error_in_the_closing_of_a_lost_stream_is_a_warning(serve: Serve, platform: Platform) -> None:
    code = """
    def handler(event, context):
        return event if event else chunks()
    def chunks():
        try:
            while True:
                yield bytes(100_000)
        finally:
            raise ValueError("of the finally block")
    """
    platform.hang_up_after_bytes = 1_000_000
    outcome = serve(code, b"{}", b"1")
    assert outcome.answers[-1].body == b"1"
    assert "\tid-1\tclosing the response stream failed: ValueError: of the finally block\n" in outcome.stdout
    assert outcome.stdout.startswith("[WARNING]\t")


def test_sigterm_in_the_middle_of_a_stream_breaks_it_off(start: Start, platform: Platform) -> None:
    code = """
    import time
    def handler(event, context):
        yield b"first"
        print("begun")
        time.sleep(60)
    """
    platform.deliver(event())
    served = start(code)
    assert served.process.stdout is not None
    assert served.process.stdout.readline() == b"begun\n"
    outcome = served.terminate()
    assert outcome.status == 0
    assert outcome.stdout == outcome.stderr == ""
    # No last chunk, no trailers: what was sent is not passed off as the whole.
    assert platform.wait_until(lambda platform: bool(platform.answers))
    assert (platform.answers[0].chunks, platform.answers[0].trailers) == ((b"first",), None)


def test_the_answer_in_place_of_a_broken_stream_names_its_attempt(serve: Serve, platform: Platform) -> None:
    platform.replies.append(Reply(b"", close=True))
    again = event(deadline_ms=4_000_000_000_000, invocation_id="nonce-1")
    outcome = serve("def handler(event, context):\n    yield b'x'\n", again, again)
    assert outcome.answers[1].path.endswith("/id-1/error")
    assert outcome.answers[1].headers["lambda-runtime-invocation-id"] == "nonce-1"
    assert json.loads(outcome.answers[1].body)["errorType"] == "Runtime.TruncatedResponse"


def test_a_forked_child_that_returns_a_stream_sends_none(serve: Serve, platform: Platform) -> None:
    code = """
    import os
    def handler(event, context):
        child = os.fork()
        if child == 0:
            return (chunk for chunk in [b"child"])
        os.waitpid(child, 0)
        return "parent"
    """
    outcome = serve(code, b"1", b"2")
    assert [answer.body for answer in outcome.answers] == [b'"parent"', b'"parent"']
    assert {request.connection for request in platform.requests} == {1}


def test_what_a_failing_stream_printed_is_out_before_its_trailers(
    start: Start, platform: Platform, tmp_path: Path
) -> None:
    code = "def handler(event, context):\n    yield b'x'\n    print('printed', end='')\n    1 / 0\n"
    with (tmp_path / "telemetry").open("wb") as telemetry:
        number = telemetry.fileno()
        served = start(code, env={"_LAMBDA_TELEMETRY_LOG_FD": str(number)}, pass_fds=[number])
        platform.deliver(event())
        served.wait_for_answers(1)
        served.process.kill()
        assert served.end().stdout == "printed"
