"""A queue of orders, typed, as a user of handlerkit writes it."""

from pydantic import BaseModel

from handlerkit import event_handler
from handlerkit.events import SqsEvent


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    quantity: int


@event_handler
def orders(event: SqsEvent[Order]) -> dict[str, int]:
    """Count what was ordered."""
    return {"quantity": sum(record.body.quantity for record in event)}
