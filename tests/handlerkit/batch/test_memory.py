"""What a large batch takes besides its event: counted by the interpreter, so that no machine's mood is in it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import traceback
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import DropRecord, RetryRecord, batch_handler
from handlerkit.batch import BatchFailedError
from handlerkit.batch.tracebacks import clear_frames
from handlerkit.events import SqsRecord
from handlerkit.testing import FakeContext, sqs_event


class Order(BaseModel):
    order_id: str
    quantity: int


@batch_handler
def handler(record: SqsRecord[Order]) -> None:
    assert record.body.quantity


@batch_handler
def failing(record: SqsRecord[Order]) -> None:
    if record.body.order_id.endswith("7"):
        raise ValueError("no sevens")


@batch_handler
async def waiting(record: SqsRecord[Order]) -> None:
    assert record.body.quantity


@batch_handler(max_workers=4)
def side_by_side(record: SqsRecord[Order]) -> None:
    assert record.body.quantity


def event_of(records: int) -> bytes:
    """A batch as SQS sends it: everything that differs from message to message differs."""
    return json.dumps(sqs_event([{"order_id": f"A-{number}", "quantity": 2} for number in range(records)])).encode()


def peak_of(handler: Any, body: bytes) -> int:
    """The most that was allocated at once while the handler ran, beyond the event itself."""
    gc.collect()
    tracemalloc.start()
    try:
        handler.__lambda_raw__(body, FakeContext())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True)
def _nobody_keeps_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("handlerkit.batch"), "disabled", True)


def times_its_event(function: Any, records: int) -> float:
    """What an invocation takes with its event, in events. Not the process's first: that one loads and caches."""
    function.__lambda_raw__(event_of(10), FakeContext())
    body = event_of(records)
    return (len(body) + peak_of(function, body)) / len(body)


@pytest.mark.parametrize("records", [10, 30, 60, 61, 62, 70, 200, 1_000, 3_000, 10_000])
def test_a_batch_takes_three_times_its_event_at_the_most(records: int) -> None:
    assert times_its_event(handler, records) <= 3


@pytest.mark.parametrize("records", [100, 200, 1_000, 3_000])
def test_behind_a_failure_it_is_the_same_from_fifty_kilobytes_on(records: int) -> None:
    assert times_its_event(failing, records) <= 3


@pytest.mark.parametrize("records", [200, 1_000, 3_000])
@pytest.mark.parametrize("function", [waiting, side_by_side], ids=["async", "threads"])
def test_of_several_at_once_it_is_the_same_from_a_hundred_kilobytes_on(function: Any, records: int) -> None:
    assert times_its_event(function, records) <= 3  # below, what threads and tasks take themselves counts for more


def test_a_large_batch_takes_little_more_than_its_event_and_leaves_nothing() -> None:
    assert times_its_event(handler, 3_000) <= 1.3
    body = event_of(3_000)
    gc.collect()
    tracemalloc.start()
    handler.__lambda_raw__(body, FakeContext())
    gc.collect()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < 20_000


def test_what_one_failure_takes_goes_with_its_invocation() -> None:
    body = event_of(3_000)
    failing.__lambda_raw__(event_of(10), FakeContext())
    gc.collect()
    tracemalloc.start()
    failing.__lambda_raw__(body, FakeContext())
    gc.collect()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The parser's own table of short texts stays; it has 16,384 places and no more.
    assert left < 2_000_000


# --- with the collector off -------------------------------------------------------------------------------------------


async def refused(record: SqsRecord[Order]) -> None:
    raise ValueError("nothing today")


def refused_by_asyncio(record: SqsRecord[Order]) -> None:
    asyncio.run(refused(record))


def refused_by_an_error_that_its_frame_holds(record: SqsRecord[Order]) -> None:
    error = ValueError("nothing today")
    raise error


def refused_now_and_then(record: SqsRecord[Order]) -> None:
    if record.body.order_id.endswith("7"):
        raise RetryRecord("no sevens", retry_in=timedelta(minutes=1))


def dropped_now_and_then(record: SqsRecord[Order]) -> None:
    if record.body.order_id.endswith("7"):
        raise DropRecord("no sevens")


def handed_over(record: SqsRecord[Order]) -> Any:
    return refused(record)


def nothing(record: SqsRecord[Order]) -> None: ...


