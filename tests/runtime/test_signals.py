"""Signals before, in and after a fork."""

import pytest

from tests.runtime.conftest import Start
from tests.runtime.platform import Platform, event

FORK = """
import atexit, os, signal, subprocess, threading
atexit.register(lambda: print("ended", flush=True))
def fork():
    child = os.fork()
    if child == 0:
        os._exit(7)
    results.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
results = []
def handler(event, context):
    if event == "thread":
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
    else:
        fork()
        fork()
    return results
"""


@pytest.mark.parametrize(("how", "codes"), [("main", b"[7,7]"), ("thread", b"[7]")])
def test_a_process_that_has_forked_still_ends_cleanly(start: Start, platform: Platform, how: str, codes: bytes) -> None:
    served = start(FORK)
    platform.deliver(event(f'"{how}"'.encode()))
    served.wait_for_answers(1)
    served.wait_until_idle(1)
    outcome = served.terminate()
    assert outcome.answers[0].body == codes
    assert outcome.status == 0
    assert outcome.stdout == "ended\n"
    assert outcome.stderr == ""


def test_a_signal_handler_of_the_functions_own_is_kept_over_a_fork(start: Start, platform: Platform) -> None:
    code = """
    import os, signal
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(9))
    def handler(event, context):
        child = os.fork()
        if child == 0:
            signal.raise_signal(signal.SIGTERM)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    """
    served = start(code)
    platform.deliver(event())
    served.wait_for_answers(1)
    served.wait_until_idle(1)
    outcome = served.terminate()
    assert outcome.answers[0].body == b"9"
    assert outcome.status == 9
