"""AWS's emulator as a fixture: a process per test, on ports of its own, and all of it gone afterwards."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.counterparts import absence_of_rie, awslambdaric_path, rie_binary
from tests.rie.sandbox import absence_of_sandbox, command_in_sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
FUNCTIONS = Path(__file__).resolve().parent / "functions"
HOST = "127." + ".".join(str(byte) for byte in os.getpid().to_bytes(3, "big"))
"""A loopback address that belongs to this test process alone: all of 127.0.0.0/8 is loopback. Another
worker's emulator can then neither take our port between finding and using it nor be mistaken for ours."""


Boxed = Callable[[list[str]], list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller of one invocation got."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body, parsed; the assertion shows a body that is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError(f"not JSON: {self.status} {self.body[:300]!r}") from None


class Emulator:
    """A running emulator. Calls are serialised by nature: one test, one thread, one call at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self._port = port
        self._log = log

    def invoke(self, event: Any, headers: dict[str, str] | None = None) -> Answer:
        """Post one event, as JSON unless it is bytes already."""
        body = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
        connection = HTTPConnection(HOST, self._port, timeout=60)
        try:
            path = "/2015-03-31/functions/function/invocations"
            connection.request("POST", path, body, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def log(self) -> str:
        """Everything the emulator and the function wrote so far."""
        return self._log.read_text(errors="replace")


class ManyAtOnce(Emulator):
    """A running emulator in managed-instances mode, where many calls may be under way."""

    def invoke(self, event: Any, headers: dict[str, str] | None = None) -> Answer:
        """As in the base class; asked again while no worker waits for an event, as the emulator then refuses."""
        ends_at = time.monotonic() + 20
        while True:
            answer = super().invoke(event, headers)
            if answer.status != 400 or b"Runtime.Unavailable" not in answer.body or time.monotonic() > ends_at:
                return answer
            time.sleep(0.01)

    def invoke_together(self, events: list[Any], headers: list[dict[str, str]] | None = None) -> list[Answer]:
        """All at once, each from a thread of its own."""
        with ThreadPoolExecutor(len(events)) as pool:
            return list(pool.map(self.invoke, events, headers or [{} for _ in events]))

    @property
    def inside(self) -> int:
        """The emulator's own process: bubblewrap's child is the first process in there, and it the child of that."""
        (first,) = children(self.process.pid)
        (emulator,) = children(first)
        return emulator


StartEmulator = Callable[..., Emulator]
StartManyAtOnce = Callable[..., ManyAtOnce]


@pytest.fixture(params=["bootstrap", "awslambdaric"])
def runtime(request: pytest.FixtureRequest) -> str:
    """Both runtimes, for what must look the same from outside."""
    return str(request.param)


@pytest.fixture
def start_emulator(tmp_path: Path) -> Iterator[StartEmulator]:
    """A function that starts AWS's emulator with a runtime, a handler and a timeout in seconds."""
    if absence := absence_of_rie():
        pytest.skip(absence)
    with contextlib.ExitStack() as stack:

        def start(runtime: str, handler: str = "working.handler", timeout: int = 30, **environment: str) -> Emulator:
            command, needed = command_of(runtime)
            variables = {
                "PATH": os.environ["PATH"],
                "LAMBDA_TASK_ROOT": str(FUNCTIONS),
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
                "_HANDLER": handler,
                **needed,
                **environment,
            }
            return stack.enter_context(running([*command, handler], variables, tmp_path / "emulator.log"))

        yield start


@pytest.fixture
def start_many_at_once(tmp_path: Path) -> Iterator[StartManyAtOnce]:
    """A function that starts AWS's emulator in managed-instances mode; `mode` is one of ours, or awslambdaric."""
    if absence := absence_of_rie() or absence_of_sandbox():
        pytest.skip(absence)
    with contextlib.ExitStack() as stack:

        def start(
            mode: str, handler: str = "crowd.handler", count: int = 4, timeout: int = 20, **environment: str
        ) -> ManyAtOnce:
            client = None
            if mode == "awslambdaric" and (client := awslambdaric_path()) is None:
                pytest.skip("awslambdaric is not there (make counterparts)")
            variables = {
                "AWS_LAMBDA_MAX_CONCURRENCY": str(count),
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
                "_HANDLER": handler,
                **({} if client else {"HANDLERKIT_CONCURRENCY": mode}),
                **environment,
            }

            def boxed(command: list[str]) -> list[str]:
                return command_in_sandbox(command, variables, client, tmp_path)

            log = tmp_path / "emulator.log"
            port, process = started([handler], {"PATH": os.environ["PATH"]}, log, boxed)
            stack.callback(end, process)
            return ManyAtOnce(process, port, log)

        yield start


def command_of(runtime: str) -> tuple[list[str], dict[str, str]]:
    """The command line of a runtime without its handler, and the variables that it needs."""
    if runtime == "bootstrap":
        return [str(ROOT / "bootstrap")], {"HANDLERKIT_PYTHON": sys.executable}
    if (folder := awslambdaric_path()) is None:
        pytest.skip("awslambdaric is not there (make counterparts)")
    return [sys.executable, "-m", "awslambdaric"], {"PYTHONPATH": str(folder)}


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[Emulator]:
    """The emulator with `command` as its runtime, from the moment it listens."""
    port, process = started(command, environment, log)
    try:
        yield Emulator(process, port, log)
    finally:
        end(process)


def started(
    command: list[str], environment: dict[str, str], log: Path, boxed: Boxed = list
) -> "tuple[int, subprocess.Popen[bytes]]":
    """The emulator's port and process; `boxed` may wrap its command line."""
    for _ in range(5):
        port, process = launch(command, environment, log, boxed)
        if port:
            return port, process
    raise AssertionError(f"AWS's emulator does not start: {log.read_text()}")


def launch(
    command: list[str], environment: dict[str, str], log: Path, boxed: Boxed
) -> "tuple[int, subprocess.Popen[bytes]]":
    """One attempt; port 0 when the emulator ended at once, as it does when a port was taken meanwhile."""
    port, api_port = free_ports()
    with log.open("ab") as output:
        process = subprocess.Popen(
            boxed([
                str(rie_binary()), "--log-level", "fatal",
                "--runtime-interface-emulator-address", f"{HOST}:{port}",
                "--runtime-api-address", f"{HOST}:{api_port}",
                *command,
            ]),
            env=environment, cwd=FUNCTIONS, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((HOST, port), timeout=5):
            return port, process
        time.sleep(0.01)
    end(process)
    return 0, process


def free_ports() -> tuple[int, int]:
    """Two ports that nobody uses; both sockets are open at once, so they differ."""
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return one.getsockname()[1], other.getsockname()[1]


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop the emulator, and whatever runtime outlives it."""
    runtimes = children(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in runtimes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def children(parent: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            # The name, in brackets, may hold anything; the parent is the second field behind it.
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
    return found
