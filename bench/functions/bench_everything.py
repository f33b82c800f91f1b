"""A queue of orders, each taken once, logged, counted and traced, as a user of handlerkit writes it."""

from pydantic import BaseModel

from handlerkit import batch_handler, get_logger, metrics
from handlerkit.events import SqsRecord
from handlerkit.idempotency import DynamoDBStore, Idempotency


class Order(BaseModel):
    """The body of a message."""

    order_id: str
    quantity: int


log = get_logger()
metrics.configure(namespace="Shop", service="orders", cold_start=True)
SEEN = Idempotency(DynamoDBStore("ours"), key=lambda record: record.body.order_id)


@batch_handler(idempotency=SEEN)
def orders(record: SqsRecord[Order]) -> None:
    """Take an order, say so, count it."""
    log.info("order.received", order_id=record.body.order_id)
    metrics.add("orders", 1, "Count")
