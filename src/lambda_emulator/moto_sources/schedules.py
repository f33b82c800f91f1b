"""Schedules of rules and of EventBridge Scheduler: moto stores them, a local Lambda keeps them on its clock."""

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lambda_emulator.direct_sources.event_input import target_problem
from lambda_emulator.direct_sources.s3_record import iso_s
from lambda_emulator.direct_sources.schedule_expression import InvalidSchedule, parse_schedule
from lambda_emulator.direct_sources.schedules import Schedule
from lambda_emulator.moto_sources.delivery import Delivery, json_text
from lambda_emulator.moto_sources.patches import Patches
from lambda_emulator.moto_sources.rules import send_to_target

__all__ = ["StoredSchedules"]

_Found = tuple[str, object, Callable[[], Schedule]]
"""Its ARN, what is another when it has been changed, and how to keep it."""


class StoredSchedules:
    """What moto has stored, and what of it is kept."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[object, Schedule]] = {}

    def mend(self, patches: Patches) -> None:
        """Put it in place."""
        from moto.events.models import EventsBackend
        from moto.scheduler.models import EventBridgeSchedulerBackend

        for name in ("put_rule", "enable_rule", "disable_rule", "delete_rule"):
            patches.replace(EventsBackend, name, self._followed)
        for name in ("create_schedule", "update_schedule"):
            patches.replace(EventBridgeSchedulerBackend, name, self._checked)
        for name in ("create_schedule", "update_schedule", "delete_schedule", "delete_schedule_group"):
            patches.replace(EventBridgeSchedulerBackend, name, self._followed)

    def follow(self) -> None:
        """Have those kept that moto has now; one that has not changed goes on as it was."""
        with self._lock:
            found = {arn: (token, make) for arn, token, make in (*self._of_rules(), *self._of_scheduler())}
            kept = {arn: each for arn, each in self._kept.items() if arn in found and found[arn][0] == each[0]}
            self._kept = {arn: kept.get(arn) or (token, make()) for arn, (token, make) in found.items()}
            self._delivery.sources.set_schedules([schedule for _, schedule in self._kept.values()])

    def _followed(self, original: Any, *arguments: Any, **settings: Any) -> Any:
        answer = original(*arguments, **settings)
        self.follow()
        return answer

    def _checked(self, original: Any, backend: Any, *arguments: Any, **settings: Any) -> Any:
        from moto.scheduler.exceptions import ValidationException

        expression, timezone = settings["schedule_expression"], settings.get("schedule_expression_timezone") or "UTC"
        try:
            parse_schedule("rate(1 minute)", timezone=timezone)
        except InvalidSchedule:
            raise ValidationException(f"Invalid Schedule Expression Timezone {timezone}.") from None
        try:
            parse_schedule(expression, one_time=True)
        except InvalidSchedule:
            raise ValidationException(f"Invalid Schedule Expression {expression}.") from None
        if (problem := target_problem({**settings["target"], "Id": settings["name"], "Input": None})) is not None:
            raise ValidationException(problem)
        return original(backend, *arguments, **settings)

    def _of_rules(self) -> Iterator[_Found]:
        from moto.events.models import events_backends

        for backend in _all(events_backends):
            for rule in list(backend.event_buses["default"].rules.values()):
                if rule.scheduled_expression and rule.state == "ENABLED":
                    yield rule.arn, rule, partial(self._rule, rule)

    def _rule(self, rule: Any) -> Schedule:
        def fire(due_s: float) -> None:
            event = _event("aws.events", rule.account_id, rule.region_name, rule.arn, due_s)
            for target in list(rule.targets):
                send_to_target(self._delivery, rule, target, event | {"detail": {}})

        now_s = self._delivery.now_s()
        expression = parse_schedule(rule.scheduled_expression)
        return Schedule(name=rule.name, expression=expression, anchor_s=now_s, after_s=now_s, fire=fire)

    def _of_scheduler(self) -> Iterator[_Found]:
        from moto.scheduler.models import scheduler_backends

        for backend in _all(scheduler_backends):
            for group in list(backend.schedule_groups.values()):
                for each in list(group.schedules.values()):
                    if each.state == "ENABLED":
                        token = (id(each), each.last_modified_date, each.schedule_expression, each.start_date)
                        yield each.arn, token, partial(self._scheduled, backend, each)

    def _scheduled(self, backend: Any, schedule: Any) -> Schedule:
        from moto.core.exceptions import JsonRESTError

        def fire(due_s: float) -> None:
            self._fire(schedule, due_s)
            if schedule.schedule_expression.startswith("at(") and schedule.action_after_completion == "DELETE":
                with contextlib.suppress(JsonRESTError):  # the function may have deleted it
                    backend.delete_schedule(schedule.group_name, schedule.name)

        begins_s = float(schedule.start_date) if schedule.start_date else self._delivery.now_s()
        timezone = schedule.schedule_expression_timezone
        return Schedule(
            name=schedule.name,
            expression=parse_schedule(schedule.schedule_expression, timezone=timezone, one_time=True),
            anchor_s=begins_s,
            after_s=begins_s - 1,  # a rate begins at once, or on its start date
            end_s=float(schedule.end_date) if schedule.end_date else None,
            fire=fire,
        )

    def _fire(self, schedule: Any, due_s: float) -> None:
        _, _, _, region, account_id, _ = schedule.arn.split(":", 5)
        event = _event("aws.scheduler", account_id, region, schedule.arn, due_s) | {"detail": "{}"}
        target = schedule.target
        text = str(target.get("Input") or json_text(event))
        for name, value in (
            ("schedule-arn", schedule.arn),
            ("scheduled-time", event["time"]),
            ("execution-id", event["id"]),
            ("attempt-number", "1"),
        ):
            text = text.replace(f"<aws.scheduler.{name}>", value)
        service, kind = target["Arn"].split(":")[2], target["Arn"].split(":")[5].partition("/")[0]
        if service in ("lambda", "sqs", "sns"):
            self._delivery.to_target(target, text, source=schedule.arn, event=text)
        elif (service, kind) == ("events", "event-bus"):
            from moto.events.models import events_backends

            about = target.get("EventBridgeParameters") or {}
            entry = {"Source": about.get("Source"), "DetailType": about.get("DetailType"), "Detail": text}
            bus = {"EventBusName": target["Arn"].rpartition("/")[2]}
            try:
                events_backends[account_id][region].put_events([entry | bus])
            except Exception as error:  # noqa: BLE001 (moto raises what its HTTP answers would be; the schedule goes on)
                self._delivery.sources.missed(schedule.arn, target["Arn"], f"{type(error).__name__}: {error}", text)
        else:
            self._delivery.sources.missed(schedule.arn, target["Arn"], "targets of this kind are not there", text)


def _event(source: str, account_id: str, region: str, arn: str, due_s: float) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": account_id,
        "time": iso_s(due_s),
        "region": region,
        "resources": [arn],
    }


def _all(backends: Any) -> Iterator[Any]:
    """Of all accounts and regions."""
    for regions in list(backends.values()):
        yield from list(regions.values())
