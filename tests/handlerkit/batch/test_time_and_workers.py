"""Deadlines and parallel work."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import DropRecord
from handlerkit.batch import BatchFailedError, process
from handlerkit.batch.deadline import Deadline
from handlerkit.batch.schedule import Schedule
from handlerkit.events import SqsRecord
from handlerkit.testing import FakeContext, sqs_event


class Order(BaseModel):
    n: int


class Clock:
    """A context whose time passes when it is told to."""

    def __init__(self, left_ms: int) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def orders(count: int, **options: Any) -> dict[str, Any]:
    return sqs_event([{"n": number} for number in range(count)], **options)


def named(response: dict[str, Any]) -> list[int]:
    return [int(one["itemIdentifier"][:8]) for one in response["batchItemFailures"]]


@pytest.mark.parametrize(
    ("left_ms", "cost_ms", "margin_ms", "finished"),
    [
        (3_000, 100, 500, 10),  # time enough
        (1_200, 100, 500, 8),  # 500 left: still enough for one; 400: not
        (200, 50, 500, 3),  # the margin is half of what there was, at most
        (5_000, 1_000, 500, 4),  # as long as the longest so far
        (5_000, 4_900, 500, 1),
        (0, 0, 500, 10),  # a clock that stands
        (10, 10, 500, 1),  # the first always runs
        (1_000, 400, None, 10),  # off
    ],
)
def test_nothing_starts_without_time_for_it(left_ms: int, cost_ms: int, margin_ms: int | None, finished: int) -> None:
    clock = Clock(left_ms)

    def function(record: SqsRecord) -> None:
        clock.left_ms = max(0, clock.left_ms - cost_ms)

    response = process(orders(10), function, context=clock, stop_margin_ms=margin_ms)
    assert named(response) == list(range(finished, 10))


def test_ten_records_of_50_ms_with_200_ms_left_are_answered_in_time() -> None:
    context = FakeContext(remaining_ms=200)
    response = process(orders(10), lambda record: time.sleep(0.05), context=context)
    assert context.get_remaining_time_in_millis() > 0
    assert 5 < len(response["batchItemFailures"]) < 10


def test_what_is_not_started_of_a_group_is_reported_too() -> None:
    clock = Clock(1_000)

    def function(record: SqsRecord) -> None:
        clock.left_ms -= 300

    response = process(orders(4, queue="a.fifo", message_group_ids="abab"), function, context=clock)
    assert named(response) == [2, 3]


def test_without_a_context_or_with_one_of_another_kind_time_is_endless() -> None:
    assert not Deadline(None, 500).is_near()
    assert not Deadline(object(), 500).has_no_time_for_another()


def test_asynchronous_records_that_run_too_long_are_cancelled_and_the_others_kept() -> None:
    cancelled: list[int] = []

    async def function(record: SqsRecord[Order]) -> None:
        if record.body.n == 1:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.append(1)
                raise

    context = FakeContext(remaining_ms=400)
    response = process(orders(3), function, context=context, max_workers=3)
    assert (named(response), cancelled) == ([1], [1])
    assert context.get_remaining_time_in_millis() > 0


def test_a_task_that_ends_late_in_spite_of_it_counts_where_order_does() -> None:
    async def function(record: SqsRecord[Order]) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)

    event = orders(2, queue="a.fifo", message_group_ids="ab")
    assert process(event, function, context=FakeContext(remaining_ms=300), max_workers=2) == {"batchItemFailures": []}


def test_threads_that_run_too_long_are_left_behind_and_their_records_reported() -> None:
    release = threading.Event()
    done: list[int] = []

    def function(record: SqsRecord[Order]) -> None:
        if record.body.n == 1:
            release.wait(20)
        done.append(record.body.n)

    context = FakeContext(remaining_ms=400)
    response = process(orders(3), function, context=context, record=SqsRecord[Order], max_workers=3)
    release.set()
    assert named(response) == [1]
    assert 0 in done
    assert 2 in done


def test_where_order_counts_a_thread_is_waited_for() -> None:
    def function(record: SqsRecord[Order]) -> None:
        time.sleep(0.3 if record.body.n == 1 else 0)

    event = orders(2, queue="a.fifo", message_group_ids="ab")
    context = FakeContext(remaining_ms=200)
    assert process(event, function, context=context, record=SqsRecord[Order], max_workers=2) == {
        "batchItemFailures": []
    }


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_no_more_records_run_at_once_than_there_are_workers(workers: int) -> None:
    running, widest = 0, 0

    async def function(record: SqsRecord) -> None:
        nonlocal running, widest
        running += 1
        widest = max(widest, running)
        await asyncio.sleep(0.001)
        running -= 1

    assert process(orders(20), function, max_workers=workers) == {"batchItemFailures": []}
    assert widest == min(workers, 20)


def test_threads_run_records_at_once_and_end_with_the_batch() -> None:
    before = threading.active_count()
    meet = threading.Barrier(4, timeout=20)
    assert process(orders(8), lambda record: meet.wait(), max_workers=4) == {"batchItemFailures": []}
    assert threading.active_count() == before


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_where_the_system_gives_no_more_threads_those_there_are_do_the_work(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    begin = threading.Thread.start
    started: list[threading.Thread] = []
    done: list[int] = []

    def start(thread: threading.Thread) -> None:
        if len(started) == allowed:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    def batch() -> Any:
        return process(orders(6), lambda record: done.append(record.body.n), record=SqsRecord[Order], max_workers=4)

    if allowed:
        assert batch() == {"batchItemFailures": []}
        assert sorted(done) == [*range(6)]
    else:
        with pytest.raises(RuntimeError, match="can't start"):
            batch()
        assert done == []


def test_nothing_starts_any_more_when_a_record_ends_the_process() -> None:
    done: list[int] = []

    def function(record: SqsRecord[Order]) -> None:
        if record.body.n == 0:
            raise SystemExit
        for thread in threading.enumerate():
            if thread.name.startswith("batch-") and thread is not threading.current_thread():
                thread.join(20)
        done.append(record.body.n)

    with pytest.raises(SystemExit):
        process(orders(9), function, record=SqsRecord[Order], max_workers=2)
    assert len(done) <= 1


class Interrupted(BaseException): ...


def test_nothing_starts_any_more_when_the_wait_for_the_threads_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    release, running = threading.Event(), threading.Event()
    done: list[int] = []
    workers: list[threading.Thread] = []
    join = threading.Thread.join

    def function(record: SqsRecord[Order]) -> None:
        running.set()
        release.wait(20)
        done.append(record.body.n)

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        workers.append(thread)
        running.wait(20)
        raise Interrupted  # as the handler of a signal may

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", interrupted)
        event = orders(4, queue="a.fifo", message_group_ids="aabb")
        with pytest.raises(Interrupted):
            process(event, function, record=SqsRecord[Order], max_workers=2)
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("batch-"):
            join(thread, 20)
    assert set(done) <= {0, 2}


TRAIL: contextvars.ContextVar[str] = contextvars.ContextVar("trail", default="batch")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_record_binds_to_its_context_reaches_no_other(workers: int, is_async: bool) -> None:
    seen: list[str] = []

    def function(record: SqsRecord[Order]) -> None:
        seen.append(TRAIL.get())
        TRAIL.set(f"record {record.body.n}")

    async def function_async(record: SqsRecord[Order]) -> None:
        function(record)

    token = TRAIL.set("invocation")
    process(orders(5), function_async if is_async else function, record=SqsRecord[Order], max_workers=workers)
    assert seen == ["invocation"] * 5
    assert TRAIL.get() == "invocation"
    TRAIL.reset(token)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_first_dropped", [False, True])
def test_what_is_waited_for_runs_in_its_records_context(workers: int, is_first_dropped: bool) -> None:
    seen: list[str] = []

    async def trail(number: int) -> None:
        seen.append(f"{number} of {TRAIL.get()}")

    def function(record: SqsRecord[Order]) -> Any:
        if is_first_dropped and record.body.n == 0:
            raise DropRecord("not wanted")
        TRAIL.set(f"record {record.body.n}")
        return trail(record.body.n)

    process(orders(3), function, record=SqsRecord[Order], max_workers=workers)
    assert sorted(seen) == [f"{number} of record {number}" for number in range(is_first_dropped, 3)]
    assert TRAIL.get() == "batch"


def test_lanes_are_served_in_the_order_of_their_next_record() -> None:
    schedule = Schedule(6, "ababcc", halts=False)
    assert (schedule.width, schedule.take(), schedule.take()) == (3, 0, 1)
    schedule.ended(1, True)
    assert schedule.take() == 3
    schedule.ended(0, False)  # closes the lane
    assert [schedule.take(), schedule.take()] == [4, None]
    schedule.ended(4, True)
    assert schedule.take() == 5
    schedule.close()
    assert schedule.take() is None


def test_behind_a_failure_that_halts_only_what_came_before_is_started() -> None:
    schedule = Schedule(5, "abacb", halts=True)
    assert [schedule.take(), schedule.take()] == [0, 1]
    schedule.ended(1, False)
    schedule.ended(0, True)
    assert schedule.take() is None  # 2 is behind 1


def test_a_batch_that_ran_out_of_time_altogether_fails() -> None:
    async def function(record: SqsRecord) -> None:
        await asyncio.sleep(30)

    with pytest.raises(BatchFailedError, match="time ran out"):
        process(orders(2), function, context=FakeContext(remaining_ms=250), max_workers=2)
