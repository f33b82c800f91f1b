"""Idempotent batches: two requests for ten new records, duplicates, failures, take-overs, and the event handler."""

import asyncio
import logging
from base64 import b64decode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handlerkit import batch_handler, event_handler
from handlerkit.answers.answer import AnswerError
from handlerkit.batch import BatchFailedError, process, process_async
from handlerkit.batch.hooks import RecordFacts
from handlerkit.events import FirehoseEvent, FirehoseRecord, KinesisRecord, SqsEvent, SqsRecord
from handlerkit.idempotency import (
    Claim,
    Completion,
    DynamoDBStore,
    Idempotency,
    KeyMissingError,
    MemoryStore,
    Record,
    Release,
    ResultNotKeptError,
    Store,
    StoreError,
    idempotent,
    jmespath,
)
from handlerkit.idempotency.invocation import SKEW_MS
from handlerkit.idempotency.keys import key_text
from handlerkit.idempotency.results import encoded, encoded_exception, not_kept
from handlerkit.testing import FakeContext, firehose_event, kinesis_event, sqs_event

from .stores_under_test import Clock, CountingClient, Servers, lean_client


def bodies_failed(event: dict[str, Any], response: dict[str, Any]) -> list[str]:
    """The bodies of the records that were reported."""
    failed = {one["itemIdentifier"] for one in response["batchItemFailures"]}
    return [record["body"] for record in event["Records"] if record["messageId"] in failed]


@pytest.fixture
def counted(servers: Servers, clock: Clock) -> Iterator[tuple[DynamoDBStore, CountingClient]]:
    lean = lean_client(servers.dynamodb())
    client = CountingClient(lean)
    yield DynamoDBStore(servers.table(), client=client, clock_ms=clock), client
    lean.close()


def test_ten_new_records_take_two_requests_and_ten_replays_one(
    counted: tuple[DynamoDBStore, CountingClient],
) -> None:
    store, client = counted
    runs: list[str] = []

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)

    event = sqs_event([f"o-{number}" for number in range(10)])
    assert handler(event) == {"batchItemFailures": []}
    assert client.actions == ["TransactWriteItems", "TransactWriteItems"]
    client.actions.clear()
    assert handler(event) == {"batchItemFailures": []}
    assert client.actions == ["TransactWriteItems"]
    assert len(runs) == 10


def test_one_call_takes_two_requests_a_replay_one_and_a_failure_two(
    counted: tuple[DynamoDBStore, CountingClient],
) -> None:
    store, client = counted

    @idempotent(store, key="key")
    def work(key: str) -> str:
        if key == "bad":
            raise ValueError
        return key

    for key, expected in (
        ("k", ["PutItem", "UpdateItem"]),
        ("k", ["PutItem"]),
        ("bad", ["PutItem", "DeleteItem"]),
    ):
        client.actions.clear()
        try:
            work(key)
        except ValueError:
            assert key == "bad"
        assert client.actions == expected


def test_a_batch_with_some_old_records_takes_one_request_more(counted: tuple[DynamoDBStore, CountingClient]) -> None:
    store, client = counted
    runs: list[str] = []

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)

    handler(sqs_event(["a", "b", "c"]))
    client.actions.clear()
    handler(sqs_event(["a", "x", "b", "y"]))
    assert client.actions == ["TransactWriteItems"] * 3
    assert runs == ["a", "b", "c", "x", "y"]


def test_records_of_one_key_in_a_batch_run_once(store: Store) -> None:
    runs: list[str] = []

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body, name="n"))
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)

    assert handler(sqs_event(["a", "b", "a", "a"])) == {"batchItemFailures": []}
    assert handler(sqs_event(["b", "a"])) == {"batchItemFailures": []}
    assert runs == ["a", "b"]


def test_a_failed_record_is_free_again_also_for_its_duplicate_in_the_same_batch(store: Store) -> None:
    runs: list[str] = []

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)
        if runs == ["a"]:
            raise ValueError("first")

    event = sqs_event(["a", "a", "b"])
    response = handler(event)
    assert [one["itemIdentifier"] for one in response["batchItemFailures"]] == [event["Records"][0]["messageId"]]
    assert runs == ["a", "a", "b"]
    assert handler(event) == {"batchItemFailures": []}
    assert runs == ["a", "a", "b"]


