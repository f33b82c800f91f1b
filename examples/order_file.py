"""Orders come as a file in a bucket: one function puts its lines into a queue, another charges them in batches.

What is no order (poison) ends in a dead-letter queue, and what comes twice is charged once. `demo.py` runs it here; on
AWS the same two functions have the same two triggers.
"""

import os
from functools import cache

import boto3
from pydantic import BaseModel

from handlerkit import batch_handler, event_handler
from handlerkit.events import S3Event, SqsRecord
from handlerkit.idempotency import DynamoDBStore, Idempotency


@cache
def client(service):
    """A boto3 client, made when it is first needed."""
    return boto3.client(service)


@event_handler
def read_file(event: S3Event) -> None:
    """Put each line of an uploaded file into the queue."""
    for record in event:
        body = client("s3").get_object(Bucket=record.bucket, Key=record.key)["Body"]
        lines = body.read().decode().splitlines()
        for line in lines:
            client("sqs").send_message(QueueUrl=os.environ["ORDERS_QUEUE"], MessageBody=line)
        print(f"{record.key!r} had {len(lines)} lines, each is a message now")


class Order(BaseModel):
    """What a message has to be."""

    order_id: str
    total: float


SEEN = Idempotency(DynamoDBStore("orders-seen"), key=lambda record: record.body.order_id, name="charge")


@batch_handler(idempotency=SEEN)
def charge(record: SqsRecord[Order]) -> None:
    """Charge one order; what is no order fails alone."""
    order = record.body
    client("sqs").send_message(QueueUrl=os.environ["PAYMENTS_QUEUE"], MessageBody=f"{order.order_id} {order.total:.2f}")
    print(f"charged {order.order_id}: {order.total:.2f}")
