"""Worker processes: what the parent knows of them, and what it does when they die."""

import json
import mmap
import resource
import signal

import pytest

from runtime import supervisor
from runtime.supervisor import SLOT_BYTES, Slot
from tests.runtime.conftest import Served, Start
from tests.runtime.platform import Platform, event, refusal

ECHO = "def handler(event, context): return event\n"


def workers(start: Start, code: str, count: int = 1, **env: str) -> Served:
    """A supervisor with its worker processes."""
    return start(code, env={"AWS_LAMBDA_MAX_CONCURRENCY": str(count), **env})


# --- what a worker is serving ---


@pytest.mark.parametrize(
    ("request_id", "nonce"), [("id-1", None), ("id-1", "nonce-1"), ("\u00fc\u20ac", "n\u00fc"), ("i" * 200, "n" * 200)]
)
def test_a_slot_holds_what_is_being_served_until_it_is_cleared(request_id: str, nonce: str | None) -> None:
    slot = Slot(mmap.mmap(-1, SLOT_BYTES), 0)
    assert slot.read() is None
    slot.write(request_id, nonce)
    assert slot.read() == (request_id, nonce)
    slot.write("x", None)
    assert slot.read() == ("x", None)
    slot.clear()
    assert slot.read() is None


def test_a_slot_leaves_its_neighbours_alone_however_long_an_id_is() -> None:
    memory = mmap.mmap(-1, 3 * SLOT_BYTES)
    before, slot, after = (Slot(memory, index) for index in range(3))
    before.write("before", "1")
    after.write("after", "2")
    slot.write("\u00e4" * SLOT_BYTES, "nonce")
    assert (before.read(), after.read()) == (("before", "1"), ("after", "2"))
    request_id, nonce = slot.read() or ("", "")
    assert request_id.startswith("\u00e4" * 200)
    assert nonce is None


def test_a_slot_is_empty_at_the_start_whatever_the_memory_held() -> None:
    memory = mmap.mmap(-1, SLOT_BYTES)
    memory[:SLOT_BYTES] = b"\x01" * SLOT_BYTES
    assert Slot(memory, 0).read() is None


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "exit status 0"),
        (3 << 8, "exit status 3"),
        (signal.SIGKILL, "signal: killed"),
        (signal.SIGSEGV, "signal: segmentation fault"),
        (signal.SIGABRT, "signal: aborted"),
        (signal.SIGTERM, "signal: terminated"),
        (signal.SIGBUS, "signal: bus error"),
        (signal.SIGUSR1, f"signal: {int(signal.SIGUSR1)}"),
    ],
)
def test_an_end_is_told_in_the_platforms_words(status: int, text: str) -> None:
    assert supervisor._how_it_ended(status) == text


# --- deaths ---


def test_the_report_of_a_death_names_the_attempt_and_its_type(start: Start, platform: Platform) -> None:
    platform.deliver(event(b"1", invocation_id="nonce-1"), event(b"1", "id-2"), event(b"5", "id-3"))
    served = workers(start, "import os\ndef handler(event, context): return event if event == 5 else os._exit(3)\n")
    served.wait_for_answers(3)
    outcome = served.terminate()
    first, second, third = outcome.answers
    assert first.path.endswith("/id-1/error")
    assert first.headers["lambda-runtime-invocation-id"] == "nonce-1"
    assert first.headers["lambda-runtime-function-error-type"] == "Runtime.ExitError"
    assert json.loads(first.body) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: id-1 Error: Runtime exited with error: exit status 3",
    }
    assert "lambda-runtime-invocation-id" not in second.headers
    assert third.body == b"5"
    assert outcome.status == 0


def test_a_report_of_a_death_that_is_refused_does_not_end_the_environment(start: Start, platform: Platform) -> None:
    platform.replies.append(refusal(403))
    platform.deliver(event(b"1"), event(b"5", "id-2"))
    served = workers(start, "import os\ndef handler(event, context): return event if event == 5 else os._exit(3)\n")
    served.wait_for_answers(2)
    outcome = served.terminate()
    assert outcome.answers[1].body == b"5"
    assert "/invocation/id-1/error was refused with 403" in outcome.stdout
    assert outcome.status == 0


