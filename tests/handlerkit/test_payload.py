"""Payloads: any type, from text, bytes, objects and attribute values, nested in each other."""

import base64
import dataclasses
import gzip
import json
import zlib
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest
from typing_extensions import TypedDict

from handlerkit.events import (
    CloudWatchLogsData,
    CloudWatchLogsEvent,
    Decoder,
    DynamoDBRecord,
    EventBridgeEvent,
    EventFieldError,
    EventValidationError,
    KinesisEvent,
    KinesisRecord,
    S3Event,
    S3EventBridgeEvent,
    ScheduledEvent,
    SnsNotification,
    SqsEvent,
    SqsRecord,
    View,
    parse,
)
from handlerkit.events.descriptor import Field
from handlerkit.events.encoded import MAX_INFLATED_BYTES, inflate, unquote_plus
from handlerkit.events.generics import Generic, TypeVar
from handlerkit.events.nested import maybe_view, view, view_lists, view_map, views
from handlerkit.events.payload import Payload, body_payload
from handlerkit.events.readers import ModelReader, reader_of
from handlerkit.testing import (
    cloudwatch_logs_event,
    dynamodb_event,
    eventbridge_event,
    kinesis_event,
    s3_event,
    scheduled_event,
    sns_notification,
    sqs_event,
)


class Order(pydantic.BaseModel):
    """A payload."""

    order_id: str
    quantity: int


class Said(pydantic.BaseModel):
    """A payload of text."""

    text: str


class Strict(pydantic.BaseModel, strict=True):
    """A payload that takes no Python type for another."""

    amount: Decimal


@dataclasses.dataclass
class Reading:
    """A payload as a dataclass."""

    value: float


class Key(TypedDict):
    """A payload as a typed dict."""

    id: str


@pytest.mark.parametrize(
    ("kind", "body", "payload"),
    [
        (str, "any text", "any text"),
        (bytes, "ü", "ü".encode()),
        (dict, '{"a": 1}', {"a": 1}),
        (list, "[1]", [1]),
        (object, "5", 5),
        (Any, '"x"', "x"),
        (dict[str, Any], '{"a": 1}', {"a": 1}),
        (list[Any], "[1]", [1]),
        (int, "5", 5),
        (dict[str, int], '{"a": "1"}', {"a": 1}),
        (Order, '{"order_id": "a", "quantity": 1}', Order(order_id="a", quantity=1)),
        (Order | None, "null", None),
        (Reading, '{"value": 1}', Reading(1.0)),
        (Key, '{"id": "a"}', {"id": "a"}),
        (Annotated[int, pydantic.Field(gt=1)], "2", 2),
        (Annotated[str, Decoder(str.upper)], "abc", "ABC"),
        (Strict, '{"amount": "1.10"}', Strict(amount=Decimal("1.10"))),
    ],
)
def test_a_body_becomes_the_type_named(kind: Any, body: str, payload: Any) -> None:
    event = parse(SqsEvent[kind], {"Records": [{"body": body}]})
    assert event.records[0].body == payload
    assert event.records[0].body is event.records[0].body
    assert parse(SqsRecord[kind], {"body": body}).body == payload


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (dict, "[]", "body: not a JSON object (got an array of 0)"),
        (list, "{}", "body: not a JSON array (got an empty object)"),
        (dict, "{", "body: not JSON: Expecting property name enclosed in double quotes at character 1 (got '{')"),
        (Order, "{", "body: not JSON: Expecting property name enclosed in double quotes at character 1 (got '{')"),
        (Order, '{"order_id": "a"}', "body.quantity: Field required"),
        (Order, "5", "body: Input should be an object (got 5)"),
        (list[Order], '[{"order_id": "a"}]', "body[0].quantity: Field required"),
        (S3Event, '{"a": 1}', "body: no key of this kind of event (got an object with 'a')"),
        (S3Event, "[]", "body: not a JSON object (got an array of 0)"),
        (SnsNotification, '{"Records": [{"s3": {}}]}', "body: the event is of another kind, s3"),
        (SnsNotification[Order], '{"Message": "x"}', "body.message: not JSON"),
        (
            Annotated[int, Decoder(int)],
            "ten",
            "body: ValueError: \"invalid literal for int() with base 10: 'ten'\" (got 'ten')",
        ),
        (float, "NaN", "body: not JSON: NaN is not a JSON value (got 'NaN')"),
        (str, None, ""),
    ],
)
def test_a_wrong_body_is_refused_with_its_path_and_reason(kind: Any, body: Any, reason: str) -> None:
    if body is None:
        assert parse(SqsRecord[kind], {"body": None}).body == reason
        return
    with pytest.raises(EventValidationError) as caught:
        parse(SqsEvent[kind], {"Records": [{"body": body}]})
    assert f": records[0].{reason}" in str(caught.value)


