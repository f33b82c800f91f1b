"""Firehose and S3 Batch Operations; poison, back-off, log lines, hooks."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import DropRecord, RetryRecord
from handlerkit.batch import BatchFailedError, BatchSummary, PoisonQueue, RecordFacts, process
from handlerkit.batch.record_answers import MAX_FIREHOSE_BYTES
from handlerkit.events import FirehoseRecord, KinesisRecord, S3BatchTask, SqsRecord
from handlerkit.testing import FakeContext, kinesis_event, sqs_event

from .conftest import Remembers

SAMPLES = Path(__file__).parents[2] / "events"


class Order(BaseModel):
    n: int


# --- Firehose ---------------------------------------------------------------------------------------------------------


def firehose_event(*data: bytes, key: str = "data") -> dict[str, Any]:
    return {
        "invocationId": "i",
        "deliveryStreamArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/d",
        "region": "eu-central-1",
        "records": [{"recordId": f"r{at}", key: base64.b64encode(one).decode()} for at, one in enumerate(data)],
    }


def transform(record: FirehoseRecord[Order]) -> Any:
    match record.data.n:
        case 1:
            raise DropRecord
        case 2:
            raise ValueError
        case 3:
            return None
        case 4:
            return record.ok("four\n", partition_keys={"n": "4"})
        case 5:
            return record.failed()
        case 6:
            return {"recordId": "of another", "result": "Ok"}
        case 7:
            return record.data
        case 8:
            return object()
    return b"bytes"


def test_each_record_of_firehose_has_its_answer_in_order() -> None:
    event = firehose_event(*(b'{"n": %d}' % n for n in range(9)), b"not JSON")
    answers = process(event, transform, context=FakeContext(remaining_ms=1))["records"]
    assert [one["recordId"] for one in answers] == [f"r{at}" for at in range(10)]
    assert "".join(one["result"][0] for one in answers) == "ODPPOPPOPP"
    assert [base64.b64decode(answers[at]["data"]) for at in (0, 4, 7)] == [b"bytes", b"four\n", b'{"n":7}']
    assert answers[4]["metadata"] == {"partitionKeys": {"n": "4"}}
    assert all(one.keys() == {"recordId", "result"} for one in answers if one["result"] != "Ok")


def test_records_that_came_through_kafka_are_answered_under_their_key() -> None:
    event = {**firehose_event(b"x", key="kafkaRecordValue"), "sourceMSKArn": "arn"}
    assert process(event, lambda record: "y", record=FirehoseRecord)["records"][0]["kafkaRecordValue"] == "eQ=="


def test_what_does_not_fit_into_the_answer_fails_and_what_does_is_delivered() -> None:
    sizes = [2_000_000, 2_000_000, 2_000_000, 10_000]
    event = firehose_event(*(b"%d" % size for size in sizes))
    response = process(event, lambda record: b"x" * int(record.data), record=FirehoseRecord)
    assert [one["result"] for one in response["records"]] == ["Ok", "Ok", "ProcessingFailed", "Ok"]
    assert len(json.dumps(response)) <= MAX_FIREHOSE_BYTES


def test_every_record_of_a_failed_transformation_is_still_answered() -> None:
    def function(record: Any) -> None:
        raise RetryRecord

    response = process(firehose_event(b"1", b"2"), function)
    assert [one["result"] for one in response["records"]] == ["ProcessingFailed"] * 2


# --- S3 Batch Operations ----------------------------------------------------------------------------------------------


def act(task: S3BatchTask) -> Any:
    match task.s3_key:
        case "drop":
            raise DropRecord("gone")
        case "fail":
            raise ValueError("slow down")
        case "retry":
            raise RetryRecord("busy")
        case "told":
            return task.failed("no such thing")
        case "later":
            return task.failed_for_now("busy")
        case "another":
            return {**task.failed("no such thing"), "taskId": "plain"}
        case "no code":
            return {**task.failed("no such thing"), "resultCode": "Failed"}
        case "value":
            return {"size": 3}
        case "odd":
            return object()
    return None


def test_each_task_of_s3_has_its_code() -> None:
    keys = ["plain", "drop", "fail", "retry", "told", "later", "another", "no code", "value", "odd"]
    refused = "ValueError: the function returned the result of another task, or a code that S3 does not know"
    event = json.loads((SAMPLES / "s3_batch" / "pt-s3-batch-operation-event-schema-v2.json").read_text())
    event["tasks"] = [{**event["tasks"][0], "taskId": key, "s3Key": key} for key in keys]
    response = process(event, act)
    assert response.pop("results") == [
        {"taskId": key, "resultCode": code, "resultString": text}
        for key, code, text in (
            ("plain", "Succeeded", ""),
            ("drop", "PermanentFailure", "DropRecord: gone"),
            ("fail", "TemporaryFailure", "ValueError: slow down"),
            ("retry", "TemporaryFailure", "RetryRecord: busy"),
            ("told", "PermanentFailure", "no such thing"),
            ("later", "TemporaryFailure", "busy"),
            ("another", "TemporaryFailure", refused),
            ("no code", "TemporaryFailure", refused),
            ("value", "Succeeded", '{"size":3}'),
            ("odd", "Succeeded", "object"),
        )
    ]
    assert response == {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": event["invocationId"],
    }


def test_tasks_without_time_are_to_be_tried_again() -> None:
    event = json.loads((SAMPLES / "s3_batch" / "pt-s3-batch-operation-event-schema-v1.json").read_text())
    event["tasks"] = [{**event["tasks"][0], "taskId": key} for key in "ab"]

    class Spent:
        left = 1_000

        def get_remaining_time_in_millis(self) -> int:
            return self.left

    def function(task: Any) -> None:
        Spent.left = 10

    codes = [one["resultCode"] for one in process(event, function, context=Spent())["results"]]
    assert codes == ["Succeeded", "TemporaryFailure"]


# --- poison -----------------------------------------------------------------------------------------------------------


class FakeSqs:
    """As much of boto3's client as is called."""

    class meta:
        endpoint_url = "https://sqs.eu-central-1.amazonaws.com/"

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.hidden: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        self.hidden.append(request)
        return {"Failed": [{"Code": "Gone", "Message": "expired"}]} if len(self.hidden) > 1 else {}