def test_without_a_key_a_redelivered_message_is_known_by_its_own_identifier() -> None:
    runs: list[str] = []

    @batch_handler(idempotency=Idempotency(MemoryStore()))
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.message_id)

    event = sqs_event(["same", "same"])
    handler(event)
    handler(event)
    assert len(runs) == 2


@pytest.mark.parametrize("workers", [1, 4])
def test_coroutines_are_guarded_in_tasks(store: Store, workers: int) -> None:
    runs: list[str] = []

    @batch_handler(max_workers=workers, idempotency=Idempotency(store, key=lambda record: record.body))
    async def handler(record: SqsRecord[str]) -> None:
        await asyncio.sleep(0)
        runs.append(record.body)
        if record.body == "bad" and runs.count("bad") == 1:
            raise ValueError

    event = sqs_event(["a", "b", "bad", "c"])
    assert bodies_failed(event, handler(event)) == ["bad"]
    assert handler(event) == {"batchItemFailures": []}
    assert sorted(runs) == ["a", "b", "bad", "bad", "c"]


def test_threads_are_guarded(store: Store) -> None:
    runs: list[str] = []

    @batch_handler(max_workers=4, idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)

    event = sqs_event([f"o-{number}" for number in range(20)])
    assert handler(event) == {"batchItemFailures": []}
    assert handler(event) == {"batchItemFailures": []}
    assert len(runs) == 20


def test_a_batch_of_250_is_claimed_a_hundred_at_a_time(counted: tuple[DynamoDBStore, CountingClient]) -> None:
    store, client = counted

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body, write_every_ms=60_000))
    def handler(record: SqsRecord[str]) -> None:
        pass

    assert handler(sqs_event([f"o-{number}" for number in range(250)])) == {"batchItemFailures": []}
    assert client.actions == ["TransactWriteItems"] * 6


def test_completions_of_which_one_was_lost_to_another_execution_take_one_request_more(
    counted: tuple[DynamoDBStore, CountingClient], clock: Clock
) -> None:
    store, client = counted
    keys = [f"k{number}" for number in range(10)]
    claims = [Claim(key=key, owner="me", lease_ms=1_000, ttl_s=60) for key in keys]
    completions = [Completion(key=key, owner="me", result=f'"{key}"', ttl_s=60) for key in keys]
    releases = [Release(key="r1", owner="me"), Release(key="r2", owner="me")]
    store.claim_many([*claims, *(Claim(key=one.key, owner="me", lease_ms=1_000, ttl_s=60) for one in releases)])
    clock.move(1_000)
    stolen = [Claim(key=key, owner="other", lease_ms=1_000, ttl_s=60) for key in ("k3", "r1")]
    store.claim_many(stolen)
    client.actions.clear()
    found = store.complete_many(completions, releases)
    assert client.actions == ["TransactWriteItems"] * 2
    assert [one.owner for one in found if one is not None] == ["other" if key == "k3" else "me" for key in keys]
    assert [store.claim(claim).owner for claim in stolen] == ["other", "other"]
    assert store.claim(Claim(key="r2", owner="new", lease_ms=1_000, ttl_s=60)).owner == "new"


def test_completions_that_are_sent_again_after_their_answer_was_lost_take_one_request(
    counted: tuple[DynamoDBStore, CountingClient],
) -> None:
    store, client = counted
    keys = [f"k{number}" for number in range(10)]
    store.claim_many([Claim(key=key, owner="me", lease_ms=1_000, ttl_s=60) for key in keys])
    completions = [Completion(key=key, owner="me", result=f'"{key}"', ttl_s=60) for key in keys]
    first = store.complete_many(completions)
    client.actions.clear()
    again = store.complete_many(completions)
    assert client.actions == ["TransactWriteItems"]
    assert [(one.owner, one.result) for one in again if one] == [(one.owner, one.result) for one in first if one]
    assert all(one is not None and one.is_completed for one in again)


