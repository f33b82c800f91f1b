"""A DynamoDB table's changes, typed: images are the user's own model, numbers are exact."""

from decimal import Decimal

from pydantic import BaseModel

from handlerkit import event_handler
from handlerkit.events import DynamoDBEvent


class Item(BaseModel):
    """A row of the table."""

    id: str
    price: Decimal


@event_handler
def handler(event: DynamoDBEvent[Item]) -> list[str]:
    """Say what has become dearer."""
    return [
        f"{record.new_image.id}: {record.old_image.price} → {record.new_image.price}"
        for record in event
        if record.old_image and record.new_image and record.new_image.price > record.old_image.price
    ]
