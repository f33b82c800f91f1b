"""Random batches against a model of what Lambda does with responses: nothing lost, nothing out of order, an end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import BaseModel

import handlerkit.batch.handler
import handlerkit.batch.portions
from handlerkit import DropRecord, RetryRecord, batch_handler
from handlerkit.batch import PoisonRecord, process, process_async
from handlerkit.events import DynamoDBRecord, KafkaRecord, KinesisRecord, SqsRecord

from .platform_model import POISON, Message, Queue, Source, Stream, Topic, good

GROUPS = "abc"
KINDS = ["standard", "fifo", "kinesis", "kinesis by key", "dynamodb", "dynamodb by key", "kafka"]
ORDERED = ["fifo", "kinesis", "dynamodb", "kafka"]


class Job(BaseModel):
    n: int


class Item(BaseModel):
    job: str
    group: str

    def model_post_init(self, _: object) -> None:
        Job.model_validate_json(self.job)


RECORDS: dict[str, Any] = {
    "standard": SqsRecord[Job],
    "fifo": SqsRecord[Job],
    "kinesis": KinesisRecord[Job],
    "dynamodb": DynamoDBRecord[Item],
    "kafka": KafkaRecord[bytes, Job],
}


def source_for(kind: str) -> Source:
    if kind in ("standard", "fifo"):
        return Queue(kind == "fifo")
    return Topic() if kind == "kafka" else Stream(kind.startswith("dynamodb"))


def number_of(record: Any) -> int:
    if isinstance(record, SqsRecord):
        return int(record.body.n)
    if isinstance(record, KinesisRecord):
        return int(record.data.n)
    if isinstance(record, KafkaRecord):
        job: Any = record.value
        return int(job.n)
    return Job.model_validate_json(record.new_image.job).n


RECORD = st.tuples(
    st.sampled_from(GROUPS),
    st.builds(
        lambda first, last: [*first, last],
        st.lists(st.sampled_from(["fail", "retry", "cancel"]), max_size=2),
        st.sampled_from(["done", "done", "drop"]),
    ),
    st.sampled_from([False, False, False, True]),
)
"""A group, what becomes of the record time after time, whether it is poison."""


class VirtualContext:
    """Time that passes only by what records cost."""

    def __init__(self, left_ms: int) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(self.left_ms, 0)


class Work:
    """The function of one record, in one invocation: does what fate has for it, and writes down what it sees."""

    def __init__(self, world: Batches, context: VirtualContext, cost_ms: int, workers: int) -> None:
        self.world, self.context, self.cost_ms = world, context, cost_ms
        self.in_line = world.is_ordered or (world.by_key and workers == 1)
        self.started: set[int] = set()

    def __call__(self, record: Any) -> None:
        number = number_of(record)
        with self.world.lock:
            fate = self.fate_of(number)
        match fate:
            case "drop":
                raise DropRecord("not wanted")
            case "retry":
                raise RetryRecord("busy")
            case "fail":
                raise ValueError(f"no {number}")
            case "cancel":
                raise asyncio.CancelledError if self.world.how == "async" else KeyError(number)

    def fate_of(self, number: int) -> str:
        world = self.world
        if number in self.started:
            world.violations.append(f"{number} twice in one invocation")
        self.started.add(number)
        if self.in_line and any(world.follows(number, one) for one in world.failed):
            world.violations.append(f"{number} behind a failure: {world.failed}")
        world.calls.append(number)
        self.context.left_ms -= self.cost_ms
        fates = world.fates[number]
        fate = fates.pop(0) if len(fates) > 1 else fates[0]
        (world.done if fate in ("done", "drop") else world.failed).append(number)
        return fate


class Batches(RuleBasedStateMachine):
    """Send, deliver, look."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.sent = 0
        self.groups: dict[int, str] = {}
        self.fates: dict[int, list[str]] = {}
        self.done: list[int] = []
        """What the function finished, or dropped, in order."""
        self.calls: list[int] = []
        """What the function was called with in the running invocation."""
        self.failed: list[int] = []
        """What failed in the running invocation."""
        self.violations: list[str] = []
        """What must not have been called; an error raised there and then would only be one more failure."""

    @initialize(
        kind=st.sampled_from(KINDS),
        how=st.sampled_from(["sync", "hidden async", "async", "portions"]),
        diverts=st.booleans(),
        portion_bytes=st.sampled_from([1, 400, 1_500]),
    )
    def begin(self, kind: str, how: str, diverts: bool, portion_bytes: int) -> None:
        self.kind, self.how, self.diverts = kind.partition(" ")[0], how, diverts
        self.portion_bytes = portion_bytes
        self.by_key = kind.endswith("by key")
        self.source = source_for(self.kind)
        self.is_ordered = kind in ORDERED

    # One rule, not two: a machine that only sends, or only delivers, shows nothing.
    @rule(
        records=st.lists(RECORD, max_size=8),
        size=st.integers(1, 10),
        workers=st.integers(1, 3),
        left_ms=st.sampled_from([10_000, 10_000, 10_000, 1_000, 300, 0]),
        cost_ms=st.sampled_from([0, 0, 1, 100, 400]),
        breaks_poison_queue=st.booleans(),
    )
    def send_and_deliver(
        self,
        records: list[tuple[str, list[str], bool]],
        size: int,
        workers: int,
        left_ms: int,
        cost_ms: int,
        breaks_poison_queue: bool,
    ) -> None:
        for group, fates, is_poison in records:
            number = self.sent
            self.sent += 1
            self.groups[number] = group
            self.fates[number] = list(fates)
            self.source.send(Message(number, group, POISON if is_poison else good(number)))
        self.deliver(size, workers, left_ms, cost_ms, breaks_poison_queue)

    def deliver(self, size: int, workers: int, left_ms: int, cost_ms: int, breaks_poison_queue: bool) -> None:
        if not self.source.pending():
            return
        self.calls, self.failed = [], []
        context = VirtualContext(left_ms)
        options: dict[str, Any] = {
            "context": context,
            "record": RECORDS[self.kind],
            "max_workers": workers if self.kind not in ("kinesis", "dynamodb") or self.by_key else 1,
            "ordering": "key" if self.by_key else None,
        }
        if self.diverts:
            options["on_poison"] = lambda poison: self.divert(poison, breaks_poison_queue)
        self.source.deliver(self.handler(Work(self, context, cost_ms, workers), options), size)

    def handler(self, work: Work, options: dict[str, Any]) -> Any:
        """A handler as a user would write it, for functions of three kinds."""

        async def work_async(record: Any) -> None:
            await asyncio.sleep(0)
            work(record)

        def hidden_async(record: Any) -> Any:
            return work_async(record)

        if self.how == "async":
            return lambda event: asyncio.run(process_async(event, work_async, **options))
        if self.how == "portions":
            context = options.pop("context")
            handler = batch_handler(**options)(work)
            return lambda event: json.loads(self.in_portions(handler, json.dumps(event).encode(), context))
        return lambda event: process(event, work if self.how == "sync" else hidden_async, **options)

    def in_portions(self, handler: Any, body: bytes, context: Any) -> Any:
        """As the runtime calls it, and as if the event were a large one."""
        with (
            patch.object(handlerkit.batch.handler, "PORTIONED_BYTES", 0),
            patch.object(handlerkit.batch.portions, "MOST_BYTES", self.portion_bytes),
        ):
            return handler.__lambda_raw__(body, context)

    def divert(self, poison: PoisonRecord, is_broken: bool) -> None:
        if is_broken:
            raise OSError("no such queue")
        if not str(poison.error):
            self.violations.append("poison without a reason")

    def follows(self, number: int, earlier: int) -> bool:
        """Whether order says that a record comes after another."""
        if number <= earlier:
            return False
        return self.kind in ("kinesis", "dynamodb") or self.groups[number] == self.groups[earlier]

    @invariant()
    def nothing_runs_that_may_not(self) -> None:
        assert not self.violations

    @invariant()
    def nothing_is_acknowledged_that_was_not_processed(self) -> None:
        if not hasattr(self, "source"):
            return
        done = set(self.done)
        for message in self.source.settled:
            assert message.number in done or (message.body == POISON and self.diverts)

    @invariant()
    def nothing_is_lost_or_settled_twice(self) -> None:
        if not hasattr(self, "source"):
            return
        everything = [*self.source.settled, *self.source.pending()]
        assert sorted(one.number for one in everything) == list(range(self.sent))

    @invariant()
    def order_holds(self) -> None:
        """What was finished in a lane was finished in order, and where all of it is in order, only once."""
        if not hasattr(self, "source"):
            return
        lanes: dict[str, list[int]] = {}
        for number in self.done:
            lane = self.groups[number] if self.kind in ("fifo", "kafka") else ""
            lanes.setdefault(lane, []).append(number)
        if self.is_ordered:
            for finished in lanes.values():
                assert finished == sorted(set(finished))
        if self.by_key:
            for group in GROUPS:
                called = [number for number in self.calls if self.groups[number] == group]
                assert called == sorted(set(called))

    def teardown(self) -> None:
        """Failures are finite, so is what is left to do: every delivery settles a record or uses up a failure."""
        if not hasattr(self, "source"):
            return
        for message in self.source.pending():
            message.body = good(message.number)
        for number in range(self.sent + sum(map(len, self.fates.values()))):
            self.deliver(8, 1 + number % 3, 10_000, 0, False)
            self.order_holds()
            self.nothing_runs_that_may_not()
        assert not self.source.pending()
        self.nothing_is_acknowledged_that_was_not_processed()


Batches.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBatches = pytest.mark.timeout(300)(Batches.TestCase)


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Failures are the point here; their log lines are not."""
    logger = logging.getLogger("handlerkit.batch")
    logger.disabled = True
    with contextlib.suppress(Exception):
        yield
    logger.disabled = False
