"""Shards that split and end. moto cannot do it, so here the stream is an object; everything else is real."""

import asyncio
import base64
import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_emulator import AwsClients, ManualClock
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.pollers.invoker import Outcome
from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.position import Position
from lambda_emulator.pollers.shard import ShardState
from lambda_emulator.pollers.source_arn import SourceArn
from lambda_emulator.pollers.stream_record import StreamRecord, kinesis_record
from lambda_emulator.pollers.stream_source import Shard, ShardRead
from lambda_emulator.pollers.streams import StreamPoller
from lambda_emulator.pollers.surroundings import Surroundings

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/s"


class SplittingStream:
    """Shards with parents; iterators are positions, and end where the shard ends."""

    reads_per_s = 1.0
    most_per_read = 10

    def __init__(self) -> None:
        self.parents: dict[str, tuple[str, ...]] = {}
        self.records: dict[str, list[StreamRecord]] = {}
        self.closed: set[str] = set()
        self.positions: dict[str, str] = {}
        self.number = 0
        self.broken = 0
        """How many reads are still to fail."""
        self.expired = 0
        """How many reads are still to find their iterator expired."""

    def add(self, shard_id: str, *parents: str) -> None:
        self.parents[shard_id] = parents
        self.records[shard_id] = []
        self.closed |= set(parents)

    def put(self, shard_id: str, *names: str, at_s: float = 1_800_000_000) -> None:
        for name in names:
            self.number += 1
            raw = {
                "SequenceNumber": str(self.number),
                "ApproximateArrivalTimestamp": datetime.datetime.fromtimestamp(at_s, datetime.UTC),
                "Data": name.encode(),
                "PartitionKey": name,
            }
            self.records[shard_id].append(kinesis_record(raw, SourceArn.parse(ARN), shard_id))

    async def shards(self) -> list[Shard]:
        return [Shard(shard_id=each, parents=parents) for each, parents in self.parents.items()]

    async def iterator(self, shard_id: str, position: Position) -> str:
        self.positions.setdefault(shard_id, position.kind)
        records = self.records[shard_id]
        numbers = [int(record.sequence_number) for record in records]
        match position.kind:
            case "TRIM_HORIZON":
                return "0"
            case "LATEST":
                return str(len(records))
            case "AT_TIMESTAMP":
                return str(sum(record.arrived_at_s < (position.timestamp_s or 0) for record in records))
            case "AT_SEQUENCE_NUMBER":
                return str(numbers.index(int(position.sequence_number or 0)))
            case _:
                return str(numbers.index(int(position.sequence_number or 0)) + 1)

    async def read(self, shard_id: str, iterator: str, limit: int) -> ShardRead | None:
        await asyncio.sleep(0)
        if self.broken:
            self.broken -= 1
            raise OSError("no connection")
        if self.expired:
            self.expired -= 1
            return None
        begin = int(iterator)
        found = self.records[shard_id][begin : begin + min(limit, self.most_per_read)]
        after = begin + len(found)
        ended = shard_id in self.closed and after == len(self.records[shard_id])
        return ShardRead(tuple(found), None if ended else str(after))


class Recorder:
    """In the place of a function."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.poison: dict[str, int] = {}
        self.unreachable = 0

    @property
    def names(self) -> list[str]:
        return [
            base64.b64decode(each["kinesis"]["data"]).decode() for event in self.events for each in event["Records"]
        ]

    def arn_of(self, function_name: str) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{function_name}"

    def timeout_s(self, function_name: str) -> int:
        return 3

    def measure(self, function_name: str, metric: str, value: float) -> None: ...

    async def invoke(self, function_name: str, event: bytes) -> Outcome:
        if self.unreachable:
            self.unreachable -= 1
            raise RuntimeError("no function service")
        document = json.loads(event)
        self.events.append(document)
        names = [base64.b64decode(each["kinesis"]["data"]).decode() for each in document["Records"]]
        for name in names:
            if self.poison.get(name, 0) > 0:
                self.poison[name] -= 1
                return Outcome(kind="function_error")
        state = {"count": document.get("state", {}).get("count", 0) + len(names)}
        return Outcome(kind="ok", payload=json.dumps({"state": state}).encode())


class Stage:
    """A poller of the stream, in a loop of its own."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_800_000_000)
        self.stream = SplittingStream()
        self.function = Recorder()
        self.results: list[str] = []
        self.states: dict[str, ShardState] = {}
        self.loop = LoopThread("stage")
        self.poller: StreamPoller | None = None

    def start(self, **settings: Any) -> None:
        request = {"FunctionName": "f", "EventSourceArn": ARN, "StartingPosition": "TRIM_HORIZON"} | settings
        around = Surroundings(
            clock=self.clock,
            aws=AwsClients(endpoint_url="http://127.0.0.1:9"),
            invoker=self.function,
            function_arn=self.function.arn_of("f"),
            report=self.results.append,
            measure=lambda _name, _value: None,
        )

        async def begin() -> None:
            self.poller = StreamPoller(MappingSettings.of(request), around, self.states, "uuid", self.stream)
            await self.poller.prepare()
            self.poller.start()

        self.loop.submit(begin()).result()

    def stop(self) -> None:
        poller, self.poller = self.poller, None
        if poller is not None:
            self.loop.submit(poller.stop()).result()


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.stop()
    made.loop.stop()


def test_children_wait_until_their_parents_are_read_to_the_end(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "p1", "p2")
    stage.stream.add("c1", "p")
    stage.stream.add("c2", "p")
    stage.stream.put("c1", "a")
    stage.stream.put("c2", "b")
    stage.function.poison = {"p2": 3}
    stage.start(BatchSize=1)
    stage.clock.advance(1)
    assert set(stage.function.names) == {"p1", "p2"}
    stage.clock.advance(30)
    names = stage.function.names
    assert names[:5] == ["p1", "p2", "p2", "p2", "p2"]
    assert sorted(names[5:]) == ["a", "b"]


