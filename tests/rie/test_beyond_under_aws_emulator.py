"""What the managed runtime does not do, under AWS's own emulator: streams, coroutines, work after the answer, hooks."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.rie.conftest import StartEmulator, children


@pytest.mark.parametrize("handler", ["stream", "stream_asynchronously"])
def test_a_stream_is_accepted_and_reaches_the_caller_whole(start_emulator: StartEmulator, handler: str) -> None:
    emulator = start_emulator("bootstrap", f"beyond.{handler}")
    for pieces in (3, 1, 2000):
        answer = emulator.invoke({"pieces": pieces})
        assert (answer.status, answer.body) == (200, b"".join(b"%d;" % number for number in range(pieces)))


def test_a_stream_of_nothing_is_an_empty_answer(start_emulator: StartEmulator) -> None:
    answer = start_emulator("bootstrap", "beyond.stream").invoke({"pieces": 0})
    assert (answer.status, answer.body) == (200, b"")


def test_a_direct_caller_of_a_streamed_http_response_sees_its_prelude(start_emulator: StartEmulator) -> None:
    answer = start_emulator("bootstrap", "beyond.stream_http").invoke({})
    prelude, _, payload = answer.body.partition(bytes(8))
    assert prelude == b'{"statusCode":201,"headers":{"X-Order":"17"}}'
    assert payload == b"one two"


def test_a_stream_that_fails_before_its_first_piece_is_an_ordinary_error(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap", "beyond.stream")
    error = emulator.invoke({"pieces": 3, "fail_at": 0}).json
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "piece 0 is missing")
    assert emulator.invoke({"pieces": 2}).body == b"0;1;"


def test_a_stream_that_fails_half_way_costs_no_process_and_is_in_the_log(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap", "beyond.stream")
    # The emulator keeps quiet towards the caller about the trailers that tell of the error; Lambda does not.
    assert emulator.invoke({"pieces": 4, "fail_at": 2}).body == b"0;1;"
    assert "ValueError: piece 2 is missing" in emulator.log()
    (before,) = children(emulator.process.pid)
    assert emulator.invoke({"pieces": 2}).body == b"0;1;"
    assert children(emulator.process.pid) == [before]


def test_a_stream_over_the_emulator_s_limit_costs_its_own_invocation_only(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap", "beyond.stream")
    error = emulator.invoke({"pieces": 7, "bytes": 1_000_000}).json
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "was refused with 413" in emulator.log()
    assert emulator.invoke({"pieces": 2}).body == b"0;1;"


def test_coroutines_of_all_invocations_run_in_one_event_loop(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("bootstrap", "beyond.wait")
    for text in ("one", "two"):
        answer = emulator.invoke({"text": text}).json
        assert f"START RequestId: {answer['parts'][1]} " in emulator.log()
        assert (answer["parts"][0], answer["loops"]) == (text, 1)
    error = emulator.invoke({"fail": "no such order"}).json
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such order")
    assert "beyond.py" in "".join(error["stackTrace"])
    assert emulator.invoke({"text": "three"}).json["loops"] == 1


def test_work_after_the_answer_is_done_before_the_next_event(start_emulator: StartEmulator, tmp_path: Path) -> None:
    emulator = start_emulator("bootstrap", "beyond.work_afterwards")
    note = tmp_path / "note"
    answers = [emulator.invoke({"note": str(note), "number": number}).json for number in range(3)]
    # The first caller had its answer while the work was still to be done; the others found it done.
    assert answers == [{"answered": number, "noted": number > 0} for number in range(3)]
    ends_at = time.monotonic() + 10
    while note.read_text() != "0\n1\n2\n":
        assert time.monotonic() < ends_at, note.read_text()
        time.sleep(0.01)


def test_shutdown_hooks_run_when_the_emulator_ends(start_emulator: StartEmulator, tmp_path: Path) -> None:
    note = tmp_path / "note"
    emulator = start_emulator("bootstrap", "beyond.tidy", SHUTDOWN_NOTE=str(note))
    pid = emulator.invoke({}).json["pid"]
    emulator.process.send_signal(signal.SIGTERM)
    emulator.process.wait(10)
    assert note.read_text() == "0\n"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