class Breaking(MemoryStore):
    """Fails at the calls that are named."""

    def __init__(self, *steps: str, outcome_is_unknown: bool = True, clock: Any = None) -> None:
        super().__init__(**({"clock_ms": clock} if clock else {}))
        self.steps = steps
        self.outcome_is_unknown = outcome_is_unknown

    def _check(self, step: str) -> None:
        if step in self.steps:
            raise StoreError("no answer", outcome_is_unknown=self.outcome_is_unknown)

    def claim_many(self, claims: Sequence[Claim], /) -> list[Record]:
        self._check("claim_many")
        return super().claim_many(claims)

    def complete_many(self, done: Sequence[Completion], releases: Sequence[Release] = (), /) -> list[Record | None]:
        self._check("complete_many")
        return super().complete_many(done, releases)

    def complete(self, done: Completion, /) -> Record | None:
        self._check("complete")
        return super().complete(done)

    def release(self, release: Release, /) -> None:
        self._check("release")
        super().release(release)


def test_no_record_runs_when_the_claims_are_unknown() -> None:
    options = Idempotency(Breaking("claim_many"), key=lambda record: record.body)

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[str]) -> None:
        raise AssertionError("ran")

    @batch_handler(idempotency=options)
    async def awaited(record: SqsRecord[str]) -> None:
        raise AssertionError("ran")

    for one in (handler, awaited):
        with pytest.raises(BatchFailedError, match=r"2 of 2 records of sqs\.standard failed; first: StoreError"):
            one(sqs_event(["a", "b"]))


def test_records_that_are_done_are_not_failed_by_completions_that_cannot_be_written(caplog: Any) -> None:
    @batch_handler(idempotency=Idempotency(Breaking("complete_many"), key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        if record.body == "bad":
            raise ValueError

    event = sqs_event(["a", "bad"])
    with caplog.at_level(logging.WARNING):
        assert bodies_failed(event, handler(event)) == ["bad"]
    assert "is done, but that could not be written" in caplog.text
    assert "stays locked" in caplog.text


def test_completions_that_are_refused_together_are_written_one_by_one(caplog: Any) -> None:
    refusing = Breaking("complete_many", outcome_is_unknown=False)

    @batch_handler(idempotency=Idempotency(refusing, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        if record.body == "bad":
            raise ValueError

    event = sqs_event(["a", "b", "bad"])
    assert bodies_failed(event, handler(event)) == ["bad"]
    assert [record.is_completed for record in refusing._records.values()] == [True, True]
    refusing.steps = ("complete_many", "complete", "release")
    event = sqs_event(["c", "bad"])
    with caplog.at_level(logging.WARNING):
        assert bodies_failed(event, handler(event)) == ["bad"]
    assert "could not be written" in caplog.text


def test_releases_that_are_refused_one_by_one_are_told(caplog: pytest.LogCaptureFixture) -> None:
    refusing = Breaking("complete_many", "release", outcome_is_unknown=False)

    @batch_handler(idempotency=Idempotency(refusing, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        if record.body == "bad":
            raise ValueError

    event = sqs_event(["a", "bad"])
    with caplog.at_level(logging.WARNING):
        assert bodies_failed(event, handler(event)) == ["bad"]
    assert "failed and stays locked until its lease is over" in caplog.text
    assert "could not be written" not in caplog.text


@pytest.mark.parametrize("is_async", [False, True])
def test_a_record_that_failed_is_reported_with_its_own_error(is_async: bool) -> None:
    def fail(record: SqsRecord[str]) -> None:
        raise LookupError("no such order")

    async def fail_async(record: SqsRecord[str]) -> None:
        fail(record)

    handler: Any = batch_handler(idempotency=Idempotency(MemoryStore(), key=lambda record: record.body))(
        fail_async if is_async else fail
    )
    with pytest.raises(BatchFailedError, match="first: LookupError"):
        handler(sqs_event(["a"]))


@pytest.mark.parametrize("is_async", [False, True])
def test_a_duplicate_in_the_same_batch_asks_the_store_nothing(is_async: bool) -> None:
    store = MemoryStore()
    claimed: list[str] = []
    claim = store.claim

    def counting(one: Claim, /) -> Record:
        claimed.append(one.key)
        return claim(one)

    store.claim = counting  # type: ignore[method-assign]

    def handle(record: SqsRecord[str]) -> None: ...

    async def handle_async(record: SqsRecord[str]) -> None: ...

    options = Idempotency(store, key=lambda record: record.body, name="n")
    handler: Any = batch_handler(idempotency=options)(handle_async if is_async else handle)
    assert handler(sqs_event(["a", "a", "b"])) == {"batchItemFailures": []}
    assert claimed == [key_text("n", "a"), key_text("n", "b")]


def test_records_that_were_never_started_are_released_at_the_end() -> None:
    store = MemoryStore()

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.data))
    def handler(record: KinesisRecord[str]) -> None:
        if record.data == "bad":
            raise ValueError

    event = kinesis_event(["a", "bad", "c", "d"])
    assert len(handler(event)["batchItemFailures"]) == 1
    assert [(record.is_completed) for record in store._records.values()] == [True]


def test_a_record_without_a_key_fails_alone() -> None:
    runs: list[str] = []
    options = Idempotency(MemoryStore(), key=jmespath("messageAttributes.key.stringValue"))

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[str]) -> None:
        runs.append(f"{record.body} called")

    @batch_handler(idempotency=options)
    async def awaited(record: SqsRecord[str]) -> None:
        runs.append(f"{record.body} awaited")

    event = sqs_event(["a", "b"])
    event["Records"][1]["messageAttributes"] = {"key": {"stringValue": "k", "dataType": "String"}}
    for one in (handler, awaited):
        assert bodies_failed(event, one(event)) == ["a"]
    assert runs == ["b called", "b awaited"]


def test_a_record_without_a_key_runs_unprotected_if_that_was_chosen() -> None:
    runs: list[str] = []
    options = Idempotency(MemoryStore(), key=lambda record: record.body or None, missing_key="skip")

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)

    @batch_handler(idempotency=options)
    async def awaited(record: SqsRecord[str]) -> None:
        runs.append(record.body)

    for one in (handler, handler, awaited):
        assert one(sqs_event(["", "a"])) == {"batchItemFailures": []}
    assert sorted(runs) == ["", "", "", "a", "a"]


def test_a_record_that_cannot_be_read_fails_alone_and_the_others_are_claimed_with_it() -> None:
    store = MemoryStore()

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body["id"]))
    def handler(record: SqsRecord[dict[str, int]]) -> None:
        pass

    event = sqs_event([{"id": 1}, "no json", {"id": 2}])
    assert bodies_failed(event, handler(event)) == ["no json"]
    assert len(store) == 2


