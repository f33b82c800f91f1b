"""Whatever fails, crashes, hangs or is throttled: every accepted event ends in exactly one way, and is counted."""

import contextlib
import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambda_emulator import AwsClients, EventOutcome, LocalLambda, ManualClock, Metrics
from lambda_emulator.answer import Answer
from lambda_emulator.async_event import QueuedEvent, Ran
from lambda_emulator.async_invocations import AsyncInvocations
from lambda_emulator.destination_document import EventResult
from lambda_emulator.errors import TooManyRequests
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.event_routes import EventRoutes
from lambda_emulator.function_name import FunctionName
from lambda_emulator.invocation import Invocation
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.result import Completion, Report
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
# Fails, crashes or answers as the event says for each attempt; what is beyond its list is a success.
APP = """
    import json, os
    attempts = {}
    while True:
        request_id, body, response = next_event()
        event = json.loads(body)
        seen = os.path.join(os.environ["SEEN"], str(event["n"]))
        with open(seen, "a") as file:
            file.write(request_id + "\\n")
        attempt = len(open(seen).read().split()) - 1
        how = event["plan"][attempt] if attempt < len(event["plan"]) else "ok"
        if how == "crash":
            os.kill(os.getpid(), 9)
        elif how == "exit":
            os._exit(3)
        elif how == "error":
            fail(request_id, b'{"errorMessage": "no"}')
        else:
            respond(request_id, b'"done"')
"""
plans = st.lists(st.sampled_from(["ok", "error", "crash", "exit"]), max_size=4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), plans),
        st.tuples(st.just("advance"), st.sampled_from([0, 1, 30, 60, 120, 600])),
        st.tuples(st.just("reserve"), st.sampled_from([0, 1, 2, None])),
        st.tuples(st.just("retries"), st.integers(0, 2)),
        st.tuples(st.just("age"), st.sampled_from([60, 90, 300, 21_600])),
    ),
    min_size=1,
    max_size=14,
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClients]:
    """moto in this process, with a queue for dead letters and one for successes."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        clients = AwsClients(threads=4)
        for name in ("lost", "done"):
            clients.client("sqs", "us-east-1").create_queue(QueueName=name)
        yield clients
        clients.close()


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def take_all(aws: AwsClients, name: str) -> list[Any]:
    client = aws.client("sqs", "us-east-1")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    found = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def check_counts(outcomes: list[EventOutcome], metrics: Metrics, sent: list[str]) -> None:
    assert sorted(each.request_id for each in outcomes) == sorted(sent)
    failed = [each for each in outcomes if each.condition != "Success"]
    assert metrics.sum("AsyncEventsReceived") == len(sent)
    assert metrics.sum("AsyncEventsDropped") == len(failed)
    assert metrics.sum("Invocations") == sum(each.invoke_count for each in outcomes)
    # A process that is killed after its answer makes an error of a success.
    assert metrics.sum("Errors") >= metrics.sum("Invocations") - (len(outcomes) - len(failed))
    assert metrics.sum("DeadLetterErrors") == metrics.sum("DestinationDeliveryFailures") == 0


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=steps)
def test_no_event_is_lost_whatever_happens(
    make_function: MakeFunction, aws: AwsClients, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    seen = tmp_path_factory.mktemp("seen")
    clock = ManualClock()
    function = make_function(APP, environment={"SEEN": str(seen)}, dead_letter_arn=queue_arn("lost"))
    sent: list[str] = []
    with LocalLambda(function, clock=clock, aws=aws, max_environments=3) as service:
        service.put_event_invoke_config("function", on_success=queue_arn("done"))
        for action, value in steps:
            match action:
                case "send":
                    event = {"n": len(sent), "plan": value}
                    sent.append(service.invoke("function", event, invocation_type="Event").request_id)
                case "advance":
                    clock.advance(value)
                case "reserve":
                    service.put_function_concurrency("function", value)
                case "retries":
                    service.put_event_invoke_config(
                        "function", maximum_retry_attempts=value, on_success=queue_arn("done")
                    )
                case "age":
                    service.put_event_invoke_config("function", maximum_event_age_s=value, on_success=queue_arn("done"))
        clock.run_until_quiet()
        outcomes, metrics = service.event_outcomes(), service.metrics
    check_counts(outcomes, metrics, sent)
    assert metrics.sum("Errors") + sum(each.condition == "Success" for each in outcomes) == metrics.sum("Invocations")
    succeeded = {each.request_id for each in outcomes if each.condition == "Success"}
    assert {each["requestContext"]["requestId"] for each in take_all(aws, "done")} == succeeded
    numbers = {request_id: number for number, request_id in enumerate(sent)}
    assert sorted(each["n"] for each in take_all(aws, "lost")) == sorted(
        numbers[request_id] for request_id in sent if request_id not in succeeded
    )
    for outcome in outcomes:
        path = seen / str(numbers[outcome.request_id])
        attempts = path.read_text().split() if path.exists() else []
        assert attempts == [outcome.request_id] * outcome.invoke_count


# --- many events, processes that are killed from outside --------------------------------------------------------

SLOW_APP = """
    import json, os, time
    open(os.path.join(os.environ["SEEN"], "pid-" + str(os.getpid())), "w").close()
    while True:
        request_id, body, response = next_event()
        time.sleep(0.002)
        with open(os.path.join(os.environ["SEEN"], json.loads(body)), "a") as file:
            file.write("x")
        respond(request_id, b'"done"')
