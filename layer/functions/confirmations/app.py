"""Confirms an order that was placed, on a managed runtime."""

from pydantic import BaseModel

from handlerkit import event_handler
from handlerkit.events import EventBridgeEvent


class OrderPlaced(BaseModel):
    """The detail of the event."""

    order_id: str
    total: float


@event_handler
def handler(event: EventBridgeEvent[OrderPlaced]) -> str:
    """Return the confirmation."""
    return f"{event.detail.order_id}: {event.detail.total:.2f}, thank you"
