"""A queue of orders, a function that works it off in batches, and a dead-letter queue, all on this machine.

One message is no order (poison), one comes twice (a duplicate, as SQS allows). Run as a program, this sends six
messages, lets the time pass that four visibility timeouts take, and shows what became of each.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from pydantic import BaseModel

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.idempotency import Idempotency, SQLiteStore

# On AWS: DynamoDBStore("orders-seen"). A file does for one machine.
FOLDER = Path(os.environ.get("ORDERS_FOLDER", tempfile.gettempdir()))
SEEN = Idempotency(SQLiteStore(FOLDER / "orders-seen.db"), key=lambda order: order.body.order_id, name="charge")


class Order(BaseModel):
    """What a message has to be."""

    order_id: str
    total: float


@batch_handler(idempotency=SEEN)
def handler(record: SqsRecord[Order]) -> None:
    """Charge one order; what is no order fails alone."""
    order = record.body
    with (FOLDER / "charged.txt").open("a") as charged:
        charged.write(f"{order.order_id} {order.total:.2f}\n")


MESSAGES = [
    '{"order_id": "A-1", "total": 12.5}',
    '{"order_id": "A-2", "total": 8}',
    '{"order_id": "A-2", "total": 8}',
    "two books, please",
    '{"order_id": "A-3", "total": 99.9}',
    '{"order_id": "A-4", "total": 1}',
]


def main() -> int:
    """Deliver and narrate; return 1 if something was charged twice or got lost."""
    with tempfile.TemporaryDirectory(prefix="orders-") as folder:
        charged, dead, attempts = deliver(Path(folder))
    print(f"\ncharged: {', '.join(charged)}")
    print(f"dead:    {', '.join(dead)}, after {attempts} attempts")
    return int(charged != ["A-1 12.50", "A-2 8.00", "A-3 99.90", "A-4 1.00"] or dead != ["two books, please"])


def deliver(folder: Path) -> tuple[list[str], list[str], int]:
    """What was charged, what is dead, and how often the function was called."""
    from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock

    function = FunctionConfiguration(
        name="orders",
        handler="examples/order_queue.handler",
        task_root=Path(__file__).resolve().parent.parent,
        environment={"ORDERS_FOLDER": str(folder)},
        timeout_s=10,
    )
    clock = ManualClock()
    with EmbeddedAws(clock=clock) as aws, LocalLambda(function, clock=clock, aws=aws.clients) as service:
        sqs = aws.client("sqs")
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        queue = sqs.create_queue(QueueName="orders", Attributes=queue_attributes())["QueueUrl"]
        service.create_event_source_mapping(
            "orders",
            "arn:aws:sqs:us-east-1:123456789012:orders",
            function_response_types=["ReportBatchItemFailures"],
        )
        for body in MESSAGES:
            sqs.send_message(QueueUrl=queue, MessageBody=body)
            print(f"sent:    {body}")
        passed = clock.run_until_quiet()  # no real time: the clock is ours
        print(f"\npassed:  {passed} of the queue's time, none of yours")
        letters = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
        attempts = int(service.metrics.sum("Invocations", function="orders"))
    return (folder / "charged.txt").read_text().splitlines(), [letter["Body"] for letter in letters], attempts


def queue_attributes() -> dict[str, str]:
    """Three attempts, thirty seconds apart; then the dead-letter queue."""
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 3}
    return {"VisibilityTimeout": "30", "RedrivePolicy": json.dumps(policy)}


if __name__ == "__main__":
    sys.exit(main())
