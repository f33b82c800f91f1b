"""Orders from a queue, each charged once however often its message comes."""

import os

from pydantic import BaseModel

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.idempotency import DynamoDBStore, Idempotency

SEEN = Idempotency(DynamoDBStore(os.environ["ORDERS_SEEN"]), key=lambda record: record.body.order_id, name="charge")


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    total: float


@batch_handler(idempotency=SEEN)
def handler(record: SqsRecord[Order]) -> None:
    """Charge one order."""
    print(f"charged {record.body.order_id}: {record.body.total:.2f}")
