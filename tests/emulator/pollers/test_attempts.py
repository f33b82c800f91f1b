"""What becomes of a stream's batch: the reference's sections 3.3 to 3.5, without a process, a clock or a stream."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.pollers.attempts import GiveUp, Invoke, Lane, RetryPolicy
from tests.emulator.pollers.unhurried import UNHURRIED


@dataclass(frozen=True)
class Item:
    sequence_number: str
    arrived_at_s: float = 0.0


def items(*numbers: int) -> list[Item]:
    return [Item(str(number)) for number in numbers]


def numbers(step: object) -> list[int]:
    assert isinstance(step, Invoke | GiveUp)
    return [int(record.sequence_number) for record in step.batch.records]


def run(lane: Lane, poison: set[int], *, partial: bool = False) -> tuple[list[list[int]], list[list[int]]]:
    """What is tried and what is given up, if these records always fail."""
    tried, given_up = [], []
    while (step := lane.next_step(0.0)) is not None:
        if isinstance(step, GiveUp):
            given_up.append(numbers(step))
            lane.gave_up()
            continue
        tried.append(numbers(step))
        failed = poison.intersection(tried[-1])
        if not failed:
            lane.done()
        elif partial:
            lane.partly_failed(map(str, failed))
        else:
            lane.failed()
    return tried, given_up


def test_a_success_is_the_end() -> None:
    lane = Lane(RetryPolicy())
    lane.add(items(1, 2))
    assert run(lane, set()) == ([[1, 2]], [])
    assert lane.is_empty


def test_retries_are_one_less_than_attempts() -> None:
    lane = Lane(RetryPolicy(max_attempts=2))
    lane.add(items(1, 2))
    lane.add(items(3))
    assert run(lane, {1}) == ([[1, 2]] * 3 + [[3]], [[1, 2]])


def test_no_retries_at_all() -> None:
    lane = Lane(RetryPolicy(max_attempts=0))
    lane.add(items(1))
    assert run(lane, {1}) == ([[1]], [[1]])


def test_the_recorded_trace_of_a_partial_failure() -> None:
    lane = Lane(RetryPolicy(max_attempts=3))
    lane.add(items(1, 2, 3))
    lane.add(items(4, 5, 6))
    assert run(lane, {6}, partial=True) == ([[1, 2, 3], [4, 5, 6], [6], [6], [6], [6]], [[6]])


def test_the_trace_of_a_bisect() -> None:
    lane = Lane(RetryPolicy(max_attempts=2, bisect=True))
    lane.add(items(1, 2, 3, 4))
    assert run(lane, {3}) == ([[1, 2, 3, 4], [1, 2], [3, 4], [3], [3], [3], [4]], [[3]])


def test_numbers_are_compared_as_numbers() -> None:
    lane = Lane(RetryPolicy(max_attempts=0))
    lane.add(items(9, 10))
    lane.next_step(0.0)
    lane.partly_failed(["10", "9"])
    assert isinstance(step := lane.next_step(0.0), GiveUp)
    assert numbers(step) == [9, 10]


def test_what_was_not_invoked_does_not_count() -> None:
    lane = Lane(RetryPolicy(max_attempts=0))
    lane.add(items(1))
    for _ in range(10):
        assert isinstance(lane.next_step(0.0), Invoke)
        lane.not_invoked()
    assert run(lane, {1}) == ([[1]], [[1]])


def test_the_pace_of_retries() -> None:
    lane = Lane(RetryPolicy())
    lane.add(items(1))
    pauses = []
    for _ in range(8):
        pauses.append(lane.pause_s())
        lane.next_step(0.0)
        lane.failed()
    assert pauses == [0, 0.5, 1, 2, 4, 8, 16, 20]
    for _ in range(5000):
        lane.failed()
    assert lane.pause_s() == 20


def test_what_was_not_invoked_waits_at_the_same_pace() -> None:
    lane = Lane(RetryPolicy(max_attempts=1))
    lane.add(items(1))
    pauses = []
    for _ in range(4):
        pauses.append(lane.pause_s())
        lane.next_step(0.0)
        lane.not_invoked()
    lane.failed()  # one row of attempts without progress, counted or not
    assert [*pauses, lane.pause_s()] == [0, 0.5, 1, 2, 8]


def test_a_batch_that_failed_failed_by_an_error_unless_it_is_said() -> None:
    lane = Lane(RetryPolicy(max_attempts=0))
    lane.add(items(1))
    lane.failed()
    assert isinstance(step := lane.next_step(0.0), GiveUp)
    assert step.failed_by_error


def test_only_what_is_too_old_at_the_head_is_given_up() -> None:
    lane = Lane(RetryPolicy(max_age_s=60))
    lane.add([Item("1", 0.0), Item("2", 30.0), Item("3", 90.0)])
    step = lane.next_step(100.0)
    assert isinstance(step, GiveUp)
    assert (numbers(step), step.condition) == ([1, 2], "RecordAgeExceeded")
    assert lane.next_step(100.0) is step  # until it is confirmed
    assert lane.lowest_unfinished == "1"
    assert [each.sequence_number for each in lane.records()] == ["1", "2", "3"]
    lane.gave_up()
    assert numbers(lane.next_step(100.0)) == [3]
    lane.done()
    assert lane.is_empty
    assert lane.records() == []


def test_a_batch_that_is_too_old_as_a_whole_leaves_nothing() -> None:
    lane = Lane(RetryPolicy(max_age_s=60))
    lane.add([Item("1", 0.0), Item("2", 30.0)])
    assert numbers(lane.next_step(100.0)) == [1, 2]
    lane.gave_up()
    assert lane.is_empty
    assert lane.next_step(100.0) is None


def test_at_the_age_itself_a_record_is_not_too_old() -> None:
    lane = Lane(RetryPolicy(max_age_s=60))
    lane.add([Item("1", 0.0)])
    assert isinstance(lane.next_step(60.0), Invoke)
    assert isinstance(lane.next_step(60.1), GiveUp)


@pytest.mark.parametrize("by_error", [True, False])
def test_why_it_was_given_up_is_known(by_error: bool) -> None:
    lane = Lane(RetryPolicy(max_attempts=0))
    lane.add(items(1))
    lane.next_step(0.0)
    lane.failed(by_error=by_error)
    step = lane.next_step(0.0)
    assert isinstance(step, GiveUp)
    assert step.failed_by_error is by_error


@UNHURRIED
@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    outcomes=st.lists(st.sampled_from(["ok", "error", "throttle", "partial", "malformed"]), max_size=40),
    lowest=st.lists(st.integers(0, 6), min_size=40, max_size=40),
    attempts=st.integers(0, 3),
    age_s=st.sampled_from([-1.0, 1.0, 20.0]),
    bisect=st.booleans(),
)
def test_every_record_is_done_or_given_up_once_and_in_order(
    sizes: list[int], outcomes: list[str], lowest: list[int], attempts: int, age_s: float, bisect: bool
) -> None:
    lane = Lane(RetryPolicy(max_attempts=attempts, max_age_s=age_s, bisect=bisect))
    count = 0
    for size in sizes:
        lane.add(Item(str(count + each), float(count + each)) for each in range(size))
        count += size
    finished: list[int] = []
    script = iter(zip(outcomes, lowest, strict=False))
    now_s = 0.0
    steps = 0
    while (step := lane.next_step(now_s)) is not None:
        steps += 1
        assert steps < 2_000
        now_s += lane.pause_s()
        batch = numbers(step)
        assert lane.lowest_unfinished == str(batch[0]) == str(len(finished))
        if isinstance(step, GiveUp):
            finished += batch
            lane.gave_up()
            continue
        outcome, at = next(script, ("ok", 0))
        match outcome:
            case "ok":
                finished += batch
                lane.done()
            case "throttle":
                lane.not_invoked()
            case "partial":
                first = min(at, len(batch) - 1)
                finished += batch[:first]
                lane.partly_failed(map(str, batch[first:]))
            case _:
                lane.failed(by_error=outcome == "error")
    assert finished == list(range(count))
    assert lane.is_empty
