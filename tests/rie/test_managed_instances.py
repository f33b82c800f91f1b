"""Many invocations at once under AWS's emulator in its managed-instances mode, where Lambda would have everything.

What is common to AWS's client and to each of our modes is one test. The deadline is not looked at: the emulator puts
it a million times too far away.
"""

import json
import os
import signal
from typing import Any

import pytest

from tests.rie.conftest import ManyAtOnce, StartManyAtOnce

MODES = ["processes", "threads", "asyncio"]
ALL = [*MODES, "awslambdaric"]
COUNT = 4


def meeting(name: str, mode: str) -> list[dict[str, Any]]:
    """Events whose invocations return only when all of them are under way; on one loop, by waiting for it."""
    do = "meet_asynchronously" if mode == "asyncio" else "meet"
    return [{"do": do, "meeting": name, "count": COUNT, "number": number} for number in range(COUNT)]


def trace_id(number: int) -> str:
    """A trace header that tells the invocations apart."""
    return f"Root=1-0000000{number}-000000000000000000000000;Parent=000000000000000{number};Sampled=1"


@pytest.mark.parametrize("mode", ALL)
def test_an_event_comes_back_as_the_handler_returned_it(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    event = {"do": "echo", "text": "Zürich 東京 😀", "nested": [1, 2.5, None]}
    answer = start_many_at_once(mode).invoke(event)
    assert (answer.status, answer.json) == (200, event)


@pytest.mark.parametrize("mode", ALL)
def test_invocations_run_at_the_same_time_and_each_has_its_own_answer_and_trace(
    start_many_at_once: StartManyAtOnce, mode: str
) -> None:
    emulator = start_many_at_once(mode)
    for name in ("first", "second"):
        headers = [{"X-Amzn-Trace-Id": trace_id(number)} for number in range(COUNT)]
        answers = [answer.json for answer in emulator.invoke_together(meeting(name, mode), headers)]
        assert [answer["number"] for answer in answers] == list(range(COUNT))
        assert [answer["trace_id"] for answer in answers] == [trace_id(number) for number in range(COUNT)]
        assert len({answer["request_id"] for answer in answers}) == COUNT
        assert len({answer["pid"] for answer in answers}) == (1 if mode in ("threads", "asyncio") else COUNT)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_printed_at_the_same_time_has_the_request_id_of_its_invocation(
    start_many_at_once: StartManyAtOnce, mode: str
) -> None:
    emulator = start_many_at_once(mode)
    answers = [answer.json for answer in emulator.invoke_together(meeting("printing", mode))]
    end_in_peace(emulator)
    records = [json.loads(line) for line in emulator.log().splitlines() if '"met ' in line]
    expected = {(f"met {answer['number']} in {answer['request_id']}", answer["request_id"]) for answer in answers}
    assert {(record["message"], record["requestId"]) for record in records} == expected


@pytest.mark.parametrize("mode", MODES)
def test_coroutines_wait_at_the_same_time(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    emulator = start_many_at_once(mode, "crowd.meet_asynchronously")
    answers = [answer.json for answer in emulator.invoke_together(meeting("coroutines", mode))]
    assert [answer["number"] for answer in answers] == list(range(COUNT))


@pytest.mark.parametrize("mode", MODES)
def test_a_stream_is_accepted_and_reaches_the_caller_whole(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    emulator = start_many_at_once(mode)
    answers = emulator.invoke_together([{"do": "stream", "pieces": pieces} for pieces in (1, 20, 300)])
    for answer, pieces in zip(answers, (1, 20, 300), strict=True):
        assert answer.body == b"".join(b"%d;" % number for number in range(pieces))
        assert answer.headers["Lambda-Runtime-Function-Response-Mode"] == "streaming"


@pytest.mark.parametrize("mode", ALL)
def test_an_exception_fails_its_own_invocation_only(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    emulator = start_many_at_once(mode)
    events = [{"do": "fail", "message": "no such order"}, {"do": "echo"}, {"do": "fail", "message": "none left"}]
    first, second, third = emulator.invoke_together(events)
    for answer, message in ((first, "no such order"), (third, "none left")):
        assert answer.status == 200
        # The header of the metrics' error type; AWS's client sends none.
        assert answer.headers["Error-Type"] == ("Runtime.Unknown" if mode == "awslambdaric" else "Function.LookupError")
        assert (answer.json["errorType"], answer.json["errorMessage"]) == ("LookupError", message)
        assert "crowd.py" in "".join(answer.json["stackTrace"])
    assert second.json == {"do": "echo"}


def test_a_worker_that_dies_is_told_to_its_caller_and_replaced(start_many_at_once: StartManyAtOnce) -> None:
    emulator = start_many_at_once("processes")
    before = {answer.json["pid"] for answer in emulator.invoke_together(meeting("before", "processes"))}
    for _ in range(3):
        answer = emulator.invoke({"do": "crash", "status": 3})
        assert (answer.status, answer.headers["Error-Type"]) == (200, "Runtime.ExitError")
        assert answer.json["errorType"] == "Runtime.ExitError"
        assert answer.json["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    after = {answer.json["pid"] for answer in emulator.invoke_together(meeting("after", "processes"))}
    assert len(after) == COUNT
    assert after != before


@pytest.mark.parametrize("mode", ["threads", "asyncio"])
def test_a_process_of_threads_that_dies_ends_the_environment(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    emulator = start_many_at_once(mode)
    answer = emulator.invoke({"do": "crash", "status": 3})
    assert (answer.status, answer.headers["Error-Type"]) == (200, "Runtime.ExitError")
    emulator.process.wait(10)


@pytest.mark.parametrize("mode", MODES)
def test_an_invocation_over_its_time_does_not_end_its_worker(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    emulator = start_many_at_once(mode, timeout=1)
    answer = emulator.invoke({"do": "sleep", "seconds": 1.3})
    assert answer.headers["Error-Type"] == "Sandbox.Timedout"
    # All four are needed here, so the late one has come back.
    answers = [answer.json for answer in emulator.invoke_together(meeting("afterwards", mode))]
    assert [answer["number"] for answer in answers] == list(range(COUNT))
    assert "was refused with 410" in emulator.log()


@pytest.mark.parametrize("mode", MODES)
def test_a_function_that_cannot_start_ends_the_environment_and_says_why(
    start_many_at_once: StartManyAtOnce, mode: str
) -> None:
    emulator = start_many_at_once(mode, "raising_late.handler")
    emulator.process.wait(10)
    assert '"errorMessage":"no database in this region","errorType":"RuntimeError"' in emulator.log()
    assert "Function.RuntimeError" in emulator.log()


@pytest.mark.parametrize("mode", MODES)
def test_shutdown_hooks_run_when_the_environment_ends(start_many_at_once: StartManyAtOnce, mode: str) -> None:
    emulator = start_many_at_once(mode, SAY_GOODBYE="1")
    assert emulator.invoke({"do": "echo"}).status == 200
    end_in_peace(emulator)
    assert emulator.log().count("goodbye") == (COUNT if mode == "processes" else 1)


def end_in_peace(emulator: ManyAtOnce) -> None:
    """End the emulator as the platform would end the environment; everything it wrote is then in the log."""
    os.kill(emulator.inside, signal.SIGTERM)
    emulator.process.wait(10)
