"""What is written for which metrics, and that nothing is lost, mixed, or fails what has run."""

import asyncio
import contextvars
import datetime
import decimal
import enum
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import hypothesis
import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import strategies as st

from handlerkit import batch_handler, event_handler, traced
from handlerkit import metrics as default_metrics
from handlerkit.events import SqsRecord
from handlerkit.metrics import BatchMetrics, Metrics, documents, store, timing
from handlerkit.metrics.checks import UNITS
from handlerkit.metrics.settings import Settings
from handlerkit.scope import Scope, at_every_start
from handlerkit.testing import FakeContext, sqs_event
from tests.handlerkit.test_imports import loaded_by

from .conftest import Log, MakeLog, values_of
from .schema import checked


def invoked(log: Log, function: Any, request_id: str = "r-1") -> None:
    """Run a function as an invocation."""

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        function()

    handler({}, FakeContext(aws_request_id=request_id))


def test_metrics_of_an_invocation_are_one_document_written_at_its_end(log: Log) -> None:
    def work() -> None:
        log.metrics.add("orders", 1, "Count")
        log.metrics.add("orders", 2, "Count")
        log.metrics.add("latency", 3.5, unit="Milliseconds", resolution=1)
        log.metrics.add("plain")
        assert log.text == ""

    before_ms = time.time_ns() // 1_000_000
    invoked(log, work)
    (document,) = log.documents
    assert before_ms <= document["_aws"]["Timestamp"] <= time.time_ns() // 1_000_000
    assert document["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "shop",
            "Dimensions": [["service"]],
            "Metrics": [
                {"Name": "orders", "Unit": "Count"},
                {"Name": "latency", "Unit": "Milliseconds", "StorageResolution": 1},
                {"Name": "plain", "Unit": "None"},
            ],
        }
    ]
    del document["_aws"]
    assert document == {"service": "shop", "request_id": "r-1", "orders": [1, 2], "latency": 3.5, "plain": 1}


def test_an_invocation_without_metrics_writes_nothing(log: Log) -> None:
    invoked(log, lambda: None)
    assert log.text == ""


def test_metrics_are_written_also_when_the_handler_fails(log: Log) -> None:
    def work() -> None:
        log.metrics.add("tried")
        raise KeyError("failed")

    with pytest.raises(KeyError, match="failed"):
        invoked(log, work)
    assert [value[2:] for value in log.values] == [("tried", 1)]


def test_an_asynchronous_handlers_metrics_are_written_after_its_body(log: Log) -> None:
    @event_handler
    async def handler(event: dict[str, Any], context: Any) -> None:
        await asyncio.sleep(0)
        log.metrics.add("late")

    handler({}, FakeContext())
    assert [value[2] for value in log.values] == ["late"]


def test_every_document_is_one_write(make_log: MakeLog) -> None:
    writes: list[str] = []

    class Stream:
        def write(self, text: str) -> None:
            writes.append(text)

        def flush(self) -> None: ...

    log = make_log(stream=Stream())
    invoked(log, lambda: log.metrics.add("a"))
    assert len(writes) == 1
    assert writes[0].endswith("}\n")


def test_metrics_carry_no_level_through_a_runtimes_hook(make_log: MakeLog) -> None:
    records: list[tuple[str, int]] = []

    class Stream:
        def __lambda_record__(self, text: str, level: int) -> None:
            records.append((text, level))

    log = make_log(stream=Stream())
    log.metrics.add("a")
    assert [level for _, level in records] == [0]


# Dimensions, properties, namespaces, time.


def test_dimensions_and_properties_make_other_metrics_and_change_none(log: Log) -> None:
    def work() -> None:
        eu = log.metrics.dimensions(region="eu", tier=2)
        us = log.metrics.dimensions(region="us", tier=2)
        log.metrics.add("orders", 1)
        eu.add("orders", 2)
        us.add("orders", 3)
        eu.add("orders", 4)
        eu.properties(order={"id": 5}, request_id="own").add("orders", 6)

    invoked(log, work)
    assert [(json.loads(dimensions), value) for _, dimensions, _, value in log.values] == [
        ({"service": "shop"}, 1),
        ({"service": "shop", "region": "eu", "tier": "2"}, 2),
        ({"service": "shop", "region": "eu", "tier": "2"}, 4),
        ({"service": "shop", "region": "us", "tier": "2"}, 3),
        ({"service": "shop", "region": "eu", "tier": "2"}, 6),
    ]
    assert log.documents[-1]["order"] == {"id": 5}
    assert log.documents[-1]["request_id"] == "own"


