"""An SQS queue of orders, typed: bodies are validated before the handler runs."""

from pydantic import BaseModel, Field

from handlerkit import event_handler
from handlerkit.events import SqsEvent


class Order(BaseModel):
    """What stands in a message."""

    article: str
    quantity: int = Field(gt=0)


@event_handler
def handler(event: SqsEvent[Order]) -> dict[str, int]:
    """Add the orders up by article."""
    totals: dict[str, int] = {}
    for record in event:
        totals[record.body.article] = totals.get(record.body.article, 0) + record.body.quantity
    return totals
