"""The mappings' own API, the reference's section 1: objects, states, refusals. Through boto3 as its users see it."""

import datetime
import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambda_emulator import InvalidParameterValue, LocalLambda
from tests.emulator.pollers.scene import Queue, Scene, Stream

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:{}"


@pytest.fixture
def client(scene: Scene) -> Iterator[Any]:
    config = Config(retries={"max_attempts": 1}, parameter_validation=False)
    made = boto3.client(
        "lambda",
        endpoint_url=scene.service.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=config,
    )
    yield made
    made.close()


def refused(call: Callable[[], Any]) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as error:
        call()
    found = error.value.response
    return found["Error"]["Code"], found["Error"]["Message"], found["ResponseMetadata"]["HTTPStatusCode"]


def test_a_mapping_of_a_queue_as_the_api_shows_it(scene: Scene, client: Any) -> None:
    queue = scene.queue()
    made = client.create_event_source_mapping(FunctionName="worker", EventSourceArn=queue.arn)
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    uuid = made["UUID"]
    assert isinstance(made.pop("LastModified"), datetime.datetime)
    assert made == {
        "UUID": uuid,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
        "EventSourceArn": queue.arn,
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:worker",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"


def test_a_mapping_of_a_stream_as_the_api_shows_it(scene: Scene, client: Any) -> None:
    stream = scene.stream()
    made = client.create_event_source_mapping(
        FunctionName="worker", EventSourceArn=stream.arn, StartingPosition="LATEST"
    )
    for name in ("ResponseMetadata", "LastModified", "UUID", "EventSourceMappingArn"):
        del made[name]
    assert made == {
        "EventSourceArn": stream.arn,
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:worker",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "State": "Creating",
        "StateTransitionReason": "User action",
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": False,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "TumblingWindowInSeconds": 0,
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": {}},
        "LastProcessingResult": "No records processed",
    }


def test_what_was_set_is_echoed(scene: Scene, client: Any) -> None:
    queue = scene.queue()
    settings = {
        "BatchSize": 50,
        "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"body":["a"]}'}]},
        "ScalingConfig": {"MaximumConcurrency": 3},
    }
    made = client.create_event_source_mapping(FunctionName="worker", EventSourceArn=queue.arn, **settings)
    assert settings.items() <= made.items()
    changed = client.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={}, BatchSize=20, ScalingConfig={})
    assert (changed["State"], changed["BatchSize"]) == ("Updating", 20)
    assert not {"FilterCriteria", "ScalingConfig"} & changed.keys()
    assert changed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_an_empty_list_of_filters_is_accepted_and_dropped(scene: Scene, client: Any) -> None:
    queue = scene.queue()
    made = client.create_event_source_mapping(
        FunctionName="worker", EventSourceArn=queue.arn, FilterCriteria={"Filters": []}
    )
    assert "FilterCriteria" not in made


ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("worker", ARN),
        (ARN, ARN),
        ("worker:$LATEST", f"{ARN}:$LATEST"),
        (f"{ARN}:$LATEST", ARN),
        ("worker:1", f"{ARN}:1"),
        ("worker:live", f"{ARN}:live"),
        (f"{ARN}:live", f"{ARN}:live"),
    ],
)
def test_the_function_is_shown_as_it_was_given(scene: Scene, client: Any, name: str, shown: str) -> None:
    scene.service.publish_version("worker")
    scene.service.create_alias("worker", "live", "1")
    made = client.create_event_source_mapping(FunctionName=name, EventSourceArn=scene.queue().arn)
    assert made["FunctionArn"] == shown


def test_the_mapping_of_an_alias_calls_its_version(scene: Scene) -> None:
    scene.service.publish_version("worker")
    scene.service.create_alias("worker", "live", "1")
    queue = scene.queue()
    scene.service.create_event_source_mapping("worker:live", queue.arn)
    queue.send("a")
    scene.run()
    assert scene.service.metrics.sum("Invocations", function="worker", qualifier="live", version="1") == 1