def test_one_metric_can_be_under_several_dimension_sets(log: Log) -> None:
    several = log.metrics.dimension_sets({}, {"region": "eu"}, {"region": "eu", "tier": "a"})
    several.dimensions(app="x").add("orders", 5)
    (document,) = log.documents
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [
        ["app"], ["region", "app"], ["region", "tier", "app"],
    ]  # fmt: skip
    log.metrics.dimension_sets().add("none", 1)
    assert log.documents[-1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_dimension_sets_with_different_values_of_one_name_are_documents_of_their_own(log: Log) -> None:
    log.metrics.dimension_sets({"region": "eu"}, {"region": "us"}, {"tier": "a"}).add("orders", 5)
    assert sorted(dimensions for _, dimensions, _, _ in log.values) == [
        '{"region": "eu"}', '{"region": "us"}', '{"tier": "a"}',
    ]  # fmt: skip


def test_several_namespaces_each_get_their_metrics(log: Log) -> None:
    def work() -> None:
        Metrics("Other", process=log.process).add("a", 1)
        log.metrics.namespace("Third").add("a", 2)
        log.metrics.add("a", 3)

    invoked(log, work)
    assert [(value[0], value[3]) for value in log.values] == [("Other", 1), ("Third", 2), ("shop", 3)]


def test_a_metric_can_be_of_another_time(log: Log) -> None:
    now_ms = time.time_ns() // 1_000_000
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)

    def work() -> None:
        log.metrics.at(now_ms - 5_000).add("a", 1)
        log.metrics.at(yesterday).add("a", 2)
        log.metrics.add("a", 3)

    invoked(log, work)
    first, second, third = (document["_aws"]["Timestamp"] for document in log.documents)
    assert first == now_ms - 5_000
    assert second == int(yesterday.timestamp() * 1000)
    assert third >= now_ms
    for wrong in (now_ms - 15 * 86_400_000, now_ms + 3 * 3_600_000, 0):
        with pytest.raises(ValueError, match="the last 14 days"):
            log.metrics.at(wrong)
    with pytest.raises(ValueError, match="no time zone"):
        log.metrics.at(datetime.datetime(2026, 1, 1))  # noqa: DTZ001


# Limits.


