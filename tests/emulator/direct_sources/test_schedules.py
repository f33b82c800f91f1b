"""Schedules, of rules and of EventBridge Scheduler, on the local Lambda's clock."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from handlerkit.events import EventBridgeEvent
from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock
from lambda_emulator.direct_sources.schedule_expression import InvalidSchedule, parse_schedule
from tests.emulator.direct_sources.conftest import START_S, Scene

HOUR_S = 3600.0


def every(scene: Scene, expression: str, name: str = "often", **target: Any) -> Any:
    events = scene.client("events")
    events.put_rule(Name=name, ScheduleExpression=expression)
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": scene.arn} | target])
    return events


def scheduled(scene: Scene, expression: str, *, name: str = "plan", target: Any = None, **settings: Any) -> Any:
    scheduler = scene.client("scheduler")
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": scene.arn, "RoleArn": "arn:aws:iam::123456789012:role/r"} | (target or {}),
        **settings,
    )
    return scheduler


def test_an_hour_fires_a_rate_of_five_minutes_twelve_times(scene: Scene) -> None:
    every(scene, "rate(5 minutes)")
    scene.clock.advance(HOUR_S)
    events = scene.events()
    assert [event["time"] for event in events] == [f"2027-01-15T08:{minute:02}:00Z" for minute in range(5, 60, 5)] + [
        "2027-01-15T09:00:00Z"
    ]
    view = EventBridgeEvent(events[0])
    assert (view.detail_type, view.source, view.detail) == ("Scheduled Event", "aws.events", {})
    assert list(view.resources) == ["arn:aws:events:us-east-1:123456789012:rule/often"]


def test_nobody_waits_for_a_schedule(scene: Scene) -> None:
    every(scene, "rate(1 minute)")
    assert scene.clock.run_until_quiet() == datetime.timedelta(0)
    assert scene.events() == []


def test_a_schedules_function_is_retried_while_the_schedule_goes_on(scene: Scene) -> None:
    every(scene, "rate(1 hour)", Input='"please-fail"')
    scene.clock.advance(HOUR_S)
    scene.clock.run_until_quiet()
    assert scene.events() == ["please-fail"] * 3
    assert scene.clock.time() == START_S + HOUR_S + 180


def test_a_rule_that_is_disabled_changed_or_deleted_fires_as_it_says(scene: Scene) -> None:
    events = every(scene, "rate(10 minutes)")
    scene.clock.advance(HOUR_S)
    assert len(scene.events()) == 6
    events.disable_rule(Name="often")
    scene.clock.advance(HOUR_S)
    assert len(scene.events()) == 6
    events.put_rule(Name="often", ScheduleExpression="rate(30 minutes)")
    scene.clock.advance(HOUR_S)
    assert len(scene.events()) == 8
    events.remove_targets(Rule="often", Ids=["1"])
    events.delete_rule(Name="often")
    scene.clock.advance(HOUR_S)
    assert len(scene.events()) == 8


def test_two_schedules_fire_in_the_order_of_their_times(scene: Scene) -> None:
    every(scene, "rate(20 minutes)", "slow", Input='"slow"')
    every(scene, "cron(5/15 * * * ? *)", "cron", Input='"cron"')
    scene.clock.advance(HOUR_S)
    assert scene.events() == ["cron", "slow", "cron", "cron", "slow", "cron", "slow"]


def test_a_schedule_puts_a_message_into_a_queue(scene: Scene) -> None:
    url, arn = scene.queue("ticks")
    every(scene, "rate(30 minutes)", Arn=arn, InputPath="$.time")
    scene.clock.advance(HOUR_S)
    assert scene.bodies(url) == ["2027-01-15T08:30:00Z", "2027-01-15T09:00:00Z"]


def test_schedules_wait_for_a_local_lambda_and_end_with_it(
    aws: EmbeddedAws,
    clock: ManualClock,
    make_taker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> None:
    events = aws.client("events")
    events.put_rule(Name="often", ScheduleExpression="rate(10 minutes)")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:taker"
    events.put_targets(Rule="often", Targets=[{"Id": "1", "Arn": arn}])
    clock.advance(HOUR_S)  # nobody there: nothing is made up for
    first = Scene(aws, clock, start_lambda(make_taker(), clock=clock, aws=aws.clients))
    second = Scene(aws, clock, start_lambda(make_taker(), clock=clock, aws=aws.clients))
    clock.advance(HOUR_S)
    assert (len(first.events()), len(second.events())) == (6, 0)
    first.service.close()
    clock.advance(HOUR_S)
    assert len(second.events()) == 6
    aws.reset()
    clock.advance(HOUR_S)
    assert len(second.events()) == 6


def test_scheduler_begins_a_rate_at_once_or_on_its_start_date_and_ends_it(scene: Scene) -> None:
    scheduled(scene, "rate(20 minutes)", name="now", target={"Input": '"now"'})
    begins = datetime.datetime.fromtimestamp(START_S + 1800, datetime.UTC)
    ends = datetime.datetime.fromtimestamp(START_S + 2500, datetime.UTC)
    scheduled(scene, "rate(10 minutes)", name="later", target={"Input": '"later"'}, StartDate=begins, EndDate=ends)
    scene.clock.advance(HOUR_S)
    assert scene.events() == ["now", "now", "later", "now", "later", "now"]


def test_scheduler_fires_once_at_a_time_of_a_zone_and_deletes_itself(scene: Scene) -> None:
    settings = {"ScheduleExpressionTimezone": "Europe/Berlin", "ActionAfterCompletion": "DELETE"}
    scheduler = scheduled(scene, "at(2027-01-15T09:30:00)", **settings)
    scene.clock.advance(10 * HOUR_S)
    [event] = scene.events()
    assert event["time"] == "2027-01-15T08:30:00Z"
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")
    assert event["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/plan"]
    assert scheduler.list_schedules()["Schedules"] == []


def test_scheduler_puts_its_context_into_the_input(scene: Scene) -> None:
    text = '{"at": "<aws.scheduler.scheduled-time>", "by": "<aws.scheduler.schedule-arn>"}'
    scheduler = scheduled(scene, "cron(0 12 * * ? *)", target={"Input": text})
    scene.clock.advance(24 * HOUR_S)
    schedule = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/plan"
    assert scene.events() == [{"at": "2027-01-15T12:00:00Z", "by": schedule}]
    scheduler.delete_schedule(Name="plan")
    scene.clock.advance(24 * HOUR_S)
    assert len(scene.events()) == 1


def test_a_rule_that_has_only_a_schedule_gets_no_events(scene: Scene) -> None:
    events = every(scene, "rate(1 hour)")
    answer = events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 0
    assert scene.events() == []


def test_a_schedule_whose_function_is_gone_leaves_its_input_to_the_dead_letter_queue(scene: Scene) -> None:
    url, arn = scene.queue("dead")
    scheduled(scene, "at(2027-01-15T08:30:00)", target={"DeadLetterConfig": {"Arn": arn}, "Input": '{"n": 1}'})
    scene.service.delete_function("taker")
    scene.clock.advance(HOUR_S)
    [message] = scene.messages(url)
    assert message["Body"] == '{"n": 1}'
    schedule = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/plan"
    assert message["MessageAttributes"]["SCHEDULE_ARN"]["StringValue"] == schedule


def test_scheduler_puts_an_event_on_a_bus_and_goes_on_where_that_fails(scene: Scene) -> None:
    events = scene.client("events")
    events.put_rule(Name="ticks", EventPattern='{"source": ["clock"]}')
    events.put_targets(Rule="ticks", Targets=[{"Id": "1", "Arn": scene.arn, "InputPath": "$.detail"}])
    about = {"EventBridgeParameters": {"DetailType": "Tick", "Source": "clock"}, "Input": '{"n": 1}'}
    for name in ("default", "nowhere"):
        bus = f"arn:aws:events:us-east-1:123456789012:event-bus/{name}"
        scheduled(scene, "rate(30 minutes)", name=name, target={"Arn": bus} | about)
    scene.clock.advance(HOUR_S)
    assert scene.events() == [{"n": 1}] * 3
    assert len(scene.aws.undelivered) == 3


@pytest.mark.parametrize(
    "expression",
    ["rate(1 minutes)", "rate(0 hours)", "cron(* * * * * *)", "cron(0 0 ? * 8 *)", "at(2027-01-01T00:00:00)"],
)
def test_a_rules_schedule_that_is_none_is_refused(scene: Scene, expression: str) -> None:
    with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
        scene.client("events").put_rule(Name="r", ScheduleExpression=expression)


def test_a_schedule_of_scheduler_that_is_none_is_refused(scene: Scene) -> None:
    with pytest.raises(ClientError, match=r"Invalid Schedule Expression rate\(5 minute\)."):
        scheduled(scene, "rate(5 minute)")
    with pytest.raises(ClientError, match="Provided Arn is not in correct format"):
        scheduled(scene, "rate(5 minutes)", target={"Arn": "taker"})
    with pytest.raises(ClientError, match="Timezone Mars/Olympus"):
        scheduled(scene, "rate(5 minutes)", ScheduleExpressionTimezone="Mars/Olympus")


def utc(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "wanted"),
    [
        ("cron(0 10 * * ? *)", "2026-05-01T10:00", "2026-05-02T10:00"),
        ("cron(15 12 ? * MON-FRI *)", "2026-05-01T13:00", "2026-05-04T12:15"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-05-01T10:01", "2026-05-01T10:10"),
        ("cron(0 18 ? * FRI-MON *)", "2026-05-04T19:00", "2026-05-08T18:00"),
        ("cron(0 8 1 * ? *)", "2026-05-01T08:00", "2026-06-01T08:00"),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00", "2026-02-28T00:00"),
        ("cron(0 0 LW 5 ? *)", "2026-05-01T00:00", "2026-05-29T00:00"),
        ("cron(0 0 3W * ? *)", "2026-05-01T00:00", "2026-05-04T00:00"),
        ("cron(0 0 1W 8 ? *)", "2026-05-01T00:00", "2026-08-03T00:00"),
        ("cron(0 0 31W * ? *)", "2026-02-01T00:00", "2026-03-31T00:00"),
        ("cron(0 0 ? * 3#2 *)", "2026-05-01T00:00", "2026-05-12T00:00"),
        ("cron(0 0 ? * 6L *)", "2026-05-01T00:00", "2026-05-29T00:00"),
        ("cron(0 0 ? * L *)", "2026-05-01T00:00", "2026-05-02T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-05-01T00:00", "2028-02-29T00:00"),
        ("cron(5,35 14 * JAN,MAR ? 2028-2030)", "2026-05-01T00:00", "2028-01-01T14:05"),
    ],
)
def test_when_a_cron_is_due(expression: str, after: str, wanted: str) -> None:
    found = parse_schedule(expression).after(utc(after), anchor_s=0)
    assert found == utc(wanted)


def test_a_cron_that_is_never_due_says_so() -> None:
    assert parse_schedule("cron(0 0 30 2 ? *)").after(START_S, anchor_s=0) is None
    assert parse_schedule("cron(0 0 1 1 ? 2020)").after(START_S, anchor_s=0) is None


def test_an_hour_that_is_skipped_is_skipped_and_one_that_is_repeated_counts_once() -> None:
    nightly = parse_schedule("cron(30 2 * * ? *)", timezone="Europe/Berlin")
    before_spring = utc("2026-03-28T12:00")
    assert nightly.after(before_spring, anchor_s=0) == utc("2026-03-30T00:30")
    first = nightly.after(utc("2026-10-24T12:00"), anchor_s=0)
    assert first == utc("2026-10-25T00:30")
    assert nightly.after(first, anchor_s=0) == utc("2026-10-26T01:30")


@given(st.integers(1, 500), st.sampled_from(["minute", "hour", "day"]), st.integers(0, 10**7))
def test_a_rate_is_due_at_whole_periods_after_its_beginning(number: int, unit: str, late_s: int) -> None:
    expression = parse_schedule(f"rate({number} {unit}{'s' * (number > 1)})")
    period_s = number * {"minute": 60, "hour": 3600, "day": 86400}[unit]
    due_s = expression.after(START_S + late_s, anchor_s=START_S)
    assert due_s is not None
    assert (due_s - START_S) % period_s == 0
    assert 0 < due_s - (START_S + late_s) <= period_s


@given(st.text("0123456789*/?-,LW#MONFRI ", max_size=30))
def test_a_cron_of_any_text_is_due_later_or_refused(fields: str) -> None:
    try:
        expression = parse_schedule(f"cron({fields})")
    except InvalidSchedule:
        return
    due_s = expression.after(START_S, anchor_s=0)
    assert due_s is None or due_s > START_S
