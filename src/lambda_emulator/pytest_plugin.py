"""Fixtures for tests of Lambda functions. pytest loads it wherever handlerkit is installed: it imports nothing else.

    def test_an_order_is_stored(local_lambda, aws):
        orders = local_lambda.function("orders.handler")
        assert orders({"id": 7}) == {"stored": 7}

| fixture | gives |
|---|---|
| `local_lambda` | a `TestedLambda` of its own for each test, its processes ended afterwards |
| `aws` | an `EmbeddedAws` (moto), emptied for each test, on the clock of `local_lambda` |
| `aws_environment` | `aws` for the test's own process: the variables by which boto3 finds it |
| `local_clock` | the `ManualClock` of both |
| `lambda_context` | a context for handlers that are called directly |

A test that fails shows what its functions have logged. Option `handlerkit_task_root` of pytest's configuration: the
folder that functions are loaded from (default: pytest's root folder).
"""

import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from handlerkit.testing import FakeContext
    from lambda_emulator.embedded_aws import EmbeddedAws
    from lambda_emulator.manual_clock import ManualClock
    from lambda_emulator.tested_lambda import TestedLambda

__all__ = ["aws", "aws_environment", "embedded_aws", "lambda_context", "local_clock", "local_lambda"]

_TASK_ROOT = "handlerkit_task_root"
# Variables by which boto3 would find another AWS than the test's, or a profile of the developer's.
_LEADING_ELSEWHERE = (
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL_",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SESSION_",
)
# Of each function's log: enough for the last few invocations, little enough to find the assertion above it.
_SHOWN_CHARACTERS = 20_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.addini(_TASK_ROOT, "folder that local_lambda loads functions from (default: the root folder)", default=".")


@pytest.fixture
def local_clock() -> "ManualClock":
    """The clock of `local_lambda` and `aws`; it stands still until the test moves it."""
    from lambda_emulator.manual_clock import ManualClock

    return ManualClock()


@pytest.fixture(scope="session", name="_handlerkit_embedded_aws")
def embedded_aws() -> "Iterator[EmbeddedAws]":
    """One moto for all tests of this process: starting it takes half a second."""
    from lambda_emulator import EmbeddedAws

    with EmbeddedAws() as embedded:
        yield embedded


@pytest.fixture
def aws(_handlerkit_embedded_aws: "EmbeddedAws", local_clock: "ManualClock") -> "Iterator[EmbeddedAws]":
    """An empty AWS in this process: `aws.client("sqs")`. Functions of `local_lambda` find it by `AWS_ENDPOINT_URL`."""
    _handlerkit_embedded_aws.follow(local_clock)
    _handlerkit_embedded_aws.reset()
    yield _handlerkit_embedded_aws
    _handlerkit_embedded_aws.reset()


@pytest.fixture
def aws_environment(aws: "EmbeddedAws", monkeypatch: pytest.MonkeyPatch) -> "Mapping[str, str]":
    """`aws` for the test's own process, and no account of yours: for handlers that the test calls directly.

    Gives the variables that are set until the test's end. A client that was made before them goes where it went.
    """
    for name in [name for name in os.environ if name.startswith(_LEADING_ELSEWHERE)]:
        monkeypatch.delenv(name)
    variables = {
        **aws.environment,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def local_lambda(request: pytest.FixtureRequest, local_clock: "ManualClock") -> "Iterator[TestedLambda]":
    """A local Lambda for this test, with the test's `aws` if it asks for that too."""
    from lambda_emulator.extra import needed_by

    with needed_by("the fixture local_lambda"):
        from lambda_emulator.tested_lambda import TestedLambda

    embedded = request.getfixturevalue("aws") if "aws" in request.fixturenames else None
    root = Path(request.config.rootpath, request.config.getini(_TASK_ROOT))
    with TestedLambda(
        clock=local_clock,
        task_root=root,
        aws=embedded.clients if embedded is not None else None,
        environment=embedded.environment if embedded is not None else None,
    ) as service:
        request.node.stash.setdefault(_SERVICES, []).append(service)
        yield service


@pytest.fixture
def lambda_context() -> "FakeContext":
    """A context with 30 seconds left."""
    from handlerkit.testing import FakeContext

    return FakeContext()


_SERVICES: "pytest.StashKey[list[TestedLambda]]" = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show what the functions of a failed test have logged."""
    report = yield
    if report.when == "call" and report.failed:
        for service in item.stash.get(_SERVICES, ()):
            logs: dict[str, list[str]] = {}
            for past in service.history.of():
                logs.setdefault(past.function, []).append(past.log)
            for function, texts in logs.items():
                report.sections.append((f"Lambda function {function}", "".join(texts)[-_SHOWN_CHARACTERS:]))
    return report