@pytest.mark.parametrize("is_async", [False, True])
def test_poison_is_settled_when_the_queue_has_taken_it(is_async: bool) -> None:
    client = FakeSqs()

    async def function_async(record: SqsRecord[Order]) -> None: ...

    event = sqs_event([{"n": 1}, "4111 1111 1111 1111"])
    function: Any = function_async if is_async else (lambda record: None)
    options: Any = {"record": SqsRecord[Order], "on_poison": PoisonQueue("https://queue/poison.fifo", client)}
    assert process(event, function, **options) == {"batchItemFailures": []}
    [message] = client.sent
    assert message["MessageBody"] == "4111 1111 1111 1111"
    assert message["MessageAttributes"]["poison.record"]["StringValue"] == event["Records"][1]["messageId"]
    assert "4111" not in message["MessageAttributes"]["poison.reason"]["StringValue"]
    assert message["MessageGroupId"] == message["MessageDeduplicationId"]


def test_poison_of_a_stream_is_sent_whole_and_the_stream_goes_on() -> None:
    client, seen = FakeSqs(), []
    event = kinesis_event([b"bad", b'{"n": 1}'])
    from handlerkit.events import KinesisRecord

    options: Any = {"record": KinesisRecord[Order], "on_poison": PoisonQueue("https://queue/poison", client)}
    assert process(event, lambda record: seen.append(record.data.n), **options) == {"batchItemFailures": []}
    assert json.loads(client.sent[0]["MessageBody"]) == event["Records"][0]
    assert seen == [1]


