"""Logs and metrics of an order service. Nothing is decorated but the handler; `handlerkit invoke` shows the lines."""

from typing import Any

from handlerkit import event_handler, get_logger, metrics
from handlerkit.logs import bind, bound

log = get_logger("orders")
metrics.configure(namespace="Shop", service="orders")


class NotInStock(Exception):
    """An article is missing."""


@metrics.timer("reserve")
def reserve(article: str) -> None:
    """Take one from the shelf."""
    if article == "lamp":
        raise NotInStock(article)
    log.info("article.reserved")


@event_handler
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Reserve what an order asks for, as far as it is there."""
    bind(order_id=event["order_id"])
    log.info("order.received", articles=len(event["articles"]), api_key=event.get("api_key"))
    reserved = 0
    for article in event["articles"]:
        with bound(article=article):
            try:
                reserve(article)
                reserved += 1
            except NotInStock:
                log.exception("article.missing")
    metrics.add("articles", reserved, unit="Count")
    return {"order_id": event["order_id"], "reserved": reserved}