def test_another_payload_with_the_same_key_fails_also_within_the_batch() -> None:
    options = Idempotency(
        MemoryStore(), key=lambda record: record.body["id"], payload=lambda record: record.body["amount"]
    )

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[dict[str, int]]) -> None:
        pass

    event = sqs_event([{"id": 1, "amount": 5}, {"id": 1, "amount": 6}, {"id": 1, "amount": 5}])
    assert len(handler(event)["batchItemFailures"]) == 1
    with pytest.raises(TypeError, match="payload= needs key="):
        batch_handler(idempotency=Idempotency(MemoryStore(), payload=lambda record: record.body))(handler.func)


def test_a_record_whose_execution_was_taken_over_is_reported(clock: Clock) -> None:
    store = MemoryStore(clock_ms=clock)
    options = Idempotency(store, key=lambda record: record.body, lease_s=10, name="n")

    @batch_handler(idempotency=options)
    def newer(record: SqsRecord[str]) -> None:
        pass

    taken_over: list[bool] = []

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[str]) -> None:
        clock.move(10_000)
        if record.body == "done by another":
            newer(sqs_event(["done by another"]))
        if record.body == "runs elsewhere":
            claim = Claim(key=key_text("n", record.body), owner="other", lease_ms=60_000, ttl_s=60)
            taken_over.append(store.claim(claim).is_owned_by(claim))

    assert handler(sqs_event(["done by another"])) == {"batchItemFailures": []}
    event = sqs_event(["runs elsewhere", "b"])
    assert bodies_failed(event, handler(event)) == ["runs elsewhere"]
    assert taken_over == [True]


