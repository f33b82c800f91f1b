"""Who has subscribed to an environment's telemetry, and the way of each event to them. It belongs to one life.

What happens before the first subscription is kept for those who subscribe while the environment initialises.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from lambda_emulator import platform_events
from lambda_emulator.refusals import Refusal
from lambda_emulator.telemetry_delivery import Delivery
from lambda_emulator.telemetry_subscription import Subscription
from runtime import protocol

__all__ = ["TelemetryHub"]

# What an initialisation may say before somebody subscribes.
_MAX_EARLY_EVENTS = 10_000


class TelemetryHub:
    """Takes subscriptions until `close_subscriptions`."""

    def __init__(self, write: "Callable[[platform_events.PlatformEvent], None]") -> None:
        self._write = write
        self._deliveries: dict[str, Delivery] = {}
        self._early: list[tuple[str, Mapping[str, Any]]] = []
        self._open = True

    def wants(self, kind: str) -> bool:
        """Somebody listens to events of this type, or may yet."""
        return self._open or any(kind in each.subscription.types for each in self._deliveries.values())

    def subscribe(self, subscription: Subscription) -> None:
        """From the beginning on; once more with the same name is a change. Raises `Refusal` (403) when closed."""
        if not self._open:
            text = "Telemetry API subscription is closed already"
            raise Refusal((protocol.FORBIDDEN, "Telemetry.SubscriptionClosed", text))
        former = self._deliveries.pop(subscription.name, None)
        if former is not None:
            asyncio.get_running_loop().create_task(former.close())
        delivery = self._deliveries[subscription.name] = Delivery(subscription)
        for kind, event in self._early:
            if kind in subscription.types:
                delivery.add(event)
        self._write(platform_events.telemetry_subscription(subscription.name, subscription.types))

    def emit(self, kind: str, event: Mapping[str, Any]) -> None:
        """To all whom it may concern; `platform.start` is of the type `platform`."""
        kind = kind.partition(".")[0]
        if self._open and len(self._early) < _MAX_EARLY_EVENTS:
            self._early.append((kind, event))
        for delivery in self._deliveries.values():
            if kind in delivery.subscription.types:
                delivery.add(event)

    def close_subscriptions(self) -> None:
        """The environment is initialised."""
        self._open = False
        self._early.clear()

    async def flush(self, timeout_s: float) -> None:
        """Deliver what is there, from now on at once."""
        await asyncio.gather(*(delivery.flush(timeout_s) for delivery in self._deliveries.values()))

    async def close(self) -> None:
        """Stop all deliveries."""
        self.close_subscriptions()
        await asyncio.gather(*(delivery.close() for delivery in self._deliveries.values()))
