"""An order that is placed once, as a user of handlerkit writes it."""

from typing import Any

from handlerkit import event_handler
from handlerkit.idempotency import DynamoDBStore, Idempotency


@event_handler(idempotency=Idempotency(DynamoDBStore("ours"), key=lambda event: event["order_id"]))
def place(event: dict[str, Any]) -> dict[str, Any]:
    """Place the order."""
    return {"placed": event["order_id"]}
