"""Topics that functions have subscribed to."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlerkit.events import SnsEvent
from lambda_emulator.direct_sources.sns_record import passes
from tests.emulator.direct_sources.conftest import Scene


def subscribed(scene: Scene, **attributes: str) -> tuple[Any, str, str]:
    """Client, topic, subscription."""
    sns = scene.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=scene.arn, Attributes=attributes)
    return sns, topic, subscription["SubscriptionArn"]


def test_a_message_reaches_the_function_with_all_that_sns_says(scene: Scene) -> None:
    sns, topic, subscription = subscribed(scene, RawMessageDelivery="true")  # no such thing for a function
    attributes = {
        "kind": {"DataType": "String", "StringValue": "order"},
        "total": {"DataType": "Number", "StringValue": "12.5"},
        "tags": {"DataType": "String.Array", "StringValue": '["a", "b"]'},
        "stamp": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = sns.publish(TopicArn=topic, Message="two böoks", Subject="Order", MessageAttributes=attributes)
    [event] = scene.events()
    [record] = SnsEvent(event)
    assert (record.event_source, record.event_version) == ("aws:sns", "1.0")
    assert record.event_subscription_arn == subscription
    assert (record.message, record.sns.subject, record.sns.topic_arn) == ("two böoks", "Order", topic)
    assert (record.sns.message_id, record.sns.type) == (sent["MessageId"], "Notification")
    assert record.sns.timestamp is not None
    assert record.sns.timestamp.timestamp() == scene.clock.time()
    assert {name: each.decoded for name, each in record.sns.message_attributes.items()} == {
        "kind": "order",
        "total": 12.5,
        "tags": ["a", "b"],
        "stamp": b"\x00\x01",
    }
    assert record.sns.signature_version == "1"
    assert record.sns.signature
    assert str(record.sns.signing_cert_url).startswith("https://sns.us-east-1.amazonaws.com/")
    assert subscription in str(record.sns.unsubscribe_url)


def test_without_subject_and_attributes_there_are_null_and_an_empty_object(scene: Scene) -> None:
    sns, topic, _ = subscribed(scene)
    sns.publish(TopicArn=topic, Message="x")
    [event] = scene.events()
    assert event["Records"][0]["Sns"]["Subject"] is None
    assert event["Records"][0]["Sns"]["MessageAttributes"] == {}


def test_a_batch_of_messages_is_one_event_each(scene: Scene) -> None:
    sns, topic, _ = subscribed(scene)
    entries = [{"Id": str(number), "Message": f"m{number}"} for number in range(3)]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert sorted(each["Sns"]["Message"] for each in scene.records()) == ["m0", "m1", "m2"]


def test_a_message_by_protocol_gives_the_function_its_own(scene: Scene) -> None:
    sns, topic, _ = subscribed(scene)
    message = json.dumps({"default": "for all", "lambda": "for functions"})
    sns.publish(TopicArn=topic, Message=message, MessageStructure="json")
    assert [each["Sns"]["Message"] for each in scene.records()] == ["for functions"]


def test_a_filter_policy_looks_at_attributes(scene: Scene) -> None:
    policy = {"kind": ["order", {"prefix": "re"}], "total": [{"numeric": [">", 10]}], "silent": [{"exists": False}]}
    sns, topic, _ = subscribed(scene, FilterPolicy=json.dumps(policy))

    def publish(name: str, **attributes: Any) -> None:
        typed = {
            key: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
            for key, value in attributes.items()
        }
        sns.publish(TopicArn=topic, Message=name, MessageAttributes=typed)

    publish("order", kind="order", total=11)
    publish("return", kind="return", total=12)
    publish("cheap", kind="order", total=10)
    publish("silent", kind="order", total=11, silent="yes")
    publish("nothing said")
    assert sorted(each["Sns"]["Message"] for each in scene.records()) == ["order", "return"]


def test_a_filter_policy_looks_into_the_body(scene: Scene) -> None:
    policy = {"customer": {"country": ["DE", "AT"]}, "lines": {"sku": [{"suffix": "-x"}]}}
    sns, topic, _ = subscribed(scene, FilterPolicy=json.dumps(policy), FilterPolicyScope="MessageBody")
    for country, sku in (("DE", "1-x"), ("FR", "2-x"), ("AT", "3-y")):
        body = {"customer": {"country": country}, "lines": [{"sku": "0"}, {"sku": sku}]}
        sns.publish(TopicArn=topic, Message=json.dumps(body))
    sns.publish(TopicArn=topic, Message="no JSON")
    assert [json.loads(each["Sns"]["Message"])["customer"]["country"] for each in scene.records()] == ["DE"]


@pytest.mark.parametrize(
    ("policy", "attributes", "wanted"),
    [
        ({"a": [{"anything-but": ["x"]}]}, {"a": ("String", "y")}, True),
        ({"a": [{"anything-but": ["x"]}]}, {"a": ("String", "x")}, False),
        ({"a": ["x", {"exists": False}]}, {}, True),
        ({"a": ["y"]}, {"a": ("String.Array", '["x", "y"]')}, True),
        ({"a": [3]}, {"a": ("Number", "3.0")}, True),
        ({"a": ["3"]}, {"a": ("Number", "3")}, False),
        ({"a": [{"exists": True}]}, {"a": ("Binary", "AAE=")}, False),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": ("String", "y")}, True),
        ({}, {}, True),
    ],
)
def test_what_a_policy_says_of_attributes(
    policy: dict[str, Any], attributes: dict[str, tuple[str, str]], wanted: bool
) -> None:
    typed = {name: {"Type": kind, "Value": value} for name, (kind, value) in attributes.items()}
    assert passes(policy, "MessageAttributes", typed, "") is wanted


def test_what_is_no_functions_arn_is_refused(scene: Scene) -> None:
    sns = scene.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    with pytest.raises(ClientError, match="Invalid parameter: Lambda endpoint ARN"):
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint="arn:aws:lambda:us-east-1:taker")


def test_a_function_that_is_gone_leaves_the_message_to_the_subscriptions_dead_letter_queue(scene: Scene) -> None:
    url, arn = scene.queue("dead")
    sns, topic, _ = subscribed(scene, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn}))
    scene.service.delete_function("taker")
    sns.publish(TopicArn=topic, Message="x")
    [message] = scene.messages(url)
    assert json.loads(message["Body"])["Message"] == "x"
    assert set(message["MessageAttributes"]) == {"ErrorCode", "ErrorMessage", "RequestID"}
    assert [missed.target for missed in scene.aws.undelivered] == [scene.arn]


def test_s3_to_sns_to_the_function(scene: Scene) -> None:
    _, topic, _ = subscribed(scene)
    s3 = scene.client("s3")
    s3.create_bucket(Bucket="uploads")
    configuration = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="uploads", NotificationConfiguration=configuration)
    s3.put_object(Bucket="uploads", Key="a", Body=b"1")
    messages = [json.loads(each["Sns"]["Message"]) for each in scene.records()]
    assert sorted(each.get("Event", "record") for each in messages) == ["record", "s3:TestEvent"]
