"""A function of ordinary weight: it imports what many do, so its memory is that of its imports."""

import boto3
import pydantic

__all__ = ["boto3", "small"]


class Order(pydantic.BaseModel):
    """What the event holds."""

    model_config = pydantic.ConfigDict(extra="allow")


def small(event: dict[str, object], _context: object) -> dict[str, object]:
    """Validate the event, answer a few bytes."""
    Order.model_validate(event)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"accepted": true}'}
