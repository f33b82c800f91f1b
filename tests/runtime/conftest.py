"""Fixtures: a scripted platform, and our runtime as a real process against it."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.platform import PATIENCE_S, Platform, Reply, Request, event

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "bootstrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a served process left behind."""

    answers: list[Request]
    stdout: str
    stderr: str
    status: int


class Served:
    """A running runtime process and its platform."""

    def __init__(self, process: "subprocess.Popen[bytes]", platform: Platform) -> None:
        self.process = process
        self.platform = platform

    def wait_for_answers(self, count: int) -> None:
        """Wait until `count` answers have arrived, or fail with what the process wrote."""
        if not self.platform.wait_until(lambda platform: len(platform.answers) >= count):
            self.process.kill()
            out, err = self.process.communicate()
            pytest.fail(f"only {len(self.platform.answers)} answers; stdout: {out!r}, stderr: {err!r}")

    def wait_until_idle(self, events: int) -> None:
        """Wait until the process has asked once more than it was given events."""
        if not self.platform.wait_until(lambda platform: len(platform.requests) - len(platform.answers) > events):
            self.process.kill()
            out, err = self.process.communicate()
            pytest.fail(f"the process does not ask for more; stdout: {out!r}, stderr: {err!r}")

    def terminate(self) -> Outcome:
        """SIGTERM, as Lambda sends it to an idle environment."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> Outcome:
        """Wait for the process to end by itself."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            pytest.fail(f"the process did not end; stdout: {out!r}, stderr: {err!r}")
        return Outcome(
            answers=self.platform.answers,
            stdout=out.decode(),
            stderr=err.decode(),
            status=self.process.returncode,
        )


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A scripted Runtime API."""
    platform = Platform()
    yield platform
    platform.close()


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path, platform: Platform) -> Iterator[Start]:
    """Start the bootstrap (or `python -m runtime`) for a function made of source text; `handler` is its arguments."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(
        code: str = "",
        *,
        handler: str | None = "app.handler",
        files: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        entry: str = "bootstrap",
        **popen: Any,
    ) -> Served:
        for name, text in {"app.py": code, **(files or {})}.items():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(text), encoding="utf-8")
        commands = {
            "bootstrap": [str(BOOTSTRAP)],
            "module": [sys.executable, "-P", "-m", "runtime"],
        }
        environ = {
            "PATH": os.environ["PATH"],
            "HANDLERKIT_PYTHON": sys.executable,
            "AWS_LAMBDA_RUNTIME_API": platform.address,
            "LAMBDA_TASK_ROOT": str(tmp_path),
            "AWS_LAMBDA_FUNCTION_NAME": "demo",
            **(env or {}),
        }
        process = subprocess.Popen(
            [*commands[entry], *([] if handler is None else handler.split())],
            env=environ,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **popen,
        )
        processes.append(process)
        return Served(process, platform)

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers, too, where a test has failed
        process.communicate()


Serve = Callable[..., Outcome]


@pytest.fixture
def serve(start: Start, platform: Platform) -> Serve:
    """Serve events with a function made of source text, end the idle process, and return what came of it.

    Each event is bytes (a body) or a `Reply`. The answers are in the order of the events; there are as many, if
    `answers` does not say otherwise.
    """

    def serve(code: str, *events: bytes | Reply, answers: int | None = None, **options: Any) -> Outcome:
        # A second process would be judged by the first one's answers, and lose its events to that one's last `/next`.
        assert not platform.requests, "one platform serves one process: make it two tests"
        platform.deliver(
            *(
                item if isinstance(item, Reply) else event(item, f"id-{number}")
                for number, item in enumerate(events, start=1)
            )
        )
        served = start(code, **options)
        served.wait_for_answers(len(events) if answers is None else answers)
        served.wait_until_idle(len(events))
        return served.terminate()

    return serve
