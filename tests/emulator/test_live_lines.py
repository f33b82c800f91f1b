"""What the live view says: one line for each thing, and nothing that a function writes can change that."""

import io
import json
import os
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.async_event import EventOutcome, RetryPlanned
from lambda_emulator.history import PastInvocation
from lambda_emulator.live_lines import Line, lines_of_invocation, lines_of_news
from lambda_emulator.live_view import LiveView
from lambda_emulator.result import Completion, Report


def past(
    event: Any,
    answer: Any = None,
    *,
    log: str = "",
    failed: bool = False,
    status: Any = None,
    init_ms: float | None = None,
) -> PastInvocation:
    """An invocation that is over."""
    report = Report(
        duration_ms=12.4, billed_ms=13, memory_mb=128, max_memory_mb=20, init_ms=init_ms,
        status=status or ("error" if failed else "success"), error_type="Runtime.Unknown" if failed else None,
    )  # fmt: skip
    return PastInvocation(
        function="f", qualifier=None, version="$LATEST", request_id="r", ended_s=0,
        event=event if isinstance(event, bytes) else json.dumps(event).encode(),
        payload=answer if isinstance(answer, bytes) else json.dumps(answer).encode(),
        failed=failed, completion=Completion(log=log, init_log="INIT_START Runtime Version: x\n", report=report),
    )  # fmt: skip


RECORD = {"eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": "3"}}
ERROR = {"errorType": "ValueError", "errorMessage": "no"}


@pytest.mark.parametrize(
    ("invocation", "text"),
    [
        (past({}), "ok 12 ms"),
        (past({}, init_ms=80.2), "ok 12 ms, cold start 80 ms"),
        (past({"Records": [RECORD, {"eventSource": "aws:sqs"}]}), "ok 12 ms  sqs: 2 records, received 3 times"),
        (
            past({"Records": [{"eventSource": "aws:kinesis"}]}, {"batchItemFailures": [{"itemIdentifier": "1"}]}),
            "ok 12 ms  kinesis: 1 record, 1 of them failed",
        ),
        (
            past({"Records": [{"EventSource": "aws:sns"}]}, ERROR, failed=True),
            "error 12 ms  sns: 1 record  ValueError: no",
        ),
        (
            past({"rawPath": "/a", "requestContext": {"http": {"method": "GET"}}}, {"statusCode": 404}),
            "ok 12 ms  GET /a → 404",
        ),
        (
            past({"path": "/b", "httpMethod": "PUT", "requestContext": {}}, {"statusCode": 200}),
            "ok 12 ms  PUT /b → 200",
        ),
        (past({"source": "shop", "detail-type": "Order Placed"}), "ok 12 ms  shop: Order Placed"),
        (past({}, b"", failed=True, status="timeout"), "timeout 12 ms  Runtime.Unknown"),
        (past(b" " * 1_000_001), "ok 12 ms  1,000,001 bytes"),
    ],
)
def test_an_invocation_is_told_in_one_line(invocation: PastInvocation, text: str) -> None:
    (line,) = lines_of_invocation(invocation)
    assert line == Line("failed" if invocation.failed else "ok", "f", text)


def test_what_the_function_wrote_comes_first_without_the_platforms_lines() -> None:
    log = (
        "START RequestId: r Version: $LATEST\nhello\n\nmove \x1b[2J\x07 \ttab\nEND RequestId: r\nREPORT RequestId: r\n"
    )
    lines = lines_of_invocation(past({}, log=log))
    assert [line.text for line in lines] == ["hello", "move \\x1b[2J\\x07 \ttab", "ok 12 ms"]
    json_log = '{"time":"2026-11-20T08:00:00Z","type":"platform.report","record":{}}\n{"message":"mine"}\n'
    assert [line.text for line in lines_of_invocation(past({}, log=json_log))] == ['{"message":"mine"}', "ok 12 ms"]


def test_a_function_that_writes_without_end_is_cut() -> None:
    lines = lines_of_invocation(past({}, log="x" * 10_000 + "\n" + "y\n" * 999))
    assert len(lines) == 502
    assert lines[0].text.endswith("... (10,000 characters)")
    assert lines[-2].text == "500 more lines are not shown"


def test_retries_and_outcomes_are_told_and_success_needs_no_line() -> None:
    retry = RetryPlanned(request_id="r", function="f", attempts=1, refused=False, in_s=60.0)
    assert [line.text for line in lines_of_news(retry)] == ["failed once, again in 60 s (event r)"]
    throttled = RetryPlanned(request_id="r", function="f", attempts=0, refused=True, in_s=2.0)
    assert [line.text for line in lines_of_news(throttled)] == ["was throttled, again in 2 s (event r)"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"
    good = EventOutcome(request_id="r", function_arn=arn, condition="Success", invoke_count=1, payload=b"")
    assert lines_of_news(good) == []
    bad = EventOutcome(
        request_id="r", function_arn=arn, condition="RetriesExhausted", invoke_count=3, payload=b"",
        delivered=("arn:q",), undelivered=(("arn:t", "gone\nx"),),
    )  # fmt: skip
    assert lines_of_news(bad) == [
        Line("dead", "f", "event given up after 3 times: RetriesExhausted (event r)"),
        Line("dead", "f", "sent to arn:q"),
        Line("error", "f", "could not be sent to arn:t: gone\\nx"),
    ]


@given(
    event=st.binary(max_size=60) | st.text().map(str.encode), answer=st.binary(max_size=40), log=st.text(max_size=80)
)
def test_whatever_a_function_does_each_line_is_one_line(event: bytes, answer: bytes, log: str) -> None:
    for line in lines_of_invocation(past(event, answer, log=log, failed=True)):
        assert "\x1b" not in line.text
        assert len(line.text.splitlines()) <= 1


def test_names_are_aligned_and_signs_that_the_terminal_lacks_are_escaped() -> None:
    written = io.BytesIO()
    view = LiveView(io.TextIOWrapper(written, encoding="ascii", write_through=True))
    view.align(["a", "longer"])
    view.say("→ done", "ok", "a")
    view.say("no time", "bare")
    view.say("again", "retry", "longer")
    view.close()
    lines = written.getvalue().decode().splitlines()
    assert lines[0][9:] == "a      \\u2192 done"
    assert lines[1] == "no time"
    assert lines[2][9:] == "longer retry: again"


def test_a_terminal_that_stands_still_stops_nobody_and_is_told_what_it_missed() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as out:
        view = LiveView(out)
        for number in range(30_000):  # more than the pipe and the queue hold
            view.say(f"line {number:06}")
        reader = threading.Thread(target=lambda: collected.append(_read_all(read)))
        collected: list[bytes] = []
        reader.start()
        while view.left_out:
            view.say("one more")
        view.close()
    reader.join(30)
    os.close(read)
    assert b"lines are left out: they came too fast" in collected[0]


def _read_all(descriptor: int) -> bytes:
    pieces = []
    while piece := os.read(descriptor, 65_536):
        pieces.append(piece)
    return b"".join(pieces)


def test_a_reader_that_is_gone_is_told_once() -> None:
    gone = threading.Event()
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out:
        view = LiveView(out, reader_gone=gone.set)
        view.say("anybody there?")
        assert gone.wait(30)
        view.say("no")
        view.close()