@pytest.mark.parametrize(
    ("theirs", "result", "data"),
    [
        (encoded("theirs"), "Ok", "theirs"),
        (encoded(None), "ProcessingFailed", None),  # as if it had returned None itself
        (encoded_exception(ValueError("declined")), "ProcessingFailed", None),
        (not_kept("too large"), "ProcessingFailed", None),
    ],
)
def test_the_result_of_the_execution_that_took_over_is_the_one_that_counts(
    clock: Clock, theirs: str, result: str, data: str | None
) -> None:
    store = MemoryStore(clock_ms=clock)

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.data, lease_s=10, name="n"))
    def handler(record: FirehoseRecord[str]) -> str:
        if record.data == "a":
            clock.move(10_000)
            key = key_text("n", record.data)
            store.claim(Claim(key=key, owner="other", lease_ms=60_000, ttl_s=60))
            store.complete(Completion(key=key, owner="other", result=theirs, ttl_s=60))
        return "ours"

    event = firehose_event(["a", "b"])
    first, second = handler(event)["records"]
    assert (first["result"], b64decode(first["data"]).decode() if "data" in first else None) == (result, data)
    assert (second["result"], b64decode(second["data"])) == ("Ok", b"ours")


def test_completions_are_written_on_the_way_when_the_oldest_has_waited() -> None:
    store = MemoryStore()
    seen: list[int] = []

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body, write_every_ms=0))
    def handler(record: SqsRecord[str]) -> None:
        seen.append(sum(one.is_completed for one in store._records.values()))

    handler(sqs_event(["a", "b", "c"]))
    assert seen == [0, 1, 2]


def test_a_source_that_asks_for_results_gets_them_for_duplicates() -> None:
    runs: list[str] = []

    @batch_handler(idempotency=Idempotency(MemoryStore(), key=lambda record: record.data))
    def handler(record: FirehoseRecord[str]) -> str:
        runs.append(record.data)
        return f"{record.data} of run {len(runs)}"

    event = firehose_event(["a", "b", "a"])
    first = handler(event)
    assert handler(event) == first
    assert first["records"][0]["data"] == first["records"][2]["data"]
    assert len(runs) == 2


def test_the_exception_of_a_record_that_is_remembered_fails_its_duplicates_without_a_run() -> None:
    runs: list[str] = []
    options = Idempotency(MemoryStore(), key=lambda record: record.body, remember=(ValueError,))

    @batch_handler(idempotency=options, raise_when_all_failed=False)
    def handler(record: SqsRecord[str]) -> None:
        runs.append(record.body)
        raise ValueError("declined")

    event = sqs_event(["a", "a"])
    assert bodies_failed(event, handler(event)) == ["a", "a"]
    assert bodies_failed(event, handler(event)) == ["a", "a"]
    assert runs == ["a"]


def test_a_record_waits_for_another_execution_if_that_was_chosen(clock: Clock) -> None:
    store = MemoryStore()
    options = Idempotency(store, key=lambda record: record.body, on_concurrent="wait", name="n")

    @batch_handler(idempotency=options, raise_when_all_failed=False)
    def handler(record: SqsRecord[str]) -> None:
        pass

    @batch_handler(idempotency=options, raise_when_all_failed=False)
    async def awaited(record: SqsRecord[str]) -> None:
        pass

    attempt = options.for_function(lambda record: None).attempt((SqsRecord({"body": "a"}),), {}, None)
    assert attempt is not None
    store.claim(Claim(key=attempt.key, owner="other", lease_ms=60_000, ttl_s=60))
    event = sqs_event(["a"])
    for one in (handler, awaited):
        assert bodies_failed(event, one(event, FakeContext(remaining_ms=300))) == ["a"]
    store.complete(Completion(key=attempt.key, owner="other", result="null", ttl_s=60))
    for one in (handler, awaited):
        assert one(event, FakeContext(remaining_ms=300)) == {"batchItemFailures": []}


