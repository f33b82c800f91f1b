"""Brokers, change streams and transformations: what they do beyond declaring fields."""

import datetime
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest

from handlerkit.events import (
    ActiveMQEvent,
    CloudWatchLogsData,
    Decoder,
    DocumentDBChange,
    DocumentDBEvent,
    EventFieldError,
    EventValidationError,
    FirehoseEvent,
    FirehoseRecord,
    KafkaEvent,
    KafkaRecord,
    KinesisAnalyticsEvent,
    RabbitMQEvent,
    RabbitMQMessage,
    detect,
    parse,
)
from handlerkit.events.amazon_mq import RabbitMQProperties
from handlerkit.events.extended_json import from_extended_json
from handlerkit.events.sqs import SqsMessageAttribute
from handlerkit.testing import (
    activemq_event,
    cloudwatch_logs_event,
    documentdb_event,
    firehose_event,
    kafka_event,
    rabbitmq_event,
)


class Order(pydantic.BaseModel):
    """A payload."""

    order_id: str
    quantity: int = 1


ORDER = {"order_id": "a", "quantity": 2}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (kafka_event(["x"]), "kafka.msk"),
        (kafka_event(["x"], self_managed=True), "kafka.self_managed"),
        (activemq_event(["x"]), "mq.activemq"),
        (rabbitmq_event(["x"]), "mq.rabbitmq"),
        (documentdb_event({"a": 1}), "documentdb"),
        (firehose_event(["x"]), "firehose"),
        (firehose_event(["x"], source="kinesis"), "firehose"),
        (firehose_event(["x"], source="msk"), "firehose.msk"),
    ],
)
def test_a_made_event_is_detected_as_what_it_is_made_for(event: dict[str, Any], kind: str) -> None:
    assert detect(event) == kind


def test_keys_and_values_of_kafka_become_the_types_named() -> None:
    event = parse(KafkaEvent[str, Order], kafka_event([ORDER, None], keys=["k"], topic="new-orders", partition=3))
    first, second = event
    assert (first.key, first.value) == ("k", Order(order_id="a", quantity=2))
    assert (first.topic, first.partition, first.offset) == ("new-orders", 3, 15)
    assert len(event) == 2
    assert list(event.records) == ["new-orders-3"]
    assert event.bootstrap_servers[1].startswith("b-2.orders")
    assert not event.is_self_managed
    # powertools-lambda-python#6508, powertools-lambda-typescript#4988 and #5016: no key, no value.
    assert (second.key, second.value, second.is_tombstone, first.is_tombstone) == (None, None, True, False)
    null: Any = {"key": None, "value": None}
    assert parse(KafkaRecord[str, Order], null).value is None


def test_values_of_kafka_are_bytes_that_nobody_decodes_early() -> None:
    event = parse(KafkaEvent, kafka_event([b"\x00\x00\x00\x00\x07\xff"]))
    assert next(iter(event)).value == b"\x00\x00\x00\x00\x07\xff"

    def without_registry_prefix(data: bytes) -> bytes:
        return data[5:]

    kind = KafkaRecord[bytes, Annotated[bytes, Decoder(without_registry_prefix)]]
    assert parse(kind, event.records["orders-0"][0].raw).value == b"\xff"


def test_a_wrong_value_of_kafka_is_named_by_partition_and_place() -> None:
    with pytest.raises(EventValidationError) as caught:
        parse(KafkaEvent[str, Order], kafka_event([ORDER, {"quantity": 1}]))
    assert [problem.path for problem in caught.value.problems] == ["records['orders-0'][1].value.order_id"]


