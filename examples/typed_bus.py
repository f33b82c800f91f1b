"""An EventBridge bus, typed: the detail is a dataclass."""

from dataclasses import dataclass

from handlerkit import event_handler
from handlerkit.events import EventBridgeEvent


@dataclass
class OrderPlaced:
    """The detail of `Order Placed`."""

    order_id: str
    total: float


@event_handler
def handler(event: EventBridgeEvent[OrderPlaced]) -> str:
    """Confirm the order."""
    return f"{event.detail_type}: {event.detail.order_id} for {event.detail.total:.2f}"