def raw_records() -> int:
    return sum(type(one) is dict and "receiptHandle" in one for one in gc.get_objects())


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (failing.func, {}),
        (failing.func, {"max_workers": 2}),
        (failing.func, {"partial_response": False}),
        (refused_now_and_then, {}),
        (dropped_now_and_then, {}),
        (refused_by_asyncio, {}),
        (refused_by_an_error_that_its_frame_holds, {}),
        (refused_by_an_error_that_its_frame_holds, {"max_workers": 2}),
        (handed_over, {}),
        (refused, {}),
        (refused, {"max_workers": 2}),
        (nothing, {}),
        (nothing, {"max_workers": 2}),
        (nothing, {"on_poison": list.clear}),
        (waiting.func, {}),
    ],
)
@pytest.mark.parametrize("records", [20, 70])
def test_a_batch_that_failed_waits_for_no_collection_to_be_forgotten(
    function: Any, options: dict[str, Any], records: int
) -> None:
    event = sqs_event(
        [{"order_id": f"A-{number}", "quantity": "poison" if number == 5 else 2} for number in range(records)]
    )
    body = json.dumps(event).encode()
    del event
    handler = batch_handler(**options)(function)
    with contextlib.suppress(BatchFailedError):
        handler.__lambda_raw__(body, FakeContext())
    gc.collect()
    gc.disable()
    try:
        before = raw_records()
        with contextlib.suppress(BatchFailedError):
            handler.__lambda_raw__(body, FakeContext())
        assert raw_records() == before
    finally:
        gc.enable()


def test_an_error_that_was_told_keeps_its_traceback_and_ends_no_generator() -> None:
    ended = []

    def generator() -> Iterator[Any]:
        try:
            while True:
                try:
                    raise ValueError("caught, and handed out")
                except ValueError as error:
                    caught = error
                yield caught
        finally:
            ended.append(True)

    running = generator()
    held: list[Exception] = []

    def function(record: SqsRecord[Order]) -> None:
        large = b"x" * 100
        held.append(next(running))
        if large:
            raise held[-1]

    handler = batch_handler(raise_when_all_failed=False)(function)
    handler.__lambda_raw__(event_of(1), FakeContext())
    assert not ended
    names = [frame.name for frame in traceback.extract_tb(held[0].__traceback__)]
    assert names[-2:] == ["function", "generator"]
    step: Any = held[0].__traceback__
    while step is not None:
        assert "large" not in step.tb_frame.f_locals
        step = step.tb_next
    assert isinstance(next(running), ValueError)


def test_errors_that_were_made_of_each_other_are_let_go_of_too() -> None:
    def function(record: SqsRecord[Order]) -> None:
        first, second = ValueError("the one"), ValueError("the other")
        first.__cause__, second.__cause__ = second, first
        raise first

    handler = batch_handler(raise_when_all_failed=False)(function)
    assert b"itemIdentifier" in handler.__lambda_raw__(event_of(1), FakeContext())


class NeitherTrueNorFalse(Exception):
    def __bool__(self) -> bool:
        raise RuntimeError("an error of this kind is neither")


def refused_in_a_group() -> None:
    raise ExceptionGroup("several", [ValueError("one"), failure_of(failing_with_a_local)])


def refused_instead_of_another() -> None:
    try:
        failing_with_a_local()
    except NeitherTrueNorFalse:
        raise ValueError("instead") from KeyError("why")


def refused_because_of_another() -> None:
    raise ValueError("because of") from failure_of(failing_with_a_local)


def failing_with_a_local() -> None:
    large = b"x" * 100
    if large:
        raise NeitherTrueNorFalse


def failure_of(function: Any) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError


def names_held(error: BaseException) -> set[str]:
    """The local variables in the frames of an error and of those that it was made of."""
    names: set[str] = set()
    step = error.__traceback__
    while step is not None:
        names |= set(step.tb_frame.f_locals)
        step = step.tb_next
    others = (error.__cause__, error.__context__, *getattr(error, "exceptions", ()))
    return names.union(*(names_held(other) for other in others if other is not None))


@pytest.mark.parametrize("refused", [refused_in_a_group, refused_instead_of_another, refused_because_of_another])
def test_the_frames_of_all_errors_behind_one_are_emptied(refused: Any) -> None:
    error = failure_of(refused)
    assert "large" in names_held(error)
    clear_frames(error)
    assert "large" not in names_held(error)
