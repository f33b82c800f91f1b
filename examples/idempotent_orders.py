"""An SQS queue of orders, each charged once, however often its message comes.

SQS delivers at least once. Run as a program, this polls a queue for the function in the local Lambda, with DynamoDB as
its memory, and delivers every order four times: twice in one batch; once more because the process dies after its work,
before its answer; and once more in a batch of its own. It counts what was charged.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.idempotency import DynamoDBStore, Idempotency, jmespath

FOLDER = Path(os.environ.get("ORDERS_FOLDER", "."))
SEEN = Idempotency(DynamoDBStore("orders-seen"), key=jmespath("body.order"), name="charge")


@batch_handler(idempotency=SEEN)
def charge(record: SqsRecord[dict[str, str]]) -> None:
    """Charge one order: an effect that nobody wants twice."""
    with (FOLDER / "charged.txt").open("a") as charged:
        charged.write(f"{record.body['order']}\n")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Charge the orders of a batch. The first time, die before anybody hears of it: the whole batch comes again."""
    with (FOLDER / "delivered.txt").open("a") as delivered:
        delivered.write(f"{len(event['Records'])}\n")
    answer = charge(event, context)
    is_first = FOLDER / "is_first"
    if is_first.exists():
        is_first.unlink()
        os._exit(1)  # as a timeout would, or a lost machine
    return answer


def main() -> int:
    """Deliver duplicates on purpose; return 1 if one of them was charged."""
    from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock

    orders = [f"order-{number}" for number in range(5)]
    clock = ManualClock()  # a minute of waiting takes none
    with tempfile.TemporaryDirectory() as folder, EmbeddedAws(clock=clock) as aws:
        (Path(folder) / "is_first").touch()
        aws.client("dynamodb").create_table(
            TableName="orders-seen",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        sqs = aws.client("sqs")
        queue = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]

        def send(some: list[str]) -> None:
            for order in some:
                sqs.send_message(QueueUrl=queue, MessageBody=f'{{"order": "{order}"}}')

        function = FunctionConfiguration(
            name="orders",
            handler="idempotent_orders.handler",
            task_root=Path(__file__).resolve().parent,
            timeout_s=10,
            environment={"ORDERS_FOLDER": folder, **aws.environment},
        )
        with LocalLambda(function, clock=clock, aws=aws.clients) as local:
            send([*orders, *orders])
            local.create_event_source_mapping(
                "orders", attributes["QueueArn"], function_response_types=["ReportBatchItemFailures"]
            )
            clock.run_until_quiet()
            send(orders)
            clock.run_until_quiet()
        delivered = (Path(folder) / "delivered.txt").read_text().split()
        charged = (Path(folder) / "charged.txt").read_text().split()
    print(f"messages in each batch: {' '.join(delivered)}")
    print(f"charged: {' '.join(charged)}")
    return 0 if sorted(charged) == orders and sum(map(int, delivered)) > 2 * len(orders) else 1


if __name__ == "__main__":
    sys.exit(main())
