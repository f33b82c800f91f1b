"""Rules of EventBridge: patterns, and what targets make of an event."""

import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlerkit.events import EventBridgeEvent
from lambda_emulator.direct_sources.event_input import at_path, target_input
from tests.emulator.direct_sources.conftest import Scene

ORDERS = {"source": ["shop"], "detail": {"total": [{"numeric": [">=", 10]}]}}


def rule(scene: Scene, *targets: dict[str, Any], name: str = "orders", **settings: Any) -> Any:
    """The client, with a rule whose first target is the function unless others are given."""
    events = scene.client("events")
    events.put_rule(**({"Name": name, "EventPattern": json.dumps(ORDERS)} | settings))
    wanted = [{"Id": str(number), "Arn": scene.arn} | target for number, target in enumerate(targets or ({},))]
    bus = {"EventBusName": settings["EventBusName"]} if "EventBusName" in settings else {}
    assert events.put_targets(Rule=name, Targets=wanted, **bus)["FailedEntryCount"] == 0
    return events


def put(scene: Scene, detail: Any = None, **entry: Any) -> Any:
    whole = {"Source": "shop", "DetailType": "Order", "Detail": json.dumps(detail or {"total": 12, "to": "Ada"})}
    return scene.client("events").put_events(Entries=[whole | entry])


def test_an_event_that_meets_the_pattern_reaches_the_function_whole(scene: Scene) -> None:
    rule(scene)
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    answer = put(scene, Resources=["arn:aws:s3:::b"], Time=at)
    put(scene, {"total": 9})
    put(scene, Source="other")
    [event] = scene.events()
    assert event == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "Order",
        "source": "shop",
        "account": "123456789012",
        "time": "2026-01-02T03:04:05Z",
        "region": "us-east-1",
        "resources": ["arn:aws:s3:::b"],
        "detail": {"total": 12, "to": "Ada"},
    }
    assert EventBridgeEvent(event).time == at


def test_a_disabled_rule_gets_nothing_and_the_time_is_the_clocks(scene: Scene) -> None:
    events = rule(scene)
    events.disable_rule(Name="orders")
    put(scene)
    events.enable_rule(Name="orders")
    put(scene)
    [event] = scene.events()
    assert event["time"] == "2027-01-15T08:00:00Z"


def test_a_rule_of_another_bus_gets_that_buss_events(scene: Scene) -> None:
    scene.client("events").create_event_bus(Name="shop-bus")
    rule(scene, EventBusName="shop-bus")
    put(scene)
    put(scene, {"total": 13}, EventBusName="shop-bus")
    assert [event["detail"]["total"] for event in scene.events()] == [13]


def test_input_input_path_and_input_transformer_make_the_event(scene: Scene) -> None:
    transformer = {
        "InputPathsMap": {"to": "$.detail.to", "total": "$.detail.total", "none": "$.detail.none"},
        "InputTemplate": '{"text": "For <to>: <total>", "to": <to>, "total": <total>, "rule": "<aws.events.rule-name>"'
        ', "none": <none>, "event": <aws.events.event.json>}',
    }
    rule(
        scene,
        {"Input": '{"constant": true}'},
        {"InputPath": "$.detail"},
        {"InputTransformer": transformer},
        {"InputTransformer": {"InputPathsMap": {"to": "$.detail.to"}, "InputTemplate": '"Hello <to>"'}},
    )
    put(scene, {"total": 12, "to": 'A"da'})
    found = scene.events()
    assert {"constant": True} in found
    assert {"total": 12, "to": 'A"da'} in found
    assert 'Hello A"da' in found
    [made] = [event for event in found if isinstance(event, dict) and "rule" in event]
    assert (made["text"], made["to"], made["total"], made["none"]) == ('For A"da: 12', 'A"da', 12, None)
    assert (made["rule"], made["event"]["source"]) == ("orders", "shop")


def test_queues_and_topics_get_the_same_input(scene: Scene) -> None:
    url, arn = scene.queue("orders")
    topic = scene.client("sns").create_topic(Name="orders")["TopicArn"]
    scene.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=scene.arn)
    rule(scene, {"Arn": arn, "InputPath": "$.detail.to"}, {"Arn": topic, "Input": '{"for": "topic"}'})
    put(scene)
    assert scene.bodies(url) == ["Ada"]
    assert [each["Sns"]["Message"] for each in scene.records()] == ['{"for": "topic"}']


