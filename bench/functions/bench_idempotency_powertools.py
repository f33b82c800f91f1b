"""The same order, as a user of aws-lambda-powertools writes it."""

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent

layer = DynamoDBPersistenceLayer(table_name="theirs")


@idempotent(persistence_store=layer, config=IdempotencyConfig(event_key_jmespath="order_id"))
def place(event: dict[str, str], context: object) -> object:  # noqa: ARG001  # the decorator takes it
    """Place the order."""
    return {"placed": event["order_id"]}
