"""The same queue, taken one by one, as a user of aws-lambda-powertools writes it."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
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


processor = BatchProcessor(event_type=EventType.SQS, model=OrderRecord)


def take(record: OrderRecord) -> None:
    """Look at the order, no more."""
    assert record.body.quantity


def orders(event: dict[str, object], context: object) -> object:
    """Take each of them."""
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