def test_an_event_bus_as_target_passes_the_event_on(scene: Scene) -> None:
    events = scene.client("events")
    bus = events.create_event_bus(Name="second")["EventBusArn"]
    rule(scene, name="there", EventBusName="second")
    rule(scene, {"Arn": bus})
    put(scene)
    assert [event["detail"]["to"] for event in scene.events()] == ["Ada"]


def test_a_function_that_is_gone_leaves_the_event_to_the_targets_dead_letter_queue(scene: Scene) -> None:
    url, arn = scene.queue("dead")
    rule(scene, {"DeadLetterConfig": {"Arn": arn}, "Input": '"x"'})
    scene.service.delete_function("taker")
    put(scene)
    [message] = scene.messages(url)
    assert json.loads(message["Body"])["detail"] == {"total": 12, "to": "Ada"}
    attributes = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == "arn:aws:events:us-east-1:123456789012:rule/orders"
    assert attributes["TARGET_ARN"] == scene.arn
    assert attributes["ERROR_CODE"] == "NO_RESOURCE"


def test_a_target_that_is_not_there_fails_alone(scene: Scene) -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:flow"
    rule(scene, {"Arn": machine}, {"Arn": "arn:aws:sqs:us-east-1:123456789012:nowhere"}, {})
    assert put(scene)["FailedEntryCount"] == 0
    assert len(scene.events()) == 1
    assert [missed.target.rpartition(":")[2] for missed in scene.aws.undelivered] == ["flow", "nowhere"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ('{"source": "shop"}', '"source" must be an object or an array'),
        ('{"source": []}', "Empty arrays are not allowed"),
        ('{"source": [{"EXISTS": true}]}', "Unrecognized match type EXISTS"),
        ("no", "the pattern is not JSON"),
    ],
)
def test_a_pattern_that_is_none_is_refused(scene: Scene, pattern: str, reason: str) -> None:
    with pytest.raises(ClientError, match=r"Event pattern is not valid\. Reason: ") as refused:
        scene.client("events").put_rule(Name="r", EventPattern=pattern)
    assert reason in str(refused.value)
    assert refused.value.response["Error"]["Code"] == "InvalidEventPatternException"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"Input": "{}", "InputPath": "$"}, "Only one of Input, InputPath, or InputTransformer must be provided"),
        ({"Input": "{no"}, "JSON syntax error in input for target 0"),
        ({"Arn": "arn:nothing"}, "Parameter arn:nothing is not valid. Reason: Provided Arn is not in correct format"),
        ({"InputPath": "detail"}, "Invalid JSONPath detail for target 0"),
    ],
)
def test_an_input_that_is_none_is_refused(scene: Scene, target: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        rule(scene, target)


def test_a_detail_that_is_no_object_is_malformed(scene: Scene) -> None:
    rule(scene)
    for detail in ("[1]", "{no", '"text"'):
        [entry] = put(scene, Detail=detail)["Entries"]
        assert entry["ErrorCode"] == "MalformedDetail"
    assert scene.events() == []


def test_paths_find_what_they_name() -> None:
    event = {"detail": {"items": [{"name": "a"}, {"name": "b"}], "odd name": 1}, "detail-type": "T"}
    assert at_path(event, "$") == event
    assert at_path(event, "$.detail-type") == "T"
    assert at_path(event, "$.detail.items[1].name") == "b"
    assert at_path(event, "$.detail.items[*].name") == ["a", "b"]
    assert at_path(event, "$['detail']['odd name']") == 1
    assert at_path(event, "$.detail.items[9].name") is None
    assert at_path(event, "$.detail.none.none") is None


def test_a_template_that_makes_no_json_is_an_error() -> None:
    transformer = {"InputPathsMap": {}, "InputTemplate": "{text: <x>}"}
    with pytest.raises(ValueError, match="makes no JSON"):
        target_input({"InputTransformer": transformer}, {}, {})