@pytest.mark.parametrize(
    ("wire", "headers"),
    [
        ([{"a": [104, 105]}, {"a": [-61, -87]}, {"b": []}], (("a", b"hi"), ("a", b"\xc3\xa9"), ("b", b""))),
        ([{"a": [195, 169]}], (("a", b"\xc3\xa9"),)),
        ([{"a": "aGk="}, {"b": "no base64!"}, {"c": None}], (("a", b"hi"), ("b", b"no base64!"), ("c", b""))),
        ({"a": [104]}, (("a", b"h"),)),
        ([], ()),
        (None, ()),
    ],
)
def test_headers_of_kafka_are_bytes_in_order_with_repeats(wire: Any, headers: Any) -> None:
    assert parse(KafkaRecord, {"topic": "t", "headers": wire}).headers == headers


def test_the_last_header_of_a_name_counts() -> None:
    record = KafkaRecord({"headers": [{"a": [49]}, {"a": [50]}]})
    assert (record.header("a"), record.header("b")) == (b"2", None)
    made = kafka_event(["x"], headers={"trace": b"\xff\x01"})["records"]["orders-0"][0]
    assert made["headers"] == [{"trace": [-1, 1]}]
    assert KafkaRecord(made).header("trace") == b"\xff\x01"


@pytest.mark.parametrize("wire", ["x", ["x"], [{"a": {}}], [{"a": ["x"]}]])
def test_headers_of_kafka_that_are_none_are_refused(wire: Any) -> None:
    with pytest.raises(EventFieldError, match=r"KafkaRecord\.headers"):
        _ = KafkaRecord({"headers": wire}).headers
    with pytest.raises(EventFieldError, match="bootstrap_servers"):
        _ = KafkaEvent({"bootstrapServers": [1]}).bootstrap_servers


def test_an_older_event_of_msk_has_no_servers() -> None:
    assert KafkaEvent({}).bootstrap_servers == []
    assert parse(KafkaEvent, kafka_event([], self_managed=True)).is_self_managed


def test_messages_of_activemq_are_typed_and_tell_where_to_answer() -> None:
    event = parse(ActiveMQEvent[Order], activemq_event([ORDER]))
    (message,) = event
    assert (message.data.quantity, message.destination.physical_name, len(event)) == (2, "orders", 1)
    assert message.reply_to is None  # the broker writes the word "null"
    assert ActiveMQEvent({"messages": [{"replyTo": "answers"}]}).messages[0].reply_to == "answers"
    assert parse(ActiveMQEvent, activemq_event([b"\xff"]) | {"eventSource": "aws:mq"}).messages[0].data == b"\xff"
    with pytest.raises(EventFieldError, match="reply_to"):
        _ = ActiveMQEvent({"messages": [{"replyTo": {}}]}).messages[0].reply_to


def test_messages_of_rabbitmq_come_by_queue() -> None:
    event = parse(RabbitMQEvent[Order], rabbitmq_event([ORDER, ORDER], headers={"trace": "é"}))
    assert [message.data.quantity for message in event] == [2, 2]
    assert (list(event.rmq_messages_by_queue), len(event)) == (["orders::/"], 2)
    properties = event.rmq_messages_by_queue["orders::/"][0].basic_properties
    assert (properties.headers, properties.priority, properties.message_id) == ({"trace": "é"}, None, None)
    assert properties.timestamp == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    with pytest.raises(EventValidationError, match=r"rmq_messages_by_queue\['orders::/'\]\[0\]\.data"):
        parse(RabbitMQEvent[Order], rabbitmq_event(["x"]))
    assert parse(RabbitMQMessage[bytes], rabbitmq_event([b"\x00"])["rmqMessagesByQueue"]["orders::/"][0]).data == b"\0"


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ({"bytes": [104, 105]}, "hi"),
        ({"bytes": [-61, -87]}, "é"),
        ({"bytes": [255]}, b"\xff"),
        ({"bytes": "x"}, {"bytes": "x"}),
        ({"bytes": [1], "more": 2}, {"bytes": [1], "more": 2}),
        ([{"count": 1, "queue": {"bytes": [113]}}], [{"count": 1, "queue": "q"}]),
        (10, 10),
        (None, None),
    ],
)
def test_a_header_of_rabbitmq_is_unwrapped(wire: Any, value: Any) -> None:
    assert RabbitMQProperties({"headers": {"x": wire}}).headers == {"x": value}