@pytest.mark.parametrize("is_async", [False, True])
def test_poison_that_could_not_be_sent_stays(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def refuses(poison: Any) -> None:
        await asyncio.sleep(0)
        raise OSError("no such queue")

    async def function_async(record: SqsRecord[Order]) -> None: ...

    event = sqs_event([{"n": 1}, "bad"])
    function: Any = function_async if is_async else (lambda record: None)
    response = process(event, function, record=SqsRecord[Order], on_poison=refuses)
    assert len(response["batchItemFailures"]) == 1
    assert "could not be sent elsewhere: OSError: no such queue" in caplog.text


def test_an_asynchronous_place_for_poison_is_awaited() -> None:
    taken: list[str] = []

    async def takes(poison: Any) -> None:
        await asyncio.sleep(0)
        taken.append(repr(poison))

    event = sqs_event(["bad"])
    assert process(event, lambda record: None, record=SqsRecord[Order], on_poison=takes) == {"batchItemFailures": []}
    assert taken == [f"PoisonRecord('sqs.standard', '{event['Records'][0]['messageId']}')"]


# --- back-off ---------------------------------------------------------------------------------------------------------


def test_messages_to_be_retried_later_are_hidden_that_long(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeSqs()

    def function(record: SqsRecord[Order]) -> None:
        if record.body.n:
            raise RetryRecord("busy", retry_in=timedelta(minutes=record.body.n))
        raise RetryRecord("no matter when")

    event = sqs_event([{"n": n} for n in (*range(12), 10_000)])
    response = process(event, function, record=SqsRecord[Order], sqs=client, raise_when_all_failed=False)
    assert len(response["batchItemFailures"]) == 13
    assert [len(one["Entries"]) for one in client.hidden] == [10, 2]
    assert client.hidden[0]["QueueUrl"] == "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"
    assert client.hidden[0]["Entries"][1]["VisibilityTimeout"] == 120
    assert client.hidden[0]["Entries"][1]["ReceiptHandle"] == event["Records"][2]["receiptHandle"]
    assert client.hidden[1]["Entries"][1]["VisibilityTimeout"] == 42_300
    assert "Gone: expired" in caplog.text


def test_a_back_off_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def function(record: SqsRecord[Order]) -> None:
        if record.body.n:
            raise RetryRecord(retry_in=timedelta(seconds=1))

    response = process(sqs_event([{"n": 0}, {"n": 1}]), function, record=SqsRecord[Order], sqs=object())
    assert len(response["batchItemFailures"]) == 1
    assert "not deferred: AttributeError" in caplog.text


def test_only_messages_of_a_queue_are_hidden() -> None:
    client = FakeSqs()

    def function(record: KinesisRecord[Order]) -> None:
        raise RetryRecord("busy", retry_in=timedelta(seconds=7))

    process(kinesis_event([{"n": 0}]), function, sqs=client, raise_when_all_failed=False)
    assert client.hidden == []


def test_a_wish_to_wait_that_is_no_timedelta_is_told_and_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeSqs()
    wishes: list[Any] = [30, timedelta(seconds=7)]

    def function(record: SqsRecord[Order]) -> None:
        raise RetryRecord("busy", retry_in=wishes[record.body.n])

    event = sqs_event([{"n": 0}, {"n": 1}])
    response = process(event, function, sqs=client, raise_when_all_failed=False)
    assert len(response["batchItemFailures"]) == 2
    assert [one["VisibilityTimeout"] for one in client.hidden[0]["Entries"]] == [7]
    assert "not deferred: AttributeError" in caplog.text


# --- the log ----------------------------------------------------------------------------------------------------------


def test_failures_are_logged_with_identity_and_traceback_and_never_with_payload(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def function(record: SqsRecord[Order]) -> None:
        raise ValueError("no stock")

    event = sqs_event(['{"n": 1, "card": "4111"}', '{"n": "4111 1111"}'])
    with pytest.raises(BatchFailedError) as info:
        process(event, function)
    failed, unreadable, summary = caplog.records
    assert failed.getMessage() == f"record {event['Records'][0]['messageId']} failed: ValueError: no stock"
    assert failed.exc_info
    assert vars(failed)["record_id"] == event["Records"][0]["messageId"]
    assert vars(failed)["batch_where"].endswith(":orders")
    assert "could not be read: SqsRecord[Order]: body.n: Input should be a valid integer" in unreadable.getMessage()
    assert summary.getMessage() == "batch of 2 from sqs.standard: 0 finished, 1 failed, 1 poisoned"
    assert vars(summary)["batch_poisoned"] == 1
    assert "4111" not in caplog.text + str(info.value)


def test_payloads_are_logged_when_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BatchFailedError):
        process(sqs_event(["4111"]), lambda record: None, record=SqsRecord[Order], log_payloads=True)
    assert "4111" in caplog.text


def test_of_many_tracebacks_the_first_are_enough(caplog: pytest.LogCaptureFixture) -> None:
    def function(record: Any) -> None:
        raise ValueError

    with pytest.raises(BatchFailedError):
        process(sqs_event(["x"] * 30), function)
    assert sum(bool(record.exc_info) for record in caplog.records) == 20
    assert len(caplog.records) == 31


def test_a_good_batch_says_so_at_info(caplog: pytest.LogCaptureFixture) -> None:
    def function(record: SqsRecord) -> None:
        if record.body == "old":
            raise DropRecord("expired")

    with caplog.at_level(logging.INFO):
        process(sqs_event(["x", "old"]), function)
    assert [record.getMessage() for record in caplog.records][-1] == (
        "batch of 2 from sqs.standard: 2 finished, 1 dropped"
    )


def test_logging_that_another_thread_is_importing_fails_no_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    half_imported = ModuleType("logging")
    half_imported.getLogger = logging.getLogger  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "logging", half_imported)
    assert process(sqs_event(["x", "x"]), lambda record: None) == {"batchItemFailures": []}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["handlerkit.logs.context", "handlerkit.logs.process"])
