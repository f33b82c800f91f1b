"""What becomes of a batch, source by source; among it what the best-known library was shown to get wrong."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from handlerkit import DropRecord, RetryRecord, batch_handler
from handlerkit.batch import BatchFailedError, UntrustedBatchError, process, process_async
from handlerkit.events import EventValidationError, KinesisRecord, SqsEvent, SqsRecord
from handlerkit.testing import FakeContext, dynamodb_event, eventbridge_event, kinesis_event, sqs_event

from .conftest import Remembers


class Order(BaseModel):
    n: int


def failures(response: dict[str, Any]) -> list[Any]:
    """What a response names, shortened to its first digits."""
    return [
        one["itemIdentifier"] if isinstance(one["itemIdentifier"], dict) else int(one["itemIdentifier"][:8])
        for one in response["batchItemFailures"]
    ]


def failing_on(*numbers: int, seen: list[int] | None = None) -> Callable[[SqsRecord[Order]], None]:
    """A function that fails on these."""

    def function(record: SqsRecord[Order]) -> None:
        if seen is not None:
            seen.append(record.body.n)
        if record.body.n in numbers:
            raise ValueError(f"no {record.body.n}")

    return function


def orders(count: int, **options: Any) -> dict[str, Any]:
    return sqs_event([{"n": number} for number in range(count)], **options)


# --- queues -----------------------------------------------------------------------------------------------------------


def test_a_standard_queue_goes_on_after_a_failure_and_reports_what_failed() -> None:
    seen: list[int] = []
    assert failures(process(orders(4), failing_on(1, seen=seen), record=SqsRecord[Order])) == [1]
    assert seen == [0, 1, 2, 3]


def test_a_fifo_queue_is_recognised_by_its_name_and_stops_the_group_alone() -> None:
    seen: list[int] = []
    event = orders(6, queue="orders.fifo", message_group_ids="aabbab")
    response = process(event, failing_on(0, seen=seen), record=SqsRecord[Order])
    assert seen == [0, 2, 3, 5]
    assert failures(response) == [0, 1, 4]


def test_message_groups_of_a_standard_queue_are_for_fairness_and_keep_no_order() -> None:
    seen: list[int] = []
    event = orders(3, message_group_ids="aaa")
    assert failures(process(event, failing_on(0, seen=seen), record=SqsRecord[Order])) == [0]
    assert seen == [0, 1, 2]


def test_without_a_queues_name_a_sequence_number_tells_a_fifo_queue() -> None:
    event = orders(3, queue="orders.fifo")
    for record in event["Records"]:
        del record["eventSourceARN"]
    assert failures(process(event, failing_on(0), record=SqsRecord[Order], raise_when_all_failed=False)) == [0, 1, 2]


def test_the_same_message_twice_in_a_batch_is_named_once() -> None:
    event = orders(2)
    event["Records"].append(event["Records"][0])
    fates = iter([True, True, False])

    def function(record: SqsRecord[Order]) -> None:
        if not next(fates):
            raise ValueError

    assert failures(process(event, function, record=SqsRecord[Order])) == [0]


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_stops_at_the_first_failure_and_names_it_alone() -> None:
    seen: list[int] = []

    def function(record: KinesisRecord[Order]) -> None:
        seen.append(record.data.n)
        if record.data.n in (2, 4):
            raise ValueError

    event = kinesis_event([{"n": number} for number in range(6)])
    response = process(event, function, record=KinesisRecord[Order])
    assert seen == [0, 1, 2]
    assert [one["itemIdentifier"] for one in response["batchItemFailures"]] == [
        event["Records"][2]["kinesis"]["sequenceNumber"]
    ]


def test_a_malformed_record_of_a_stream_stops_it_and_is_named() -> None:
    seen: list[int] = []
    event = kinesis_event([{"n": 0}, b"not JSON", {"n": 2}])
    response = process(event, lambda record: seen.append(record.data.n), record=KinesisRecord[Order])
    assert seen == [0]
    assert [one["itemIdentifier"] for one in response["batchItemFailures"]] == [
        event["Records"][1]["kinesis"]["sequenceNumber"]
    ]


def by_key(event: dict[str, Any], failing: int, **options: Any) -> tuple[list[int], int]:
    """What was run of a Kinesis batch in order by key, and which position was named."""
    seen: list[int] = []

    def function(record: KinesisRecord[Order]) -> None:
        seen.append(record.data.n)
        if record.data.n == failing:
            raise ValueError

    response = process(event, function, record=KinesisRecord[Order], ordering="key", **options)
    numbers = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
    return seen, numbers.index(response["batchItemFailures"][0]["itemIdentifier"])


def test_by_key_nothing_starts_behind_a_failure_unless_repeats_are_safe() -> None:
    event = kinesis_event([{"n": number} for number in range(5)], partition_keys="abaab")
    assert by_key(event, 2) == ([0, 1, 2], 2)
    assert by_key(event, 2, idempotency=Remembers()) == ([0, 1, 2, 4], 2)


@pytest.mark.parametrize("fails", [False, True])
def test_order_by_key_is_refused_to_a_queue_also_where_all_goes_well(fails: bool) -> None:
    with pytest.raises(ValueError, match="ordering='key' is for"):
        process(orders(2), failing_on(1 if fails else 9), record=dict, ordering="key")


def test_the_lowest_sequence_number_is_lowest_as_a_number_not_as_a_text() -> None:
    event = dynamodb_event(*((None, {"id": "a", "n": number}) for number in range(3)))
    for record, number in zip(event["Records"], ["100", "99", "9"], strict=True):
        record["dynamodb"]["SequenceNumber"] = number

    def function(record: dict[str, Any]) -> None:
        if record["dynamodb"]["SequenceNumber"] == "99":
            raise ValueError

    assert process(event, function) == {"batchItemFailures": [{"itemIdentifier": "9"}]}


def test_items_of_a_table_keep_order_by_their_key() -> None:
    event = dynamodb_event(*((None, {"id": "aba"[number], "n": number}) for number in range(3)))
    running, widest, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2, timeout=20)

    def function(record: dict[str, Any]) -> None:
        with lock:
            running[0] += 1
            widest[0] = max(widest[0], running[0])
        if record["dynamodb"]["NewImage"]["n"]["N"] != "2":
            both.wait()
        with lock:
            running[0] -= 1

    assert process(event, function, ordering="key", max_workers=3) == {"batchItemFailures": []}
    assert widest == [2]


def test_packed_user_records_are_named_by_the_record_that_carried_them(kpl_event: dict[str, Any]) -> None:
    seen: list[int | None] = []

    def function(record: KinesisRecord) -> None:
        seen.append(record.sub_sequence_number)
        if len(seen) == 2:
            raise ValueError

    response = process(kpl_event, function, record=KinesisRecord)
    assert seen == [0, 1]
    outer = [record["kinesis"]["sequenceNumber"] for record in kpl_event["Records"]]
    assert [one["itemIdentifier"] for one in response["batchItemFailures"]] == outer[:1]


def test_packed_user_records_have_names_of_their_own(kpl_event: dict[str, Any]) -> None:
    memory = Remembers()
    process(kpl_event, lambda record: None, record=KinesisRecord, idempotency=memory)
    assert len(memory.known) == 4


def test_a_window_keeps_its_state() -> None:
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:02:00Z"}
    event = {**kinesis_event([{"n": 1}]), "window": window, "state": {"sum": 4}, "isFinalInvokeForWindow": False}
    assert process(event, lambda record: None) == {"batchItemFailures": [], "state": {"sum": 4}}


# --- Kafka ------------------------------------------------------------------------------------------------------------


def kafka_event(**partitions: int) -> dict[str, Any]:
    return {
        "eventSource": "aws:kafka",
        "records": {
            f"orders-{partition[1:]}": [
                {"topic": "orders", "partition": int(partition[1:]), "offset": offset} for offset in range(count)
            ]
            for partition, count in partitions.items()
        },
    }


def test_a_partition_of_kafka_stops_at_its_failure_and_the_others_go_on() -> None:
    seen: list[tuple[int, int]] = []

    def function(record: dict[str, Any]) -> None:
        seen.append((record["partition"], record["offset"]))
        if seen[-1] == (0, 1):
            raise ValueError

    response = process(kafka_event(p0=3, p1=2), function)
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert failures(response) == [{"partition": "orders-0", "offset": 1}, {"partition": "orders-0", "offset": 2}]


# --- never acknowledged without having run ----------------------------------------------------------------------------


def not_awaited(log: list[int]) -> dict[str, Callable[[Any], Any]]:
    """Asynchronous functions, plain and in disguise."""

    async def plain(record: Any) -> None:
        await asyncio.sleep(0)
        log.append(1)

    class Callable_:
        async def __call__(self, record: Any) -> None:
            await plain(record)

    return {
        "plain": plain,
        "behind a lambda": lambda record: plain(record),
        "partial": partial(plain),
        "object": Callable_(),
    }


@pytest.mark.parametrize("how", ["plain", "behind a lambda", "partial", "object"])
@pytest.mark.parametrize("workers", [1, 3])
def test_an_asynchronous_function_is_awaited_however_it_is_given(how: str, workers: int) -> None:
    log: list[int] = []
    assert process(orders(3), not_awaited(log)[how], max_workers=workers) == {"batchItemFailures": []}
    assert log == [1, 1, 1]


def test_a_generator_function_is_refused_where_it_is_decorated() -> None:
    def function(record: SqsRecord) -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="must not yield"):
        batch_handler(function)


def forgotten_await(record: SqsRecord) -> Any:
    async def work() -> None: ...

    async def outer() -> Any:
        return work()

    return outer()


@pytest.mark.parametrize(
    "function", [lambda record: (one for one in ""), forgotten_await], ids=["generator", "forgotten await"]
)
def test_work_that_was_returned_undone_is_a_failure(function: Any) -> None:
    with pytest.raises(BatchFailedError, match="of which nothing has run"):
        process(orders(2), function)


@pytest.mark.parametrize("result", [Mock(), MagicMock()], ids=["mock", "magic"])
def test_a_mock_that_says_it_has_everything_is_a_result_like_any_other(result: Any) -> None:
    assert process(orders(2), lambda record: result) == {"batchItemFailures": []}


def test_work_given_to_an_executor_is_waited_for() -> None:
    with ThreadPoolExecutor(1) as pool:
        response = process(orders(3), lambda record: pool.submit(failing_on(1), record), record=SqsRecord[Order])
    assert failures(response) == [1]


def test_a_result_that_has_a_result_is_none_of_an_executor() -> None:
    assert process(orders(2), lambda record: SimpleNamespace(result=5)) == {"batchItemFailures": []}


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_ends_the_process_ends_the_batch(end: type[BaseException], workers: int) -> None:
    def function(record: SqsRecord[Order]) -> None:
        if record.body.n == 1:
            raise end

    with pytest.raises(end):
        process(orders(3), function, record=SqsRecord[Order], max_workers=workers)


@pytest.mark.parametrize("identifier", [None, "", 5, {}])
def test_a_record_without_identity_fails_the_batch_before_anything_runs(identifier: Any) -> None:
    seen: list[int] = []
    event = orders(2)
    event["Records"][1]["messageId"] = identifier
    with pytest.raises(UntrustedBatchError, match="messageId"):
        process(event, failing_on(seen=seen), record=SqsRecord[Order])
    assert seen == []


@pytest.mark.parametrize("record", [None, "text", []])
def test_a_record_that_is_no_object_fails_the_batch(record: Any) -> None:
    event = orders(2)
    event["Records"][1] = record
    with pytest.raises(UntrustedBatchError):
        process(event, failing_on(), record=SqsRecord[Order])


# --- poison -----------------------------------------------------------------------------------------------------------


class Odd(BaseModel):
    """A model with another title, whose validator raises what is no validation error: both break the peer's batch."""

    model_config = ConfigDict(title="something else")
    n: int

    @field_validator("n")
    @classmethod
    def known(cls, n: int) -> int:
        return {0: 0, 2: 2}[n]


