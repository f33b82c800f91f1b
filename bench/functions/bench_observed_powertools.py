"""The same on aws-lambda-powertools."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer

log = Logger(service="orders")
metrics = Metrics(namespace="Shop", service="orders")
tracer = Tracer(service="orders")


@log.inject_lambda_context(correlation_id_path="requestContext.requestId")
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take an order, say so, count it."""
    log.info("order.received", order_id="A-17", quantity=2)
    metrics.add_metric("orders", "Count", 1)
    return {"accepted": True}
