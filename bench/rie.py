"""The caller's round trip through AWS's own Runtime Interface Emulator, with either runtime behind it.

Here the emulator takes the larger part of the time, as the service does in the cloud: this is how much of a
runtime's gain a caller still sees. One emulator per runtime stays up; the rounds alternate between them. The
calls are serialised: two at once bring the emulator down.
"""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from functools import partial

from bench import parts, payloads, stopwatch, tables

PATH = "/2015-03-31/functions/function/invocations"
FIGURES = {"round trip p50, µs": "p50_us", "p99, µs": "p99_us"}


@contextlib.contextmanager
def emulator(runtime: parts.Runtime) -> Iterator[int]:
    """AWS's emulator with `runtime` behind it; yields the port to call. Both are gone afterwards."""
    port, api_port = _free_ports()
    command = [
        str(parts.emulator()), "--log-level", "fatal",
        "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{api_port}",
        *runtime.command_for("small"),
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        env=runtime.environment_for("small"),
        cwd=runtime.task,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_pin if stopwatch.core() is not None else None,  # one thread here
    )
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)  # the emulator takes its runtime along
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Caller:
    """One keep-alive connection, no HTTP library in the way."""

    def __init__(self, port: int, event: bytes) -> None:
        """Connect as soon as the emulator listens."""
        self._socket = _connect(port)
        self._request = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(event)}\r\n\r\n"
        ).encode() + event

    def invoke(self) -> bytes:
        """Post the event, return the answer's body."""
        self._socket.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        while len(body) < int(length):
            body += self._more()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise stopwatch.RunError(f"the emulator answers {head[:40]!r} {body[:200]!r}")
        return body

    def round(self, count: int) -> stopwatch.Figures:
        """`count` calls one after the other."""
        samples = []
        for _ in range(count):
            began = time.perf_counter_ns()
            self.invoke()
            samples.append((time.perf_counter_ns() - began) / 1e3)
        return {"p50_us": statistics.median(samples), "p99_us": statistics.quantiles(samples, n=100)[98]}

    def close(self) -> None:
        """Let the emulator go in peace."""
        self._socket.close()

    def _more(self) -> bytes:
        if not (part := self._socket.recv(65536)):
            raise stopwatch.RunError("the emulator closed the connection")
        return part


def duel(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, count: int) -> stopwatch.Duel:
    """Alternate rounds of `count` calls."""
    event = payloads.event("small")
    with contextlib.ExitStack() as stack:
        callers = []
        for runtime in (ours, theirs):
            caller = Caller(stack.enter_context(emulator(runtime)), event)
            stack.callback(caller.close)
            caller.round(max(count // 5, 2))  # the first call starts the runtime
            callers.append(caller)
        first, second = stopwatch.take_turns(rounds, [partial(caller.round, count) for caller in callers])
    return stopwatch.Duel(ours=first, theirs=second)


def table(result: stopwatch.Duel) -> str:
    """One row; in each cell the ratio, ours, theirs."""
    cells = [tables.versus(result.ratio(figure), *result.medians(figure)) for figure in FIGURES.values()]
    return tables.markdown(["event", *FIGURES], [["small", *cells]])


def budgets(result: stopwatch.Duel) -> list[tables.Budget]:
    """The design's limit for the round trip."""
    return [tables.Budget(what="round trip through AWS's emulator, p50", ratio=result.ratio("p50_us"), limit=0.75)]


def _pin() -> None:
    if (core := stopwatch.core()) is not None:
        os.sched_setaffinity(0, {core})


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _connect(port: int) -> socket.socket:
    for _ in range(200):
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise stopwatch.RunError("the emulator does not listen")
