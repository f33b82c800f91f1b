"""Asynchronous invocation, rule by rule (sections 4.1 to 4.6 of the reference), on a clock that stands still."""

import gc
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from lambda_emulator import AwsClients, FunctionConfiguration, InvalidConfiguration, LocalLambda, ManualClock
from lambda_emulator.async_event import EventNews, EventOutcome, NeverRan, RetryPlanned
from tests.counterparts import awslambdaric_path, needs_awslambdaric
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"
# Notes each attempt with its request id; fails as many times as the event says; can crash or hang instead.
APP = """
    import json, os, time
    while True:
        request_id, body, response = next_event()
        event = json.loads(body)
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(request_id + "\\n")
        attempts = open(os.environ["SEEN"]).read().split().count(request_id)
        if attempts <= event.get("failures", 0):
            if event.get("how") == "crash":
                os._exit(3)
            if event.get("how") == "hang":
                time.sleep(600)
            fail(request_id, b'{"errorMessage": "no stock", "errorType": "OutOfStock"}')
        else:
            respond(request_id, json.dumps({"attempt": attempts}).encode())
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000_000.0)


class Seen:
    """The attempts that the function noted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path / "seen")


@pytest.fixture
def app(make_function: MakeFunction, seen: Seen) -> Callable[..., FunctionConfiguration]:
    def make(**fields: Any) -> FunctionConfiguration:
        return make_function(APP, environment={"SEEN": str(seen.path)}, **fields)

    return make


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClients]:
    """moto inside this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        clients = AwsClients(threads=4)
        yield clients
        clients.close()


def send(service: LocalLambda, event: Any = None, **settings: Any) -> str:
    return service.invoke("function", event, invocation_type="Event", **settings).request_id


def outcome_of(service: LocalLambda) -> EventOutcome:
    outcomes = service.event_outcomes("function")
    assert len(outcomes) == 1
    return outcomes[0]


# --- 4.1, 4.2: acceptance and retries ---------------------------------------------------------------------------


def test_two_retries_after_one_and_two_minutes_with_one_request_id(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, seen: Seen
) -> None:
    service = start_lambda(app(), clock=clock)
    request_id = send(service, {"failures": 9})
    clock.advance(0)
    assert seen() == [request_id]
    clock.advance(59.9)
    assert seen() == [request_id]
    clock.advance(0.1)
    assert seen() == [request_id] * 2
    clock.advance(119.9)
    assert len(seen()) == 2
    clock.advance(0.1)
    assert seen() == [request_id] * 3
    assert clock.run_until_quiet() == timedelta(0)
    outcome = outcome_of(service)
    assert (outcome.condition, outcome.invoke_count, outcome.request_id) == ("RetriesExhausted", 3, request_id)
    assert outcome.response == b'{"errorMessage": "no stock", "errorType": "OutOfStock"}'


@pytest.mark.parametrize(("failures", "passed_s"), [(0, 0), (1, 60), (2, 180)])
def test_a_success_ends_the_retries(
    app: Callable[..., FunctionConfiguration],
    start_lambda: Start,
    clock: ManualClock,
    failures: int,
    passed_s: int,
) -> None:
    service = start_lambda(app(), clock=clock)
    send(service, {"failures": failures})
    assert clock.run_until_quiet() == timedelta(seconds=passed_s)
    outcome = outcome_of(service)
    assert (outcome.condition, outcome.invoke_count) == ("Success", failures + 1)
    assert json.loads(outcome.response or b"") == {"attempt": failures + 1}


@pytest.mark.parametrize(("how", "timeout_s"), [("crash", 20), ("hang", 1)])
def test_crashes_and_timeouts_are_retried_like_errors(
    app: Callable[..., FunctionConfiguration],
    start_lambda: Start,
    clock: ManualClock,
    seen: Seen,
    how: str,
    timeout_s: int,
) -> None:
    service = start_lambda(app(timeout_s=timeout_s), clock=clock)
    request_id = send(service, {"failures": 1, "how": how})
    assert clock.run_until_quiet() == timedelta(minutes=1)
    assert seen() == [request_id] * 2
    assert outcome_of(service).condition == "Success"


@pytest.mark.parametrize(("retries", "attempts", "passed_s"), [(0, 1, 0), (1, 2, 60), (2, 3, 180)])
def test_retries_can_be_limited(
    app: Callable[..., FunctionConfiguration],
    start_lambda: Start,
    clock: ManualClock,
    retries: int,
    attempts: int,
    passed_s: int,
) -> None:
    service = start_lambda(app(), clock=clock)
    service.put_event_invoke_config("function", maximum_retry_attempts=retries)
    send(service, {"failures": 9})
    assert clock.run_until_quiet() == timedelta(seconds=passed_s)
    assert (outcome_of(service).condition, outcome_of(service).invoke_count) == ("RetriesExhausted", attempts)


@pytest.mark.parametrize(("age_s", "attempts", "passed_s"), [(60, 1, 0), (90, 2, 60), (180, 2, 60), (181, 3, 180)])
def test_a_retry_that_would_come_too_late_is_not_waited_for(
    app: Callable[..., FunctionConfiguration],
    start_lambda: Start,
    clock: ManualClock,
    age_s: int,
    attempts: int,
    passed_s: int,
) -> None:
    service = start_lambda(app(), clock=clock)
    service.put_event_invoke_config("function", maximum_event_age_s=age_s)
    send(service, {"failures": 9})
    assert clock.run_until_quiet() == timedelta(seconds=passed_s)
    condition = "RetriesExhausted" if attempts == 3 else "EventAgeExceeded"
    outcome = outcome_of(service)
    assert (outcome.condition, outcome.invoke_count) == (condition, attempts)
    assert outcome.response is not None


def test_a_throttled_event_waits_and_uses_up_no_retry(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, seen: Seen
) -> None:
    service = start_lambda(app(), clock=clock, account_concurrency=1)
    with hold_one(service):
        send(service, {"failures": 2})
        clock.advance(1 + 2 + 4)
        assert seen() == []
        assert service.metrics.sum("Throttles", function="function") == 4
    clock.run_until_quiet()
    outcome = outcome_of(service)
    assert (outcome.condition, outcome.invoke_count) == ("Success", 3)


class hold_one:
    """Takes one place of the function's concurrency, as a running invocation would."""

    def __init__(self, service: LocalLambda) -> None:
        self.service = service
        self.limits = service._dispatcher.limits

    def __enter__(self) -> None:
        self.admission = self.service._do(lambda: self.limits.admit("function", "$LATEST"))

    def __exit__(self, *_: object) -> None:
        self.service._do(lambda: self.limits.release(self.admission))


