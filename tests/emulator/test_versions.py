"""Versions and aliases (section 9 of the reference), and the shifting of traffic between them."""

import random
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import (
    FunctionConfiguration,
    InvalidConfiguration,
    InvalidParameterValue,
    LocalLambda,
    ManualClock,
    Metrics,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
    ServiceClosed,
    TrafficShift,
    ValidationFailed,
)
from lambda_emulator.function_name import FunctionName
from tests.counterparts import awslambdaric_path, needs_awslambdaric
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"
# Answers with its version and the name that it was called by; fails where its code says so.
VERSION = """
    import json, os
    while True:
        request_id, body, response = next_event()
        if body == b'"fail"':
            fail(request_id, b'{"errorMessage": "bad release"}')
            continue
        arn = response.getheader("Lambda-Runtime-Invoked-Function-Arn")
        respond(request_id, json.dumps([CODE, os.environ["AWS_LAMBDA_FUNCTION_VERSION"], arn]).encode())
"""


@pytest.fixture
def release(make_function: MakeFunction) -> Callable[..., FunctionConfiguration]:
    def make(code: int, **fields: Any) -> FunctionConfiguration:
        return make_function(VERSION.replace("CODE", str(code)), **fields)

    return make


def two_versions(release: Callable[..., FunctionConfiguration], start_lambda: Start, **settings: Any) -> LocalLambda:
    service = start_lambda(release(1), **settings)
    assert service.publish_version("function") == "1"
    service.update_function(release(2))
    assert service.publish_version("function") == "2"
    return service


