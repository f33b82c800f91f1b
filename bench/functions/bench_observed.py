"""A function that logs, counts and is traced as its operators want it, on handlerkit: the trace needs no word."""

from typing import Any

from handlerkit import event_handler, get_logger, metrics

log = get_logger()
metrics.configure(namespace="Shop", service="orders", cold_start=True)


@event_handler
def handler(_event: dict[str, Any]) -> dict[str, Any]:
    """Take an order, say so, count it."""
    log.info("order.received", order_id="A-17", quantity=2)
    metrics.add("orders", 1, "Count")
    return {"accepted": True}