def test_a_record_whose_key_is_free_runs_at_once_also_where_others_are_waited_for() -> None:
    store = MemoryStore()
    runs: list[str] = []
    options = Idempotency(store, key=lambda record: record.body, on_concurrent="wait", name="n")

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[str]) -> None:
        runs.append(f"{record.body} called")

    @batch_handler(idempotency=options)
    async def awaited(record: SqsRecord[str]) -> None:
        runs.append(f"{record.body} awaited")

    # What waited for itself would fail when its time is over.
    assert handler(sqs_event(["a"]), FakeContext(remaining_ms=1_000)) == {"batchItemFailures": []}
    assert awaited(sqs_event(["a", "b"]), FakeContext(remaining_ms=1_000)) == {"batchItemFailures": []}
    assert runs == ["a called", "b awaited"]


def test_a_result_that_was_not_kept_fails_a_duplicate_only_where_results_are_asked_for() -> None:
    store = MemoryStore()
    store.max_result_bytes = 10

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> str:
        return "of no use to anybody"

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.data))
    def transformed(record: FirehoseRecord[str]) -> str:
        return "longer than ten bytes"

    for _ in range(2):
        assert handler(sqs_event(["a"])) == {"batchItemFailures": []}
    assert [one["result"] for one in transformed(firehose_event(["a"]))["records"]] == ["Ok"]
    assert [one["result"] for one in transformed(firehose_event(["a"]))["records"]] == ["ProcessingFailed"]


def test_functions_called_by_a_record_take_their_lease_from_the_invocation(clock: Clock) -> None:
    store = MemoryStore(clock_ms=clock)
    leases: dict[str, int] = {}

    @idempotent(store, key="key", name="inner")
    def inner(key: str) -> None:
        leases[key] = min(r.lease_until_ms for r in list(store._records.values()) if not r.is_completed) - clock()

    @idempotent(store, key="key", name="inner")
    async def inner_async(key: str) -> None:
        leases[key] = min(r.lease_until_ms for r in list(store._records.values()) if not r.is_completed) - clock()

    @batch_handler
    def in_sequence(record: SqsRecord[str]) -> None:
        inner(f"sequence-{record.body}")

    @batch_handler(max_workers=2)
    def in_threads(record: SqsRecord[str]) -> None:
        inner(f"thread-{record.body}")

    @batch_handler
    async def in_tasks(record: SqsRecord[str]) -> None:
        await inner_async(f"task-{record.body}")
        await asyncio.to_thread(inner, f"task's thread-{record.body}")

    @event_handler
    def whole(event: SqsEvent[str]) -> None:
        inner("event")
        process(sqs_event(["a"]), lambda record: inner("processed inside"))

    @event_handler
    async def whole_async(event: SqsEvent[str]) -> None:
        await inner_async("event in a task")

    two = sqs_event(["a", "b"])
    for handler in (in_sequence, in_threads, in_tasks, whole, whole_async):
        handler(two, FakeContext(remaining_ms=5_000))
    process(sqs_event(["a"]), lambda record: inner("processed"), context=FakeContext(remaining_ms=5_000))

    async def processed(record: Any) -> None:
        await inner_async("processed in a task")

    asyncio.run(process_async(sqs_event(["a"]), processed, context=FakeContext(remaining_ms=5_000)))
    assert len(leases) == 13
    assert {key: lease for key, lease in leases.items() if not SKEW_MS + 4_000 < lease <= SKEW_MS + 5_000} == {}
    inner("nowhere")
    assert leases["nowhere"] == 900_000


def test_nested_functions_in_threads_and_tasks_each_have_their_own_record() -> None:
    """The best-known library keeps the present function's prefix in the store, where the next one replaces it."""
    store = MemoryStore()
    runs: list[str] = []

    @idempotent(store, key="key")
    def inner(key: str) -> str:
        runs.append(f"inner {key}")
        return f"inner {key}"

    @idempotent(store, key="key")
    def outer(key: str) -> str:
        runs.append(f"outer {key}")
        return f"outer of {inner(key)}"

    @idempotent(store, key="key")
    async def outer_async(key: str) -> str:
        runs.append(f"async {key}")
        first, second = await asyncio.gather(asyncio.to_thread(inner, key), asyncio.to_thread(outer, f"t-{key}"))
        return f"async of {first} and {second}"

    async def together() -> list[str]:
        return await asyncio.gather(*(outer_async(f"k{number}") for number in range(5)))

    with ThreadPoolExecutor(8) as pool:
        in_threads = list(pool.map(outer, [f"p{number}" for number in range(20)]))
    first = asyncio.run(together())
    assert in_threads == [f"outer of inner p{number}" for number in range(20)]
    assert first == [f"async of inner k{number} and outer of inner t-k{number}" for number in range(5)]
    count = len(runs)
    assert [outer(f"p{number}") for number in range(20)] == in_threads
    assert asyncio.run(together()) == first
    assert [inner(f"p{number}") for number in range(20)] == [f"inner p{number}" for number in range(20)]
    assert len(runs) == count == len(store)


