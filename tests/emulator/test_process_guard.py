"""No function outlives the emulator, however that ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from lambda_emulator.process_guard import ProcessGuard
from tests.emulator.conftest import MakeFunction
from tests.emulator.test_process import _alive
from tests.emulator.test_streaming import wait_for


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_functions_die_with_an_emulator_that_is_killed(
    make_function: MakeFunction, task_root: Path, tmp_path: Path
) -> None:
    """One frozen, one running, each with a child; and nobody had the time to say good-bye."""
    program = """
        import os, time
        child = os.fork()
        if child == 0:
            time.sleep(600)
        def handler(body):
            with open(body.strip(b'"').decode(), "w") as file:
                file.write(f"{os.getpid()} {child}")
            if b"running" in body:
                time.sleep(600)
            return b"1"
        serve(handler)
    """
    make_function(program)
    emulator = f"""
        import sys, threading
        from pathlib import Path
        from lambda_emulator import FunctionConfiguration, LocalLambda
        service = LocalLambda(FunctionConfiguration(
            handler="a.b", task_root=Path({str(task_root)!r}), timeout_s=600,
            command=({sys.executable!r}, "-S", "-u", "function.py"),
        ))
        threading.Thread(target=lambda: service.invoke("function", '"{tmp_path}/running"')).start()
        service.invoke("function", '"{tmp_path}/frozen"').report
        print("ready", flush=True)
        threading.Event().wait()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(emulator)],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        pids = [int(pid) for name in ("running", "frozen") for pid in wait_for(tmp_path / name).split()]
        assert all(map(_alive, pids))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    until(lambda: not any(map(_alive, pids)))


def test_a_group_that_has_ended_is_forgotten() -> None:
    guard = ProcessGuard()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        guard.add(bystander.pid)
        guard.add(victim.pid)
        guard.remove(bystander.pid)
        assert guard._shell is not None
        assert guard._shell.stdin is not None
        guard._shell.stdin.close()  # as if we were gone
        assert victim.wait(10) == -signal.SIGKILL
        guard._shell.wait()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    guard.remove(victim.pid)
    guard.close()


def test_saying_good_bye_kills_nobody() -> None:
    guard = ProcessGuard()
    assert guard.pid is None
    guard.close()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        guard.add(bystander.pid)
        guard.close()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_guard_that_was_killed_stops_nothing() -> None:
    guard = ProcessGuard()
    guard.add(2**22)
    assert guard.pid is not None
    os.kill(guard.pid, signal.SIGKILL)
    assert guard._shell is not None
    guard._shell.wait()
    guard.add(2**22)
    guard.close()


def test_a_signal_to_the_emulators_group_does_not_reach_the_guard() -> None:
    guard = ProcessGuard()
    guard.add(2**22)
    assert guard.pid is not None
    assert os.getpgid(guard.pid) != os.getpgid(0)
    guard.close()
