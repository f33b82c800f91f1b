"""The same rules with AWS's runtime client as the function, with the machine's clock, and with other servers."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import AwsClients, FunctionConfiguration, LocalLambda, ManualClock
from lambda_emulator.embedded_aws import EmbeddedAws
from tests.counterparts import awslambdaric_path, needs_awslambdaric
from tests.emulator.pollers.conftest import START_S
from tests.emulator.pollers.scene import Queue, Scene

REPORT = ["ReportBatchItemFailures"]


@needs_awslambdaric()
def test_awslambdaric_works_off_a_queue_and_a_stream(
    aws: EmbeddedAws,
    clock: ManualClock,
    unique: str,
    task_root: Path,
    make_worker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> None:
    worker = make_worker(
        command=(sys.executable, "-m", "awslambdaric", "worker.handler"),
        environment={"PYTHONPATH": str(awslambdaric_path())},
    )
    scene = Scene(aws, clock, start_lambda(worker, clock=clock, aws=aws.clients), unique, task_root)
    queue, dead = scene.with_dead_letters(2)
    stream = scene.stream()
    scene.map(queue, function_response_types=REPORT)
    scene.map(stream, batch_size=2, maximum_retry_attempts=1, on_failure=dead.arn)
    scene.plan(bad=["list"], worse=["exit"])
    queue.send("a", "bad", "b")
    scene.run()
    stream.put("x", "worse", "y")
    scene.run()
    assert scene.batches() == [["a", "bad", "b"], ["bad"], ["x", "worse"], ["x", "worse"], ["y"]]
    assert dead.count() == 2


def wait_for(condition: Callable[[], bool]) -> None:
    """For what happens by the machine's clock."""
    for _ in range(2_000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_by_the_machines_clock_messages_come_at_once_and_again_when_their_visibility_ends(
    embedded: EmbeddedAws,
    unique: str,
    task_root: Path,
    make_worker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> None:
    from lambda_emulator import RealClock

    clock = RealClock()
    embedded.follow(clock)
    service = start_lambda(make_worker(timeout_s=3), clock=clock, aws=embedded.clients)
    scene = Scene(embedded, ManualClock(), service, unique, task_root)
    queue, fifo = scene.queue(VisibilityTimeout="3"), scene.fifo(VisibilityTimeout="3")
    stream = scene.stream("dynamodb")
    for source in (queue, fifo, stream):
        scene.map(source)
    scene.plan(b=["raise", "ok"], f2=["raise", "ok"])
    stream.put("a")
    queue.send("b")
    fifo.send("f1", "f2", "f3", MessageGroupId="g")
    wait_for(lambda: len(scene.batches()) >= 3 and queue.count() + fifo.count() == 0)
    seen = scene.names()
    assert (seen.count("a"), seen.count("b")) == (1, 2)
    for batch in scene.batches():
        assert batch == sorted(batch)
    assert [name for name in seen if name == "f3"][-1:] == ["f3"]


SERVER = """
import sys
from moto.server import ThreadedMotoServer
import logging
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def moto_elsewhere() -> Iterator[tuple[str, Callable[[], None]]]:
    """A moto server in a process of its own, whose time is not ours, and a way to stop it."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()

        def stop() -> None:
            server.kill()
            server.wait()

        yield f"http://127.0.0.1:{port}", stop
        stop()


def test_a_server_on_its_own_time_obeys_the_manual_clock_and_may_stop(
    moto_elsewhere: tuple[str, Callable[[], None]],
    unique: str,
    task_root: Path,
    make_worker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> None:
    url, stop = moto_elsewhere
    clock = ManualClock(START_S)
    clients = AwsClients(endpoint_url=url)
    service = start_lambda(make_worker(), clock=clock, aws=clients)

    class Elsewhere:
        def client(self, name: str) -> Any:
            return clients.client(name, "us-east-1")

    scene = Scene(Elsewhere(), clock, service, unique, task_root)  # type: ignore[arg-type]
    queue, dead = scene.with_dead_letters(2)
    fifo: Queue = scene.fifo()
    mapping = scene.map(queue, function_response_types=REPORT)
    scene.map(fifo, function_response_types=REPORT)
    scene.plan(bad=["list"], **{"2": ["list", "ok"], "3": ["list", "ok"]})
    queue.send("bad")
    fifo.send("1", "2", "3", "4", MessageGroupId="g")
    clock.run_until_quiet()
    assert dead.take() == ["bad"]
    assert [batch for batch in scene.batches() if "bad" not in batch] == [["1", "2", "3", "4"], ["2", "3"]]
    stop()
    clock.advance(60)
    assert scene.result(mapping).startswith("PROBLEM: EndpointConnectionError")
    service.close()
    clients.close()