def test_whatever_a_validator_raises_concerns_its_record_alone() -> None:
    seen: list[int] = []
    response = process(orders(3), lambda record: seen.append(record.body.n), record=SqsRecord[Odd])
    assert (seen, failures(response)) == ([0, 2], [1])


class Wordless(Exception):
    """Says a number, which Python does not take for words."""

    def __str__(self) -> str:
        return self.args[0]  # type: ignore[no-any-return]


class WordlessRetry(Wordless, RetryRecord): ...


class WordlessDrop(Wordless, DropRecord): ...


@pytest.mark.parametrize("log_payloads", [False, True])
def test_an_error_that_cannot_say_what_it_is_concerns_its_record_alone(log_payloads: bool) -> None:
    kinds: list[type[Exception] | None] = [Wordless, WordlessRetry, WordlessDrop, None]

    def function(record: SqsRecord[Order]) -> None:
        kind = kinds[record.body.n]
        if kind is not None:
            raise kind(404)

    assert failures(process(orders(4), function)) == [0, 1]
    with pytest.raises(BatchFailedError, match="Wordless: "):
        process(orders(1), function, log_payloads=log_payloads)


def test_a_malformed_message_behind_a_failure_in_a_fifo_queue_does_not_fail_the_batch() -> None:
    event = sqs_event([{"n": 0}, {"n": 1}, "not JSON", {"n": 3}], queue="orders.fifo", message_group_ids="abbc")
    seen: list[int] = []
    response = process(event, failing_on(1, seen=seen), record=SqsRecord[Order])
    assert (seen, failures(response)) == ([0, 1, 3], [1, 2])


