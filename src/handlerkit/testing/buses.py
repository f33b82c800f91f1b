"""Events of event buses and schedules."""

from __future__ import annotations

from handlerkit.reply import jsonable

from .wire import ACCOUNT, REGION, uuid

__all__ = ["eventbridge_event", "scheduled_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def eventbridge_event(
    detail: Any, *, source: str = "com.example.orders", detail_type: str = "Order Placed", resources: Iterable[str] = ()
) -> dict[str, Any]:
    """An event of a bus."""
    return {
        "version": "0",
        "id": uuid(0),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": list(resources),
        "detail": jsonable(detail),
    }


def scheduled_event(rule: str = "nightly") -> dict[str, Any]:
    """The event of a rule with a schedule."""
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"
    return eventbridge_event({}, source="aws.events", detail_type="Scheduled Event", resources=[arn])