@pytest.mark.parametrize(("kind", "absent"), [(str, ""), (bytes, b""), (dict, {})])
def test_a_missing_body_is_an_empty_one_where_the_type_has_one(kind: Any, absent: Any) -> None:
    assert parse(SqsRecord[kind], {"messageId": "1"}).body == absent


@pytest.mark.parametrize("kind", [Order, list, S3Event, int])
def test_a_missing_body_is_refused_where_the_type_needs_one(kind: Any) -> None:
    with pytest.raises(EventValidationError, match="body: missing"):
        parse(SqsRecord[kind], {"messageId": "1"})


def test_envelopes_nest() -> None:
    event = parse(SqsEvent[SnsNotification[S3Event]], sqs_event([sns_notification(s3_event("b", "ä b.txt"))]))
    notification = event.records[0].body
    assert notification.topic_arn.endswith(":orders")
    assert notification.message.records[0].key == "ä b.txt"
    inner = parse(
        KinesisRecord[EventBridgeEvent[Order]],
        kinesis_event([eventbridge_event({"order_id": "a", "quantity": 1})])["Records"][0],
    )
    assert inner.data.detail.quantity == 1


def test_an_error_deep_inside_names_the_whole_path() -> None:
    event = sqs_event([sns_notification(eventbridge_event({"order_id": "a", "quantity": "x"}))])
    with pytest.raises(EventValidationError) as caught:
        parse(SqsEvent[SnsNotification[EventBridgeEvent[Order]]], event)
    assert [problem.path for problem in caught.value.problems] == ["records[0].body.message.detail.quantity"]


@pytest.mark.parametrize("text", ["NaN bread", "to Infinity and beyond"])
def test_a_text_that_speaks_of_infinity_is_no_number_and_its_neighbours_are_read_all_the_same(text: str) -> None:
    event = parse(SqsEvent[dict[str, str]], sqs_event([{"a": "b"}, {"a": text}, {"a": "c"}]))
    assert [record.body["a"] for record in event] == ["b", text, "c"]
    model = parse(SqsEvent[Said], sqs_event([{"text": "b"}, {"text": text}, {"text": "c"}]))
    assert [record.body.text for record in model] == ["b", text, "c"]


@pytest.mark.parametrize("error", [TypeError, ValueError, RecursionError])
def test_whatever_a_model_raises_the_record_is_named(error: type[Exception]) -> None:
    class Touchy(pydantic.BaseModel):
        text: str

        @pydantic.field_validator("text")
        @classmethod
        def refuse(cls, value: str) -> str:
            if value == "no":
                raise error("not this one")
            return value

    with pytest.raises(EventValidationError, match=r"records\[1\].*(not this one|too deeply)"):
        parse(SqsEvent[Touchy], sqs_event([{"text": "yes"}, {"text": "no"}, {"text": "no"}]))


@pytest.mark.parametrize("wrong", [None, 1, "text", [], ["body"]])
def test_a_record_that_is_no_object_is_named(wrong: Any) -> None:
    event = sqs_event([{"text": "a"}, {"text": "b"}])
    event["Records"][1] = wrong
    with pytest.raises(EventValidationError, match="item 1 is not an object"):
        parse(SqsEvent[Said], event)


def test_a_batch_without_a_named_payload_is_not_validated_before_it_is_read() -> None:
    event = parse(KinesisEvent, {"Records": [{"kinesis": {"data": "%"}}]})
    with pytest.raises(EventValidationError, match=r"KinesisRecord: data: not base64 \(got '%'\)"):
        _ = event.records[0].data
    with pytest.raises(EventValidationError, match=r"KinesisEvent\[dict.*\]: records\[0\]\.data: not base64"):
        parse(KinesisEvent[dict[str, Any]], event.raw)


