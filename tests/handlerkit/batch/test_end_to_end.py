"""Batches through a whole local Lambda, in our bootstrap (the raw hook) and in AWS's own client (the dict path).

The queue and the stream are the model's; they deliver again what the responses do not settle.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda
from tests.counterparts import awslambdaric_path, needs_awslambdaric

from .platform_model import POISON, Message, Queue, Source, Stream, good

APP = """
    import time
    from pathlib import Path

    from pydantic import BaseModel

    from handlerkit import batch_handler
    from handlerkit.events import KinesisRecord, SqsRecord

    attempts = {}


    def done(n):
        with Path("done.txt").open("a") as file:
            file.write(f"{n}\\n")


    class Job(BaseModel):
        n: int


    def work(n):
        attempts[n] = attempts.get(n, 0) + 1
        if n % 4 == 1 and attempts[n] < 3:
            raise ValueError(f"not yet: {n}")
        done(n)


    @batch_handler
    def handler(record: SqsRecord[Job] | KinesisRecord[Job]) -> None:
        work(record.body.n if isinstance(record, SqsRecord) else record.data.n)


    @batch_handler(stop_margin_ms=300)
    async def slow(record: SqsRecord[Job]) -> None:
        time.sleep(0.2)
        done(record.body.n)
"""


@pytest.fixture(params=["ours", pytest.param("awslambdaric", marks=needs_awslambdaric())])
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(textwrap.dedent(APP))
    return tmp_path


def service(app: Path, runtime: str, handler: str = "handler", **fields: Any) -> LocalLambda:
    paths = [str(Path(__file__).parents[3] / "src"), *(entry for entry in sys.path if "site-packages" in entry)]
    command = None
    if runtime == "awslambdaric":
        paths.insert(0, str(awslambdaric_path()))
        command = (sys.executable, "-m", "awslambdaric", f"app.{handler}")
    settings: dict[str, Any] = {
        "handler": f"app.{handler}",
        "task_root": app,
        "command": command,
        "environment": {"PYTHONPATH": ":".join(paths)},
        "timeout_s": 20,
        "memory_mb": 512,
    }
    return LocalLambda(FunctionConfiguration(**(settings | fields)))


class FunctionError(Exception):
    """The invocation failed."""


def through(local: LocalLambda) -> Any:
    """A handler that invokes the function."""

    def handler(event: dict[str, Any]) -> Any:
        result = local.invoke("function", event)
        if result.function_error:
            raise FunctionError(result.json())
        return result.json()

    return handler


def done(app: Path) -> list[int]:
    """What the function says it has done, in order."""
    return [int(line) for line in (app / "done.txt").read_text().split()]


def drained(source: Source, handler: Any, size: int) -> Iterator[int]:
    """Deliver until nothing is left; the number of each delivery."""
    for number in range(40):
        if not source.pending():
            return
        yield number
        source.deliver(handler, size)
    raise AssertionError(source.pending())


def test_a_fifo_queue_is_emptied_in_order_and_nothing_is_done_twice(app: Path, runtime: str) -> None:
    queue = Queue(fifo=True)
    for number in range(12):
        queue.send(Message(number, "ab"[number % 2], good(number)))
    with service(app, runtime) as local:
        for _ in drained(queue, through(local), 10):
            pass
    assert sorted(done(app)) == list(range(12))
    for group in (0, 1):
        in_group = [number for number in done(app) if number % 2 == group]
        assert in_group == sorted(in_group)


def test_a_stream_is_read_in_order_and_waits_at_poison_until_it_is_mended(app: Path, runtime: str) -> None:
    stream = Stream(dynamodb=False)
    for number in range(10):
        stream.send(Message(number, "a", POISON if number == 6 else good(number)))
    with service(app, runtime) as local:
        for delivery in drained(stream, through(local), 5):
            if delivery == 15:
                assert done(app) == [0, 1, 2, 3, 4, 5]
                stream.pending()[0].body = good(6)
    assert done(app) == list(range(10))


def test_what_time_does_not_suffice_for_comes_again_and_what_was_done_does_not(app: Path, runtime: str) -> None:
    queue = Queue(fifo=False)
    for number in range(8):
        queue.send(Message(number, "a", good(number)))
    with service(app, runtime, "slow", timeout_s=1) as local:
        deliveries = len(list(drained(queue, through(local), 10)))
    assert sorted(done(app)) == list(range(8))
    assert deliveries > 1