# --- the batch as a whole ---------------------------------------------------------------------------------------------


def test_an_empty_batch_is_a_success() -> None:
    assert process({"Records": []}, failing_on(), record=SqsRecord[Order]) == {"batchItemFailures": []}
    assert process({"Records": []}, lambda record: None) == {"batchItemFailures": []}
    assert process({"Records": []}, not_awaited([])["plain"], record=SqsRecord[Order]) == {"batchItemFailures": []}


@pytest.mark.parametrize("event", [{}, [], None, "text", {"Records": 5}, eventbridge_event({})], ids=str)
def test_what_is_no_batch_of_the_source_is_refused(event: Any) -> None:
    with pytest.raises(EventValidationError):
        process(event, failing_on(), record=SqsRecord[Order])
    with pytest.raises(EventValidationError):
        process(kinesis_event([{"n": 1}]), failing_on(), record=SqsRecord[Order])


def test_a_batch_of_which_nothing_was_finished_fails_unless_told_otherwise() -> None:
    function = failing_on(0, 1)
    with pytest.raises(
        BatchFailedError, match=r"2 of 2 records of sqs.standard failed; first: ValueError: no 0"
    ) as info:
        process(orders(2), function, record=SqsRecord[Order])
    assert isinstance(info.value.__cause__, ValueError)
    assert len(info.value.failed) == 2
    response = process(orders(2), function, record=SqsRecord[Order], raise_when_all_failed=False)
    assert failures(response) == [0, 1]


