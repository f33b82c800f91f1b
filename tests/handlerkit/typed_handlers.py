# mypy: ignore-errors
"""Handlers as users write them, for the type checker only. `# expect:` marks a line that must be refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypedDict, assert_type

from pydantic import BaseModel

from handlerkit import event_handler
from handlerkit.events import (
    CloudWatchLogsEvent,
    Decoder,
    DynamoDBEvent,
    DynamoDBRecord,
    EventBridgeEvent,
    KinesisEvent,
    S3Event,
    S3EventBridgeEvent,
    ScheduledEvent,
    SnsEvent,
    SnsNotification,
    SqsEvent,
    SqsRecord,
    detect,
    parse,
)
from handlerkit.testing import FakeContext, sqs_event


class Order(BaseModel):
    order_id: str
    quantity: int


@dataclass
class Reading:
    value: float


class Key(TypedDict):
    id: str


@event_handler
def orders(event: SqsEvent[Order], context: FakeContext) -> int:
    for record in event:
        assert_type(record, SqsRecord[Order])
        assert_type(record.body, Order)
        assert_type(record.attributes.sent_timestamp, datetime | None)
        assert_type(record.attributes.approximate_receive_count, int)
        record.body.colour  # expect: attr-defined
        record.messageId  # expect: attr-defined
        record.message_id = "x"  # expect: assignment
    return len(event.records)


assert_type(orders.func(parse(SqsEvent[Order], b"{}"), FakeContext()), int)
orders.func("no event", FakeContext())  # expect: arg-type


@event_handler
def uploads(event: SqsEvent[SnsNotification[S3Event]]) -> list[str]:
    return [upload.key for record in event for upload in record.body.message]


@event_handler(prepare=lambda raw: raw, answer_bad_requests=False)
def text_only(event: SqsEvent) -> str:
    assert_type(event.records[0].body, str)
    event.records[0].body.order_id  # expect: attr-defined
    return event.records[0].body


@event_handler(unknown=True)  # expect: call-overload untyped-decorator
def unknown_option(event: SqsEvent) -> None: ...


@event_handler
async def readings(event: KinesisEvent[Reading]) -> float:
    assert_type(event.records[0].data, Reading)
    assert_type(event.records[0].sub_sequence_number, int | None)
    return sum(record.data.value for record in event)


@event_handler
def raw_readings(event: KinesisEvent) -> bytes:
    assert_type(event.is_final_invoke_for_window, bool)
    return event.records[0].data


@event_handler
def changes(event: DynamoDBEvent[Order, Key]) -> None:
    for change in event:
        assert_type(change, DynamoDBRecord[Order, Key])
        assert_type(change.new_image, Order | None)
        assert_type(change.keys, Key)
        change.new_image.quantity  # expect: union-attr


@event_handler
def plain_changes(event: DynamoDBEvent) -> None:
    assert_type(event.records[0].old_image, dict[str, Any] | None)
    assert_type(event.records[0].keys, dict[str, Any])


@event_handler
def placed(event: EventBridgeEvent[Order] | SnsEvent[Order] | S3Event) -> str:
    if isinstance(event, S3Event):
        assert_type(event.records[0].s3.object.size, int | None)
        return event.records[0].bucket
    if isinstance(event, SnsEvent):
        return event.records[0].message.order_id
    assert_type(event.time, datetime | None)
    return event.detail.order_id


@event_handler
def stored(event: S3EventBridgeEvent) -> str:
    return event.detail.object.key


@event_handler
def nightly(event: ScheduledEvent) -> str | None:
    return event.rule_arn


@event_handler
def lines(event: CloudWatchLogsEvent) -> list[str]:
    return [line.message for line in event]


@event_handler
def decoded(event: SqsEvent[Annotated[Decimal, Decoder(Decimal)]]) -> Decimal:
    return event.records[0].body


assert_type(detect({}), str)
parse(SqsEvent[Order], sqs_event([])).records[0].body.quantity + "one"  # expect: operator
SqsRecord[Order, int]  # expect: misc