def test_a_merged_shard_waits_for_both_parents(stage: Stage) -> None:
    stage.stream.add("p1")
    stage.stream.add("p2")
    stage.stream.put("p1", "x")
    stage.stream.put("p2", "y")
    stage.stream.add("c", "p1", "p2")
    stage.stream.put("c", "z")
    stage.function.poison = {"y": 2}
    stage.start()
    stage.clock.advance(30)
    assert stage.function.names[-1] == "z"
    assert stage.function.names.count("z") == 1


def test_a_split_while_polling_is_found_and_read_from_its_beginning(stage: Stage) -> None:
    stage.stream.add("p")
    stage.start(StartingPosition="LATEST")
    stage.stream.put("p", "1")
    stage.clock.advance(5)
    stage.stream.put("p", "2")
    stage.stream.add("c", "p")
    stage.stream.put("c", "3")
    stage.clock.advance(5)
    assert stage.function.names == ["1", "2", "3"]
    assert stage.stream.positions["c"] == "TRIM_HORIZON"


def test_a_parent_that_is_no_longer_listed_is_no_reason_to_wait(stage: Stage) -> None:
    stage.stream.add("c", "gone")
    stage.stream.put("c", "1")
    stage.start()
    stage.clock.advance(1)
    assert stage.function.names == ["1"]


def test_the_end_of_a_shard_ends_its_open_window(stage: Stage) -> None:
    stage.stream.add("p")
    stage.start(TumblingWindowInSeconds=900)
    stage.stream.put("p", "1", "2")
    stage.clock.advance(5)
    stage.stream.add("c", "p")
    stage.clock.advance(5)
    assert [(len(event["Records"]), event["isFinalInvokeForWindow"]) for event in stage.function.events] == [
        (2, False),
        (0, True),
    ]


def test_what_a_batching_window_holds_is_sent_at_the_end_of_its_shard(stage: Stage) -> None:
    stage.stream.add("p")
    stage.start(MaximumBatchingWindowInSeconds=300)
    stage.stream.put("p", "1")
    stage.clock.advance(5)
    assert stage.function.names == []
    stage.stream.add("c", "p")
    stage.clock.advance(5)
    assert stage.function.names == ["1"]


def test_a_drained_shard_is_not_read_again_by_the_next_poller(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "1")
    stage.stream.add("c", "p")
    stage.stream.put("c", "2")
    stage.start()
    stage.clock.advance(10)
    stage.stop()
    stage.stream.put("c", "3")
    stage.start()
    stage.clock.advance(10)
    assert stage.function.names == ["1", "2", "3"]


def test_reads_that_fail_lose_nothing_and_repeat_nothing(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "1", "2")
    stage.start(BatchSize=1)
    for name, broken in (("3", 3), ("4", 2)):
        stage.stream.broken = broken
        for _ in range(5):
            stage.clock.advance(10)
        stage.stream.put("p", name)
    stage.clock.advance(10)
    assert stage.function.names == ["1", "2", "3", "4"]
    assert stage.results[0] == "PROBLEM: OSError: no connection"


def test_an_error_in_calling_the_function_holds_the_shard_and_loses_nothing(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "1", "2")
    stage.function.unreachable = 3
    stage.start(BatchSize=1, MaximumRetryAttempts=0)
    stage.clock.run_until_quiet()
    assert stage.function.names == ["1", "2"]
    assert stage.results[0] == "PROBLEM: RuntimeError: no function service"


def test_reads_that_fail_at_the_latest_position_skip_nothing(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "before")
    stage.start(StartingPosition="LATEST")
    stage.clock.advance(2)
    stage.stream.broken = 2
    stage.clock.advance(1)
    stage.stream.put("p", "1")
    for _ in range(3):
        stage.clock.advance(10)
    assert stage.function.names == ["1"]


def test_an_iterator_that_expires_at_the_latest_position_skips_nothing(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "before")
    stage.start(StartingPosition="LATEST")
    stage.clock.advance(10)
    stage.stream.expired = 1
    stage.stream.put("p", "1", at_s=stage.clock.time())
    for _ in range(3):
        stage.clock.advance(10)
    assert stage.function.names == ["1"]


def test_what_waits_in_a_window_at_the_latest_position_is_read_again_after_a_stop(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "before")
    stage.start(StartingPosition="LATEST", MaximumBatchingWindowInSeconds=60)
    stage.clock.advance(2)
    stage.stream.put("p", "1")
    stage.clock.advance(2)
    stage.stop()
    assert stage.function.names == []
    stage.start(StartingPosition="LATEST")
    stage.clock.advance(10)
    assert stage.function.names == ["1"]


def test_the_last_call_of_a_window_that_does_not_reach_the_function_is_tried_again_after_a_pause(stage: Stage) -> None:
    stage.stream.add("p")
    stage.stream.put("p", "1")
    stage.start(TumblingWindowInSeconds=30, MaximumRetryAttempts=0)
    stage.clock.advance(10)
    assert stage.function.names == ["1"]
    stage.function.unreachable = 2
    stage.clock.advance(20)
    assert stage.function.unreachable == 1
    stage.clock.advance(0.5)
    assert (stage.function.unreachable, len(stage.function.events)) == (0, 1)
    stage.clock.advance(1.0)
    assert [event["isFinalInvokeForWindow"] for event in stage.function.events] == [False, True]
