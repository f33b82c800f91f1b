"""Who is admitted, who is throttled, and with which reason (sections 5.1 to 5.3 of the reference)."""

import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import (
    FunctionConfiguration,
    InvalidParameterValue,
    InvocationResult,
    LocalLambda,
    ProvisionedConcurrencyConfigNotFound,
    ResourceConflict,
    ResourceNotFound,
    TooManyRequests,
    ValidationFailed,
)
from lambda_emulator.concurrency_limits import Admission, ConcurrencyLimits
from tests.counterparts import awslambdaric_path, needs_awslambdaric
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
UNRESERVED = "ConcurrentInvocationLimitExceeded"
ECHO = "serve(lambda body: body)"
# Tells that it runs, and goes on when it may.
HELD = """
    import os, time
    def handler(body):
        open("running-" + str(os.getpid()), "w").close()
        while not os.path.exists("go"):
            time.sleep(0.002)
        return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"].encode().join([b'"', b'"'])
    serve(handler)
"""


class Held:
    """Calls that hang inside the function until they are let go."""

    def __init__(self, service: LocalLambda, task_root: Path) -> None:
        self.service, self.task_root = service, task_root
        self.callers = ThreadPoolExecutor(8)
        self.calls: list[Any] = []

    def call(self, **settings: Any) -> None:
        """Returns when the function has begun."""
        before = len(list(self.task_root.glob("running-*")))
        self.calls.append(self.callers.submit(self.service.invoke, "function", **settings))
        while len(list(self.task_root.glob("running-*"))) == before:
            if self.calls[-1].done():
                self.calls[-1].result()
            with suppress(TimeoutError):
                self.calls[-1].exception(timeout=0.005)

    def let_go(self) -> list[InvocationResult]:
        (self.task_root / "go").touch()
        results = [call.result(20) for call in self.calls]
        self.callers.shutdown()
        return results


@pytest.fixture
def held(make_function: MakeFunction, start_lambda: Start, task_root: Path) -> Callable[..., Held]:
    def make(**settings: Any) -> Held:
        return Held(start_lambda(make_function(HELD), **settings), task_root)

    return make


def test_at_the_reserved_concurrency_a_caller_is_throttled_at_once(held: Callable[..., Held]) -> None:
    calls = held()
    calls.service.put_function_concurrency("function", 1)
    calls.call()
    with pytest.raises(TooManyRequests, match=r"Rate Exceeded\.") as refused:
        calls.service.invoke("function")
    assert refused.value.body() == {"Reason": RESERVED, "Type": "User", "message": "Rate Exceeded."}
    assert [each.function_error for each in calls.let_go()] == [None]
    assert calls.service.invoke("function").status_code == 200
    metrics = calls.service.metrics
    assert (metrics.sum("Throttles", function="function"), metrics.sum("Invocations", function="function")) == (1, 2)
    assert metrics.maximum("ConcurrentExecutions", function="function") == 1


def test_at_the_accounts_limit_the_reason_is_another(held: Callable[..., Held]) -> None:
    calls = held(account_concurrency=2)
    calls.call()
    calls.call()
    with pytest.raises(TooManyRequests) as refused:
        calls.service.invoke("function")
    assert refused.value.reason == UNRESERVED
    calls.let_go()
    assert calls.service.metrics.maximum("UnreservedConcurrentExecutions") == 2


