"""Random sequences of sends, failures, crashes, throttles, stops and passing time: every message is processed or lies
in the dead-letter queue, and no order is broken. The function is an object here, the queues and streams are moto's;
with real processes, which are killed at random, in `test_killed_functions`."""

import base64
import itertools
import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lambda_emulator import ManualClock
from lambda_emulator.embedded_aws import EmbeddedAws
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
from lambda_emulator.pollers.invoker import Outcome
from lambda_emulator.pollers.registry import EventSourceMappings
from tests.emulator.pollers.conftest import START_S
from tests.emulator.pollers.scene import Queue, Stream

MAX_RECEIVES = 3
GROUPS = ["a", "b", "c"]
NUMBERS = itertools.count()


class UnsteadyFunction:
    """Does next what it is told, and remembers what it has processed."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.processed: list[str] = []
        self.tried: dict[str, int] = defaultdict(int)

    def arn_of(self, function_name: str) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{function_name}"

    def timeout_s(self, function_name: str) -> int:
        return 3

    def measure(self, function_name: str, metric: str, value: float) -> None: ...

    async def invoke(self, function_name: str, event: bytes) -> Outcome:
        records = json.loads(event)["Records"]
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        if outcome == "throttle":
            return Outcome(kind="not_invoked")
        for record in records:
            self.tried[name_of(record)] += 1
        if outcome == "crash":
            return Outcome(kind="function_error")
        if outcome == "malformed":
            return Outcome(kind="ok", payload=b'{"batchItemFailures":[{"itemIdentifier":"nobody"}]}')
        done = records[: len(records) // 2] if outcome == "half" else records
        self.processed += map(name_of, done)
        # Stops at the first failure and returns it with everything behind it, as the order of a queue demands.
        failed = [{"itemIdentifier": identifier_of(record)} for record in records[len(done) :]]
        return Outcome(kind="ok", payload=json.dumps({"batchItemFailures": failed}).encode())


def name_of(record: dict[str, Any]) -> str:
    return str(record["body"]) if "body" in record else base64.b64decode(record["kinesis"]["data"]).decode()


def identifier_of(record: dict[str, Any]) -> str:
    return str(record["messageId"] if "body" in record else record["kinesis"]["sequenceNumber"])


class Delivery(RuleBasedStateMachine):
    """One source and one mapping; `aws` and `source_kind` are set by the tests."""

    aws: EmbeddedAws
    source_kind: str

    @initialize(
        batch_size=st.integers(1, 5),
        window_s=st.sampled_from([0, 5]),
        parallel=st.sampled_from([1, 3]),
        bisect=st.booleans(),
    )
    def begin(self, batch_size: int, window_s: int, parallel: int, bisect: bool) -> None:
        name = f"delivery-{next(NUMBERS)}"
        self.clock = ManualClock(START_S)
        self.aws.follow(self.clock)
        self.function = UnsteadyFunction()
        self.loop = LoopThread("delivery")
        self.sent: list[str] = []
        self.dead = Queue(self.aws, f"{name}-dead{'.fifo' if self.source_kind == 'fifo' else ''}", self.fifo())
        self.source: Queue | Stream
        request: dict[str, Any] = {
            "FunctionName": "f",
            "BatchSize": batch_size,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }
        if self.source_kind == "stream":
            self.source = Stream(self.aws, "kinesis", name)
            request |= {
                "StartingPosition": "TRIM_HORIZON",
                "MaximumBatchingWindowInSeconds": window_s,
                "ParallelizationFactor": parallel,
                "BisectBatchOnFunctionError": bisect,
                "MaximumRetryAttempts": MAX_RECEIVES - 1,
                "DestinationConfig": {"OnFailure": {"Destination": self.dead.arn}},
            }
        else:
            policy = json.dumps({"deadLetterTargetArn": self.dead.arn, "maxReceiveCount": MAX_RECEIVES})
            attributes = {"VisibilityTimeout": "30", "RedrivePolicy": policy, **self.fifo()}
            self.source = Queue(self.aws, f"{name}{'.fifo' if self.source_kind == 'fifo' else ''}", attributes)
            if self.source_kind == "sqs":
                request["MaximumBatchingWindowInSeconds"] = window_s
        request["EventSourceArn"] = self.source.arn

        async def create() -> tuple[EventSourceMappings, EventSourceMapping]:
            mappings = EventSourceMappings(self.function, self.aws.clients, self.clock)
            return mappings, await mappings.create(request)

        self.mappings, self.mapping = self.loop.submit(create()).result()

    def fifo(self) -> dict[str, str]:
        return {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if self.source_kind == "fifo" else {}

    @rule(count=st.integers(1, 6), group=st.sampled_from(GROUPS))
    def send(self, count: int, group: str) -> None:
        for _ in range(count):
            name = f"{group}-{len(self.sent):04}"
            self.sent.append(name)
            if isinstance(self.source, Stream):
                self.source.put(name, key=group)
            else:
                self.source.send(name, **({"MessageGroupId": group} if self.source_kind == "fifo" else {}))

    @rule(outcomes=st.lists(st.sampled_from(["ok", "crash", "half", "malformed", "throttle"]), max_size=4))
    def decide(self, outcomes: list[str]) -> None:
        self.function.outcomes += outcomes

    @rule(seconds=st.sampled_from([0, 0.4, 3, 29, 31, 120]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def stop_and_go_on(self) -> None:
        for enabled in (False, True):
            self.loop.submit(self.mappings.update(self.mapping.uuid, {"Enabled": enabled})).result()

    @invariant()
    def order_is_kept(self) -> None:
        """Within a group or key nothing comes before what was sent before it, but for what is tried again."""
        if not hasattr(self, "function") or self.source_kind == "sqs":
            return
        last: dict[str, str] = {}
        for name in dict.fromkeys(self.function.processed):
            assert last.get(name[0], "") < name, self.function.processed
            last[name[0]] = name

    def teardown(self) -> None:
        if not hasattr(self, "mappings"):
            return
        try:
            self.function.outcomes.clear()
            self.clock.run_until_quiet()
            self.clock.advance(40)  # what a stop gave back, or left to its visibility timeout
            self.clock.advance(40)
            self.order_is_kept()
            self.everything_is_accounted_for()
        finally:
            self.loop.submit(self.mappings.close()).result()
            self.loop.stop()

    def everything_is_accounted_for(self) -> None:
        dead = self.dead.take()
        if isinstance(self.source, Stream):
            lost = set(self.sent) - set(self.function.processed)
            given_up = sum(json.loads(text)["KinesisBatchInfo"]["batchSize"] for text in dead)
            assert given_up >= len(lost)
            assert all(self.function.tried[name] >= MAX_RECEIVES for name in lost)
        else:
            assert self.source.count() == 0
            assert set(self.function.processed) | set(dead) == set(self.sent)
            assert len(dead) == len(set(dead))
            if self.source_kind == "fifo":
                assert all(count <= MAX_RECEIVES for count in self.function.tried.values())


@pytest.mark.parametrize("kind", ["sqs", "fifo", "stream"])
def test_no_message_is_lost_and_no_order_broken(embedded: EmbeddedAws, kind: str) -> None:
    class Case(Delivery):
        aws = embedded
        source_kind = kind

    health = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Case, settings=settings(max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=health)
    )