def test_headers_of_rabbitmq_may_be_missing_but_not_a_list() -> None:
    assert RabbitMQProperties({"headers": None}).headers == {}
    with pytest.raises(EventFieldError, match="not an object"):
        _ = RabbitMQProperties({"headers": []}).headers


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ({"$oid": "63ee"}, "63ee"),
        ({"$numberLong": "7"}, 7),
        ({"$numberInt": "7"}, 7),
        ({"$numberDouble": "1.5"}, 1.5),
        ({"$numberDecimal": "1.10"}, Decimal("1.10")),
        ({"$date": 1000}, datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.UTC)),
        ({"$date": {"$numberLong": "-1000"}}, datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)),
        ({"$date": "2026-01-01T00:00:00Z"}, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
        ({"$binary": {"base64": "aGk=", "subType": "00"}}, b"hi"),
        ({"$binary": "aGk=", "$type": "00"}, b"hi"),
        ({"$regularExpression": {"pattern": "^a", "options": "i"}}, "^a"),
        ({"$undefined": True}, None),
        ({"$uuid": "u"}, "u"),
        # What only looks so is the user's own.
        ({"$oid": 5}, {"$oid": 5}),
        ({"$numberLong": "many"}, {"$numberLong": "many"}),
        ({"$numberDecimal": "many"}, {"$numberDecimal": "many"}),
        ({"$date": "soon"}, {"$date": "soon"}),
        ({"$date": {}}, {"$date": {}}),
        ({"$date": 10**30}, {"$date": 10**30}),
        ({"$binary": {}}, {"$binary": {}}),
        ({"$oid": "63ee", "more": 1}, {"$oid": "63ee", "more": 1}),
        ({"$timestamp": {"t": 1, "i": 2}}, {"$timestamp": {"t": 1, "i": 2}}),
        ([{"$numberInt": "1"}, "x", None], [1, "x", None]),
    ],
)
def test_extended_json_becomes_plain_values(wire: Any, value: Any) -> None:
    found = from_extended_json({"field": wire})["field"]
    assert found == value
    assert type(found) is type(value)


def test_documents_become_the_types_named() -> None:
    document = {"order_id": "a", "quantity": {"$numberLong": "2"}}
    event = parse(DocumentDBEvent[Order], documentdb_event(document, operation="update"))
    (change,) = event
    assert (change.full_document, len(event)) == (Order(order_id="a", quantity=2), 1)
    assert change.full_document_before_change is None
    assert change.document_key == {"_id": "cfcd208495d565ef66e7dff9"}
    assert (change.ns.db, change.ns.coll, change.operation_type) == ("shop", "orders", "update")
    assert change.cluster_time == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    plain = parse(DocumentDBEvent, documentdb_event({"n": {"$numberDecimal": "1.10"}, "_id": 5})).events[0]
    assert plain.full_document == {"_id": 5, "n": Decimal("1.10")}
    assert parse(DocumentDBEvent[Order], documentdb_event({}, operation="delete")).events[0].full_document is None
    with pytest.raises(EventValidationError, match=r"events\[0\]\.full_document\.order_id: Field required"):
        parse(DocumentDBEvent[Order], documentdb_event({}))
    with pytest.raises(EventValidationError, match="not a document"):
        parse(DocumentDBChange[Order], {"event": {"fullDocument": []}})


def test_a_change_of_a_whole_database_has_neither_collection_nor_key() -> None:
    change = DocumentDBChange({"event": {"operationType": "dropDatabase", "ns": {"db": "d"}, "clusterTime": {}}})
    assert (change.ns.db, change.ns.coll, change.document_key, change.cluster_time) == ("d", "", {}, None)
    assert DocumentDBChange({"event": {"operationType": "invalidate"}}).ns.db == ""
    assert DocumentDBChange({"event": {"clusterTime": "2026-01-01T00:00:00Z"}}).cluster_time is not None
    update = DocumentDBChange({"event": {"updateDescription": {"updatedFields": {"n": {"$numberInt": "1"}}}}})
    assert update.update_description is not None
    assert update.update_description.updated_fields == {"n": 1}
    with pytest.raises(EventFieldError, match="not a document"):
        _ = DocumentDBChange({"event": {"documentKey": []}}).document_key