def test_a_caller_who_was_answered_a_moment_ago_is_not_throttled(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    slow_to_return = """
        import time
        while True:
            request_id, body, _ = next_event()
            respond(request_id)
            time.sleep(0.05)
    """
    service = start_lambda(make_function(slow_to_return))
    service.put_function_concurrency("function", 1)
    assert [service.invoke("function").status_code for _ in range(5)] == [200] * 5


def test_a_reserved_concurrency_of_zero_switches_a_function_off(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    service = start_lambda(make_function(ECHO))
    service.put_function_concurrency("function", 0)
    with pytest.raises(TooManyRequests) as refused:
        service.invoke("function")
    assert refused.value.reason == RESERVED
    service.put_function_concurrency("function", None)
    assert service.invoke("function").status_code == 200


def test_provisioned_environments_are_there_before_the_first_call(held: Callable[..., Held]) -> None:
    calls = held()
    assert calls.service.publish_version("function") == "1"
    state = calls.service.put_provisioned_concurrency("function", "1", 2)
    assert state is not None
    assert (state.status, state.requested, state.available) == ("READY", 2, 2)
    copy = Path(calls.service._control.function("function").versions["1"].configuration.task_root)
    calls.task_root = copy
    for _ in range(3):
        calls.call(qualifier="1")
    results = calls.let_go()
    assert sorted(each.json() for each in results) == [
        "on-demand",
        "provisioned-concurrency",
        "provisioned-concurrency",
    ]
    assert [each.report.init_ms is None for each in results] == [True, True, False]
    metrics = calls.service.metrics
    assert metrics.sum("ProvisionedConcurrencyInvocations", function="function") == 2
    assert metrics.sum("ProvisionedConcurrencySpilloverInvocations", function="function") == 1
    assert metrics.maximum("ProvisionedConcurrencyUtilization", function="function") == 1


def test_provisioned_concurrency_uses_up_what_is_reserved(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function(ECHO))
    service.publish_version("function")
    service.put_function_concurrency("function", 1)
    service.put_provisioned_concurrency("function", "1", 1)
    assert service.invoke("function", qualifier="1").executed_version == "1"
    with pytest.raises(TooManyRequests) as refused:
        service.invoke("function")
    assert refused.value.reason == RESERVED
    assert service.put_provisioned_concurrency("function", "1", 0) is None
    assert service.invoke("function").executed_version == "$LATEST"


def test_an_initialisation_that_fails_is_told(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function("print('no database'); raise SystemExit(7)"))
    service.publish_version("function")
    state = service.put_provisioned_concurrency("function", "1", 1)
    assert state is not None
    assert (state.status, state.available, state.status_reason) == ("FAILED", 0, "FUNCTION_ERROR_INIT_FAILURE")
    assert "no database" in state.log
    assert service.invoke("function", qualifier="1").json()["errorType"] == "Runtime.ExitError"  # on demand


def test_provisioned_concurrency_moves_with_its_alias(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function(ECHO))
    service.publish_version("function")
    service.create_alias("function", "live", "1")
    service.put_provisioned_concurrency("function", "live", 1)
    service.update_function(make_function("serve(lambda body: b'2')"))
    assert service.publish_version("function") == "2"
    service.update_alias("function", "live", version="2")
    service._submit(service._control.provisioned.until_settled()).result()
    result = service.invoke("function", qualifier="live")
    assert (result.json(), result.report.init_ms) == (2, None)
    assert service.invoke("function", qualifier="1").report.init_ms is not None


@pytest.mark.parametrize("runtime", ["ours", pytest.param("awslambdaric", marks=needs_awslambdaric())])
def test_provisioned_environments_of_a_real_runtime(task_root: Path, start_lambda: Start, runtime: str) -> None:
    (task_root / "app.py").write_text(
        textwrap.dedent("""
            import os
            print("loaded")
            def handler(event, context):
                return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
        """)
    )
    settings: dict[str, Any] = {}
    if runtime == "awslambdaric":
        settings["command"] = (sys.executable, "-m", "awslambdaric", "app.handler")
        settings["environment"] = {"PYTHONPATH": str(awslambdaric_path())}
    service = start_lambda(FunctionConfiguration(handler="app.handler", task_root=task_root, timeout_s=20, **settings))
    service.publish_version("function")
    service.put_provisioned_concurrency("function", "1", 1)
    result = service.invoke("function", qualifier="1")
    assert (result.json(), result.report.init_ms, "loaded" in result.init_log) == (
        "provisioned-concurrency",
        None,
        True,
    )


def test_what_contradicts_itself_is_refused_in_the_services_words(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    service = start_lambda(make_function(ECHO))
    service.publish_version("function")
    service.create_alias("function", "live", "1")

    with pytest.raises(InvalidParameterValue) as refused:
        service.put_function_concurrency("function", 901)
    assert refused.value.message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    )
    with pytest.raises(ValidationFailed, match="greater than or equal to 0"):
        service.put_function_concurrency("function", -1)
    with pytest.raises(InvalidParameterValue, match=r"^This operation is permitted on Lambda functions only\. Aliases"):
        service.put_function_concurrency("function:1", 1)
    with pytest.raises(InvalidParameterValue) as refused:
        service.put_provisioned_concurrency("function", "$LATEST", 1)
    assert refused.value.message == (
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )
    with pytest.raises(ResourceNotFound):
        service.put_provisioned_concurrency("function", "7", 1)
    with pytest.raises(ProvisionedConcurrencyConfigNotFound, match="No Provisioned Concurrency Config found for this"):
        service.put_provisioned_concurrency("function", "1", 0)
    service.put_function_concurrency("function", 1)
    with pytest.raises(InvalidParameterValue) as refused:
        service.put_provisioned_concurrency("function", "1", 2)
    assert refused.value.message == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    )
    service.put_provisioned_concurrency("function", "1", 1)
    with pytest.raises(ResourceConflict) as conflict:
        service.put_provisioned_concurrency("function", "live", 1)
    assert conflict.value.message == (
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    )
    service.put_provisioned_concurrency("function", "1", 0)
    service.put_provisioned_concurrency("function", "live", 1)
    with pytest.raises(ResourceConflict) as conflict:
        service.put_provisioned_concurrency("function", "1", 1)
    assert conflict.value.message == "Version is pointed by a Provisioned Concurrency alias"


def test_what_is_reserved_is_taken_from_the_others() -> None:
    limits = ConcurrencyLimits(account=102)
    limits.reserve("reserved", 2)
    admitted = [limits.admit("other", "$LATEST") for _ in range(100)]
    with pytest.raises(TooManyRequests) as refused:
        limits.admit("other", "$LATEST")
    assert refused.value.reason == UNRESERVED
    assert limits.admit("reserved", "$LATEST").share == "reserved"
    limits.release(admitted[0])
    assert limits.admit("other", "$LATEST").share == "unreserved"


def test_a_function_uses_its_provisioned_environments_and_those_on_demand() -> None:
    limits = ConcurrencyLimits()
    limits.provision("function", "1", 2)
    admitted = [limits.admit("function", "1") for _ in range(3)]
    assert [each.share for each in admitted] == ["provisioned", "provisioned", "unreserved"]
    assert (limits.used_by("function"), limits.on_demand("function"), limits.in_use) == (3, 1, 3)
    limits.release(admitted[0])
    assert (limits.used_by("function"), limits.in_use) == (2, 2)


def test_only_what_finds_provisioned_environments_busy_has_spilled_over() -> None:
    limits = ConcurrencyLimits()
    limits.provision("function", "1", 1)
    assert [limits.admit("function", "1").spilled_over for _ in range(2)] == [False, True]
    assert not limits.admit("function", "$LATEST").spilled_over
    assert not limits.admit("other", "$LATEST").spilled_over


def test_what_is_reserved_includes_what_the_function_has_provisioned() -> None:
    limits = ConcurrencyLimits(account=1000)
    limits.provision("function", "1", 50)
    assert limits.unreserved == 950
    with pytest.raises(InvalidParameterValue, match=r"below its minimum value of \[100\]"):
        limits.reserve("function", 901)
    limits.reserve("function", 900)
    assert limits.unreserved == 100
    with pytest.raises(InvalidParameterValue, match=r"below its minimum value of \[100\]"):
        limits.reserve("function", 901)
    limits.reserve("function", None)
    assert limits.unreserved == 950


def test_an_account_has_at_least_one() -> None:
    with pytest.raises(ValueError, match="use a number from 1"):
        ConcurrencyLimits(account=0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("admit"), st.sampled_from("abc"), st.sampled_from(["$LATEST", "1"])),
            st.tuples(st.just("release"), st.integers(0, 20), st.none()),
            st.tuples(st.just("reserve"), st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 6))),
            st.tuples(st.just("provision"), st.sampled_from("abc"), st.integers(0, 3)),
        ),
        max_size=60,
    )
)
def test_nobody_is_admitted_beyond_a_limit_and_every_place_comes_back(steps: list[tuple[str, Any, Any]]) -> None:
    limits = ConcurrencyLimits(account=110)
    held: list[Admission] = []
    for action, one, two in steps:
        match action:
            case "admit":
                with suppress(TooManyRequests):
                    held.append(limits.admit(one, two))
                    reserved = limits.reserved(one)
                    if held[-1].share == "reserved":
                        assert reserved is not None
                        on_demand = sum(each.function == one and each.share != "provisioned" for each in held)
                        assert on_demand <= reserved
            case "release" if held:
                limits.release(held.pop(one % len(held)))
            case "reserve":
                with suppress(InvalidParameterValue):
                    limits.reserve(one, two)
            case "provision":
                with suppress(InvalidParameterValue):
                    limits.check_provisioned(one, "1", two)
                    limits.provision(one, "1", two)
        assert limits.in_use == len(held)
        assert limits.unreserved >= 100
    for admission in held:
        limits.release(admission)
    assert (limits.in_use, limits.unreserved_in_use) == (0, 0)