def test_without_partial_responses_any_failure_fails_the_batch() -> None:
    with pytest.raises(BatchFailedError, match="1 of 3"):
        process(orders(3), failing_on(1), record=SqsRecord[Order], partial_response=False)
    assert process(orders(3), failing_on(), record=SqsRecord[Order], partial_response=False)
    assert process(orders(3), failing_on(), record=SqsRecord[Order], partial_response=False, max_workers=2)


def test_a_dropped_record_is_settled_and_a_retried_one_is_not() -> None:
    def function(record: SqsRecord[Order]) -> None:
        raise DropRecord("old") if record.body.n == 0 else RetryRecord("busy")

    assert failures(process(orders(2), function, record=SqsRecord[Order])) == [1]


def test_a_dropped_record_does_not_stop_a_stream() -> None:
    seen: list[int] = []

    def function(record: KinesisRecord[Order]) -> None:
        seen.append(record.data.n)
        raise DropRecord

    event = kinesis_event([{"n": 0}, {"n": 1}])
    assert process(event, function, record=KinesisRecord[Order]) == {"batchItemFailures": []}
    assert seen == [0, 1]


def test_the_event_may_be_a_view_and_the_function_may_take_the_context() -> None:
    context = FakeContext()

    def function(record: SqsRecord[Order], context: FakeContext) -> None:
        assert context.function_name == "orders"

    def by_keyword(record: SqsRecord[Order], *, context: FakeContext) -> None:
        assert context.function_name == "orders"

    for one in (function, by_keyword):
        assert process(SqsEvent(orders(1)), one, record=SqsRecord[Order], context=context) == {"batchItemFailures": []}