def test_bytes_payloads_are_inflated_for_every_type_but_bytes() -> None:
    logs = cloudwatch_logs_event(["a line"])
    packed = base64.b64decode(logs["awslogs"]["data"])
    record = kinesis_event([packed])["Records"][0]
    assert parse(KinesisRecord, record).data == packed
    data = parse(KinesisRecord[CloudWatchLogsData], record).data
    assert [line.message for line in data.log_events] == ["a line"]
    assert json.loads(parse(KinesisRecord[str], record).data)["logGroup"] == "/aws/lambda/orders"
    assert parse(KinesisRecord[dict[str, Any]], record).data["logGroup"] == "/aws/lambda/orders"
    order = kinesis_event([gzip.compress(b'{"order_id": "a", "quantity": 1}')])["Records"][0]
    assert parse(KinesisRecord[Order], order).data.quantity == 1
    for kind in (str, Order, dict[str, Any]):
        with pytest.raises(EventValidationError, match="breaks off"):
            _ = KinesisRecord[kind](kinesis_event([packed[:-5]])["Records"][0]).data  # type: ignore[valid-type]


def test_bytes_that_are_no_text_are_refused_as_such() -> None:
    record = kinesis_event([b"\xff"])["Records"][0]
    for kind in (str, dict[str, Any], Order):
        with pytest.raises(EventValidationError, match="data: not"):
            _ = KinesisRecord[kind](record).data  # type: ignore[valid-type]


def test_a_bomb_is_refused_at_the_limit() -> None:
    bomb = zlib.compress(bytes(MAX_INFLATED_BYTES + 1), 9)
    assert len(bomb) < 200_000
    with pytest.raises(ValueError, match=f"inflates to more than {MAX_INFLATED_BYTES} bytes"):
        inflate(bomb)
    assert inflate(gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    assert inflate(gzip.compress(b"a" * 10), 10) == b"a" * 10
    with pytest.raises(ValueError, match="more than 15 bytes"):
        inflate(gzip.compress(b"a" * 10) * 2, 15)
    with pytest.raises(ValueError, match="not gzip"):
        inflate(b"plain")


@pytest.mark.parametrize(
    "data", ["%", "", base64.b64encode(b"plain").decode(), base64.b64encode(zlib.compress(b"[]")).decode(), {}]
)
def test_log_data_that_is_none_is_refused(data: Any) -> None:
    event = parse(CloudWatchLogsEvent, {"awslogs": {"data": data}})
    with pytest.raises(ValueError, match=r"CloudWatchLogsEvent\.data"):
        _ = event.log_group


def test_log_lines_may_be_typed() -> None:
    event = parse(CloudWatchLogsEvent[Order], cloudwatch_logs_event([Order(order_id="a", quantity=1)]))
    assert ([line.message.quantity for line in event], event.log_stream, len(event)) == (
        [1],
        "2026/01/01/[$LATEST]0",
        1,
    )
    assert not event.is_control_message
    with pytest.raises(EventValidationError, match=r"data\.log_events\[1\]\.message: not JSON"):
        parse(CloudWatchLogsEvent[Order], cloudwatch_logs_event([{"order_id": "a", "quantity": 1}, "START"]))


def test_images_and_keys_become_the_types_named() -> None:
    raw = dynamodb_event(old=None, new={"id": "k", "order_id": "a", "quantity": 2})["Records"][0]
    record = parse(DynamoDBRecord[Order, Key], raw)
    assert (record.new_image, record.old_image, record.keys) == (Order(order_id="a", quantity=2), None, {"id": "k"})
    plain = parse(DynamoDBRecord, raw)
    assert plain.new_image == {"id": "k", "order_id": "a", "quantity": Decimal(2)}
    with pytest.raises(EventValidationError, match=r"new_image\.quantity: Input should be a valid integer"):
        parse(DynamoDBRecord[Order], dynamodb_event(new={"order_id": "a", "quantity": Decimal("1.5")})["Records"][0])


@pytest.mark.parametrize(
    ("attribute", "plain"),
    [
        ({"S": "x"}, "x"),
        ({"N": "12345678901234567890123456789012345678"}, Decimal(12345678901234567890123456789012345678)),
        ({"B": "aGk="}, b"hi"),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"L": [{"S": "x"}, {"N": "1"}]}, ["x", Decimal(1)]),
        ({"M": {"a": {"M": {}}}}, {"a": {}}),
        ({"SS": ["a", "b"]}, {"a", "b"}),
        ({"NS": ["1", "2.5"]}, {Decimal(1), Decimal("2.5")}),
        ({"BS": ["aGk="]}, {b"hi"}),
    ],
)
def test_attribute_values_become_python_values_and_back(attribute: dict[str, Any], plain: Any) -> None:
    from handlerkit.events.attribute_values import from_attribute_value, to_attribute_value

    assert from_attribute_value(attribute) == plain
    assert to_attribute_value(plain) == attribute