def test_list_delete_and_not_found(scene: Scene, client: Any) -> None:
    queue, stream = scene.queue(), scene.stream()
    first = client.create_event_source_mapping(FunctionName="worker", EventSourceArn=queue.arn)["UUID"]
    second = client.create_event_source_mapping(
        FunctionName="worker", EventSourceArn=stream.arn, StartingPosition="LATEST"
    )["UUID"]

    def listed(**by: Any) -> list[str]:
        return [each["UUID"] for each in client.list_event_source_mappings(**by)["EventSourceMappings"]]

    assert listed() == [first, second]
    assert listed(EventSourceArn=stream.arn) == [second]
    assert listed(FunctionName="worker") == [first, second]
    page = client.list_event_source_mappings(MaxItems=1)
    assert [each["UUID"] for each in page["EventSourceMappings"]] == [first]
    assert listed(MaxItems=1, Marker=page["NextMarker"]) == [second]
    assert client.delete_event_source_mapping(UUID=first)["State"] == "Deleting"
    gone = ("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    assert refused(lambda: client.get_event_source_mapping(UUID=first)) == gone
    assert refused(lambda: client.delete_event_source_mapping(UUID=first)) == gone
    assert refused(lambda: client.update_event_source_mapping(UUID=first, BatchSize=1)) == gone
    assert listed() == [second]


def test_the_same_source_and_function_are_refused_a_second_time(scene: Scene, client: Any) -> None:
    queue, stream = scene.queue(), scene.stream()
    cases: list[tuple[dict[str, str], str]] = [
        (
            {"EventSourceArn": queue.arn},
            f'An event source mapping with SQS arn (" {queue.arn} ") and function (" worker ") already exists. ',
        ),
        (
            {"EventSourceArn": stream.arn, "StartingPosition": "LATEST"},
            f'The event source arn (" {stream.arn} ") and function (" worker ") provided mapping already exists. ',
        ),
    ]
    for request, told in cases:
        create = functools.partial(client.create_event_source_mapping, FunctionName="worker", **request)
        told += f"Please update or delete the existing mapping with UUID {create()['UUID']}"
        assert refused(create) == ("ResourceConflictException", told, 409)


STREAM = {"EventSourceArn": "stream", "StartingPosition": "LATEST"}
BAD, VALIDATION = "InvalidParameterValueException", "ValidationException"
REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"BatchSize": 11},
        BAD,
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    (
        {"EventSourceArn": QUEUE_ARN.format("nothing")},
        BAD,
        (
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        ),
    ),
    (
        {"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/nothing", "StartingPosition": "LATEST"},
        BAD,
        "Stream not found: arn:aws:kinesis:us-east-1:123456789012:stream/nothing",
    ),
    (
        {
            "EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/nothing/stream/2026-01-01T00:00:00.000",
            "StartingPosition": "LATEST",
        },
        BAD,
        "Stream not found: arn:aws:dynamodb:us-east-1:123456789012:table/nothing/stream/2026-01-01T00:00:00.000",
    ),
    (
        {"EventSourceArn": "stream"},
        BAD,
        (
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        ),
    ),
    (
        {"EventSourceArn": "stream", "StartingPosition": "NOW"},
        VALIDATION,
        (
            "1 validation error detected: Value 'NOW' at 'startingPosition' failed to satisfy constraint: "
            "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"
        ),
    ),
    (
        {
            "EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t-1/stream/x",
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": 1,
        },
        BAD,
        "Unsupported starting position for arn type: arn:aws:dynamodb:us-east-1:123456789012:table/t-1/stream/x",
    ),
    (
        {"DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN.format("d")}}},
        BAD,
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    *(
        ({"FilterCriteria": {"Filters": [{"Pattern": pattern}]}}, BAD, "Invalid filter pattern definition.")
        for pattern in (None, "null", '"x"', '{"a":1}', '{"a":[]}', "{")
    ),
    ({"EventSourceArn": None}, BAD, "Unrecognized event source."),
    ({"EventSourceArn": "arn:aws:s3:::bucket"}, BAD, "Unrecognized event source."),
    ({"FunctionName": "nobody"}, BAD, "Function does not exist"),
    (
        {"BatchSize": 0},
        VALIDATION,
        (
            "1 validation error detected: Value '0' at 'batchSize' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        ),
    ),
    (
        {"MaximumBatchingWindowInSeconds": 301},
        VALIDATION,
        (
            "1 validation error detected: Value '301' at 'maximumBatchingWindowInSeconds' failed to satisfy "
            "constraint: Member must have value less than or equal to 300"
        ),
    ),
    (
        {"ScalingConfig": {"MaximumConcurrency": 1}},
        VALIDATION,
        (
            "1 validation error detected: Value '1' at 'scalingConfig.maximumConcurrency' failed to satisfy "
            "constraint: Member must have value greater than or equal to 2"
        ),
    ),
    (
        {"ParallelizationFactor": 2},
        BAD,
        "Unsupported ParallelizationFactor parameter for given event source mapping type.",
    ),
    (
        STREAM | {"ScalingConfig": {"MaximumConcurrency": 2}},
        BAD,
        "Unsupported ScalingConfig parameter for given event source mapping type.",
    ),
    (STREAM | {"MaximumRecordAgeInSeconds": 59}, BAD, "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800."),
    (
        STREAM | {"StartingPosition": "AT_TIMESTAMP"},
        BAD,
        "StartingPositionTimestamp is required for StartingPosition AT_TIMESTAMP.",
    ),
    (
        STREAM | {"StartingPositionTimestamp": 5},
        BAD,
        "StartingPositionTimestamp is only allowed for StartingPosition AT_TIMESTAMP.",
    ),
    (
        STREAM | {"TumblingWindowInSeconds": 5, "ParallelizationFactor": 2},
        BAD,
        "ParallelizationFactor greater than 1 is not supported together with TumblingWindowInSeconds.",
    ),
    (
        STREAM | {"DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN.format("d.fifo")}}},
        BAD,
        (
            "The provided destination config DestinationConfig(onSuccess=null, "
            "onFailure=OnFailure(destination=arn:aws:sqs:us-east-1:123456789012:d.fifo)) is invalid."
        ),
    ),
]


@pytest.mark.parametrize(("change", "code", "message"), REFUSALS)
def test_what_lambda_refuses_is_refused_in_its_words(
    scene: Scene, client: Any, change: dict[str, Any], code: str, message: str
) -> None:
    request = {"FunctionName": "worker", "EventSourceArn": scene.queue().arn} | change
    if request["EventSourceArn"] == "stream":
        request["EventSourceArn"] = scene.stream().arn
    request = {name: value for name, value in request.items() if value is not None}
    assert refused(lambda: client.create_event_source_mapping(**request)) == (code, message, 400)
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_queue_that_hides_messages_for_less_than_the_functions_timeout_is_refused(
    scene: Scene, client: Any, make_worker: Any
) -> None:
    scene.service.create_function(make_worker(name="slow", timeout_s=60))
    assert refused(
        lambda: client.create_event_source_mapping(FunctionName="slow", EventSourceArn=scene.queue().arn)
    ) == (BAD, "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds", 400)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 11}, "Batch size 11 is greater than the maximum of 10 for FIFO queues"),
        ({"maximum_batching_window_s": 5}, "Batching window is not supported for FIFO queues"),
    ],
)
def test_fifo_queues_have_limits_of_their_own(scene: Scene, settings: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        scene.map(scene.fifo(), **settings)


def test_a_refused_update_leaves_everything_as_it_was(scene: Scene, client: Any) -> None:
    queue = scene.queue()
    uuid = scene.map(queue).uuid
    assert refused(lambda: client.update_event_source_mapping(UUID=uuid, BatchSize=100))[0] == BAD
    assert refused(lambda: client.update_event_source_mapping(UUID=uuid, FunctionName="nobody"))[0] == BAD
    with pytest.raises(InvalidParameterValue, match="EventSourceArn of an event source mapping cannot be changed"):
        scene.service.update_event_source_mapping(uuid, event_source_arn="x")
    queue.send("a")
    scene.run()
    assert (scene.names(), scene.service.get_event_source_mapping(uuid).state) == (["a"], "Enabled")


def test_an_update_can_point_to_another_function(scene: Scene, make_worker: Any) -> None:
    scene.service.create_function(make_worker(name="second"))
    queue = scene.queue()
    uuid = scene.map(queue).uuid
    assert scene.service.update_event_source_mapping(uuid, function_name="second").function_arn.endswith(":second")
    queue.send("a")
    scene.run()
    metrics = scene.service.metrics
    assert [metrics.sum("Invocations", function=name) for name in ("worker", "second")] == [0, 1]


def test_a_mapping_may_begin_disabled(scene: Scene, client: Any) -> None:
    queue = scene.queue()
    made = client.create_event_source_mapping(FunctionName="worker", EventSourceArn=queue.arn, Enabled=False)
    assert client.get_event_source_mapping(UUID=made["UUID"])["State"] == "Disabled"
    queue.send("a")
    scene.run()
    assert scene.names() == []
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    scene.run()
    assert scene.names() == ["a"]


def test_deleting_the_function_leaves_the_mapping_enabled(scene: Scene) -> None:
    queue, stream = scene.queue(), scene.stream()
    mappings = [scene.map(queue), scene.map(stream)]
    scene.service.delete_function("worker")
    queue.send("a")
    stream.put("a")
    scene.clock.advance(20)
    for mapping in mappings:
        shown = scene.service.get_event_source_mapping(mapping.uuid)
        assert (shown.state, shown.last_processing_result) == ("Enabled", "PROBLEM: Function call failed")
    assert queue.count() == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_object_is_refused(scene: Scene, body: bytes) -> None:
    from tests.emulator.raw_client import RawClient

    with RawClient(scene.service.endpoint_url) as raw:
        assert raw.call("POST", "/2015-03-31/event-source-mappings/", body).status == 400


def test_without_an_aws_there_is_nothing_to_poll(make_worker: Any, start_lambda: Callable[..., LocalLambda]) -> None:
    service = start_lambda(make_worker())
    with pytest.raises(InvalidParameterValue, match="There is nothing to poll: make LocalLambda with aws="):
        service.create_event_source_mapping("worker", QUEUE_ARN.format("q"))


def test_stream_and_filter_metrics_are_recorded(scene: Scene) -> None:
    stream = scene.stream()
    scene.map(stream, filters=[{"partitionKey": ["a"]}])
    stream.put("a", "b")
    scene.clock.advance(0)
    stream.put("a")
    scene.service.metrics
    scene.run()
    metrics = scene.service.metrics
    assert metrics.sum("FilteredOutEventCount", function="worker") == 1
    assert metrics.statistics("IteratorAge", function="worker").count == 2


def test_the_iterator_age_is_how_long_a_record_has_waited(scene: Scene) -> None:
    stream = scene.stream()
    stream.put("a")
    scene.clock.advance(5)
    scene.map(stream)
    scene.run()
    assert scene.service.metrics.maximum("IteratorAge", function="worker") == pytest.approx(5000)


def test_creating_and_closing_is_quick(scene: Scene) -> None:
    sources: list[Queue | Stream] = [scene.queue(), scene.stream()]
    for source in sources:
        scene.map(source)
    began_s = time.monotonic()
    scene.service.close()
    assert time.monotonic() - began_s < 20  # nothing waits for a poll's end
