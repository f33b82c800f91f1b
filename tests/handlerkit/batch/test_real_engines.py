"""Batches delivered, and delivered again, by a real engine: moto's SQS, Kinesis and DynamoDB Streams, over HTTP.

The record's function fails at random, some records are poison, time runs out in some invocations. Whatever happens:
nothing is lost, nothing is done away with that was not processed, order is kept, and there is an end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import DropRecord, batch_handler
from handlerkit.batch import PoisonQueue
from handlerkit.events import DynamoDBRecord, KinesisRecord, SqsRecord

from .engines import Engine, KinesisShard, SqsQueue, TableStream, bodies, client
from .platform_model import POISON, Message, good

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning:botocore|moto")

COUNT = 16
GROUPS = "abc"


class Job(BaseModel):
    n: int


class Item(BaseModel):
    number: int
    group: str
    job: str

    def model_post_init(self, _: object) -> None:
        Job.model_validate_json(self.job)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def engine_of(kind: str, endpoint: str) -> Engine:
    if kind in ("standard", "fifo"):
        return SqsQueue(endpoint, kind == "fifo")
    return KinesisShard(endpoint) if kind == "kinesis" else TableStream(endpoint)


class World:
    """What is sent, what shall become of it, and what became of it."""

    def __init__(self, kind: str, seed: int) -> None:
        self.random = random = Random(seed)
        self.kind = kind
        self.groups = [random.choice(GROUPS) for _ in range(COUNT)]
        self.poison = set(random.sample(range(COUNT), 2))
        self.fails = [random.choice([0, 0, 0, 1, 2]) for _ in range(COUNT)]
        self.left_ms = 0
        self.done: list[int] = []
        self.failed: list[int] = []
        """In the running invocation."""
        self.violations: list[str] = []

    def follows(self, number: int, earlier: int) -> bool:
        """Whether order says that one waits for the other."""
        if self.kind == "standard" or number <= earlier:
            return False
        return self.kind != "fifo" or self.groups[number] == self.groups[earlier]

    def work(self, number: int) -> None:
        """The function of one record."""
        if any(self.follows(number, one) for one in self.failed):
            self.violations.append(f"{number} behind a failure")
        if any(self.follows(one, number) for one in self.done):
            self.violations.append(f"{number} after one that it goes before: {self.done}")
        if number in self.done:
            self.violations.append(f"{number} once more")
        self.left_ms -= self.random.choice([0, 0, 0, 700])
        if self.fails[number]:
            self.fails[number] -= 1
            self.failed.append(number)
            raise ValueError(f"not yet: {number}")
        self.done.append(number)
        if number % 5 == 0:
            raise DropRecord("seen enough")

    def get_remaining_time_in_millis(self) -> int:
        """As a context: time passes by what records cost."""
        return max(0, self.left_ms)


def handler_of(world: World, path: str, **options: Any) -> Any:
    """A handler as a user writes it, called with parsed events or with bytes."""

    def sqs(record: SqsRecord[Job]) -> None:
        world.work(record.body.n)

    def kinesis(record: KinesisRecord[Job]) -> None:
        world.work(record.data.n)

    def dynamodb(record: DynamoDBRecord[Item]) -> None:
        image: Any = record.new_image
        world.work(image.number)

    functions: dict[str, Any] = {"standard": sqs, "fifo": sqs, "kinesis": kinesis, "dynamodb": dynamodb}
    handler = batch_handler(**options)(functions[world.kind])

    def invoked(event: dict[str, Any]) -> Any:
        world.failed, world.left_ms = [], world.random.choice([10_000, 2_500, 1_200])
        if path == "parsed":
            return handler(event, world)
        return json.loads(handler.__lambda_raw__(json.dumps(event).encode(), world))

    return invoked


def run_until_quiet(engine: Engine, world: World, handler: Any) -> None:
    """Send all, deliver until there is nothing; whatever a delivery does away with has been processed."""
    for number, group in enumerate(world.groups):
        engine.send(Message(number, group, POISON if number in world.poison else good(number)))
    for _ in range(120):
        if not engine.deliver(handler):
            break
        assert world.violations == []
        assert set(engine.settled) <= set(world.done) | world.poison
    else:
        raise AssertionError("no end")


@pytest.mark.parametrize("path", ["raw", "parsed"])
@pytest.mark.parametrize("kind", ["standard", "fifo", "kinesis", "dynamodb"])
@pytest.mark.parametrize("seed", range(3))
def test_all_is_done_once_and_in_order_and_poison_goes_to_its_queue(
    endpoint: str, kind: str, path: str, seed: int
) -> None:
    engine, world = engine_of(kind, endpoint), World(kind, seed)
    sqs = client("sqs", endpoint)
    poison_url = sqs.create_queue(QueueName=f"poison-{kind}-{path}-{seed}")["QueueUrl"]
    run_until_quiet(engine, world, handler_of(world, path, on_poison=PoisonQueue(poison_url, sqs)))
    assert sorted(world.done) == sorted(set(range(COUNT)) - world.poison)
    assert sorted(engine.settled) == list(range(COUNT))
    assert len(bodies(sqs, poison_url)) == 2
    if isinstance(engine, SqsQueue):
        assert engine.dead() == []
    if kind in ("kinesis", "dynamodb"):
        assert world.done == sorted(world.done)


def test_poison_in_a_queue_costs_no_other_message_and_ends_in_the_dead_letter_queue(endpoint: str) -> None:
    engine, world = SqsQueue(endpoint, fifo=False), World("standard", 7)
    run_until_quiet(engine, world, handler_of(world, "raw"))
    assert sorted(world.done) == sorted(set(range(COUNT)) - world.poison)
    assert engine.dead() == [POISON, POISON]
    assert sorted(engine.settled) == sorted(world.done)


def test_poison_in_a_fifo_queue_holds_its_group_back_until_the_dead_letter_queue_takes_it(endpoint: str) -> None:
    engine, world = SqsQueue(endpoint, fifo=True), World("fifo", 3)
    world.fails = [0] * COUNT
    run_until_quiet(engine, world, handler_of(world, "parsed"))
    assert engine.dead().count(POISON) == 2
    assert set(world.done) | world.poison == set(range(COUNT))


def test_a_poison_queue_that_is_gone_acknowledges_nothing(endpoint: str) -> None:
    engine, world = KinesisShard(endpoint), World("kinesis", 1)
    sqs = client("sqs", endpoint)
    handler = handler_of(world, "raw", on_poison=PoisonQueue(f"{endpoint}/123456789012/nowhere", sqs))
    for number, group in enumerate(world.groups):
        engine.send(Message(number, group, POISON if number in world.poison else good(number)))
    for _ in range(40):
        engine.deliver(handler)
    before = range(min(world.poison))
    assert engine.settled == world.done == list(before)
