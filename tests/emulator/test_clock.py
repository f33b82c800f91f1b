"""The clock that tests compress: order, rest, pollers, limits."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest

from lambda_emulator.clock import RealClock
from lambda_emulator.errors import NotQuiet
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.manual_clock import ManualClock


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread("clock-test")
    yield thread

    async def cancel_all() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread.submit(cancel_all()).result()
    thread.stop()


def start(loop: LoopThread, clock: ManualClock, action: Callable[[], Awaitable[None]], what: str = "a task") -> None:
    async def run() -> None:
        await action()

    async def create() -> None:
        clock.create_task(run(), what=what)

    loop.submit(create()).result()


def test_time_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(1_000)
    assert clock.time() == 1_000
    clock.advance(timedelta(minutes=2))
    clock.advance(0.5)
    assert clock.time() == 1_120.5


def test_sleepers_wake_in_the_order_of_their_times_then_of_their_beginnings(loop: LoopThread) -> None:
    clock = ManualClock(0)
    woken: list[tuple[str, float]] = []

    def sleeper(name: str, seconds: float) -> Callable[[], Awaitable[None]]:
        async def sleep() -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.time()))

        return sleep

    for name, seconds in (("late", 60), ("first", 10), ("second", 10), ("far", 61)):
        start(loop, clock, sleeper(name, seconds))
    clock.advance(60)
    assert woken == [("first", 10), ("second", 10), ("late", 60)]
    clock.run_until_quiet()
    assert woken[-1] == ("far", 61)


def test_a_sleep_begun_by_a_woken_one_belongs_to_the_same_advance(loop: LoopThread) -> None:
    clock = ManualClock(0)
    times: list[float] = []

    async def every_second() -> None:
        for _ in range(3):
            await clock.sleep(1)
            times.append(clock.time())

    start(loop, clock, every_second)
    clock.advance(2.5)
    assert times == [1, 2]
    assert clock.time() == 2.5


def test_running_until_quiet_tells_how_much_time_it_took(loop: LoopThread) -> None:
    clock = ManualClock(0)

    async def retries() -> None:
        await clock.sleep(60)
        await clock.sleep(120)

    start(loop, clock, retries)
    assert clock.run_until_quiet() == timedelta(minutes=3)
    assert clock.run_until_quiet() == timedelta(0)


def test_time_does_not_run_away_from_work_in_a_thread(loop: LoopThread) -> None:
    clock = ManualClock(0)
    seen: list[float] = []
    may_end = threading.Event()

    async def slow_then_retry() -> None:
        await asyncio.to_thread(may_end.wait)
        seen.append(clock.time())
        await clock.sleep(60)
        seen.append(clock.time())

    async def other() -> None:
        await clock.sleep(5)
        seen.append(clock.time())

    start(loop, clock, slow_then_retry)
    start(loop, clock, other)
    threading.Timer(0.05, may_end.set).start()
    clock.run_until_quiet()
    assert seen == [0, 5, 60]


def test_marked_work_holds_the_clock(loop: LoopThread) -> None:
    clock = ManualClock(0, patience_s=0.1)

    async def due() -> None:
        await clock.sleep(1, what="retry of orders")

    start(loop, clock, due, "retry of orders")
    with clock.work("a request over HTTP"):
        with pytest.raises(NotQuiet, match=r"a request over HTTP \(in flight\); retry of orders \(due in 1 s\)"):
            clock.run_until_quiet()
        assert clock.time() == 0
    assert clock.run_until_quiet() == timedelta(seconds=1)


def test_what_waits_for_others_does_not_hold_the_clock(loop: LoopThread) -> None:
    clock = ManualClock(0)
    queue: asyncio.Queue[str] = asyncio.Queue()
    got: list[tuple[str, float]] = []

    async def consumer() -> None:
        while True:
            with clock.idle():
                item = await queue.get()
            await clock.sleep(10)
            got.append((item, clock.time()))

    async def producer() -> None:
        await clock.sleep(60)
        queue.put_nowait("one")

    start(loop, clock, consumer)
    start(loop, clock, producer)
    clock.run_until_quiet()
    assert got == [("one", 70)]


def test_a_poller_looks_until_it_finds_nothing_and_keeps_nothing_going(loop: LoopThread) -> None:
    clock = ManualClock(0)
    queue: list[str] = ["a", "b"]
    done: list[tuple[str, float]] = []
    looks = 0

    async def poller() -> None:
        nonlocal looks
        while True:
            looks += 1
            if queue:
                with clock.work("a batch"):
                    done.append((queue.pop(0), clock.time()))
                if done[-1][0] == "b":
                    clock.create_task(again("c"), what="visibility of c")
            else:
                await clock.sleep(1, purpose="poll")

    async def again(item: str) -> None:
        await clock.sleep(30)
        queue.append(item)

    start(loop, clock, poller)
    clock.run_until_quiet()
    assert done == [("a", 0), ("b", 0), ("c", 30)]
    queue.append("d")
    clock.run_until_quiet()
    assert done[3:] == [("d", 30)]
    before = looks
    clock.advance(timedelta(hours=6))
    assert looks - before <= 3  # not one for each of its intervals
    assert clock.pending() == []


def test_an_idle_sleeper_is_passed_on_the_way_but_not_waited_for(loop: LoopThread) -> None:
    clock = ManualClock(0)
    fired: list[float] = []

    async def schedule() -> None:
        while True:
            await clock.sleep(60, purpose="idle")
            fired.append(clock.time())

    async def retry() -> None:
        await clock.sleep(150)

    start(loop, clock, schedule)
    clock.run_until_quiet()
    assert fired == []
    start(loop, clock, retry)
    clock.run_until_quiet()
    assert fired == [60, 120]
    clock.advance(30)
    assert fired == [60, 120, 180]


def test_what_never_ends_is_named_at_the_limit(loop: LoopThread) -> None:
    clock = ManualClock(0)

    async def for_ever() -> None:
        while True:
            await clock.sleep(100)

    start(loop, clock, for_ever, "endless retry")
    with pytest.raises(NotQuiet, match=r"by 1000 s, the limit is 1000 s, and still pending: endless retry \(due in"):
        clock.run_until_quiet(limit=timedelta(seconds=1_000))


def test_work_that_feeds_itself_ends_at_the_patience(loop: LoopThread) -> None:
    clock = ManualClock(0, patience_s=0.2)

    async def again() -> None:
        await asyncio.sleep(0.001)
        clock.create_task(again(), what="a chain without end")

    start(loop, clock, again)
    with pytest.raises(NotQuiet, match=r"0\.2 s of real time are over"):
        clock.run_until_quiet()


def test_a_cancelled_sleep_is_due_no_more(loop: LoopThread) -> None:
    clock = ManualClock(0)

    async def cancel_later() -> None:
        task = clock.create_task(clock.sleep(1_000), what="cancelled")
        await clock.sleep(10)
        task.cancel()

    start(loop, clock, cancel_later)
    assert clock.run_until_quiet() == timedelta(seconds=10)
    assert clock.pending() == []


def test_a_clock_outlives_the_loops_of_its_sleepers() -> None:
    clock = ManualClock(0)

    async def sleep_and_be_forgotten() -> None:
        clock.create_task(clock.sleep(5), what="forgotten")
        await asyncio.sleep(0)

    asyncio.run(sleep_and_be_forgotten())
    clock.run_until_quiet()
    assert clock.pending() == []


def test_it_cannot_be_advanced_inside_its_own_loop() -> None:
    clock = ManualClock(0)

    async def advance_here() -> None:
        task = clock.create_task(clock.sleep(5), what="a retry")
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=r"await asyncio\.to_thread\(clock\.advance"):
            clock.advance(5)
        await asyncio.to_thread(clock.advance, 5)
        await task

    asyncio.run(advance_here())
    assert clock.time() == 5


@pytest.mark.parametrize("duration", [-1, timedelta(seconds=-1), float("nan"), float("inf")])
def test_time_does_not_go_back(duration: float) -> None:
    with pytest.raises(ValueError, match="use seconds from 0"):
        ManualClock().advance(duration)


def test_many_sleepers_of_many_loops_wake_once_each() -> None:
    clock = ManualClock(0)
    loops = [LoopThread(f"clock-{index}") for index in range(3)]
    woken: list[int] = []

    def sleeper(seconds: int) -> Callable[[], Awaitable[None]]:
        async def sleep() -> None:
            await clock.sleep(seconds)
            woken.append(seconds)

        return sleep

    try:
        for seconds in range(100, 0, -1):
            start(loops[seconds % 3], clock, sleeper(seconds))
        clock.advance(100)
    finally:
        for each in loops:
            each.stop()
    assert woken == list(range(1, 101))


def test_the_real_clock_is_the_machines() -> None:
    assert abs(RealClock().time() - time.time()) < 5


def test_a_fast_real_clock_lets_a_minute_pass_in_a_moment() -> None:
    clock = RealClock(speed=6_000)
    before = clock.time()

    async def minute() -> None:
        with clock.idle(), clock.work("nothing"):
            await clock.create_task(clock.sleep(60), what="a minute")

    asyncio.run(asyncio.wait_for(minute(), 20))
    assert clock.time() - before >= 60
