"""Kinesis and DynamoDB Streams, the reference's section 3: what is read, retried, given up, and where it goes on."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.emulator.pollers.scene import Scene

REPORT = ["ReportBatchItemFailures"]
KINDS = ["kinesis", "dynamodb"]
MALFORMED: list[Any] = [
    {"batchItemFailures": [{"itemIdentifier": 123}]},
    {"batchItemFailures": [{"itemIdentifier": "123"}]},
    {"batchItemFailures": [{"itemIdentifier": ""}]},
    {"batchItemFailures": [{"itemIdentifier": None}]},
    {"batchItemFailures": [{"foo": 123}]},
    {"batchItemFailures": [{"foo": None}]},
]
SUCCESSES: list[Any] = ["", [], None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}]


def test_a_kinesis_record_has_lambdas_shape(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream)
    stream.put("é", key="k")
    scene.run()
    [event] = scene.events()
    assert event == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "k",
                    "sequenceNumber": "1",
                    "data": "w6k=",
                    "approximateArrivalTimestamp": 1_800_000_000.0,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": "shardId-000000000000:1",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
                "awsRegion": "us-east-1",
                "eventSourceARN": stream.arn,
            }
        ]
    }


def test_a_dynamodb_record_has_lambdas_shape(scene: Scene) -> None:
    stream = scene.stream("dynamodb")
    scene.map(stream)
    stream.put("a", data={"B": b"\x00\xff"}, many={"L": [{"BS": [b"\x01"]}, {"M": {"n": {"N": "1"}}}]})
    scene.run()
    [record] = scene.events()[0]["Records"]
    assert isinstance(record.pop("eventID"), str)
    change = record.pop("dynamodb")
    assert record == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": stream.arn,
    }
    assert change["Keys"] == {"id": {"S": "a"}}
    assert change["NewImage"] == {
        "id": {"S": "a"},
        "data": {"B": "AP8="},
        "many": {"L": [{"BS": ["AQ=="]}, {"M": {"n": {"N": "1"}}}]},
    }
    assert "OldImage" not in change
    assert change["ApproximateCreationDateTime"] == 1_800_000_000
    assert (change["StreamViewType"], change["SequenceNumber"].isdigit()) == ("NEW_AND_OLD_IMAGES", True)


@pytest.mark.parametrize("kind", KINDS)
def test_records_come_in_order_and_in_batches_of_the_size(scene: Scene, kind: str) -> None:
    stream = scene.stream(kind)
    mapping = scene.map(stream, batch_size=3)
    assert scene.result(mapping) == "No records processed"
    stream.put(*"abcdefgh")
    assert scene.run() == timedelta(0)
    assert scene.batches() == [list("abc"), list("def"), list("gh")]
    assert scene.result(mapping) == "OK"


@pytest.mark.parametrize("kind", KINDS)
def test_latest_begins_with_what_comes_after_the_creation(scene: Scene, kind: str) -> None:
    stream = scene.stream(kind)
    stream.put("before")
    scene.map(stream, starting_position="LATEST")
    stream.put("after")
    scene.run()
    assert scene.batches() == [["after"]]


def test_a_timestamp_begins_there(scene: Scene) -> None:
    stream = scene.stream()
    stream.put("before")
    scene.clock.advance(100)
    moment = scene.clock.time()
    stream.put("at")
    scene.clock.advance(100)
    stream.put("after")
    scene.map(stream, starting_position="AT_TIMESTAMP", starting_position_timestamp=moment - 1)
    scene.run()
    assert scene.batches() == [["at", "after"]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_error_retries_the_same_records_and_holds_the_shard_back(scene: Scene, kind: str) -> None:
    stream = scene.stream(kind)
    mapping = scene.map(stream, batch_size=2)
    scene.plan(a=["raise", "exit", "ok"])
    stream.put(*"abc")
    scene.clock.advance(0.4)
    assert (scene.batches(), scene.result(mapping)) == ([["a", "b"]], "PROBLEM: Function call failed")
    assert scene.run() == timedelta(seconds=1.1)  # half a second and one, less what has passed
    assert scene.batches() == [["a", "b"]] * 3 + [["c"]]


def test_one_shard_that_is_held_back_does_not_hold_the_others(scene: Scene) -> None:
    stream = scene.stream(shards=2)
    scene.map(stream, batch_size=1)
    scene.plan(bad=["raise"] * 5 + ["ok"])
    stream.put("bad", ExplicitHashKey="0")
    stream.put("a", "b", "c", ExplicitHashKey=str(2**128 - 2))
    stream.put("behind", ExplicitHashKey="0")
    scene.clock.advance(1)
    assert sorted(set(scene.names())) == ["a", "b", "bad", "c"]
    scene.run()
    assert scene.names()[-1] == "behind"


@pytest.mark.parametrize(
    ("kind", "answer"), [*(("kinesis", answer) for answer in MALFORMED), ("dynamodb", MALFORMED[0])]
)
def test_a_malformed_response_fails_the_whole_batch(scene: Scene, kind: str, answer: Any) -> None:
    stream, dead = scene.stream(kind), scene.queue("dead")
    scene.map(stream, function_response_types=REPORT, maximum_retry_attempts=2, on_failure=dead.arn)
    scene.plan(answers=[answer])
    stream.put("a", "b")
    scene.run()
    assert scene.batches() == [["a", "b"]] * 3
    [document] = map(json.loads, dead.take())
    assert document["responseContext"]["functionError"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_says_plainly_that_nothing_failed_is_a_success(scene: Scene, kind: str) -> None:
    stream = scene.stream(kind)
    scene.map(stream, function_response_types=REPORT)
    scene.plan(answers=SUCCESSES)
    for number in range(len(SUCCESSES)):
        stream.put(str(number))
        assert scene.run() == timedelta(0)
    assert scene.batches() == [[str(number)] for number in range(len(SUCCESSES))]


@pytest.mark.parametrize("kind", KINDS)
def test_the_count_begins_anew_whenever_the_checkpoint_moves(scene: Scene, kind: str) -> None:
    stream, dead = scene.stream(kind), scene.queue("dead")
    mapping = scene.map(
        stream, batch_size=3, maximum_retry_attempts=3, function_response_types=REPORT, on_failure=dead.arn
    )
    scene.plan(**{"6": ["list"]})
    stream.put(*"123456")
    scene.run()
    assert scene.batches() == [["1", "2", "3"], ["4", "5", "6"], *[["6"]] * 4]
    [document] = map(json.loads, dead.take())
    assert document["requestContext"]["approximateInvokeCount"] == 4
    info = document["KinesisBatchInfo" if kind == "kinesis" else "DDBStreamBatchInfo"]
    assert info["batchSize"] == 1
    assert (mapping.state, scene.result(mapping)) == ("Creating", "OK")


def test_from_the_lowest_failed_record_on_all_is_tried_again(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream, function_response_types=REPORT)
    scene.plan(b=["list", "ok"], d=["list", "ok"])
    stream.put(*"abcde")
    scene.run()
    assert scene.batches() == [list("abcde"), list("bcde")]


def test_bisect_isolates_a_poison_record(scene: Scene) -> None:
    stream, dead = scene.stream(), scene.queue("dead")
    scene.map(stream, batch_size=4, bisect_batch_on_function_error=True, maximum_retry_attempts=2, on_failure=dead.arn)
    scene.plan(**{"3": ["raise"]})
    stream.put(*"1234")
    scene.run()
    assert scene.batches() == [list("1234"), list("12"), list("34"), ["3"], ["3"], ["3"], ["4"]]
    [document] = map(json.loads, dead.take())
    assert document["requestContext"]["approximateInvokeCount"] == 3
    assert document["KinesisBatchInfo"]["batchSize"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_of_a_failure(scene: Scene, kind: str) -> None:
    stream, dead = scene.stream(kind), scene.queue("dead")
    scene.map(stream, maximum_retry_attempts=1, on_failure=dead.arn)
    scene.plan(a=["raise"])
    stream.put("a")
    scene.clock.advance(1.25)
    stream.put("b")
    scene.run()
    [document] = map(json.loads, dead.take())
    request_id = document["requestContext"].pop("requestId")
    info = document.pop("KinesisBatchInfo" if kind == "kinesis" else "DDBStreamBatchInfo")
    assert len(request_id) == 36
    assert document == {
        "requestContext": {
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:worker",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2027-01-15T08:00:00.500Z",
    }
    first = info.pop("startSequenceNumber")
    assert info.pop("endSequenceNumber") == first
    arrival = "2027-01-15T08:00:00.000Z" if kind == "kinesis" else "2027-01-15T08:00:00Z"
    assert info == {
        "shardId": "shardId-000000000000" if kind == "kinesis" else "shardId-00000001541626099285-f35f62ef",
        "approximateArrivalOfFirstRecord": arrival,
        "approximateArrivalOfLastRecord": arrival,
        "batchSize": 1,
        "streamArn": stream.arn,
    }
    assert scene.names() == ["a", "a", "b"]


def test_a_topic_gets_the_same_document_and_a_bucket_the_records_too(scene: Scene) -> None:
    copy = scene.queue("copy")
    topic = scene.aws.client("sns").create_topic(Name=f"dead-{scene.unique}")["TopicArn"]
    scene.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=copy.arn)
    scene.aws.client("s3").create_bucket(Bucket=f"dead-{scene.unique}")
    stream = scene.stream()
    mapping = scene.map(stream, maximum_retry_attempts=0, on_failure=topic)
    scene.plan(a=["raise"], b=["raise"])
    stream.put("a")
    scene.run()
    [envelope] = map(json.loads, copy.take())
    assert json.loads(envelope["Message"])["KinesisBatchInfo"]["startSequenceNumber"] == "1"
    bucket = f"dead-{scene.unique}"
    scene.service.update_event_source_mapping(mapping.uuid, on_failure=f"arn:aws:s3:::{bucket}")
    stream.put("b")
    scene.run()
    s3 = scene.aws.client("s3")
    [found] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    prefix = f"aws/lambda/{mapping.uuid}/shardId-000000000000/2027/01/15/2027-01-15T08.00.00-"
    assert found["Key"].startswith(prefix)
    document = json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert document["KinesisBatchInfo"]["startSequenceNumber"] == "2"
    assert [record["kinesis"]["data"] for record in document["payload"]["Records"]] == ["Yg=="]


def test_a_destination_that_is_gone_holds_nothing_up(scene: Scene) -> None:
    stream, dead = scene.stream(), scene.queue("dead")
    scene.map(stream, maximum_retry_attempts=0, on_failure=dead.arn)
    scene.plan(a=["raise"])
    dead.delete()
    stream.put("a", "b")
    scene.run()
    stream.put("c")
    scene.run()
    assert scene.names() == ["a", "b", "c"]


def test_within_a_record_age_of_a_minute_there_are_eight_attempts(scene: Scene) -> None:
    stream, dead = scene.stream(), scene.queue("dead")
    scene.map(stream, maximum_record_age_s=60, on_failure=dead.arn)
    scene.plan(a=["raise"])
    stream.put("a")
    scene.run()
    assert scene.batches() == [["a"]] * 8
    [document] = map(json.loads, dead.take())
    assert "responseContext" not in document
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == 1


def test_a_record_that_is_too_old_is_given_up_without_a_call_and_the_younger_are_delivered(scene: Scene) -> None:
    stream, dead = scene.stream(), scene.queue("dead")
    stream.put("old")
    scene.clock.advance(100)
    stream.put("young")
    scene.map(stream, maximum_record_age_s=60, on_failure=dead.arn)
    scene.run()
    assert scene.batches() == [["young"]]
    [document] = map(json.loads, dead.take())
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert len(document["requestContext"]["requestId"]) == 36
    assert document["KinesisBatchInfo"]["batchSize"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_filtered_records_move_the_position_and_an_empty_batch_is_no_call(scene: Scene, kind: str) -> None:
    pattern: dict[str, Any] = (
        {"partitionKey": [{"prefix": "yes"}]}
        if kind == "kinesis"
        else {"dynamodb": {"Keys": {"id": {"S": [{"prefix": "yes"}]}}}}
    )
    stream = scene.stream(kind)
    mapping = scene.map(stream, filters=[pattern])
    stream.put("no-1", "no-2")
    scene.run()
    assert scene.batches() == []
    stream.put("yes-1", "no-3", "yes-2")
    scene.run()
    assert scene.batches() == [["yes-1", "yes-2"]]
    scene.service.update_event_source_mapping(mapping.uuid, filters=[])
    stream.put("no-4")
    scene.run()
    assert scene.names() == ["yes-1", "yes-2", "no-4"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("position", ["TRIM_HORIZON", "LATEST"])
def test_disabling_and_enabling_keeps_the_position(scene: Scene, kind: str, position: str) -> None:
    stream = scene.stream(kind)
    mapping = scene.map(stream, starting_position=position)
    if position == "TRIM_HORIZON":
        stream.put("a")
        scene.run()
    scene.service.update_event_source_mapping(mapping.uuid, enabled=False)
    stream.put("b", "c")
    scene.clock.advance(100)
    scene.service.update_event_source_mapping(mapping.uuid, enabled=True)
    stream.put("d")
    scene.run()
    assert scene.names() == [*(["a"] if position == "TRIM_HORIZON" else []), "b", "c", "d"]


def test_a_batch_that_is_being_tried_again_is_not_lost_when_the_mapping_is_disabled(scene: Scene) -> None:
    stream = scene.stream()
    mapping = scene.map(stream, batch_size=2)
    scene.plan(a=["raise", "raise", "ok"])
    stream.put(*"abc")
    scene.clock.advance(0.1)
    scene.service.update_event_source_mapping(mapping.uuid, enabled=False)
    scene.clock.advance(100)
    assert scene.batches() == [["a", "b"]]
    scene.service.update_event_source_mapping(mapping.uuid, enabled=True)
    scene.run()
    assert scene.batches() == [["a", "b"]] * 3 + [["c"]]


def test_two_mappings_on_one_stream_are_independent(scene: Scene, make_worker: Any) -> None:
    scene.service.create_function(make_worker(name="second"))
    stream = scene.stream()
    scene.map(stream)
    stream.put("a")
    scene.run()
    scene.service.create_event_source_mapping("second", stream.arn, starting_position="TRIM_HORIZON")
    scene.run()
    assert scene.batches() == [["a"], ["a"]]


def test_a_window_gathers_and_a_full_batch_does_not_wait(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream, batch_size=3, maximum_batching_window_s=60)
    stream.put("a")
    scene.clock.advance(30)
    stream.put("b")
    scene.clock.advance(29)
    assert scene.batches() == []
    scene.clock.advance(1)
    assert scene.batches() == [["a", "b"]]
    stream.put("c", "d", "e")
    scene.clock.advance(0)
    assert scene.batches() == [["a", "b"], ["c", "d", "e"]]


def test_what_waits_in_a_window_is_read_again_after_a_stop(scene: Scene) -> None:
    stream = scene.stream()
    mapping = scene.map(stream, maximum_batching_window_s=60)
    stream.put("a")
    scene.clock.advance(1)
    scene.service.update_event_source_mapping(mapping.uuid, maximum_batching_window_s=0)
    scene.run()
    assert scene.batches() == [["a"]]


def test_a_parallelisation_factor_keeps_the_order_of_each_key(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream, parallelization_factor=4, batch_size=2)
    scene.plan(**{"k1-0": ["raise", "raise", "ok"]})
    for number in range(4):
        for key in range(6):
            stream.put(f"k{key}-{number}", key=f"k{key}")
    scene.clock.advance(0.1)
    before_retry = scene.names()
    assert before_retry.count("k1-0") == 1
    assert len(before_retry) > 8  # the other lanes go on
    scene.run()
    for key in range(6):
        seen = list(dict.fromkeys(name for name in scene.names() if name.startswith(f"k{key}-")))
        assert seen == [f"k{key}-{number}" for number in range(4)]


def test_a_poison_key_under_parallelism_is_read_again_after_a_stop(scene: Scene) -> None:
    stream = scene.stream()
    mapping = scene.map(stream, parallelization_factor=3, batch_size=1)
    scene.plan(bad=["raise", "raise", "ok"])
    stream.put("bad", "b", "c", "d")
    scene.clock.advance(0.1)
    assert set(scene.names()) == {"bad", "b", "c", "d"}
    scene.service.update_event_source_mapping(mapping.uuid, parallelization_factor=1)
    scene.run()
    assert scene.names().count("bad") == 3


def test_the_event_is_at_most_six_megabytes(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream)
    for number in range(6):
        stream.put(str(number) * 800_000, key="k")
    scene.run()
    assert [len(batch) for batch in scene.batches()] == [5, 1]


def test_a_tumbling_window_passes_its_state_on_and_has_a_last_call(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream, tumbling_window_s=60)  # 1,800,000,000 is a multiple of 60
    stream.put("a", "b")
    scene.clock.advance(30)
    stream.put("c")
    scene.clock.advance(29)
    stream.put("d")
    scene.clock.advance(31)
    stream.put("e")
    assert scene.run() == timedelta(seconds=30)
    events = scene.events()
    shown = [
        (batch, event["state"], event["isFinalInvokeForWindow"], event["window"]["start"][14:19])
        for batch, event in zip(scene.batches(), events, strict=True)
    ]
    assert shown == [
        (["a", "b"], {}, False, "00:00"),
        (["c"], {"count": 2}, False, "00:00"),
        (["d"], {"count": 3}, False, "00:00"),
        ([], {"count": 4}, True, "00:00"),
        (["e"], {}, False, "01:00"),
        ([], {"count": 1}, True, "01:00"),
    ]
    assert events[0]["window"] == {"start": "2027-01-15T08:00:00Z", "end": "2027-01-15T08:01:00Z"}
    assert (events[0]["shardId"], events[0]["eventSourceARN"]) == ("shardId-000000000000", stream.arn)
    assert [event["isWindowTerminatedEarly"] for event in events] == [False] * 6


def test_a_failed_call_does_not_change_the_state_of_its_window(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream, tumbling_window_s=60)
    scene.plan(b=["raise", "ok"])
    stream.put("a")
    scene.clock.advance(1)
    stream.put("b")
    scene.run()
    assert [event["state"] for event in scene.events()] == [{}, {"count": 1}, {"count": 1}, {"count": 2}]


def test_a_window_goes_on_over_a_stop(scene: Scene) -> None:
    stream = scene.stream()
    mapping = scene.map(stream, tumbling_window_s=60)
    stream.put("a")
    scene.clock.advance(1)
    scene.service.update_event_source_mapping(mapping.uuid, enabled=False)
    scene.service.update_event_source_mapping(mapping.uuid, enabled=True)
    stream.put("b")
    scene.run()
    assert [(event["state"], event["isFinalInvokeForWindow"]) for event in scene.events()] == [
        ({}, False),
        ({"count": 1}, False),
        ({"count": 2}, True),
    ]


def test_a_throttled_batch_waits_and_counts_nothing(scene: Scene) -> None:
    stream = scene.stream()
    mapping = scene.map(stream, maximum_retry_attempts=0)
    scene.service.put_function_concurrency("worker", 0)
    stream.put("a")
    scene.clock.advance(120)
    assert (scene.batches(), scene.result(mapping)) == ([], "PROBLEM: Function call failed")
    scene.service.put_function_concurrency("worker", None)
    scene.run()
    assert scene.batches() == [["a"]]


def test_a_stream_whose_server_loses_its_iterators_is_read_on(scene: Scene) -> None:
    stream = scene.stream("dynamodb")
    scene.map(stream)
    stream.put("a")
    scene.run()
    from moto.dynamodbstreams.models import dynamodbstreams_backends

    dynamodbstreams_backends["123456789012"]["us-east-1"].shard_iterators.clear()
    stream.put("b")
    scene.clock.advance(10)
    assert scene.names() == ["a", "b"]


def test_a_stream_that_is_deleted_under_the_poller_is_a_problem_and_not_the_end(scene: Scene) -> None:
    stream = scene.stream()
    mapping = scene.map(stream)
    scene.clock.advance(1)
    scene.aws.client("kinesis").delete_stream(StreamName=stream.name)
    scene.clock.advance(300)
    assert scene.result(mapping).startswith("PROBLEM: ")
    scene.service.delete_event_source_mapping(mapping.uuid)