@pytest.mark.parametrize(
    "wrong",
    [{"S": 1}, {"N": "x"}, {"X": "y"}, {"S": "a", "N": "1"}, {}, "x", {"L": {}}, {"M": []}, {"B": "%"}, {"BOOL": 5}],
)
def test_what_is_no_attribute_value_is_refused(wrong: Any) -> None:
    with pytest.raises(EventValidationError, match="new_image"):
        parse(DynamoDBRecord[dict[str, Any]], {"dynamodb": {"NewImage": {"a": wrong}}})


def test_an_expired_item_is_told_from_a_removed_one() -> None:
    raw = dynamodb_event(old={"id": "k"})["Records"][0]
    assert not parse(DynamoDBRecord, raw).is_expiry
    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert parse(DynamoDBRecord, raw | {"userIdentity": identity}).is_expiry


def test_a_detail_as_text_is_an_object_after_all() -> None:
    event = parse(ScheduledEvent, scheduled_event() | {"source": "aws.scheduler", "detail": "{}"})
    assert (event.detail, event.rule_arn) == ({}, "arn:aws:events:eu-central-1:123456789012:rule/nightly")
    assert parse(ScheduledEvent, scheduled_event() | {"resources": []}).rule_arn is None
    with pytest.raises(EventValidationError, match=r"another kind, eventbridge:com\.example"):
        parse(ScheduledEvent, eventbridge_event({}))


def test_s3_by_way_of_eventbridge_has_plain_keys() -> None:
    detail = {"bucket": {"name": "b"}, "object": {"key": "a+b", "version-id": "v"}, "reason": "PutObject"}
    event = parse(S3EventBridgeEvent, eventbridge_event(detail, source="aws.s3", detail_type="Object Created"))
    thing = event.detail.object
    assert (thing.key, thing.version_id, thing.size, event.detail.reason) == ("a+b", "v", None, "PutObject")


def test_the_test_message_of_s3_is_recognised() -> None:
    event = parse(SqsEvent[S3Event], sqs_event([{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}]))
    assert event.records[0].body.is_test
    assert len(event.records[0].body) == 0


def test_sequencers_order_the_events_of_one_key() -> None:
    def thing(sequencer: str | None) -> Any:
        return S3Event({"Records": [{"s3": {"object": {"sequencer": sequencer}}}]}).records[0].s3.object

    assert thing("0055AED6DCD90281E5").is_before(thing("0055aed6dcd90281e6"))
    assert thing("0055").is_before(thing("00550001"))
    assert not thing("00550").is_before(thing("0055"))
    assert not thing(None).is_before(thing("1"))


@pytest.mark.parametrize(
    ("encoded", "plain"),
    [
        ("a+b%2Bc", "a b+c"),
        ("%C3%A9/%E2%82%AC", "é/€"),
        ("100%", "100%"),
        ("%25%2525", "%%25"),
        ("%zz%4", "%zz%4"),
        ("ü%20", "ü "),
        ("%ff", "\ufffd"),
    ],
)
def test_keys_are_decoded_as_forms_are(encoded: str, plain: str) -> None:
    assert unquote_plus(encoded) == plain


def test_no_adapter_is_built_twice_while_it_is_in_use() -> None:
    first, second = SqsRecord[list[Order]], SnsNotification[list[Order]]
    readers = [first._fields["body"].reader, second._fields["message"].reader]  # type: ignore[attr-defined]
    assert readers == [reader_of(list[Order])] * 2
    assert reader_of(Order).validator is Order.__pydantic_validator__  # type: ignore[attr-defined]
    assert isinstance(reader_of(Annotated[int, [1]]), ModelReader)  # metadata that cannot be hashed
    assert SqsRecord[Annotated[int, pydantic.Field(gt=0)]]({"body": "1"}).body == 1