def test_the_back_off_doubles_up_to_five_minutes_until_the_event_is_too_old(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, seen: Seen
) -> None:
    service = start_lambda(app(), clock=clock, account_concurrency=1)
    began_s = clock.time()
    with hold_one(service):
        send(service)
        assert clock.run_until_quiet() == timedelta(hours=6)
    times = [each.time_s - began_s for each in service.metrics.values("Throttles", function="function")]
    assert times[:11] == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811]
    assert {late - early for early, late in pairwise(times[9:])} == {300}
    outcome = outcome_of(service)
    assert (outcome.condition, outcome.invoke_count, outcome.response) == ("EventAgeExceeded", 0, None)
    assert seen() == []


def test_the_back_off_begins_anew_after_an_attempt(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, seen: Seen
) -> None:
    service = start_lambda(app(), clock=clock, account_concurrency=1)
    began_s = clock.time()
    with hold_one(service):
        send(service, {"failures": 1})
        clock.advance(3)  # refused at 0, 1 and 3
    clock.advance(4)
    assert len(seen()) == 1
    with hold_one(service):
        clock.advance(60 + 1 + 2)
    clock.run_until_quiet()
    times = [each.time_s - began_s for each in service.metrics.values("Throttles", function="function")]
    assert times == [0, 1, 3, 67, 68, 70]
    assert (outcome_of(service).condition, outcome_of(service).invoke_count) == ("Success", 2)