@pytest.mark.parametrize(("source", "key"), [("direct", "data"), ("kinesis", "data"), ("msk", "kafkaRecordValue")])
def test_results_of_a_transformation_answer_under_the_key_that_was_asked(source: Any, key: str) -> None:
    event = parse(FirehoseEvent[Order], firehose_event([ORDER], source=source))
    (record,) = event
    assert (record.data.quantity, len(event)) == (2, 1)
    sent = record.raw[key]
    assert record.ok() == {"recordId": record.record_id, "result": "Ok", key: sent}
    assert record.ok("é\n")[key] == "w6kK"
    assert record.ok(b"\xff", partition_keys={"year": "2026"}, otf_metadata={"operation": "insert"}) == {
        "recordId": record.record_id,
        "result": "Ok",
        key: "/w==",
        "metadata": {"partitionKeys": {"year": "2026"}, "otfMetadata": {"operation": "insert"}},
    }
    assert record.dropped() == {"recordId": record.record_id, "result": "Dropped", key: sent}
    assert record.failed() == {"recordId": record.record_id, "result": "ProcessingFailed", key: sent}


def test_metadata_of_firehose_may_hold_numbers_as_text_or_nothing() -> None:
    record = FirehoseRecord({"kinesisRecordMetadata": {"subsequenceNumber": ""}, "mskRecordMetadata": {"offset": "7"}})
    assert record.kinesis_record_metadata is not None
    assert record.kinesis_record_metadata.subsequence_number is None
    assert record.msk_record_metadata is not None
    assert record.msk_record_metadata.offset == 7


def test_logs_through_firehose_are_inflated() -> None:
    import base64

    packed = base64.b64decode(cloudwatch_logs_event(["a line"])["awslogs"]["data"])
    event = parse(FirehoseEvent[CloudWatchLogsData], firehose_event([packed]))
    assert event.records[0].data.log_events[0].message == "a line"


def test_results_of_an_analytics_application_name_the_record() -> None:
    raw = {
        "invocationId": "i",
        "applicationArn": "a",
        "records": [{"recordId": "1", "data": "aGk=", "lambdaDeliveryRecordMetadata": {"retryHint": "2"}}],
    }
    event = parse(KinesisAnalyticsEvent[str], raw)
    (record,) = event
    assert (record.data, len(event), event.stream_arn) == ("hi", 1, None)
    assert record.lambda_delivery_record_metadata is not None
    assert record.lambda_delivery_record_metadata.retry_hint == 2
    assert record.ok() == {"recordId": "1", "result": "Ok", "data": "aGk="}
    assert record.ok("ho")["data"] == "aG8="
    assert record.dropped()["result"] == "Dropped"
    assert record.failed()["result"] == "ProcessingFailed"
    assert record.delivery_failed() == {"recordId": "1", "result": "DeliveryFailed"}


def test_a_placeholder_for_bytes_is_passed_over_unless_the_attribute_is_binary() -> None:
    def attribute(raw: dict[str, Any]) -> SqsMessageAttribute:
        return SqsMessageAttribute(raw)

    assert attribute({"dataType": "Number", "binaryValue": "base64Str"}).binary_value is None
    assert attribute({"dataType": "Binary.png", "binaryValue": "aGk="}).binary_value == b"hi"
    assert attribute({"dataType": "Binary"}).binary_value is None
    with pytest.raises(EventFieldError, match=r"SqsMessageAttribute\.binary_value .*not base64"):
        _ = attribute({"dataType": "Binary", "binaryValue": "base64Str"}).binary_value