def test_the_record_type_is_the_functions_annotation_and_sources_may_be_mixed() -> None:
    seen: list[str] = []

    def function(record: SqsRecord[Order] | KinesisRecord[Order]) -> None:
        seen.append(type(record).__name__)

    process(orders(1), function)
    process(kinesis_event([{"n": 1}]), function)
    assert seen == ["SqsRecord[Order]", "KinesisRecord[Order]"]


def test_a_function_without_annotation_gets_the_record_as_it_came() -> None:
    seen: list[Any] = []
    event = orders(1)
    process(event, lambda record: seen.append(record))
    assert seen[0] is event["Records"][0]


def test_inside_a_running_loop_a_batch_is_awaited() -> None:
    log: list[int] = []

    async def main() -> dict[str, Any]:
        with pytest.raises(RuntimeError, match="running event loop"):
            process(orders(1), not_awaited(log)["plain"])
        return await process_async(orders(2), not_awaited(log)["plain"])

    assert asyncio.run(main()) == {"batchItemFailures": []}
    assert log == [1, 1]


def test_nothing_of_a_batch_is_kept_once_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("handlerkit.batch"), "disabled", True)  # pytest keeps tracebacks

    class Payload(BaseModel):
        n: int

    alive: list[weakref.ref[Any]] = []

    def remembered(record: SqsRecord[Payload]) -> None:
        alive.append(weakref.ref(record.body))
        if record.body.n == 1:
            raise ValueError

    handler = batch_handler(record=SqsRecord[Payload])(remembered)
    handler(orders(3), FakeContext())
    gc.collect()
    assert [one() for one in alive] == [None] * 3


def test_one_handler_serves_two_threads_at_once_each_with_its_own_batch() -> None:
    both = threading.Barrier(2, timeout=20)

    @batch_handler(raise_when_all_failed=False)
    def handler(record: SqsRecord[Order]) -> None:
        both.wait()
        if record.body.n == 1:
            raise ValueError

    first, second = orders(3), orders(3)
    for record in second["Records"]:
        record["messageId"] += "-second"
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(handler, (first, second))
    assert [one["batchItemFailures"], two["batchItemFailures"]] == [
        [{"itemIdentifier": event["Records"][1]["messageId"]}] for event in (first, second)
    ]


def test_a_batch_that_fails_names_the_first_failure_also_behind_a_dropped_record() -> None:
    def function(record: SqsRecord[Order]) -> None:
        if record.body.n == 0:
            raise DropRecord("not wanted")
        raise ValueError(f"no {record.body.n}")

    with pytest.raises(BatchFailedError, match="first: ValueError: no 1") as caught:
        process(orders(4), function, partial_response=False)
    assert isinstance(caught.value.__cause__, ValueError)


def test_errors_that_were_told_are_let_go_of() -> None:
    class No(ValueError):
        """Unlike a built-in one it can be watched."""

    held: list[weakref.ref[Exception]] = []
    alive: list[int] = []

    def function(record: SqsRecord[Order]) -> None:
        gc.collect()
        alive.append(sum(one() is not None for one in held))
        error = No(f"no {record.body.n}")
        held.append(weakref.ref(error))
        raise error

    logging.getLogger("handlerkit.batch").disabled = True  # pytest keeps what was logged
    try:
        with pytest.raises(BatchFailedError, match="no 0"):
            process(orders(6), function)
    finally:
        logging.getLogger("handlerkit.batch").disabled = False
    assert max(alive) <= 2  # the first, and the one that was raised just now
