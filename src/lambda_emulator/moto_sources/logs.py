"""Subscription filters of CloudWatch Logs: the one part of moto that is left to ask for a Lambda backend."""

import contextlib
from typing import Any

from lambda_emulator.direct_sources.hub import NotHandedOver
from lambda_emulator.direct_sources.log_batch import log_batch
from lambda_emulator.moto_sources.delivery import Delivery, json_text
from lambda_emulator.moto_sources.patches import Patches

__all__ = ["LogSubscriptions"]


class LogSubscriptions:
    """Those of all log groups."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def mend(self, patches: Patches) -> None:
        """Put it in place."""
        from moto.awslambda import utils

        patches.replace(utils, "get_backend", self._get_backend)

    def _get_backend(self, original: Any, account_id: str, region: str) -> "_OurFunctions":
        return _OurFunctions(self._delivery, account_id, original(account_id, region))


class _OurFunctions:
    """What CloudWatch Logs asks of moto's Lambda; the rest goes there."""

    def __init__(self, delivery: Delivery, account_id: str, original: Any) -> None:
        self._delivery = delivery
        self._account_id = account_id
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def get_function(self, name: str, *arguments: Any, **settings: Any) -> Any:
        known = self._delivery.sources.knows(name)
        return object() if known else self._original.get_function(name, *arguments, **settings)

    def send_log_event(
        self, function_arn: str, filter_name: str, group: str, stream: str, events: list[dict[str, Any]]
    ) -> None:
        event = log_batch(self._account_id, filter_name, group, stream, events)
        with contextlib.suppress(NotHandedOver):  # remembered
            self._delivery.to_function(function_arn, json_text(event), source=group)
