"""A standard queue delivers at least once, and here it can be made to show it."""

from tests.emulator.pollers.scene import Scene


def test_a_message_that_is_done_may_come_once_more(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    scene.service.duplicates = 1
    queue.send("a", "b")
    scene.run()
    assert sorted(scene.names()) == ["a", "a", "b", "b"]
    assert queue.count() == 0
    records = [record for event in scene.events() for record in event["Records"] if record["body"] == "a"]
    assert len({record["messageId"] for record in records}) == 1
    assert [record["attributes"]["ApproximateReceiveCount"] for record in records] == ["1", "2"]


def test_each_comes_twice_at_most_and_a_failed_one_not_sooner(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    scene.plan(a=["raise", "ok", "raise", "ok"])
    scene.service.duplicates = 1
    queue.send("a")
    scene.run()
    assert scene.names() == ["a"] * 4  # failed, done, failed when it came again, done for good
    assert queue.count() == 0


def test_chance_decides(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, batch_size=1)
    drawn = iter([0.4, 0.6, 0.1])
    scene.service._duplicates._random = drawn.__next__
    scene.service.duplicates = 0.5
    queue.send("a", "b", "c")
    scene.run()
    assert len(scene.names()) == 5
    assert list(drawn) == []


def test_a_fifo_queue_hands_out_nothing_twice(scene: Scene) -> None:
    queue = scene.fifo()
    scene.map(queue)
    scene.service.duplicates = 1
    queue.send("a", MessageGroupId="g")
    scene.run()
    assert scene.names() == ["a"]
