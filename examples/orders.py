"""An SQS batch: every message is tried, and those that failed are reported so that only they come back."""

import json
import logging

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class OutOfStock(Exception):
    """There is not enough of an article."""


STOCK = {"book": 3, "lamp": 1}


def reserve(order):
    """Take the order's articles out of the stock, or raise."""
    article, quantity = order["article"], order["quantity"]
    if STOCK.get(article, 0) < quantity:
        raise OutOfStock(f"{quantity} × {article} wanted, {STOCK.get(article, 0)} there")
    STOCK[article] -= quantity
    log.info("reserved %d × %s", quantity, article)


def handler(event, context):
    """Take an SQS event; return the partial-batch response."""
    failures = []
    for record in event["Records"]:
        try:
            reserve(json.loads(record["body"]))
        except Exception:
            log.exception("message %s failed", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def strict(event, context):
    """The same without catching anything: one bad message fails the batch."""
    for record in event["Records"]:
        try:
            order = json.loads(record["body"])
        except ValueError as error:
            raise ValueError(f"message {record['messageId']} is no order") from error
        reserve(order)
