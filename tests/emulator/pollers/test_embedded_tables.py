"""Tables of the embedded AWS keep what several callers write at once, as DynamoDB's do."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from lambda_emulator.embedded_aws import EmbeddedAws

WRITES = 20


def test_a_cancelled_transaction_takes_nobody_elses_writes_with_it(aws: EmbeddedAws, unique: str) -> None:
    client = aws.client("dynamodb")
    table = f"table-{unique}"
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def put(name: str, **condition: str) -> dict[str, Any]:
        return {"TableName": table, "Item": {"id": {"S": name}}, **condition}

    client.put_item(**put("taken"))
    free = "attribute_not_exists(id)"

    def write(number: int) -> None:
        client.put_item(**put(f"written-{number}"))

    def cancel(number: int) -> None:
        with suppress(ClientError):
            parts = [put(f"never-{number}-{part}", ConditionExpression=free) for part in range(20)]
            client.transact_write_items(
                TransactItems=[{"Put": one} for one in [*parts, put("taken", ConditionExpression=free)]]
            )

    with ThreadPoolExecutor(4) as pool:
        for step in [pool.submit(each, number) for number in range(WRITES) for each in (cancel, write)]:
            step.result(60)
    found = {item["id"]["S"] for item in client.scan(TableName=table)["Items"]}
    assert found == {"taken", *(f"written-{number}" for number in range(WRITES))}
    client.delete_table(TableName=table)
