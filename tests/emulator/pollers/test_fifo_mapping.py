"""SQS FIFO, the reference's section 2.5: groups, order, what is deleted."""

from collections import defaultdict
from datetime import timedelta

from tests.emulator.pollers.scene import Scene

REPORT = ["ReportBatchItemFailures"]


def test_one_group_is_strictly_serial(scene: Scene) -> None:
    queue = scene.fifo()
    scene.map(queue, batch_size=1)
    queue.send(*map(str, range(8)), MessageGroupId="g")
    scene.run()
    assert scene.batches() == [[str(number)] for number in range(8)]
    assert queue.count() == 0


def test_a_partial_failure_comes_back_together_and_in_order(scene: Scene) -> None:
    queue, dead = scene.with_dead_letters(2, fifo=True)
    scene.map(queue, function_response_types=REPORT)
    scene.plan(**{"2": ["list", "ok"], "3": ["list", "ok"], "4": ["list"]})
    queue.send("1", "2", "3", "4", MessageGroupId="g")
    scene.clock.advance(29)
    assert (scene.batches(), queue.count()) == ([["1", "2", "3", "4"]], 3)
    scene.run()
    assert scene.batches() == [["1", "2", "3", "4"], ["2", "3", "4"]]
    counts = [record["attributes"]["ApproximateReceiveCount"] for record in scene.events()[1]["Records"]]
    assert counts == ["2", "2", "2"]
    assert (queue.count(), dead.take()) == (0, ["4"])


def test_what_is_not_listed_is_deleted_also_after_a_failed_message(scene: Scene) -> None:
    queue = scene.fifo()
    scene.map(queue, function_response_types=REPORT)
    scene.plan(**{"2": ["list", "ok"]})
    queue.send("1", "2", "3", MessageGroupId="g")
    scene.run()
    assert scene.batches() == [["1", "2", "3"], ["2"]]


def test_a_failed_message_holds_its_group_back_and_no_other(scene: Scene) -> None:
    queue = scene.fifo()
    scene.map(queue, batch_size=1)
    scene.plan(a1=["raise", "ok"])
    queue.send("a1", "a2", MessageGroupId="a")
    queue.send("b1", "b2", MessageGroupId="b")
    scene.clock.advance(1)
    assert sorted(scene.names()) == ["a1", "b1", "b2"]
    assert scene.run() == timedelta(seconds=29)
    assert scene.names()[3:] == ["a1", "a2"]


def test_the_dead_letter_queue_sets_a_group_free(scene: Scene) -> None:
    queue, dead = scene.with_dead_letters(2, fifo=True)
    scene.map(queue, batch_size=1)
    scene.plan(bad=["raise"])
    queue.send("bad", "next", MessageGroupId="g")
    scene.run()
    assert scene.batches() == [["bad"], ["bad"], ["next"]]
    assert dead.take() == ["bad"]


def test_many_groups_keep_their_order_over_failures(scene: Scene) -> None:
    queue = scene.fifo()
    scene.map(queue, batch_size=3)
    scene.plan(**{f"{group}-{number}": ["raise", "ok"] for group, number in (("a", 1), ("b", 3), ("c", 0), ("c", 2))})
    for number in range(5):
        for group in "abc":
            queue.send(f"{group}-{number}", MessageGroupId=group)
    scene.run()
    last: dict[str, int] = defaultdict(lambda: -1)
    for name in scene.names():
        group, number = name[0], int(name[2])
        assert number <= last[group] + 1, scene.batches()
        last[group] = max(last[group], number)
    assert last == {"a": 4, "b": 4, "c": 4}
    assert queue.count() == 0
