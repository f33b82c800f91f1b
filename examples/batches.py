"""Batches, one function per source: each takes one record, and the handler answers for all of them.

handlerkit invoke examples/batches.orders --event examples/events/batch_sqs.json
"""

from pydantic import BaseModel

from handlerkit import DropRecord, RetryRecord, batch_handler
from handlerkit.events import DynamoDBRecord, FirehoseRecord, KafkaRecord, KinesisRecord, S3BatchTask, SqsRecord


class Order(BaseModel):
    """What a message holds."""

    article: str
    quantity: int


class Reading(BaseModel):
    """What a sensor sends."""

    sensor: str
    celsius: float


class Customer(BaseModel):
    """An item of a table."""

    id: str
    name: str


def reserve(order: Order) -> None:
    """Take the order's articles out of the stock, or raise."""
    if order.quantity > 3:
        raise ValueError(f"{order.quantity} × {order.article} wanted, 3 there")


@batch_handler
def orders(record: SqsRecord[Order]) -> None:
    """SQS, standard or FIFO: what failed is reported, of a message group also what follows."""
    reserve(record.body)


@batch_handler
def readings(record: KinesisRecord[Reading]) -> None:
    """Kinesis: the first failure ends the batch, and it comes again from there."""
    if record.data.celsius > 100:
        raise ValueError("boiling")


@batch_handler(ordering="key", max_workers=4)
async def customers(record: DynamoDBRecord[Customer]) -> None:
    """DynamoDB Streams: four customers at once, the changes of each in order."""
    if record.event_name == "REMOVE":
        raise DropRecord("nothing to do")
    if record.new_image is None or not record.new_image.name:
        raise ValueError("no name yet")


@batch_handler
def payments(record: KafkaRecord[str, Order]) -> None:
    """Kafka: a failure ends its partition."""
    if record.value is not None:
        reserve(record.value)


@batch_handler
def lines(record: FirehoseRecord[Reading]) -> object:
    """Firehose: what is returned is delivered, what is dropped is left out."""
    if record.data.celsius < -273.15:
        raise DropRecord("no such temperature")
    return record.ok(f"{record.data.sensor},{record.data.celsius}\n", partition_keys={"sensor": record.data.sensor})


@batch_handler
def objects(task: S3BatchTask) -> str:
    """S3 Batch Operations: what is returned goes into the job's report."""
    if task.s3_key.endswith(".part"):
        raise RetryRecord("still being written")
    return f"looked at {task.bucket}/{task.s3_key}"
