"""Random batches against a model of what Lambda does with responses: nothing lost, nothing out of order, an end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import BaseModel

from handlerkit import DropRecord, RetryRecord
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
        return int(record.value.n)
    return Job.model_validate_json(record.new_image.job).n


class VirtualContext:
    """Time that passes only by what records cost."""

    def __init__(self, left_ms: int) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(self.left_ms, 0)


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
        self.diverted: list[int] = []
        self.calls: list[int] = []
        """What the function was called with in the running invocation."""
        self.failed: list[int] = []
        """What failed in the running invocation."""

    @initialize(
        kind=st.sampled_from(KINDS), how=st.sampled_from(["sync", "hidden async", "async"]), diverts=st.booleans()
    )
    def begin(self, kind: str, how: str, diverts: bool) -> None:
        self.kind, self.how, self.diverts = kind.partition(" ")[0], how, diverts
        self.by_key = kind.endswith("by key")
        self.source = source_for(self.kind)
        self.is_ordered = kind in ORDERED

    @rule(
        group=st.sampled_from(GROUPS),
        fates=st.lists(st.sampled_from(["fail", "retry", "cancel"]), max_size=2),
        last=st.sampled_from(["done", "done", "drop"]),
        is_poison=st.sampled_from([False, False, False, True]),
    )
    def send(self, group: str, fates: list[str], last: str, is_poison: bool) -> None:
        number = self.sent
        self.sent += 1
        self.groups[number] = group
        self.fates[number] = [*fates, last]
        self.source.send(Message(number, group, POISON if is_poison else good(number)))

    @precondition(lambda self: self.sent)
    @rule(
        size=st.integers(1, 8),
        workers=st.integers(1, 4),
        left_ms=st.integers(0, 2_000),
        cost_ms=st.sampled_from([0, 0, 1, 100, 400]),
        breaks_poison_queue=st.booleans(),
    )
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
        started: set[int] = set()

        def work(record: Any) -> None:
            number = number_of(record)
            with self.lock:
                assert number not in started, "twice in one invocation"
                started.add(number)
                if not self.by_key and self.is_ordered:
                    assert not [one for one in self.failed if self.follows(number, one)], "behind a failure"
                self.calls.append(number)
                context.left_ms -= cost_ms
                fate = self.fates[number].pop(0) if len(self.fates[number]) > 1 else self.fates[number][0]
                if fate in ("done", "drop"):
                    self.done.append(number)
                else:
                    self.failed.append(number)
            if fate == "drop":
                raise DropRecord("not wanted")
            if fate == "retry":
                raise RetryRecord("busy")
            if fate == "fail":
                raise ValueError(f"no {number}")
            if fate == "cancel":
                raise asyncio.CancelledError if self.how == "async" else KeyError(number)

        async def work_async(record: Any) -> None:
            await asyncio.sleep(0)
            work(record)

        def hidden_async(record: Any) -> Any:
            return work_async(record)

        def handler(event: dict[str, Any]) -> Any:
            if self.how == "async":
                return asyncio.run(process_async(event, work_async, **options))
            return process(event, work if self.how == "sync" else hidden_async, **options)

        self.source.deliver(handler, size)

    def divert(self, poison: PoisonRecord, is_broken: bool) -> None:
        if is_broken:
            raise OSError("no such queue")
        raw = str(poison.raw)
        assert "not a number" in raw or "bm90IGEgbnVtYmVy" in raw or "IG51bWJlciJ9" in raw
        self.diverted.append(1)

    def follows(self, number: int, earlier: int) -> bool:
        """Whether order says that a record comes after another."""
        if number <= earlier:
            return False
        return self.kind in ("kinesis", "dynamodb") or self.groups[number] == self.groups[earlier]

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
            for lane in lanes.values():
                assert lane == sorted(set(lane))
        by_group: dict[str, list[int]] = {}
        if self.by_key:
            for number in self.calls:
                by_group.setdefault(self.groups[number], []).append(number)
            for calls in by_group.values():
                assert calls == sorted(set(calls))

    def teardown(self) -> None:
        """Once nothing fails any more, everything is settled in as many deliveries as there are records, at most."""
        if not hasattr(self, "source"):
            return
        for message in self.source.pending():
            message.body = good(message.number)
            self.fates[message.number] = ["done"]
        for _ in range(self.sent + 1):
            self.deliver(8, 3, 10_000, 0, False)
            self.order_holds()
        assert not self.source.pending()
        self.nothing_is_acknowledged_that_was_not_processed()


Batches.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=25,
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