def test_logs_that_another_thread_is_importing_fail_no_batch(
    name: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    response = process(sqs_event(["x", "x"]), lambda record: None, max_workers=workers)
    assert response == {"batchItemFailures": []}


# --- hooks ------------------------------------------------------------------------------------------------------------


class Observer:
    """Writes down what it is shown."""

    def __init__(self, breaks: str = "") -> None:
        self.breaks = breaks
        self.seen: list[Any] = []

    @contextlib.contextmanager
    def around(self, facts: RecordFacts) -> Iterator[None]:
        if self.breaks == "enter":
            raise RuntimeError("telemetry is down")
        self.seen.append(facts.position)
        try:
            yield
        except ValueError as error:
            self.seen.append(str(error))
            return  # which would swallow it
        if self.breaks == "exit":
            raise RuntimeError("telemetry is down")

    def batch(self, summary: BatchSummary) -> None:
        self.seen.append(str(summary))
        if self.breaks == "batch":
            raise RuntimeError("telemetry is down")


def work(record: SqsRecord[Order]) -> None:
    if record.body.n == 1:
        raise ValueError("one")


async def work_async(record: SqsRecord[Order]) -> None:
    work(record)


@pytest.mark.parametrize("function", [work, work_async])
@pytest.mark.parametrize("breaks", ["", "enter", "exit", "batch"])
def test_observers_see_everything_and_change_nothing(
    function: Any, breaks: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = Observer(breaks), Observer()
    event = sqs_event([{"n": 0}, {"n": 1}])
    response = process(event, function, observers=[broken, whole])
    assert [one["itemIdentifier"][:8] for one in response["batchItemFailures"]] == ["00000001"]
    assert whole.seen == [0, 1, "one", "batch of 2 from sqs.standard: 1 finished, 1 failed"]
    assert ("an observer failed" in caplog.text) == bool(breaks)


@pytest.mark.parametrize("is_async", [False, True])
def test_idempotency_stands_between_the_batch_and_the_function(is_async: bool) -> None:
    memory, seen = Remembers(), []

    def function(record: SqsRecord[Order]) -> None:
        seen.append(record.body.n)
        work(record)

    async def function_async(record: SqsRecord[Order]) -> None:
        function(record)

    event = sqs_event([{"n": 0}, {"n": 1}])
    for _ in range(2):
        process(
            event,
            function_async if is_async else function,
            record=SqsRecord[Order],
            idempotency=memory,
            raise_when_all_failed=False,
        )
    assert seen == [0, 1, 1]
    assert memory.ends == 2


@pytest.mark.parametrize("function", [work, work_async])
def test_what_idempotency_takes_back_comes_again_with_all_behind_it(function: Any) -> None:
    memory = Remembers()
    memory.corrections = [(1, RuntimeError("another was first"), None), (4, None, None)]
    event = sqs_event([{"n": 0}] * 6, queue="a.fifo", message_group_ids="aaabba")
    response = process(event, function, idempotency=memory)
    assert [int(one["itemIdentifier"][:8]) for one in response["batchItemFailures"]] == [1, 2, 5]


def test_what_another_execution_made_of_a_record_is_its_answer() -> None:
    memory = Remembers()
    memory.corrections = [(0, None, b"theirs")]
    response = process(firehose_event(b"1", b"2"), lambda record: b"ours", idempotency=memory)
    assert [base64.b64decode(one["data"]) for one in response["records"]] == [b"theirs", b"ours"]


@pytest.mark.parametrize("function", [work, work_async])
def test_the_session_ends_when_the_process_does(function: Any) -> None:
    memory = Remembers()

    class Leaves(Observer):
        def around(self, facts: RecordFacts) -> Any:
            raise SystemExit

    with pytest.raises(SystemExit):
        process(sqs_event([{"n": 0}]), function, idempotency=memory, observers=[Leaves()])
    assert memory.ends == 1
