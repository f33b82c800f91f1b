"""A queue of orders, each taken once, as a user of handlerkit writes it."""

from pydantic import BaseModel

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.idempotency import DynamoDBStore, Idempotency


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    quantity: int


SEEN = Idempotency(DynamoDBStore("ours"), key=lambda record: record.body.order_id)


@batch_handler(idempotency=SEEN)
def orders(record: SqsRecord[Order]) -> None:
    """Look at the order, no more."""
    assert record.body.quantity
