"""An SQS queue of orders, each charged once, however often its message comes.

SQS delivers at least once. Run as a program, this delivers every message twice to the function in the local Lambda,
in one batch and in another process afterwards, and counts what was charged.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.idempotency import Idempotency, SQLiteStore, jmespath

# On AWS: DynamoDBStore("orders-seen"). A file does for one machine.
FOLDER = Path(os.environ.get("ORDERS_FOLDER", tempfile.gettempdir()))
SEEN = Idempotency(SQLiteStore(FOLDER / "orders-seen.db"), key=jmespath("body"), name="charge")


@batch_handler(idempotency=SEEN)
def handler(record: SqsRecord[str]) -> None:
    """Charge one order: an effect that nobody wants twice."""
    with (FOLDER / "charged.txt").open("a") as charged:
        charged.write(f"{record.body}\n")


def main() -> int:
    """Deliver duplicates on purpose; return 1 if one of them was charged."""
    from handlerkit.testing import sqs_event
    from lambda_emulator import FunctionConfiguration, LocalLambda

    orders = [f"order-{number}" for number in range(5)]
    batches: list[dict[str, Any]] = [sqs_event([*orders, *orders]), sqs_event(orders)]
    with tempfile.TemporaryDirectory() as folder:
        for batch in batches:
            function = FunctionConfiguration(
                name="orders",
                handler="idempotent_orders.handler",
                task_root=Path(__file__).resolve().parent,
                environment={"ORDERS_FOLDER": folder},
            )
            local = LocalLambda(function)
            try:
                answer = local.invoke("orders", batch)
            finally:
                local.close()
            print(f"{len(batch['Records'])} messages delivered: {answer.payload.decode()}")
        charged = (Path(folder) / "charged.txt").read_text().split()
    print(f"charged: {' '.join(charged)}")
    return 0 if charged == orders else 1


if __name__ == "__main__":
    sys.exit(main())
