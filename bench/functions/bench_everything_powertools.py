"""The same queue, with the same said and counted, as a user of aws-lambda-powertools writes it."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.parser import BaseModel
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import Json


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    quantity: int


class OrderRecord(SqsRecordModel):
    """A message with an order in it."""

    body: Json[Order]


log = Logger(service="orders")
metrics = Metrics(namespace="Shop", service="orders")
tracer = Tracer(service="orders")
processor = BatchProcessor(event_type=EventType.SQS, model=OrderRecord)
layer = DynamoDBPersistenceLayer(table_name="theirs")
config = IdempotencyConfig(event_key_jmespath="order_id")


def take(record: OrderRecord) -> None:
    """Hand the order over; a record as a whole differs from delivery to delivery."""
    take_order(order=record.body)


@idempotent_function(data_keyword_argument="order", persistence_store=layer, config=config)
def take_order(order: Order) -> None:
    """Take an order, say so, count it."""
    log.info("order.received", order_id=order.order_id)
    metrics.add_metric("orders", "Count", 1)


@log.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def orders(event: dict[str, object], context: object) -> object:
    """Take each of them."""
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