def test_listeners_hear_of_every_retry_and_of_the_outcome(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock
) -> None:
    service = start_lambda(app(), clock=clock, account_concurrency=1)
    news: list[EventNews] = []
    service.listen_to_events(news.append)
    with hold_one(service):
        request_id = send(service, {"failures": 1})
        clock.advance(0)
    clock.run_until_quiet()
    refused = RetryPlanned(request_id=request_id, function="function", attempts=0, refused=True, in_s=1.0)
    failed = RetryPlanned(request_id=request_id, function="function", attempts=1, refused=False, in_s=60.0)
    assert news == [refused, failed, outcome_of(service)]


def test_an_event_is_pending_until_its_fate_is_decided(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock
) -> None:
    service = start_lambda(app(), clock=clock)
    send(service, {"failures": 1})
    clock.advance(10)
    assert service.pending_events == 1
    clock.run_until_quiet()
    assert service.pending_events == 0


def test_an_event_that_never_ran_is_no_news_for_the_event_loop(
    app: Callable[..., FunctionConfiguration],
    start_lambda: Start,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = start_lambda(app(), clock=clock, duplicates=1.0)  # nobody waits for the second delivery
    service.put_function_concurrency("function", 0)
    send(service)
    clock.run_until_quiet()
    service.close()
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_a_reserved_concurrency_of_zero_fails_events_at_once(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock
) -> None:
    service = start_lambda(app(), clock=clock)
    service.put_function_concurrency("function", 0)
    result = service.invoke("function", invocation_type="Event")
    assert result.status_code == 202
    assert clock.run_until_quiet() == timedelta(0)
    outcome = outcome_of(service)
    assert (outcome.condition, outcome.invoke_count) == ("ZeroReservedConcurrency", 0)
    with pytest.raises(NeverRan, match="ZeroReservedConcurrency"):
        _ = result.log


def test_events_behind_a_busy_function_run_the_code_of_their_turn(
    make_function: MakeFunction, start_lambda: Start, clock: ManualClock
) -> None:
    old = make_function("serve(lambda body: b'{\"errorMessage\": 1}')")
    service = start_lambda(old, clock=clock, account_concurrency=1)
    with hold_one(service):
        send(service)
        clock.advance(0)
        service.update_function(make_function("serve(lambda body: b'\"new code\"')"))
    clock.run_until_quiet()
    assert outcome_of(service).response == b'"new code"'


def test_events_of_a_deleted_function_are_dropped(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock
) -> None:
    service = start_lambda(app(), clock=clock)
    send(service, {"failures": 9})
    clock.advance(10)
    service.delete_function("function")
    clock.run_until_quiet()
    assert (outcome_of(service).condition, outcome_of(service).invoke_count) == ("FunctionDeleted", 1)
    assert service.metrics.sum("AsyncEventsDropped") == 1


def test_the_metrics_of_events(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock
) -> None:
    service = start_lambda(app(), clock=clock)
    send(service, {"failures": 1})
    send(service, {"failures": 9})
    clock.run_until_quiet()
    metrics = service.metrics
    expected = {"AsyncEventsReceived": 2, "AsyncEventsDropped": 1, "Invocations": 5, "Errors": 4, "Throttles": 0}
    assert {name: metrics.sum(name, function="function") for name in expected} == expected
    assert sorted(each.value for each in metrics.values("AsyncEventAge")) == [0, 0, 60_000, 60_000, 180_000]
    assert metrics.statistics("Duration").count == 5


# --- 4.3 to 4.5: destinations and dead letters ------------------------------------------------------------------


def messages(aws: AwsClients, queue: str) -> list[dict[str, Any]]:
    client = aws.client("sqs", "us-east-1")
    found: list[dict[str, Any]] = client.receive_message(
        QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"],
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    return found


def make_queue(aws: AwsClients, name: str) -> str:
    client = aws.client("sqs", "us-east-1")
    client.create_queue(QueueName=name)
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def test_a_dead_letter_is_the_event_untouched_with_three_attributes(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    service = start_lambda(app(dead_letter_arn=make_queue(aws, "lost")), clock=clock, aws=aws)
    request_id = send(service, ' {"failures":  9} ', trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
    clock.run_until_quiet()
    (message,) = messages(aws, "lost")
    assert message["Body"] == ' {"failures":  9} '
    assert {name: (each["DataType"], each["StringValue"]) for name, each in message["MessageAttributes"].items()} == {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "no stock"),
    }
    assert outcome_of(service).delivered == ("arn:aws:sqs:us-east-1:123456789012:lost",)


def test_an_error_message_is_cut_at_a_kilobyte(
    make_function: MakeFunction, start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    program = """
        import json
        while True:
            request_id, body, response = next_event()
            fail(request_id, json.dumps({"errorMessage": "\\u00e9" * 2000}).encode())
    """
    service = start_lambda(make_function(program, dead_letter_arn=make_queue(aws, "lost")), clock=clock, aws=aws)
    service.put_event_invoke_config("function", maximum_retry_attempts=0)
    send(service)
    clock.run_until_quiet()
    (message,) = messages(aws, "lost")
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "\u00e9" * 512


def test_a_dead_letter_topic_gets_the_same(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    queue_arn = make_queue(aws, "subscriber")
    sns = aws.client("sns", "us-east-1")
    topic_arn = sns.create_topic(Name="lost")["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
    service = start_lambda(app(dead_letter_arn=topic_arn), clock=clock, aws=aws)
    request_id = send(service, {"failures": 9})
    clock.run_until_quiet()
    envelope = json.loads(messages(aws, "subscriber")[0]["Body"])
    assert envelope["Message"] == '{"failures": 9}'
    assert envelope["MessageAttributes"]["RequestID"] == {"Type": "String", "Value": request_id}
    assert envelope["MessageAttributes"]["ErrorCode"] == {"Type": "Number", "Value": "200"}
    assert envelope["MessageAttributes"]["ErrorMessage"] == {"Type": "String", "Value": "no stock"}


def test_the_document_of_a_failure(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    service = start_lambda(app(), clock=clock, aws=aws)
    service.put_event_invoke_config("function", on_failure=make_queue(aws, "failed"))
    request_id = send(service, {"failures": 9})
    clock.run_until_quiet()
    assert json.loads(messages(aws, "failed")[0]["Body"]) == {
        "version": "1.0",
        "timestamp": "2001-09-09T01:49:40.000Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{ARN}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"failures": 9},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no stock", "errorType": "OutOfStock"},
    }


def test_the_document_of_a_success_knows_no_function_error(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    service = start_lambda(app(), clock=clock, aws=aws)
    service.put_event_invoke_config("function", on_success=make_queue(aws, "done"))
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    send(service, {}, trace_header=trace)
    clock.run_until_quiet()
    (message,) = messages(aws, "done")
    document = json.loads(message["Body"])
    assert document["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert document["requestContext"]["condition"] == "Success"
    assert document["responsePayload"] == {"attempt": 1}
    assert message["Attributes"]["AWSTraceHeader"] == trace


def test_an_event_that_never_ran_has_a_document_without_a_response(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    service = start_lambda(app(dead_letter_arn=make_queue(aws, "lost")), clock=clock, aws=aws)
    service.put_event_invoke_config("function", on_failure=make_queue(aws, "failed"))
    service.put_function_concurrency("function", 0)
    send(service, [1])
    clock.run_until_quiet()
    document = json.loads(messages(aws, "failed")[0]["Body"])
    assert sorted(document) == ["requestContext", "requestPayload", "timestamp", "version"]
    assert document["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert document["requestContext"]["approximateInvokeCount"] == 0
    assert len(messages(aws, "lost")) == 1  # both are used if both are there


def test_a_function_as_destination_is_invoked_asynchronously_with_the_document(
    app: Callable[..., FunctionConfiguration], make_function: MakeFunction, start_lambda: Start, clock: ManualClock
) -> None:
    other = make_function("serve(lambda body: body)", name="other")
    service = start_lambda(app(), other, clock=clock)
    service.put_event_invoke_config("function", on_success=ARN.replace("function:function", "function:other"))
    request_id = send(service, {})
    clock.run_until_quiet()
    (outcome,) = service.event_outcomes("other")
    assert json.loads(outcome.payload)["requestContext"]["requestId"] == request_id
    assert outcome.request_id != request_id
    assert outcome.response == outcome.payload


def test_a_bus_gets_an_event_with_the_document_as_detail(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    events = aws.client("events", "us-east-1")
    bus_arn = events.create_event_bus(Name="results")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="results", EventPattern='{"source": ["lambda"]}')
    events.put_targets(Rule="all", EventBusName="results", Targets=[{"Id": "1", "Arn": make_queue(aws, "from-bus")}])
    service = start_lambda(app(), clock=clock, aws=aws)
    service.put_event_invoke_config("function", on_success=bus_arn, on_failure=bus_arn, maximum_retry_attempts=0)
    send(service, {})
    send(service, {"failures": 1})
    clock.run_until_quiet()
    received = [json.loads(message["Body"]) for message in messages(aws, "from-bus")]
    assert sorted(each["detail-type"] for each in received) == [
        "Lambda Function Invocation Result - Failure",
        "Lambda Function Invocation Result - Success",
    ]
    assert {each["source"] for each in received} == {"lambda"}
    assert received[0]["resources"] == [bus_arn, f"{ARN}:$LATEST"]
    assert received[0]["detail"]["version"] == "1.0"


def test_a_bucket_takes_failures(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    s3 = aws.client("s3", "us-east-1")
    s3.create_bucket(Bucket="failures")
    service = start_lambda(app(), clock=clock, aws=aws)
    service.put_event_invoke_config("function", on_failure="arn:aws:s3:::failures", maximum_retry_attempts=0)
    send(service, {"failures": 1})
    clock.run_until_quiet()
    (item,) = s3.list_objects_v2(Bucket="failures")["Contents"]
    assert item["Key"].startswith("aws/lambda/async/function/2001/09/09/2001-09-09T01.46.40-")
    document = json.loads(s3.get_object(Bucket="failures", Key=item["Key"])["Body"].read())
    assert document["requestContext"]["condition"] == "RetriesExhausted"


def test_what_a_destination_does_not_take_is_counted_and_told(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, aws: AwsClients
) -> None:
    missing = "arn:aws:sqs:us-east-1:123456789012:missing"
    service = start_lambda(app(dead_letter_arn=missing), clock=clock, aws=aws)
    service.put_event_invoke_config("function", on_failure=missing, maximum_retry_attempts=0)
    send(service, {"failures": 1})
    clock.run_until_quiet()
    metrics = service.metrics
    assert metrics.sum("DeadLetterErrors", function="function") == 1
    assert metrics.sum("DestinationDeliveryFailures", function="function") == 1
    outcome = outcome_of(service)
    assert outcome.delivered == ()
    assert [arn for arn, _ in outcome.undelivered] == [missing, missing]
    assert "NonExistentQueue" in outcome.undelivered[0][1] or "QueueDoesNotExist" in outcome.undelivered[0][1]


def test_functions_that_send_to_each_other_are_stopped(
    make_function: MakeFunction, start_lambda: Start, clock: ManualClock
) -> None:
    names = ("ping", "pong")
    service = start_lambda(*(make_function("serve(lambda body: b'1')", name=name) for name in names), clock=clock)
    for name, other in zip(names, reversed(names), strict=True):
        service.put_event_invoke_config(name, on_success=ARN.replace("function:function", f"function:{other}"))
    service.invoke("ping", invocation_type="Event")
    clock.run_until_quiet()
    outcomes = service.event_outcomes()
    assert [each.condition for each in outcomes] == ["Success"] * 32 + ["RecursionStopped"]
    assert service.metrics.sum("RecursiveInvocationsDropped") == 1


def test_without_aws_a_queue_cannot_be_named(app: Callable[..., FunctionConfiguration], start_lambda: Start) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:lost"
    service = start_lambda(app())
    with pytest.raises(InvalidConfiguration, match=r"make LocalLambda with aws=AwsClients"):
        service.put_event_invoke_config("function", on_failure=arn)
    with pytest.raises(InvalidConfiguration, match=r"dead_letter_arn .* of 'other' cannot be reached"):
        service.create_function(app(name="other", dead_letter_arn=arn))
    with pytest.raises(InvalidConfiguration, match="use a standard SQS queue's or standard SNS topic's ARN"):
        app(dead_letter_arn=arn + ".fifo")


# --- both runtimes ----------------------------------------------------------------------------------------------

HANDLER = """
    import os
    def handler(event, context):
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(context.aws_request_id + "\\n")
        if open(os.environ["SEEN"]).read().split().count(context.aws_request_id) <= event["failures"]:
            if event.get("crash"):
                os._exit(1)
            raise ValueError("no stock")
        return {"ok": True}
"""


@pytest.mark.parametrize("runtime", ["ours", pytest.param("awslambdaric", marks=needs_awslambdaric())])
def test_retries_and_documents_with_a_real_runtime(
    task_root: Path, start_lambda: Start, clock: ManualClock, seen: Seen, aws: AwsClients, runtime: str
) -> None:
    (task_root / "app.py").write_text(textwrap.dedent(HANDLER))
    settings: dict[str, Any] = {"environment": {"SEEN": str(seen.path)}}
    if runtime == "awslambdaric":
        settings["command"] = (sys.executable, "-m", "awslambdaric", "app.handler")
        settings["environment"]["PYTHONPATH"] = str(awslambdaric_path())
    function = FunctionConfiguration(handler="app.handler", task_root=task_root, timeout_s=20, **settings)
    service = start_lambda(function, clock=clock, aws=aws)
    service.put_event_invoke_config(
        "function", on_failure=make_queue(aws, "failed"), on_success=make_queue(aws, "done")
    )
    crashed = send(service, {"failures": 1, "crash": True})
    assert clock.run_until_quiet() == timedelta(minutes=1)
    failed = send(service, {"failures": 3})
    assert clock.run_until_quiet() == timedelta(minutes=3)
    assert seen() == [crashed] * 2 + [failed] * 3
    assert json.loads(messages(aws, "done")[0]["Body"])["responsePayload"] == {"ok": True}
    document = json.loads(messages(aws, "failed")[0]["Body"])
    assert document["requestContext"]["approximateInvokeCount"] == 3
    assert (document["responsePayload"]["errorType"], document["responsePayload"]["errorMessage"]) == (
        "ValueError",
        "no stock",
    )


def test_an_event_may_run_twice_though_it_was_sent_once(
    app: Callable[..., FunctionConfiguration], start_lambda: Start, clock: ManualClock, seen: Seen
) -> None:
    drawn = iter([0.09, 0.1])
    service = start_lambda(app(), clock=clock, duplicates=0.1, random=drawn.__next__)
    twice = service.invoke("function", {}, invocation_type="Event")
    once = service.invoke("function", {}, invocation_type="Event")
    assert twice.log.count("START") == 1
    clock.run_until_quiet()
    assert sorted(seen()) == sorted([twice.request_id] * 2 + [once.request_id])
    outcomes = [(each.request_id, each.duplicate, each.condition) for each in service.event_outcomes()]
    assert sorted(outcomes) == sorted(
        [
            (twice.request_id, False, "Success"),
            (twice.request_id, True, "Success"),
            (once.request_id, False, "Success"),
        ]
    )
    assert service.metrics.sum("AsyncEventsReceived", function="function") == 2


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_of_duplicates_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="use a share from 0 to 1"):
        LocalLambda(duplicates=share)