"""


def kill_now_and_then(seen: Path, over: threading.Event, killed: list[int]) -> None:
    dice = random.Random(8)
    while not over.wait(0.02 + dice.random() * 0.05):
        pids = [int(path.name[4:]) for path in seen.glob("pid-*")]
        if pids:
            pid = dice.choice(pids)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            (seen / f"pid-{pid}").unlink()


def send_through_kills(
    make_function: MakeFunction, start_lambda: Start, aws: AwsClients, tmp_path: Path, events: int
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    clock = ManualClock(patience_s=300)
    function = make_function(SLOW_APP, environment={"SEEN": str(seen)}, dead_letter_arn=queue_arn("lost"))
    service = start_lambda(function, clock=clock, aws=aws, max_environments=10)
    over, killed = threading.Event(), list[int]()
    killer = threading.Thread(target=kill_now_and_then, args=(seen, over, killed))
    killer.start()
    try:
        sent = [
            service.invoke("function", f'"event-{number}"', invocation_type="Event").request_id
            for number in range(events)
        ]
        clock.run_until_quiet()
    finally:
        over.set()
        killer.join()
    outcomes = service.event_outcomes()
    check_counts(outcomes, service.metrics, sent)
    lost = set(take_all(aws, "lost"))
    for number in range(events):
        name = f"event-{number}"
        assert (seen / name).exists() or name in lost
    assert len(lost) == Counter(each.condition for each in outcomes)["RetriesExhausted"]
    assert killed
    assert service._dispatcher.limits.in_use == 0


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


def test_events_survive_kills(
    make_function: MakeFunction, start_lambda: Start, aws: AwsClients, tmp_path: Path
) -> None:
    send_through_kills(make_function, start_lambda, aws, tmp_path, 60)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_thousand_events_survive_kills_and_nothing_is_left_open(
    make_function: MakeFunction, aws: AwsClients, tmp_path: Path
) -> None:
    services: list[LocalLambda] = []

    def start(*functions: Any, **options: Any) -> LocalLambda:
        services.append(LocalLambda(*functions, **options))
        return services[-1]

    take_all(aws, "lost")
    before = descriptors()
    try:
        send_through_kills(make_function, start, aws, tmp_path, 1_000)
    finally:
        for service in services:
            service.close()
    assert descriptors() <= before


# --- the rules alone, without processes -------------------------------------------------------------------------


class Scripted:
    """The service around the events: each attempt ends as the script says, and everything is noted."""

    def __init__(self, clock: ManualClock, script: list[str], config: EventInvokeConfig) -> None:
        self.clock, self.script = clock, list(script)
        self.attempts: list[tuple[str, float]] = []
        self.sent: list[EventResult] = []
        self.reserved_amount: int | None = None
        configuration = SimpleNamespace(dead_letter_arn=queue_arn("lost"))
        self._function = SimpleNamespace(event_invoke_configs={"$LATEST": config})
        self._target = SimpleNamespace(version=SimpleNamespace(configuration=configuration))

    def function(self, name: FunctionName) -> Any:
        return self._function

    def target(self, name: FunctionName) -> Any:
        return self._target

    def reserved(self, function: str) -> int | None:
        return self.reserved_amount

    def turn(self, function: str) -> contextlib.AbstractAsyncContextManager[object]:
        return contextlib.nullcontext()

    async def attempt(self, event: QueuedEvent, target: object) -> Ran:
        how = self.script.pop(0) if self.script else "ok"
        self.attempts.append((how, self.clock.time()))
        if how == "throttled":
            raise TooManyRequests
        report = Report(
            duration_ms=1, billed_ms=1, memory_mb=128, max_memory_mb=1, init_ms=None, status="success", error_type=None
        )
        return Ran(
            Answer(payload=b"{}", failed=how == "error"),
            Completion(log="", init_log="", report=report),
            "$LATEST",
        )

    def send_event(self, arn: str, payload: bytes, trace_header: str | None, chain: tuple[str, ...]) -> object:
        raise AssertionError

    async def send_document(self, arn: str, result: EventResult, *_: object) -> None:
        raise AssertionError

    async def send_dead_letter(self, arn: str, result: EventResult, trace_header: str | None) -> None:
        self.sent.append(result)


@given(
    script=st.lists(st.sampled_from(["error", "throttled", "ok"]), max_size=40),
    retries=st.integers(0, 2),
    age_s=st.integers(60, 3_000),
)
def test_the_rules_hold_for_every_course(script: list[str], retries: int, age_s: int) -> None:
    clock = ManualClock(0)
    around = Scripted(clock, script, EventInvokeConfig(maximum_retry_attempts=retries, maximum_event_age_s=age_s))
    loop = LoopThread("events")
    metrics = Metrics()
    events = AsyncInvocations(clock, around, cast("EventRoutes", around), metrics)
    invocation = Invocation(request_id="id", payload=b"{}", function_arn="arn:aws:lambda:r:a:function:f")

    async def accept() -> None:
        events.accept(QueuedEvent(name=FunctionName.parse("f"), invocation=invocation, accepted_s=clock.time()))

    try:
        loop.submit(accept()).result()
        clock.run_until_quiet()
    finally:
        loop.stop()
    (outcome,) = events.outcomes
    ran = [(how, at_s) for how, at_s in around.attempts if how != "throttled"]
    assert outcome.invoke_count == len(ran) <= retries + 1
    assert all(at_s < age_s for _, at_s in around.attempts)
    assert clock.time() <= age_s
    assert (outcome.condition == "Success") == (bool(ran) and ran[-1][0] == "ok")
    assert len(around.sent) == (outcome.condition != "Success")
    if outcome.condition == "RetriesExhausted":
        assert len(ran) == retries + 1
    for number, ((_, early_s), (_, late_s)) in enumerate(pairwise(ran)):
        assert late_s - early_s >= (60, 120)[number]
    for (how, early_s), (_, late_s) in pairwise(around.attempts):
        if how == "throttled":
            assert 1 <= late_s - early_s <= 300
