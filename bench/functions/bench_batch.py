"""A queue of orders, taken one by one, as a user of handlerkit writes it."""

from pydantic import BaseModel

from handlerkit import batch_handler
from handlerkit.events import SqsRecord


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    quantity: int


@batch_handler
def orders(record: SqsRecord[Order]) -> None:
    """Look at the order, no more."""
    assert record.body.quantity