def test_metrics_beyond_a_hundred_go_into_further_documents(log: Log) -> None:
    def work() -> None:
        for n in range(250):
            log.metrics.add(f"m{n}", n)

    invoked(log, work)
    sizes = [len(document["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for document in log.documents]
    assert sizes == [100, 100, 50]
    assert {value[2]: value[3] for value in log.values} == {f"m{n}": n for n in range(250)}


def test_values_beyond_a_hundred_go_into_further_documents(log: Log) -> None:
    def work() -> None:
        for n in range(1_050):
            log.metrics.add("many", n)
        log.metrics.add("one", 1)

    invoked(log, work)
    assert len(log.documents) == 11
    assert sorted(value[3] for value in log.values if value[2] == "many") == list(range(1_050))
    assert "one" in log.documents[0]


def test_many_values_of_many_metrics_fill_documents_and_no_document_too_much(log: Log) -> None:
    names = [f"m{n}" for n in range(150)]
    destination, series = log.metrics.destinations()[0], {}
    for name in names:
        series[documents.series_of(name, "Count", 60)] = list(range(250))
    lines = documents.documents_of(destination, series, 0, {})
    assert len(lines) == 6  # each metric is in three, and none has more than a hundred
    found = Counter(value[2:] for line in lines for value in values_of(checked(line)))
    assert found == {(name, value): 1 for name in names for value in range(250)}


def test_dimensions_beyond_thirty_are_two_sets_and_none_is_lost(log: Log) -> None:
    many = {f"d{n}": str(n) for n in range(35)}
    log.metrics.dimensions(**many).add("a")
    (document,) = log.documents
    sets = document["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert [len(names) for names in sets] == [30, 6]
    assert many.items() <= document.items()


def test_a_document_is_never_larger_than_an_event_may_be(log: Log) -> None:
    names = ["x" * 250 + f"{n:05}" for n in range(100)]

    def work() -> None:
        large = log.metrics.properties(**{f"p{n}": "ß" * 20_000 for n in range(4)})
        for name in names:
            for n in range(100):
                large.add(name, 1e100 + n * 1e99)
        log.metrics.properties(huge="x" * 10_000_000).add("small")
        log.metrics.properties(**{f"q{n}": "y" * 40_000 for n in range(10)}).add("tiny")

    invoked(log, work)
    assert Counter(value[2] for value in log.values) == {**dict.fromkeys(names, 100), "small": 1, "tiny": 1}
    assert [document["huge"] for document in log.documents if "huge" in document] == ["[10000002 characters, left out]"]
    assert log.documents[-1]["properties_left_out"] == 11


def test_a_name_with_two_units_or_resolutions_keeps_both(log: Log) -> None:
    def work() -> None:
        log.metrics.add("time", 900, "Milliseconds")
        log.metrics.add("time", 2, "Seconds")
        log.metrics.add("time", 3, "Seconds", resolution=1)
        log.metrics.add("time", 800, "Milliseconds")

    invoked(log, work)
    kept = [
        (metric.get("Unit"), metric.get("StorageResolution", 60), document["time"])
        for document in log.documents
        for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    ]
    assert kept == [("Milliseconds", 60, [900, 800]), ("Seconds", 60, 2), ("Seconds", 1, 3)]


def test_an_invocation_that_counts_without_end_does_not_fill_the_memory(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_HELD", 500)

    def work() -> None:
        for n in range(1_250):
            log.metrics.add("n", n)
        assert len(log.values) == 1_000

    invoked(log, work)
    assert sorted(value[3] for value in log.values) == list(range(1_250))


def test_a_property_does_not_take_the_place_of_a_metric(log: Log) -> None:
    log.metrics.properties(orders="text").add("orders", 5)
    (document,) = log.documents
    assert (document["orders"], document["orders_"]) == (5, "text")


# What is refused, and what is made to fit.


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2.0**361, -(2**400), decimal.Decimal("NaN")])
def test_a_value_that_cloudwatch_does_not_take_is_refused_at_the_call(log: Log, value: Any) -> None:
    with pytest.raises(ValueError, match="finite and within"):
        log.metrics.add("a", value)
    assert log.text == ""


@pytest.mark.parametrize("value", ["1", b"1", True, None, [1], object()])
def test_a_value_that_is_no_number_is_refused_at_the_call(log: Log, value: Any) -> None:
    with pytest.raises(TypeError, match="a metric's value is a number, not"):
        log.metrics.add("a", value)


@pytest.mark.parametrize("value", [0, -1, 1.5, 2**60, 10**100, decimal.Decimal("1.5"), 5e-324])
def test_a_finite_number_of_any_kind_is_taken(log: Log, value: Any) -> None:
    log.metrics.add("a", value)
    assert float(log.values[0][3]) == float(value)


class Unit(enum.Enum):
    COUNT = "Count"


def test_units_are_checked_with_a_hint(log: Log) -> None:
    for unit in UNITS:
        log.metrics.add("a", 1, unit)
    log.metrics.add("a", 1, Unit.COUNT)  # type: ignore[arg-type]
    assert len(log.documents) == 28
    with pytest.raises(ValueError, match="'count' is no unit; did you mean 'Count'"):
        log.metrics.add("a", 1, "count")
    with pytest.raises(ValueError, match="no unit; there are Bits"):
        log.metrics.add("a", 1, "qqq")
    with pytest.raises(ValueError, match="60, or 1"):
        log.metrics.add("a", 1, resolution=5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.add("", 1), ValueError, "1 to 255 characters"),
        (lambda m: m.add("x" * 256, 1), ValueError, "1 to 255 characters"),
        (lambda m: m.add(5, 1), TypeError, "a metric's name is text, not int"),
        (lambda m: m.add("_aws", 1), ValueError, "the format's own"),
        (lambda m: m.add("service", 1), ValueError, "'service' is a dimension here"),
        (lambda m: m.dimensions(**{":a": 1}), ValueError, "no colon"),
        (lambda m: m.dimensions(ß=1), ValueError, "ASCII"),
        (lambda m: m.dimensions(_aws=1), ValueError, "the format's own"),
        (lambda m: m.properties(_aws=1), ValueError, "the format's own"),
        (lambda m: m.properties(a=1).dimensions(a=2), ValueError, "'a' is a property here"),
        (lambda m: m.namespace("AWS/Lambda"), ValueError, "CloudWatch|AWS/"),
        (lambda m: m.namespace(" "), ValueError, "1 to 255"),
        (lambda m: m.timer("t", "Count"), ValueError, "no unit of time"),
        (lambda m: m.timer("t")(_generator), TypeError, "is a generator"),
    ],
)
def test_a_mistake_of_the_program_raises_at_the_call(log: Log, call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(log.metrics)
    assert log.text == ""


def _generator() -> Any:
    yield 1


FITTED = [("Zoë", "Zo\\xeb"), ("", "empty"), ("  ", "empty"), (":a", "_:a"), (5, "5"), (None, "None")]
FITTED += [("a\nb", "a b"), ("x" * 2_000, "x" * 1_024), (Unit.COUNT, "Count")]


@pytest.mark.parametrize(("value", "written"), FITTED)
def test_a_dimensions_value_is_data_and_made_to_fit(log: Log, value: object, written: str) -> None:
    log.metrics.dimensions(tenant=value).add("a")
    assert log.documents[0]["tenant"] == written


def test_a_flush_that_fails_does_not_fail_what_has_run(
    make_log: MakeLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = make_log()
    monkeypatch.setattr(log.process.output, "__class__", _Broken)
    invoked(log, lambda: log.metrics.add("a"))
    assert "metrics of function could not be written: RuntimeError: full" in capsys.readouterr().err


def test_a_handlers_own_error_is_not_masked_by_a_flush_that_fails(
    make_log: MakeLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = make_log()
    monkeypatch.setattr(log.process.output, "__class__", _Broken)

    def work() -> None:
        log.metrics.add("a")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        invoked(log, work)
    assert "could not be written" in capsys.readouterr().err


class _Broken(type(Log({}).process.output)):  # type: ignore[misc]
    __slots__ = ()

    def write(self, text: str, level: int) -> None:
        raise RuntimeError("full")


# Timers.


def test_a_timer_measures_blocks_and_functions_also_when_they_fail(log: Log) -> None:
    @log.metrics.timer("sync")
    def sync(x: int) -> int:
        """Doc."""
        return 10 // x

    @log.metrics.timer("async", "Seconds")
    async def asynchronous() -> str:
        await asyncio.sleep(0.01)
        return "done"

    def work() -> None:
        assert sync(2) == 5
        with pytest.raises(ZeroDivisionError):
            sync(0)
        assert asyncio.run(asynchronous()) == "done"
        with log.metrics.timer("block", "Microseconds"):
            pass

    invoked(log, work)
    assert (sync.__name__, sync.__doc__) == ("sync", "Doc.")
    (document,) = log.documents
    assert len(document["sync"]) == 2
    assert 0.01 <= document["async"] < 10
    assert 0 < document["block"] < 1_000_000


class Clock:
    """The timer's, which goes when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 0

    def passes(self, milliseconds: int) -> None:
        self.now_ns += milliseconds * 1_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter_ns=lambda: made.now_ns))
    return made


def test_a_handler_under_a_timer_still_takes_bytes_and_is_measured_once_each_way(log: Log, clock: Clock) -> None:
    @log.metrics.timer("taken")
    @event_handler
    def handler(event: dict[str, int]) -> dict[str, int]:
        """Doc."""
        clock.passes(event["n"])
        return {"n": event["n"]}

    handler.__lambda_prepare__()
    assert handler({"n": 3}, FakeContext()) == {"n": 3}
    assert handler.__lambda_raw__(b'{"n":5}', FakeContext()) == b'{"n":5}'
    with pytest.raises(KeyError):
        handler.__lambda_raw__(b"{}", FakeContext())
    assert [document["taken"] for document in log.documents] == [3.0, 5.0, 0.0]
    assert (handler.__name__, handler.__doc__, handler.func({"n": 0})) == ("handler", "Doc.", {"n": 0})
    assert repr(handler).startswith("<timed <event_handler ")


def test_an_asynchronous_handlers_bytes_are_timed_until_their_answer(log: Log, clock: Clock) -> None:
    @log.metrics.timer("taken")
    @event_handler
    async def handler(event: dict[str, int]) -> int:
        await asyncio.sleep(0)
        clock.passes(event["n"])
        return event["n"]

    async def run() -> Any:
        return await handler.__lambda_raw__(b'{"n":7}', FakeContext())

    assert asyncio.run(run()) == b"7"
    assert [document["taken"] for document in log.documents] == [7.0]


def test_a_timer_and_a_span_above_a_batch_handler_leave_it_its_bytes(log: Log, clock: Clock) -> None:
    @traced
    @log.metrics.timer("taken")
    @batch_handler
    def handler(record: SqsRecord[int]) -> None:
        clock.passes(record.body)

    body = json.dumps(sqs_event([1, 2])).encode()
    assert handler.__lambda_raw__(body, FakeContext()) == b'{"batchItemFailures":[]}'
    assert [document["taken"] for document in log.documents] == [3.0]


def test_a_function_that_only_returns_a_coroutine_is_timed_until_that_is_done(log: Log, clock: Clock) -> None:
    async def work(fails: bool) -> str:
        await asyncio.sleep(0)
        clock.passes(20)
        if fails:
            raise ValueError("late")
        return "done"

    def hiding(fails: bool = False) -> Any:
        clock.passes(1)
        return work(fails)

    timed = log.metrics.timer("hidden")(hiding)

    async def body() -> None:
        assert await timed() == "done"
        with pytest.raises(ValueError, match="late"):
            await timed(fails=True)
        kept = timed()
        clock.passes(500)  # the time that nobody awaits it is not its own
        await kept

    invoked(log, lambda: asyncio.run(body()))
    assert log.documents[0]["hidden"] == [21, 21, 21]


def test_a_function_that_returns_a_task_is_timed_until_that_is_done_and_the_task_stays_one(
    log: Log, clock: Clock
) -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        clock.passes(20)
        return "done"

    @log.metrics.timer("task")
    def timed() -> asyncio.Task[str]:
        return asyncio.ensure_future(work())

    async def body() -> None:
        task = timed()
        assert isinstance(task, asyncio.Task)
        assert await task == "done"
        cancelled = timed()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled

    invoked(log, lambda: asyncio.run(body()))
    assert log.documents[0]["task"] == [20, 0]


def test_what_can_be_entered_instead_of_awaited_still_can(log: Log) -> None:
    class Request:
        def __await__(self) -> Any:
            return self.__aenter__().__await__()

        async def __aenter__(self) -> str:
            return "done"

        async def __aexit__(self, *_: object) -> None:
            pass

    timed = log.metrics.timer("request")(Request)

    async def body() -> None:
        async with timed() as answer:
            assert answer == "done"
        assert await timed() == "done"

    invoked(log, lambda: asyncio.run(body()))
    assert len(log.documents[0]["request"]) == 2


# Cold starts and batches.


def test_a_cold_start_is_counted_also_when_it_fails_and_once(make_log: MakeLog) -> None:
    scopes: list[Any] = []

    def pretend(scope: Any) -> None:
        scope.is_cold_start = not scopes
        scopes.append(scope)

    take_back = at_every_start(pretend)
    log = make_log({"HANDLERKIT_METRICS_COLD_START": "true", "HANDLERKIT_SERVICE": "shop"})
    try:
        with pytest.raises(ZeroDivisionError):
            invoked(log, lambda: 1 / 0)
        invoked(log, lambda: None)
    finally:
        take_back()
        log.process.settings.change({"cold_start": False})
    (value,) = log.values
    assert value == ("shop", '{"function_name": "orders", "service": "shop"}', "ColdStart", 1)


def test_a_batch_counts_its_records(log: Log) -> None:
    @batch_handler(observers=[BatchMetrics(log.metrics)], max_workers=2)
    def handler(record: SqsRecord[int]) -> None:
        if record.body == 2:
            raise ValueError("no")

    handler(sqs_event([1, 2, "not a number", 4]), FakeContext())
    handler(sqs_event([1]), FakeContext())
    first, second = log.documents
    names = ("BatchRecords", "BatchRecordsFailed", "BatchRecordsPoisoned", "BatchRecordsNotStarted")
    assert [first[name] for name in names] == [4, 1, 1, 0]
    assert [second[name] for name in names] == [1, 0, 0, 0]
    assert first["source"] == "sqs.standard"
    assert "orders" in first["batch_where"]


# Attribution.


def test_values_of_many_threads_are_neither_lost_nor_doubled(log: Log) -> None:
    def work() -> None:
        def add(start: int) -> None:
            for n in range(start, start + 500):
                log.metrics.add("n", n)
                if n % 100 == 0:
                    log.metrics.flush()

        contexts = [contextvars.copy_context() for _ in range(8)]
        threads = [threading.Thread(target=context.run, args=(add, at * 500)) for at, context in enumerate(contexts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    invoked(log, work)
    assert sorted(value[3] for value in log.values) == list(range(4_000))


STEPS = st.lists(st.tuples(st.sampled_from(["add", "thread", "task", "flush", "bare"]), st.integers(0, 3)), max_size=8)


@hypothesis.given(st.lists(st.tuples(STEPS, st.booleans()), min_size=2, max_size=5))
@hypothesis.settings(max_examples=25, deadline=None)
def test_no_metric_is_attributed_to_another_invocation(  # noqa: C901  # a list of what code may do
    programs: list[tuple[list[tuple[str, int]], bool]],
) -> None:
    log = Log({})
    expected: Counter[str] = Counter()

    async def one(owner: str, steps: list[tuple[str, int]]) -> None:
        mine = log.metrics.properties(owner=owner)
        for step, at in steps:
            if step == "flush":
                log.metrics.flush()
                await asyncio.sleep(0)
                continue
            expected[f"{owner} {step}"] += 1
            if step == "add":
                mine.add(f"m{at}", 1)
            elif step == "task":
                await asyncio.gather(_later(mine, at))
            else:
                run = contextvars.copy_context().run if step == "thread" else _plainly
                name = "bare" if step == "bare" else f"m{at}"
                thread = threading.Thread(target=run, args=(mine.add, name, 1))
                thread.start()
                thread.join()

    @event_handler
    async def handler(event: dict[str, Any], context: Any) -> None:
        await one(context.aws_request_id, event["steps"])
        if event["fails"]:
            raise ValueError("fails")

    def serve(number: int) -> None:
        steps, fails = programs[number]
        try:
            handler({"steps": steps, "fails": fails}, FakeContext(aws_request_id=f"r-{number}"))
        except ValueError:
            assert fails

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(serve, range(len(programs))))
    found: Counter[str] = Counter()
    for document in log.documents:
        for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            held = document[metric["Name"]]
            count = len(held) if isinstance(held, list) else 1
            if metric["Name"] == "bare":
                assert "request_id" not in document  # a thread without the invocation's context is nobody's
            else:
                assert document["request_id"] == document["owner"]
            found[document["owner"]] += count
    assert found == Counter({owner: n for owner, n in _by_owner(expected).items() if n})


async def _later(metrics: Metrics, at: int) -> None:
    await asyncio.sleep(0)
    metrics.add(f"m{at}", 1)


def _plainly(function: Any, *args: Any) -> None:
    function(*args)


def _by_owner(expected: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in expected.items():
        found[key.split(" ")[0]] += count
    return found


def test_outside_of_an_invocation_and_after_its_end_metrics_are_written_at_once(log: Log) -> None:
    contexts: list[contextvars.Context] = []

    def work() -> None:
        contexts.append(contextvars.copy_context())
        log.metrics.add("in time")

    log.metrics.add("before")
    assert len(log.documents) == 1
    invoked(log, work)
    contexts[0].run(log.metrics.add, "late")
    assert [value[2] for value in log.values] == ["before", "in time", "late"]
    assert log.documents[-1]["request_id"] == "r-1"  # it is still of that invocation
    assert "request_id" not in log.documents[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_writes_its_own_values_and_none_of_its_parents(log: Log) -> None:
    reading, writing = os.pipe()

    def work() -> None:
        log.metrics.add("parent")
        child = os.fork()
        if child == 0:
            try:
                log.metrics.flush()
                log.metrics.add("child")
                os.write(writing, log.text.encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    invoked(log, work)
    os.close(writing)
    of_child = os.read(reading, 10_000).decode()
    os.close(reading)
    assert [value[2] for value in log.values] == ["parent"]
    assert "child" in checked(of_child.rstrip("\n"))
    assert "parent" not in of_child


# Settings.


@pytest.mark.parametrize(
    ("environ", "options", "namespace", "service"),
    [
        ({}, {}, "function", "function"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "orders"}, {}, "orders", "orders"),
        ({"HANDLERKIT_SERVICE": "shop", "AWS_LAMBDA_FUNCTION_NAME": "orders"}, {}, "shop", "shop"),
        ({"HANDLERKIT_METRICS_NAMESPACE": "Space"}, {"service": "other"}, "Space", "other"),
        ({"HANDLERKIT_METRICS_NAMESPACE": "Space"}, {"namespace": "Mine"}, "Mine", "function"),
        ({"HANDLERKIT_METRICS_NAMESPACE": "AWS/No"}, {}, "handlerkit", "function"),
    ],
)
def test_there_is_always_a_namespace_and_a_service(
    make_log: MakeLog, environ: dict[str, str], options: dict[str, str], namespace: str, service: str
) -> None:
    log = make_log(environ, **options)
    log.metrics.add("a")
    (document,) = log.documents
    assert (document["_aws"]["CloudWatchMetrics"][0]["Namespace"], document["service"]) == (namespace, service)


@pytest.mark.parametrize(
    "name", ["HANDLERKIT_METRICS_NAMESPACE", "HANDLERKIT_METRICS_COLD_START", "HANDLERKIT_METRICS_DISABLED"]
)
def test_a_variable_that_means_nothing_is_ignored_and_told_of_once(name: str) -> None:
    code = "from handlerkit import metrics; metrics.add('a'); metrics.add('b')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, name: "AWS/perhaps"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr.count(f"handlerkit: {name} is ignored: ") == 1
    assert "'AWS/perhaps'" in done.stderr
    assert '"a":1' in done.stdout
    assert "ColdStart" not in done.stdout


@pytest.mark.parametrize("text", ["", " ", "0", "Off", "TRUE"])
def test_a_switch_that_is_empty_or_a_word_for_one_is_not_told_of(text: str) -> None:
    variables = {"HANDLERKIT_METRICS_COLD_START": text, "HANDLERKIT_METRICS_DISABLED": text}
    assert Settings(variables).complaints == []


def test_settings_change_what_comes_later_and_are_checked(make_log: MakeLog) -> None:
    log = make_log()
    log.metrics.add("a")
    log.process.settings.change({"dimensions": {"stage": "prod"}, "namespace": "Later"})
    log.process.apply()
    log.process.output.stream = log.stream
    log.metrics.add("a")
    assert [value[:2] for value in log.values] == [
        ("function", '{"service": "function"}'), ("Later", '{"stage": "prod"}'),
    ]  # fmt: skip
    with pytest.raises(TypeError, match="no option 'namspace'; did you mean 'namespace'"):
        make_log(namspace="x")
    with pytest.raises(ValueError, match="AWS/"):
        make_log(namespace="AWS/x")


def test_metrics_can_be_switched_off_and_are_still_checked(make_log: MakeLog) -> None:
    log = make_log({"HANDLERKIT_METRICS_DISABLED": "1"})
    log.metrics.add("a")
    with pytest.raises(ValueError, match="finite"):
        log.metrics.add("a", math.nan)
    assert log.text == ""


PROGRAM = """
from handlerkit import metrics, event_handler
metrics.configure(namespace="Shop")
@event_handler
def handler(event: dict) -> None:
    metrics.add("orders", 1, unit="Count")
    with metrics.timer("lookup"):
        pass
handler({})
metrics.dimensions(a=1).properties(b=2).add("direct", 5)
"""


def test_the_functions_of_the_module_are_those_of_a_default() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    first, second = (checked(line) for line in done.stdout.splitlines())
    assert first["orders"] == 1
    assert (second["a"], second["b"], second["direct"]) == ("1", 2, 5)
    assert default_metrics.add.__self__ is default_metrics.timer.__self__  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = default_metrics.nothing


def test_metrics_load_nothing_heavy() -> None:
    code = "import sys, io; sys.stdout = io.StringIO()\nfrom handlerkit import metrics\nmetrics.add('a')\n"
    heavy = {"structlog", "pydantic", "boto3", "asyncio", "logging", "json", "re", "typing", "inspect", "dataclasses"}
    assert not loaded_by(code + "sys.stdout = sys.__stdout__") & heavy


def test_the_schema_refuses_what_is_wrong() -> None:
    good = {
        "_aws": {
            "Timestamp": 1,
            "CloudWatchMetrics": [{"Namespace": "n", "Dimensions": [["d"]], "Metrics": [{"Name": "m"}]}],
        },
        "d": "x",
        "m": 1,
    }
    checked(json.dumps(good))
    mistakes: list[dict[str, Any]] = [
        {"m": "text"}, {"d": 5}, {"d": ":x"}, {"m": [1] * 101}, {"_aws": {}}, {"m": []},
    ]  # fmt: skip
    for wrong in mistakes:
        with pytest.raises(jsonschema.ValidationError):
            checked(json.dumps({**good, **wrong}))
    with pytest.raises(AssertionError, match="NaN is not JSON"):
        checked(json.dumps({**good, "m": math.nan}))


VALUES = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100) | st.integers(
    -(10**18), 10**18
)


@hypothesis.given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=12).filter(lambda name: name.strip() and name not in ("_aws", "service", "t")),
            VALUES,
            st.sampled_from(sorted(UNITS)),
            st.sampled_from([1, 60]),
            st.text(max_size=8),
        ),
        max_size=150,
    )
)
@hypothesis.settings(max_examples=40, deadline=None)
def test_whatever_is_added_is_in_valid_documents_exactly_once(added: list[tuple[str, float, str, int, str]]) -> None:
    log = Log({})

    def work() -> None:
        for name, value, unit, resolution, tenant in added:
            log.metrics.dimensions(t=tenant).properties(p=tenant).add(name, value, unit, resolution=resolution)

    invoked(log, work)
    found = Counter((name, float(value)) for _, _, name, value in log.values)
    assert found == Counter((name, float(value)) for name, value, *_ in added)


def test_the_modules_timer_can_be_used_again_and_again() -> None:
    program = """
from handlerkit import metrics
for name in "abc":
    with metrics.timer(name):
        pass
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 3


def test_a_timed_function_can_be_asked_for_its_signature_and_made_a_handler() -> None:
    program = """
import inspect
from handlerkit import event_handler, metrics, traced
@event_handler
@metrics.timer("outer")
@traced
@metrics.timer("inner")
def handler(event: dict, context) -> int:
    return event["n"]
handler.func.__wrapped__.mark = 1
assert list(inspect.signature(handler.func).parameters) == ["event", "context"]
assert not hasattr(handler.func, "mark")  # its own attributes, not those of what it wraps
assert handler({"n": 3}, None) == 3
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"outer":') == done.stdout.count('"inner":') == 1


def test_a_first_metric_after_the_end_of_its_invocation_is_written_at_once(log: Log) -> None:
    contexts: list[contextvars.Context] = []
    invoked(log, lambda: contexts.append(contextvars.copy_context()))
    contexts[0].run(log.metrics.add, "late", 1)
    assert [document["late"] for document in log.documents] == [1]
    assert log.documents[0]["request_id"] == "r-1"


def test_a_dimension_keeps_its_name_where_a_property_has_the_same(log: Log) -> None:
    invoked(log, lambda: log.metrics.dimensions(request_id="mine").add("orders", 1))
    [document] = log.documents
    assert (document["request_id"], document["request_id_"]) == ("mine", "r-1")


def test_cold_starts_are_counted_no_more_once_that_is_switched_off(make_log: MakeLog) -> None:
    log = make_log({"HANDLERKIT_METRICS_COLD_START": "1"})
    try:
        log.process.settings.change({"cold_start": False})
        log.process.apply()
        scope = Scope(None, FakeContext())
        scope.is_cold_start = True
        log.process.begin(scope)
        scope.end()
        assert log.text == ""
        log.process.settings.change({"cold_start": True})
        log.process.begin(scope)
        scope.end()
        assert [document["ColdStart"] for document in log.documents] == [1]
    finally:
        log.process.settings.change({"cold_start": False})
