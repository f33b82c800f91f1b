"""The scope of an invocation: who is in it, what is called when it begins and ends, what a cold start is."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from handlerkit import event_handler, http_handler
from handlerkit.batch import process
from handlerkit.events import SqsRecord
from handlerkit.scope import Scope, at_every_start, current
from handlerkit.testing import FakeContext, http_event, sqs_event


@pytest.fixture
def started() -> Iterator[list[Scope]]:
    """The scopes that began while the test runs."""
    scopes: list[Scope] = []
    take_back = at_every_start(scopes.append)
    yield scopes
    take_back()


def test_every_invocation_has_a_scope_of_its_own_that_is_gone_afterwards(started: list[Scope]) -> None:
    @event_handler
    def handler(event: dict[str, int]) -> int:
        scope = current.get()
        assert scope is started[-1]
        assert scope.event == event
        return event["n"]

    assert [handler({"n": 1}, FakeContext()), handler({"n": 2}, FakeContext())] == [1, 2]
    assert len(started) == 2
    assert started[0] is not started[1]
    assert current.get() is None


def test_endings_are_called_in_reverse_also_when_the_handler_fails(started: list[Scope]) -> None:
    seen: list[object] = []

    @event_handler
    def handler(event: object) -> None:
        scope = current.get()
        assert scope is not None
        scope.at_end(lambda ended: seen.append(repr(ended.error)))
        scope.at_end(lambda _: seen.append("first"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        handler({}, None)
    assert seen == ["first", "ValueError('no')"]
    assert started[0].has_ended
    assert started[0].error is None  # nothing keeps the frames of what failed


def test_what_telemetry_raises_is_said_and_kept_from_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    def fails(_: Scope) -> None:
        raise RuntimeError("daemon gone")

    @event_handler
    def handler(event: object) -> str:
        scope = current.get()
        assert scope is not None
        scope.at_end(fails)
        return "fine"

    take_back = at_every_start(fails)
    assert handler({}, None) == "fine"
    take_back()
    assert capsys.readouterr().err.count("RuntimeError: daemon gone") == 2
    assert handler({}, None) == "fine"
    assert capsys.readouterr().err.count("RuntimeError: daemon gone") == 1


def test_a_handler_that_calls_another_stays_in_its_scope(started: list[Scope]) -> None:
    @event_handler
    def inner(event: object, context: Any) -> None: ...

    @event_handler
    def outer(event: dict[str, int], context: Any) -> None:
        inner(event, context)

    outer({}, FakeContext())
    assert len(started) == 1


def test_a_thread_with_a_copied_context_keeps_its_scope_and_another_has_none() -> None:
    seen: list[Scope | None] = []

    @event_handler
    def handler(event: object) -> None:
        for run in (contextvars.copy_context().run, lambda f: f()):
            thread = threading.Thread(target=run, args=(lambda: seen.append(current.get()),))
            thread.start()
            thread.join()
        assert seen == [current.get(), None]

    handler({}, None)


COLD = """
from handlerkit import event_handler
from handlerkit.scope import current
from handlerkit.testing import FakeContext
@event_handler
def handler(event: object) -> bool:
    return current.get().is_cold_start
assert handler({}) is False  # a module that warms itself up
print(handler({}, FakeContext()), handler({}, FakeContext()))
"""


@pytest.mark.parametrize(
    ("initialisation", "expected"),
    [("on-demand", "True False"), ("provisioned-concurrency", "False False"), ("snap-start", "True False")],
)
def test_the_first_invocation_is_cold_unless_the_environment_was_provisioned(
    initialisation: str, expected: str
) -> None:
    environment = {**os.environ, "AWS_LAMBDA_INITIALIZATION_TYPE": initialisation}
    done = subprocess.run([sys.executable, "-c", COLD], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_a_handler_that_is_called_without_a_context_belongs_to_the_invocation_around_it(started: list[Scope]) -> None:
    context = FakeContext()

    @event_handler
    def inner(event: dict[str, int]) -> str:
        scope = current.get()
        assert scope is not None
        assert scope.event == {"inner": 1}
        return str(scope.context.aws_request_id)

    @http_handler
    def web() -> str:
        scope = current.get()
        assert scope is not None
        return str(scope.context.aws_request_id)

    @event_handler
    async def awaited(event: dict[str, int]) -> str:
        return str(inner({"inner": 1}))

    @event_handler
    def outer(event: dict[str, int], context: Any) -> list[Any]:
        scope = current.get()
        assert scope is not None
        found = [inner({"inner": 1}), web(http_event())["body"], awaited({"n": 1})]
        assert scope.event == {"outer": 1}
        return found

    assert outer({"outer": 1}, context) == [context.aws_request_id] * 3
    assert len(started) == 1


def test_coroutines_inside_of_a_coroutine_keep_its_scope(started: list[Scope]) -> None:
    @event_handler
    async def inner(event: dict[str, int]) -> int:
        return event["inner"]

    @event_handler
    async def outer(event: dict[str, int]) -> int:
        scope = current.get()
        assert scope is not None
        found = await inner({"inner": 7})
        assert scope.event == {"outer": 1}
        return int(found)

    async def run() -> Any:
        return await outer({"outer": 1}, FakeContext())

    assert asyncio.run(run()) == 7
    assert len(started) == 1


@pytest.mark.parametrize("kind", ["plain", "coroutine", "http", "process"])
def test_an_ending_that_is_interrupted_leaves_nothing_of_its_invocation_behind(kind: str) -> None:
    def interrupted(_: Scope) -> None:
        raise KeyboardInterrupt

    def work() -> None:
        scope = current.get()
        assert scope is not None
        scope.at_end(interrupted)

    @event_handler
    def plain(event: object) -> None:
        work()

    @event_handler
    async def coroutine(event: object) -> None:
        work()

    @http_handler
    def http() -> None:
        work()

    def record(record: SqsRecord) -> None:
        work()

    async def awaited() -> None:
        with pytest.raises(KeyboardInterrupt):
            await coroutine({}, FakeContext())
        assert current.get() is None

    if kind == "coroutine":
        asyncio.run(awaited())
        return
    calls: dict[str, Any] = {
        "plain": lambda: plain({}, FakeContext()),
        "http": lambda: http(http_event(), FakeContext()),
        "process": lambda: process(sqs_event(["x"]), record, context=FakeContext()),
    }
    with pytest.raises(KeyboardInterrupt):
        calls[kind]()
    assert current.get() is None
