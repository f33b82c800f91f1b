"""The factories: events that detection and views take for real."""

import dataclasses
import time
from decimal import Decimal
from typing import Any

import pydantic
import pytest

from handlerkit.events import DynamoDBEvent, S3Event, SnsEvent, SqsEvent, detect, parse
from handlerkit.testing import (
    FakeContext,
    cloudwatch_logs_event,
    dynamodb_event,
    eventbridge_event,
    kinesis_event,
    s3_event,
    scheduled_event,
    sns_event,
    sns_notification,
    sqs_event,
)
from runtime import Invocation, LambdaContext
from runtime.environ import Settings


class Order(pydantic.BaseModel):
    """A payload."""

    id: str
    price: Decimal


@dataclasses.dataclass
class Reading:
    """A payload."""

    value: float


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (sqs_event(["x"]), "sqs.standard"),
        (sqs_event(["x"], queue="orders.fifo"), "sqs.fifo"),
        (sqs_event(["x"], message_group_ids=["tenant"]), "sqs.standard"),
        (sqs_event([s3_event("b", "k")]), "sqs.standard>s3"),
        (sqs_event([sns_notification(s3_event("b", "k"))]), "sqs.standard>sns>s3"),
        (sns_event(eventbridge_event({})), "sns>eventbridge"),
        (s3_event("b", "k"), "s3"),
        (kinesis_event([b"x"]), "kinesis_stream"),
        (dynamodb_event(new={"id": "a"}), "dynamodb_stream"),
        (eventbridge_event({}), "eventbridge:com.example.orders:Order Placed"),
        (scheduled_event(), "eventbridge:aws.events:Scheduled Event"),
        (cloudwatch_logs_event(["x"]), "cloudwatch_logs"),
    ],
)
def test_a_made_event_is_detected_as_what_it_is_made_for(event: dict[str, Any], kind: str) -> None:
    assert detect(event) == kind


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ("plain", "plain"),
        (b"bytes", "bytes"),
        ({"a": 1}, '{"a":1}'),
        (Order(id="a", price=Decimal("1.10")), '{"id":"a","price":"1.10"}'),
        (Reading(1.5), '{"value":1.5}'),
        (7, "7"),
    ],
)
def test_payloads_of_any_type_travel_as_text(payload: Any, text: str) -> None:
    assert parse(SqsEvent, sqs_event([payload])).records[0].body == text
    assert parse(SnsEvent, sns_event(payload, subject="s")).records[0].sns.subject == "s"


def test_a_fifo_queue_has_groups_and_message_attributes_are_typed() -> None:
    record = parse(SqsEvent, sqs_event(["x"], queue="q.fifo", message_group_ids=["g"], attributes={"k": "v"})).records[
        0
    ]
    assert (record.is_fifo, record.attributes.message_group_id) == (True, "g")
    assert record.message_attributes["k"].string_value == "v"


def test_keys_are_encoded_as_s3_does() -> None:
    event = parse(S3Event, s3_event("b", "a b+ü/c.txt", version_id="1"))
    assert event.records[0].s3.object.encoded_key == "a+b%2B%C3%BC/c.txt"
    assert event.records[0].key == "a b+ü/c.txt"
    assert event.records[0].s3.object.version_id == "1"
    removed = parse(S3Event, s3_event("b", "k", event_name="ObjectRemoved:Delete"))
    assert removed.records[0].s3.object.size is None


def test_changes_have_the_images_that_they_were_given() -> None:
    old, new = Order(id="a", price=Decimal(1)), Order(id="a", price=Decimal(2))
    event = parse(DynamoDBEvent[Order], dynamodb_event((None, old), (old, new), (new, None)))
    assert [record.event_name for record in event] == ["INSERT", "MODIFY", "REMOVE"]
    assert event.records[1].old_image == old
    assert event.records[2].keys == {"id": "a"}
    assert dynamodb_event(new=Reading(Decimal(1)))["Records"][0]["dynamodb"]["Keys"] == {}  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs an old or a new image"):
        dynamodb_event()


def test_kinesis_records_may_name_their_partition_keys() -> None:
    records = kinesis_event([Reading(1.0), b"x"], partition_keys=["p"])["Records"]
    assert [record["kinesis"]["partitionKey"] for record in records] == ["p", "key-1"]


def test_the_context_has_what_a_handler_finds_on_lambda(capsys: pytest.CaptureFixture[str]) -> None:
    real = LambdaContext(Invocation({"lambda-runtime-aws-request-id": "r-1"}, b"{}"), Settings({}), print)
    expected = {name for name in (*dir(real), "identity") if not name.startswith("_")} - {"xray_trace_id"}
    context = FakeContext(tenant_id="t-1")
    assert expected <= set(dir(context))
    assert vars(context.identity) == {"cognito_identity_id": None, "cognito_identity_pool_id": None}
    assert (context.tenant_id, context.w3c(), context.client_context) == ("t-1", {}, None)
    assert context.memory_limit_in_mb == "128"
    assert FakeContext(memory_limit_in_mb=512).memory_limit_in_mb == "512"
    context.log("as it is")
    assert capsys.readouterr().out == "as it is"


def test_the_context_counts_down_and_never_below_zero() -> None:
    context = FakeContext(remaining_ms=50, function_name="f")
    assert 0 < context.get_remaining_time_in_millis() <= 50
    time.sleep(0.06)
    assert context.get_remaining_time_in_millis() == 0
    assert context.invoked_function_arn.endswith(":function:f")