BodyT = TypeVar("BodyT", default=str)


class Request(View, Generic[BodyT], payloads=(str,)):
    """An HTTP event, as its sources declare the body."""

    body: Payload[BodyT] = body_payload()


def test_the_body_of_a_request_is_text_or_base64_as_the_request_says() -> None:
    order = base64.b64encode(b'{"order_id": "a", "quantity": 1}').decode()
    assert parse(Request, {"body": "text", "isBase64Encoded": False}).body == "text"
    assert parse(Request[bytes], {"body": "AP8=", "isBase64Encoded": True}).body == b"\x00\xff"
    assert parse(Request[Order], {"body": order, "is_base64_encoded": "true"}).body.quantity == 1
    assert parse(Request[Order], {"body": {"order_id": "a", "quantity": 1}}).body.quantity == 1
    assert parse(Request, {"body": None}).body == ""
    with pytest.raises(EventValidationError, match=r"Request\[Order\]: body: not base64"):
        parse(Request[Order], {"body": "%", "isBase64Encoded": True})


@pytest.mark.parametrize(
    ("kind", "text", "decoded"),
    [
        ("String", "x", "x"),
        ("Binary", "aGk=", b"hi"),
        ("String.Array", '["a", 1]', ["a", 1]),
        ("Number", "-7", -7),
        ("Number", "1.5", 1.5),
    ],
)
def test_an_attribute_of_a_notification_is_decoded_by_its_type(kind: str, text: str, decoded: Any) -> None:
    notification = SnsNotification({"MessageAttributes": {"a": {"Type": kind, "Value": text}}})
    assert notification.message_attributes["a"].decoded == decoded


@pytest.mark.parametrize(("kind", "text"), [("Binary", "%"), ("String.Array", "["), ("Number", "many")])
def test_an_attribute_that_is_not_of_its_type_raises_when_it_is_decoded(kind: str, text: str) -> None:
    notification = SnsNotification({"MessageAttributes": {"a": {"Type": kind, "Value": text}}})
    with pytest.raises(EventFieldError, match=f"not a value of type {kind}"):
        _ = notification.message_attributes["a"].decoded


def test_a_bare_array_of_records_is_a_list_of_views() -> None:
    pipes = sqs_event([{"order_id": "a", "quantity": 1}])["Records"]
    assert parse(list[SqsRecord[Order]], pipes)[0].body.quantity == 1
    with pytest.raises(EventValidationError, match=r"body\.order_id: Field required"):
        parse(list[SqsRecord[Order]], sqs_event(["{}"])["Records"])


class Listed(View, Generic[BodyT], payloads=(str,)):
    """Every way to hold generic views."""

    one: Field[Request[BodyT]] = view("one", Request[BodyT])
    perhaps: Field[Request[BodyT] | None] = maybe_view("perhaps", Request[BodyT])
    many: Field[tuple[Request[BodyT], ...]] = views("many", Request[BodyT])
    named: Field[dict[str, Request[BodyT]]] = view_map("named", Request[BodyT])
    grouped: Field[dict[str, tuple[Request[BodyT], ...]]] = view_lists("grouped", Request[BodyT])


@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda raw: {"one": raw}, "one.body"),
        (lambda raw: {"perhaps": raw}, "perhaps.body"),
        (lambda raw: {"many": [raw]}, "many[0].body"),
        (lambda raw: {"named": {"k": raw}}, "named['k'].body"),
        (lambda raw: {"grouped": {"topic-0": [raw]}}, "grouped['topic-0'][0].body"),
    ],
)
def test_payloads_are_validated_wherever_generic_views_are_held(wrap: Any, path: str) -> None:
    one = {"one": {"body": "5"}}
    assert "7" in str(parse(Listed[int], one | wrap({"body": "7"})).raw)
    with pytest.raises(EventValidationError) as caught:
        parse(Listed[int], one | wrap({"body": "x"}))
    assert [problem.path for problem in caught.value.problems] == [path]
    assert caught.value.source == "Listed[int]"