def test_a_version_keeps_its_code_when_the_folder_changes(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    service = two_versions(release, start_lambda)
    service.update_function(release(3))
    answers = {qualifier: service.invoke("function", qualifier=qualifier).json() for qualifier in ("1", "2", "$LATEST")}
    assert answers == {
        "1": [1, "1", f"{ARN}:1"],
        "2": [2, "2", f"{ARN}:2"],
        "$LATEST": [3, "$LATEST", f"{ARN}:$LATEST"],
    }
    assert service.invoke("function").executed_version == "$LATEST"
    assert service.invoke("function", qualifier="1").executed_version == "1"


def test_publishing_what_has_not_changed_gives_the_same_version(
    release: Callable[..., FunctionConfiguration], start_lambda: Start, task_root: Path
) -> None:
    service = start_lambda(release(1))
    assert [service.publish_version("function") for _ in range(2)] == ["1", "1"]
    (task_root / "__pycache__").mkdir()
    (task_root / "__pycache__" / "x.pyc").touch()
    assert service.publish_version("function") == "1"
    (task_root / "data.txt").write_text("new")
    assert service.publish_version("function") == "2"
    service.update_function(release(1, timeout_s=7))
    assert service.publish_version("function") == "3"


def test_code_over_lambdas_limit_is_not_published(
    release: Callable[..., FunctionConfiguration], start_lambda: Start, task_root: Path
) -> None:
    service = start_lambda(release(1))
    with (task_root / "model.bin").open("wb") as file:
        file.truncate(262_144_001)
    with pytest.raises(InvalidParameterValue, match="Unzipped size must be smaller than 262144000 bytes"):
        service.publish_version("function")


@pytest.mark.parametrize("runtime", ["ours", pytest.param("awslambdaric", marks=needs_awslambdaric())])
def test_a_function_behind_an_alias_sees_the_alias_and_its_version(
    task_root: Path, start_lambda: Start, runtime: str
) -> None:
    (task_root / "app.py").write_text(
        textwrap.dedent("""
            def handler(event, context):
                return [context.function_version, context.invoked_function_arn]
        """)
    )
    settings: dict[str, Any] = {}
    if runtime == "awslambdaric":
        settings["command"] = (sys.executable, "-m", "awslambdaric", "app.handler")
        settings["environment"] = {"PYTHONPATH": str(awslambdaric_path())}
    service = start_lambda(FunctionConfiguration(handler="app.handler", task_root=task_root, timeout_s=20, **settings))
    service.publish_version("function")
    service.create_alias("function", "live", "1")
    result = service.invoke("function:live")
    assert (result.json(), result.executed_version) == (["1", f"{ARN}:live"], "1")


def test_an_alias_shares_its_invocations_by_weight(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    service = two_versions(release, start_lambda, random=random.Random(1).random)
    service.create_alias("function", "live", "1", weights={"2": 0.25})
    ran = Counter(service.invoke("function", qualifier="live").executed_version for _ in range(100))
    twin = random.Random(1)
    assert ran["2"] == sum(twin.random() < 0.25 for _ in range(100))
    metrics = service.metrics
    assert metrics.sum("Invocations", function="function", qualifier="live") == 100
    assert metrics.sum("Invocations", function="function", qualifier="live", version="2") == ran["2"]
    service.update_alias("function", "live", weights={})
    assert service.invoke("function", qualifier="live").executed_version == "1"


def test_the_configuration_behind_an_alias_is_its_main_versions_and_draws_nothing(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    draws: list[float] = []

    def draw() -> float:
        draws.append(0.0)
        return 0.0

    service = two_versions(release, start_lambda, random=draw)
    service.create_alias("function", "live", "1", weights={"2": 0.9})
    for qualifier, version in (("live", "1"), ("2", "2"), (None, "$LATEST")):
        assert service._dispatcher.find(FunctionName.parse("function", qualifier)).version == version
    assert draws == []


def test_asynchronous_invocations_of_an_alias_are_weighted_too_and_have_settings_of_their_own(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    draws = iter([0.05, 0.9])  # one for each attempt under the alias
    clock = ManualClock()
    service = two_versions(release, start_lambda, random=lambda: next(draws), clock=clock)
    service.create_alias("function", "live", "1", weights={"2": 0.1})
    service.put_event_invoke_config("function", qualifier="live", maximum_retry_attempts=0)
    service.invoke("function", '"fail"', qualifier="live", invocation_type="Event")
    service.invoke("function", qualifier="live", invocation_type="Event")
    service.invoke("function", '"fail"', qualifier="1", invocation_type="Event")
    clock.run_until_quiet()
    counts = sorted((each.function_arn[-4:], each.invoke_count) for each in service.event_outcomes())
    assert counts == [("live", 1), ("live", 1), ("on:1", 3)]
    assert service.metrics.sum("Invocations", function="function", qualifier="live", version="2") == 1


def test_what_an_alias_cannot_be_is_refused_in_the_services_words(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    service = two_versions(release, start_lambda)
    service.create_alias("function", "live", "1")
    for weights, message in (
        ({"1": 0.1, "2": 0.1}, "Number of items in AdditionalVersionWeights cannot be greater than 1"),
        (
            {"1": 0.5},
            "Invalid function version 1. Function version 1 is already included in routing configuration.",
        ),
    ):
        with pytest.raises(InvalidParameterValue) as refused:
            service.update_alias("function", "live", weights=weights)
        assert refused.value.message == message
    with pytest.raises(InvalidParameterValue) as refused:
        service.create_alias("function", "next", "$LATEST", weights={"1": 0.1})
    assert refused.value.message == "$LATEST is not supported for an alias pointing to more than 1 version"
    for weights in ({"$LATEST": 0.1}, {"2": 1.1}, {"2": -0.1}):
        with pytest.raises(ValidationFailed, match="1 validation error detected"):
            service.update_alias("function", "live", weights=weights)
    with pytest.raises(ValidationFailed, match="at 'name' failed"):
        service.create_alias("function", "12", "1")
    with pytest.raises(ResourceConflict, match=f"Alias already exists: {ARN}:live"):
        service.create_alias("function", "live", "1")
    with pytest.raises(ResourceNotFound, match=f"Function not found: {ARN}:9"):
        service.create_alias("function", "next", "9")
    with pytest.raises(ResourceNotFound, match=f"Cannot find alias arn: {ARN}:next"):
        service.update_alias("function", "next", version="1")
    with pytest.raises(PreconditionFailed, match="Revision Id"):
        service._do(lambda: service._control.update_alias("function", "live", version="1", revision_id="old"))


def test_what_is_replaced_while_it_runs_runs_to_its_end(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        import os, time
        def handler(body):
            open("running", "w").close()
            while not os.path.exists("go"):
                time.sleep(0.002)
            return b'"old"'
        serve(handler)
    """
    old = make_function(program)
    service = start_lambda(old)
    event = service.invoke("function", invocation_type="Event")
    while not (old.task_root / "running").exists():
        service.event_outcomes()
    service.update_function(make_function("serve(lambda body: b'\"new\"')"))
    assert service.invoke("function").json() == "new"
    (old.task_root / "go").touch()
    assert event.report.error_type is None
    assert [each.response for each in service.event_outcomes()] == [b'"old"']


# --- shifting traffic -------------------------------------------------------------------------------------------


def shares(service: LocalLambda) -> tuple[str, dict[str, float]]:
    alias = service._do(lambda: service._control.get_alias("function", "live"))
    return alias.function_version, dict(alias.additional_version_weights)


def test_a_canary_waits_and_then_takes_everything(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    clock = ManualClock()
    service = two_versions(release, start_lambda, clock=clock)
    service.create_alias("function", "live", "1")
    deployment = service.shift_traffic("function", "live", "2", "Canary10Percent5Minutes")
    clock.advance(0)
    assert (shares(service), deployment.status) == (("1", {"2": 0.1}), "InProgress")
    with pytest.raises(ResourceConflict, match="active deployment"):
        service.shift_traffic("function", "live", "1")
    clock.advance(timedelta(minutes=4.9))
    assert shares(service) == ("1", {"2": 0.1})
    clock.advance(timedelta(minutes=0.1))
    assert (shares(service), deployment.status) == (("2", {}), "Succeeded")
    assert deployment.wait(10)
    assert [text for _, text in deployment.events] == [
        "10% of the traffic to version 2",
        "100% of the traffic to version 2",
        "succeeded",
    ]


def test_a_linear_shift_takes_equal_steps(release: Callable[..., FunctionConfiguration], start_lambda: Start) -> None:
    clock = ManualClock(0)
    service = two_versions(release, start_lambda, clock=clock)
    service.create_alias("function", "live", "1")
    service.shift_traffic("function", "live", "2", "CodeDeployDefault.LambdaLinear10PercentEvery2Minutes")
    seen = []
    for _ in range(10):
        clock.advance(0)
        seen.append(shares(service)[1].get("2", 1.0))
        clock.advance(timedelta(minutes=2))
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


def test_hooks_run_before_and_after_the_shift(
    release: Callable[..., FunctionConfiguration], make_function: MakeFunction, start_lambda: Start
) -> None:
    clock = ManualClock()
    service = two_versions(release, start_lambda, clock=clock)
    service.create_function(make_function("serve(lambda body: body)", name="smoke-test"))
    service.create_alias("function", "live", "1")
    seen: list[tuple[str, dict[str, float]]] = []
    deployment = service.shift_traffic(
        "function", "live", "2", before="smoke-test", after=lambda: seen.append(shares(service))
    )
    clock.run_until_quiet()
    assert (deployment.status, seen) == ("Succeeded", [("2", {})])
    assert service.metrics.sum("Invocations", function="smoke-test") == 1


def test_a_hook_that_fails_takes_everything_back(
    release: Callable[..., FunctionConfiguration], make_function: MakeFunction, start_lambda: Start
) -> None:
    clock = ManualClock()
    service = two_versions(release, start_lambda, clock=clock)
    failing = 'while True: fail(next_event()[0], b\'{"errorMessage": "no checkout"}\')'
    service.create_function(make_function(failing, name="smoke-test"))
    service.create_alias("function", "live", "1")
    early = service.shift_traffic("function", "live", "2", before="smoke-test")
    clock.run_until_quiet()
    assert (early.status, shares(service)) == ("Failed", ("1", {}))
    assert "no checkout" in str(early.reason)

    def broken() -> None:
        raise AssertionError("page is blank")

    late = service.shift_traffic("function", "live", "2", after=broken)
    clock.run_until_quiet()
    assert (late.status, late.reason, shares(service)) == ("Failed", "AfterAllowTraffic: page is blank", ("1", {}))


def test_an_alarm_takes_everything_back(release: Callable[..., FunctionConfiguration], start_lambda: Start) -> None:
    clock = ManualClock()
    service = two_versions(release, start_lambda, clock=clock, random=lambda: 0.0)
    service.create_alias("function", "live", "1")

    def errors_of_live(metrics: Metrics) -> bool:
        return metrics.sum("Errors", function="function", qualifier="live", version="2") > 0

    deployment = service.shift_traffic("function", "live", "2", "Canary10Percent10Minutes", alarms=[errors_of_live])
    clock.advance(timedelta(minutes=3.5))
    assert shares(service) == ("1", {"2": 0.1})
    assert service.invoke("function", '"fail"', qualifier="live").function_error == "Unhandled"
    clock.advance(timedelta(minutes=0.5))
    assert (deployment.status, deployment.reason, shares(service)) == ("Failed", "alarm errors_of_live", ("1", {}))


def test_who_changes_the_alias_meanwhile_keeps_the_change(
    release: Callable[..., FunctionConfiguration], start_lambda: Start
) -> None:
    clock = ManualClock()
    service = two_versions(release, start_lambda, clock=clock)
    service.create_alias("function", "live", "1")
    deployment = service.shift_traffic("function", "live", "2", "Linear50PercentEvery1Minute")
    clock.advance(1)
    service.update_alias("function", "live", weights={})
    clock.run_until_quiet()
    assert (deployment.status, shares(service)) == ("Failed", ("1", {}))
    with pytest.raises(ResourceNotFound):
        service.shift_traffic("function", "live", "9")


@pytest.mark.parametrize(
    "name",
    ["", "canary", "Canary0Percent5Minutes", "Canary10Percent0Minutes", "Linear101PercentEvery1Minute"],
)
def test_ways_to_shift_that_there_are_not(name: str) -> None:
    with pytest.raises(InvalidConfiguration):
        TrafficShift.named(name)


@given(st.integers(1, 100), st.integers(1, 60), st.booleans())
def test_every_shift_rises_to_all(percent: int, minutes: int, linear: bool) -> None:
    steps = TrafficShift(percent=percent, minutes=minutes, linear=linear).steps()
    given_shares = [share for share, _ in steps]
    assert given_shares == sorted(set(given_shares))
    assert (given_shares[-1], given_shares[0]) == (1.0, percent / 100)


def test_closing_in_the_midst_of_everything_leaves_nothing(
    release: Callable[..., FunctionConfiguration], make_function: MakeFunction, start_lambda: Start
) -> None:
    """The folder and process checks of every test here look at what is left."""
    clock = ManualClock()
    service = two_versions(release, start_lambda, clock=clock)
    service.create_alias("function", "live", "1")
    service.create_function(make_function("import time\ntime.sleep(600)", name="slow"))
    service.publish_version("slow")
    deployment = service.shift_traffic("function", "live", "2", "Canary10Percent5Minutes")
    failing = service.invoke("function", '"fail"', invocation_type="Event")  # waits for its retry
    hanging = service.invoke("slow", invocation_type="Event")
    service._do(lambda: service._control.put_provisioned_concurrency("slow", "1", 2))
    service.update_function(release(3))
    assert failing.report.error_type is not None
    service.close()
    assert deployment.status == "InProgress"
    assert deployment.wait(10)
    with pytest.raises(ServiceClosed):
        _ = hanging.log
