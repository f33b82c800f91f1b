"""EventBridge: which rules an event meets, and what their targets get."""

import contextlib
import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from lambda_emulator.direct_sources.event_input import target_input, target_problem
from lambda_emulator.direct_sources.s3_record import iso_s
from lambda_emulator.direct_sources.schedule_expression import InvalidSchedule, parse_schedule
from lambda_emulator.moto_sources.delivery import Delivery, json_text
from lambda_emulator.moto_sources.patches import Patches
from lambda_emulator.pollers.filter_pattern import FilterPattern, InvalidPattern

__all__ = ["Rules"]


class Rules:
    """Those of all buses."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def mend(self, patches: Patches) -> None:
        """Put it in place."""
        from moto.events.models import EventsBackend, Rule

        patches.replace(EventsBackend, "put_rule", self._put_rule)
        patches.replace(EventsBackend, "put_targets", self._put_targets)
        patches.replace(EventsBackend, "put_events", self._put_events)
        patches.replace(Rule, "send_to_targets", self._send_to_targets)

    def _put_rule(self, original: Any, backend: Any, *arguments: Any, **settings: Any) -> Any:
        from moto.events.exceptions import InvalidEventPatternException, ValidationException

        if expression := settings.get("scheduled_expression"):
            try:
                parse_schedule(expression)
            except InvalidSchedule:
                raise ValidationException("Parameter ScheduleExpression is not valid.") from None
        if pattern := settings.get("event_pattern"):
            try:
                FilterPattern.parse(pattern)
            except InvalidPattern as error:
                raise InvalidEventPatternException(str(error)) from None
        return original(backend, *arguments, **settings)

    def _put_targets(
        self, original: Any, backend: Any, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]
    ) -> Any:
        from moto.events.exceptions import ValidationException

        for target in targets:
            if (problem := target_problem(target)) is not None:
                raise ValidationException(problem)
        return original(backend, name, event_bus_arn, targets)

    def _put_events(self, original: Any, backend: Any, events: list[dict[str, Any]]) -> Any:
        return original(backend, [_checked(event) for event in events])

    def _send_to_targets(
        self, original: Callable[..., None], rule: Any, event: Mapping[str, Any], transform_input: bool = True
    ) -> None:
        """To the rule's targets if it is enabled and its pattern holds."""
        pattern = rule.event_pattern.dump()
        if rule.state == "DISABLED" or not pattern:
            return
        told = {name: value for name, value in event.items() if name != "ingestion-time"}
        if not isinstance(told["time"], str):
            told["time"] = iso_s(told["time"])
        if not FilterPattern.parse(pattern).matches(told):
            return
        for target in list(rule.targets):
            if target["Arn"].split(":")[2] in ("lambda", "sqs", "sns"):
                send_to_target(self._delivery, rule, target, told)
                continue
            alone = copy.copy(rule)
            alone.targets = [target]
            alone.event_pattern = type(rule.event_pattern).load(None)
            try:
                original(alone, {"ingestion-time": self._delivery.now_s(), **event}, transform_input)
            except NotImplementedError:
                self._delivery.sources.missed(
                    rule.arn, target["Arn"], "targets of this kind are not there", json_text(told)
                )


def send_to_target(delivery: Delivery, rule: Any, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """What one target, a function, a queue or a topic, wants of the event."""
    surroundings = {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": iso_s(delivery.now_s()),
    }
    whole = json_text(event)
    try:
        text = target_input(target, event, surroundings)
    except ValueError as error:
        delivery.sources.missed(rule.arn, target["Arn"], str(error), whole)
    else:
        delivery.to_target(target, text, source=rule.arn, event=whole)


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    """An entry of PutEvents: a detail that is no JSON object is malformed, which moto would let pass."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        if not isinstance(json.loads(event["Detail"]), dict):
            return {**event, "Detail": "{"}
    return event
