"""The shop's queue: each order is booked once; what cannot be booked is tried again, and then put aside."""

import os

import boto3
from pydantic import BaseModel

from handlerkit import batch_handler
from handlerkit.events import SqsRecord

table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


class Order(BaseModel):
    """What a message holds."""

    id: str
    article: str
    quantity: int


@batch_handler
def handler(record: SqsRecord[Order]) -> None:
    """Book one order."""
    order = record.body
    if order.quantity > 10:
        raise ValueError(f"{order.quantity} × {order.article} is more than there are")
    table.put_item(Item=order.model_dump())
    print(f"booked {order.quantity} × {order.article}")