def test_an_event_handler_answers_a_duplicate_with_the_first_response() -> None:
    runs: list[int] = []

    @event_handler(idempotency=Idempotency(MemoryStore(), key=jmespath("id")))
    def handler(event: dict[str, Any]) -> Any:
        runs.append(1)
        return {"run": len(runs), "tags": ("a", "b")}

    @event_handler(idempotency=Idempotency(MemoryStore(), key=jmespath("id")))
    async def awaited(event: dict[str, Any]) -> Any:
        runs.append(1)
        return 0

    first = handler({"id": 1}, FakeContext())
    assert handler({"id": 1}, FakeContext()) == first == {"run": 1, "tags": ["a", "b"]}
    assert handler.__lambda_raw__(b'{"id": 1}', FakeContext()) == b'{"run":1,"tags":["a","b"]}'
    assert awaited({"id": 1}) == awaited({"id": 1}) == 0
    assert len(runs) == 2
    with pytest.raises(KeyMissingError):
        handler({})


def test_an_answer_that_cannot_be_sent_does_not_make_the_work_run_again() -> None:
    runs: list[int] = []

    @event_handler(idempotency=Idempotency(MemoryStore(), key=jmespath("id")))
    def handler(event: dict[str, Any]) -> Any:
        runs.append(1)
        return object()

    with pytest.raises(TypeError):
        handler({"id": 1}, FakeContext())
    with pytest.raises(ResultNotKeptError, match="TypeError"):
        handler({"id": 1}, FakeContext())
    assert len(runs) == 1


def test_an_answer_that_its_service_would_not_take_does_not_make_the_work_run_again() -> None:
    runs: list[int] = []

    @event_handler(idempotency=Idempotency(MemoryStore(), key=lambda event: "k", name="n"))
    def handler(event: FirehoseEvent) -> Any:
        runs.append(1)
        return {"no": "records"}

    with pytest.raises(AnswerError):
        handler(firehose_event(["a"]), FakeContext())
    with pytest.raises(ResultNotKeptError, match="AnswerError"):
        handler(firehose_event(["a"]), FakeContext())
    assert len(runs) == 1


def test_the_hook_is_told_of_duplicates_within_a_batch_too() -> None:
    seen: list[str] = []

    options = Idempotency(MemoryStore(), key=jmespath("body"), on_replay=lambda replay: seen.append(replay.key))

    @batch_handler(idempotency=options)
    def handler(record: SqsRecord[str]) -> None:
        pass

    handler(sqs_event(["a", "b", "a"]))
    handler(sqs_event(["b"]))
    assert len(seen) == 2
    assert seen[0] != seen[1]


def test_a_record_that_could_not_be_read_ahead_but_can_be_in_its_turn_is_protected_nevertheless() -> None:
    store = MemoryStore()
    options = Idempotency(store, key=lambda record: record, name="n")
    reads: list[Any] = []

    def read(raw: dict[str, Any]) -> Any:
        reads.append(raw["n"])
        if reads.count(2) == 1 and raw["n"] == 2:
            raise ValueError("for once")
        return raw["n"]

    raws = [{"n": 1}, {"n": 2}]
    session = options.for_records(lambda record: None).session(raws, ["a", "b"], read, None, True)
    for position, raw in enumerate(raws):
        facts = RecordFacts("sqs", "queue", position, "id", raw, None)
        assert session.run(session.reading(raw), facts, lambda: "done") == "done"
    assert session.end() == []
    assert [record.is_completed for record in store._records.values()] == [True, True]
