"""SQS, the reference's section 2: what is polled, what the function gets, what becomes of the messages."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from lambda_emulator import InvokeError
from tests.emulator.pollers.scene import Scene

REPORT = ["ReportBatchItemFailures"]


def test_a_batch_is_what_one_receive_gave_and_is_deleted(scene: Scene) -> None:
    queue = scene.queue()
    mapping = scene.map(queue)
    queue.send(*"abcdefghijkl")
    scene.run()
    assert sorted(map(len, scene.batches())) == [2, 10]
    assert sorted(scene.names()) == list("abcdefghijkl")
    assert (queue.count(), scene.result(mapping)) == (0, "OK")


def test_the_event_has_lambdas_shape(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    queue.send(
        '{"a":1}',
        MessageAttributes={
            "text": {"DataType": "String", "StringValue": "é"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    scene.run()
    [event] = scene.events()
    [record] = event["Records"]
    assert record["body"] == '{"a":1}'
    assert record["messageAttributes"] == {
        "text": {"stringValue": "é", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "bytes": {"binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
    }
    assert {name: type(value) for name, value in record["attributes"].items()} == dict.fromkeys(
        ["ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"], str
    )
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"] == "1800000000000"
    assert len(record["md5OfMessageAttributes"]) == 32
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == (
        "aws:sqs",
        queue.arn,
        "us-east-1",
    )
    assert list(event) == ["Records"]


def test_without_message_attributes_there_is_an_empty_object_and_no_checksum(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    queue.send("a")
    scene.run()
    record = scene.events()[0]["Records"][0]
    assert record["messageAttributes"] == {}
    assert "md5OfMessageAttributes" not in record


MALFORMED: list[Any] = [
    {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
    {"batchItemFailures": [{"itemIdentifier": ""}]},
    {"batchItemFailures": [{"itemIdentifier": None}]},
    {"batchItemFailures": [{}]},
    {"batchItemFailures": [{"foo": "x"}]},
    {"batchItemFailures": "x"},
]
SUCCESSES: list[Any] = [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}, "", []]


@pytest.mark.parametrize("answer", MALFORMED)
def test_a_partial_response_that_cannot_be_trusted_fails_the_whole_batch(scene: Scene, answer: Any) -> None:
    queue = scene.queue()
    scene.map(queue, function_response_types=REPORT)
    scene.plan(answers=[answer, None])
    queue.send("a", "b")
    assert scene.run() == timedelta(seconds=30)
    assert scene.batches() == [["a", "b"], ["a", "b"]]
    assert queue.count() == 0


def test_without_the_setting_no_response_matters(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    scene.plan(answers=MALFORMED)
    for number in range(len(MALFORMED)):
        queue.send(str(number))
        assert scene.run() == timedelta(0)
    assert (len(scene.batches()), queue.count()) == (len(MALFORMED), 0)


def test_everything_that_says_plainly_that_nothing_failed_deletes_all(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, function_response_types=REPORT)
    scene.plan(answers=SUCCESSES)
    for number in range(len(SUCCESSES)):
        queue.send(str(number))
        assert scene.run() == timedelta(0)
    assert (len(scene.batches()), queue.count()) == (len(SUCCESSES), 0)


def test_what_is_listed_stays_until_its_visibility_ends_and_the_rest_is_deleted(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, function_response_types=REPORT)
    scene.plan(b=["list", "ok"])
    queue.send("a", "b", "c")
    scene.clock.advance(29)
    assert (scene.batches(), queue.count()) == ([["a", "b", "c"]], 1)
    scene.clock.advance(2)
    assert scene.batches() == [["a", "b", "c"], ["b"]]
    assert scene.events()[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert queue.count() == 0


@pytest.mark.parametrize("action", ["raise", "exit"])
@pytest.mark.parametrize("types", [[], REPORT])
def test_a_function_error_leaves_the_whole_batch(scene: Scene, action: str, types: list[str]) -> None:
    queue = scene.queue()
    mapping = scene.map(queue, function_response_types=types)
    scene.plan(b=[action, "ok"])
    queue.send("a", "b")
    scene.clock.advance(1)
    assert (queue.count(), scene.result(mapping)) == (2, "PROBLEM: Function call failed")
    assert scene.run() < timedelta(seconds=31)
    assert scene.batches() == [["a", "b"], ["a", "b"]]
    assert (queue.count(), scene.result(mapping)) == (0, "OK")


def test_a_poison_message_goes_to_the_dead_letter_queue_one_receive_after_its_last_attempt(scene: Scene) -> None:
    queue, dead = scene.with_dead_letters(3)
    scene.map(queue, function_response_types=REPORT)
    scene.plan(bad=["list"])
    queue.send("good", "bad")
    scene.clock.advance(60)
    assert (scene.batches(), dead.count()) == ([["good", "bad"], ["bad"], ["bad"]], 0)
    assert scene.run() == timedelta(seconds=30)
    assert (scene.batches(), dead.take()) == ([["good", "bad"], ["bad"], ["bad"]], ["bad"])


def test_in_the_dead_letter_queue_a_message_goes_on_counting_and_names_its_source(scene: Scene) -> None:
    queue, dead = scene.with_dead_letters(1)
    mapping = scene.map(queue, function_response_types=REPORT)
    scene.plan(bad=["list", "ok"])
    queue.send("bad")
    scene.run()
    scene.service.delete_event_source_mapping(mapping.uuid)
    scene.map(dead)
    dead.send("sent here")
    scene.run()
    first, again = scene.events()
    found = {record["body"]: record["attributes"] for record in again["Records"]}
    assert found["bad"]["ApproximateReceiveCount"] == "2"
    assert found["bad"]["DeadLetterQueueSourceArn"] == queue.arn
    assert "DeadLetterQueueSourceArn" not in found["sent here"]
    assert again["Records"][0]["messageId"] == first["Records"][0]["messageId"]


def test_thirty_messages_and_a_size_of_twenty_make_two_invocations(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, batch_size=20, maximum_batching_window_s=1, maximum_concurrency=2)
    queue.send(*map(str, range(30)))
    scene.run()
    assert sorted(map(len, scene.batches())) == [10, 20]


def test_a_window_begins_with_the_first_message_and_ends_with_what_has_come(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, batch_size=100, maximum_batching_window_s=10)
    scene.clock.advance(60)
    queue.send("a")
    scene.clock.advance(6)
    queue.send("b")
    scene.clock.advance(3)
    assert scene.batches() == []
    scene.clock.advance(1)
    assert scene.batches() == [["a", "b"]]


def test_a_full_batch_does_not_wait_for_its_window(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, batch_size=2, maximum_batching_window_s=300)
    queue.send("a", "b")
    scene.clock.advance(0)
    assert scene.batches() == [["a", "b"]]


def test_an_event_is_at_most_six_megabytes(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, batch_size=100, maximum_batching_window_s=5)
    for sign in "abcdefgh":
        queue.send(sign * 900_000)
    scene.run()
    assert [[body[0] for body in batch] for batch in scene.batches()] == [list("abcdef"), list("gh")]
    assert queue.count() == 0


def test_a_window_that_would_outlast_the_visibility_receives_with_a_longer_one(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, maximum_batching_window_s=20)  # 20 + 20 s of timeout are more than 30
    scene.plan(a=["raise", "ok"])
    queue.send("a")
    scene.clock.advance(20 + 65)
    assert (scene.batches(), queue.count()) == ([["a"]], 1)
    scene.run()
    assert scene.batches() == [["a"], ["a"]]


def test_each_message_of_a_window_comes_back_at_its_own_time(scene: Scene) -> None:
    queue = scene.queue(VisibilityTimeout="60")
    scene.map(queue, batch_size=100, maximum_batching_window_s=20)
    scene.plan(a=["raise", "ok"], b=["ok"])
    queue.send("a")
    scene.clock.advance(15)
    queue.send("b")
    scene.clock.advance(5)
    assert scene.batches() == [["a", "b"]]
    scene.clock.advance(40)  # a is visible again, and waits in a window of its own for b
    queue_counts = queue.attributes()
    assert queue_counts["ApproximateNumberOfMessages"] == "0"
    scene.clock.advance(20)
    assert scene.batches() == [["a", "b"], ["a", "b"]]


def test_messages_that_do_not_pass_the_filter_are_deleted(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, filters=[{"body": {"kind": ["order"]}}])
    queue.send('{"kind":"order"}', '{"kind":"other"}', "no json", '["order"]')
    scene.run()
    assert scene.batches() == [['{"kind":"order"}']]
    assert queue.count() == 0


def test_the_maximum_concurrency_is_never_exceeded_and_costs_no_receive(scene: Scene, make_worker: Any) -> None:
    queue = scene.queue()
    scene.map(queue, batch_size=1, maximum_concurrency=2)
    scene.plan(**{str(number): ["ok"] for number in range(8)})
    queue.send(*map(str, range(8)))
    scene.run()
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in scene.events()]
    assert counts == ["1"] * 8


def test_a_function_that_never_answers_times_out_and_its_batch_comes_again(scene: Scene, make_worker: Any) -> None:
    scene.service.create_function(make_worker(name="slow", timeout_s=1))
    queue = scene.queue()
    scene.service.create_event_source_mapping("slow", queue.arn)
    scene.plan(a=["hang", "ok"])
    queue.send("a")
    scene.run()
    assert (scene.batches(), queue.count()) == ([["a"], ["a"]], 0)


def test_a_throttled_batch_is_held_while_it_is_invisible_and_spends_one_receive(scene: Scene) -> None:
    queue = scene.queue()
    mapping = scene.map(queue)
    scene.service.put_function_concurrency("worker", 0)
    queue.send("a")
    scene.clock.advance(20)
    assert (scene.batches(), scene.result(mapping)) == ([], "PROBLEM: Function call failed")
    scene.service.put_function_concurrency("worker", None)
    scene.run()
    assert scene.events()[0]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_batch_that_is_throttled_for_longer_comes_again(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    scene.service.put_function_concurrency("worker", 0)
    queue.send("a")
    scene.clock.advance(40)
    scene.service.put_function_concurrency("worker", None)
    scene.run()
    assert scene.events()[0]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert queue.count() == 0


def test_deleting_a_mapping_whose_batch_is_throttled_does_not_wait(scene: Scene) -> None:
    queue = scene.queue()
    mapping = scene.map(queue)
    scene.service.put_function_concurrency("worker", 0)
    queue.send("a")
    scene.clock.advance(5)
    scene.service.delete_event_source_mapping(mapping.uuid)
    assert queue.count() == 1


def test_empty_polls_are_no_pending_work(scene: Scene) -> None:
    scene.map(scene.queue())
    assert scene.run() == timedelta(0)
    scene.clock.advance(timedelta(hours=1))
    assert (scene.batches(), scene.clock.pending()) == ([], [])


def test_two_mappings_on_one_queue_compete(scene: Scene, make_worker: Any) -> None:
    scene.service.create_function(make_worker(name="second"))
    queue = scene.queue()
    scene.map(queue)
    scene.service.create_event_source_mapping("second", queue.arn)
    queue.send(*map(str, range(25)))
    scene.run()
    assert sorted(scene.names()) == sorted(map(str, range(25)))


def test_disabling_stops_and_enabling_goes_on(scene: Scene) -> None:
    queue = scene.queue()
    mapping = scene.map(queue)
    changed = scene.service.update_event_source_mapping(mapping.uuid, enabled=False)
    assert changed.state == "Disabling"
    assert scene.service.get_event_source_mapping(mapping.uuid).state == "Disabled"
    queue.send("a")
    scene.clock.advance(100)
    assert scene.batches() == []
    assert scene.service.update_event_source_mapping(mapping.uuid, enabled=True).state == "Enabling"
    scene.run()
    assert scene.batches() == [["a"]]


def test_what_waits_in_a_window_goes_back_when_the_mapping_is_deleted(scene: Scene) -> None:
    queue = scene.queue()
    mapping = scene.map(queue, batch_size=100, maximum_batching_window_s=100)
    queue.send("a", "b")
    scene.clock.advance(1)
    scene.service.delete_event_source_mapping(mapping.uuid)
    assert sorted(queue.take()) == ["a", "b"]
    assert scene.batches() == []
    with pytest.raises(InvokeError, match=r"The resource you requested does not exist\."):
        scene.service.get_event_source_mapping(mapping.uuid)


def test_a_queue_that_is_deleted_under_the_poller_is_a_problem_and_not_the_end(scene: Scene) -> None:
    queue = scene.queue()
    mapping = scene.map(queue)
    scene.clock.advance(1)
    queue.delete()
    scene.clock.advance(300)
    assert scene.result(mapping).startswith("PROBLEM: QueueDoesNotExist")
    scene.queue().send("a")
    scene.clock.advance(60)
    assert (scene.batches(), scene.result(mapping)) == ([["a"]], "OK")


def test_a_retry_after_ten_minutes_takes_no_time(scene: Scene) -> None:
    queue = scene.queue(VisibilityTimeout="600")
    scene.map(queue)
    scene.plan(a=["raise", "raise", "ok"])
    queue.send("a")
    assert scene.run() == timedelta(minutes=20)
    assert scene.batches() == [["a"]] * 3


def test_closing_ends_all_threads_of_the_pollers(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    queue.send("a")
    scene.run()
    scene.service.close()
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name == "local-lambda"}


def test_a_delayed_message_comes_when_its_delay_is_over(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue)
    queue.send("later", DelaySeconds=60)
    scene.clock.advance(59)
    assert scene.batches() == []
    scene.clock.advance(2)
    assert scene.batches() == [["later"]]


def test_json_text_of_any_kind_reaches_the_function_as_it_was_sent(scene: Scene) -> None:
    queue = scene.queue()
    scene.map(queue, filters=[{"body": {"a": [{"exists": True}]}}])
    text = json.dumps({"a": "é\n\u2028"}, ensure_ascii=False) + "  "
    queue.send(text)
    scene.run()
    assert scene.batches() == [[text]]
