"""The same queue, typed, as a user of aws-lambda-powertools writes it: its parser with its envelope models."""

from aws_lambda_powertools.utilities.parser import BaseModel, event_parser
from aws_lambda_powertools.utilities.parser.models import SqsModel, SqsRecordModel
from pydantic import Json


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    quantity: int


class OrderRecord(SqsRecordModel):
    """A message with an order in it."""

    body: Json[Order]


class OrderEvent(SqsModel):
    """A batch of them."""

    Records: list[OrderRecord]


@event_parser(model=OrderEvent)
def orders(event: OrderEvent, _context: object) -> dict[str, int]:
    """Count what was ordered."""
    return {"quantity": sum(record.body.quantity for record in event.Records)}