def test_a_worker_that_dies_after_its_answer_is_replaced_without_a_report(start: Start, platform: Platform) -> None:
    code = """
    import os
    from runtime import after_response
    def handler(event, context):
        if event == 1: after_response(os._exit, 3)
        return event
    """
    platform.deliver(event(b"1"), event(b"2", "id-2"))
    served = workers(start, code)
    served.wait_for_answers(2)
    outcome = served.terminate()
    assert [answer.path.rsplit("/", 1)[1] for answer in outcome.answers] == ["response", "response"]
    assert outcome.status == 0


def test_workers_that_die_over_and_over_without_serving_end_the_environment(start: Start, platform: Platform) -> None:
    code = f"import os\nos.register_at_fork(after_in_child=lambda: os._exit(9))\n{ECHO}"
    outcome = workers(start, code).end()
    assert outcome.status == 1
    assert "handlerkit: 5 workers in a row have died without serving; giving up\n" in outcome.stdout
    assert platform.requests == []


def test_deaths_while_serving_are_counted_by_nobody(start: Start, platform: Platform) -> None:
    platform.deliver(*[event(b"1", f"id-{number}") for number in range(7)], event(b"5", "id-7"))
    served = workers(start, "import os\ndef handler(event, context): return event if event == 5 else os._exit(3)\n")
    served.wait_for_answers(8)
    outcome = served.terminate()
    assert [answer.path.rsplit("/", 1)[1] for answer in outcome.answers] == ["error"] * 7 + ["response"]
    assert outcome.status == 0


def test_the_end_of_a_process_that_the_function_started_is_no_workers_end(start: Start, platform: Platform) -> None:
    code = """
    import os, subprocess, sys
    gate, opened = os.pipe()
    os.set_inheritable(gate, True)
    kept = subprocess.Popen(["cat", f"/dev/fd/{gate}"], close_fds=False, stdout=subprocess.DEVNULL)
    os.close(gate)
    def handler(event, context):
        if event == 1:
            os.kill(kept.pid, 9)
        return event
    """
    platform.deliver(event(b"1"))
    served = workers(start, code)
    served.wait_for_answers(1)
    platform.deliver(event(b"2", "id-2"))
    served.wait_for_answers(2)
    outcome = served.terminate()
    assert [answer.body for answer in outcome.answers] == [b"1", b"2"]
    assert outcome.status == 0
    assert outcome.stderr == ""


def test_it_waits_beyond_a_thousand_descriptors(start: Start, platform: Platform) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 1_100:
        pytest.skip("this system allows no more than a thousand descriptors")
    code = """
    import os, resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    while os.dup(0) < 1_030: pass
    def handler(event, context): return event if event == 5 else os._exit(3)
    """
    platform.deliver(event(b"1"), event(b"5", "id-2"))
    served = workers(start, code)
    served.wait_for_answers(2)
    outcome = served.terminate()
    assert outcome.answers[1].body == b"5"
    assert outcome.status == 0


def test_a_worker_that_does_not_end_is_killed(start: Start, platform: Platform) -> None:
    code = """
    import os, signal, time
    def handler(event, context):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(1, b"deaf\\n")
        time.sleep(60)
    """
    platform.deliver(event())
    served = workers(start, code)
    assert served.process.stdout is not None
    assert served.process.stdout.readline() == b"deaf\n"
    # The worker holds the other ends of our pipes: that these have ended says that it has.
    assert served.terminate().status == 0


def test_what_is_shared_is_kept_from_the_collector(start: Start, platform: Platform) -> None:
    platform.deliver(event())
    served = workers(start, "import gc\ndef handler(event, context): return gc.get_freeze_count() > 1000\n")
    served.wait_for_answers(1)
    assert served.terminate().answers[0].body == b"true"
