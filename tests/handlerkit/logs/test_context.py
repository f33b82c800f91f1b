"""What is bound, for how long, and who sees it; correlation ids; debug lines kept for failures."""

import asyncio
import contextvars
import gc
import json
import os
import threading
import weakref
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from handlerkit import batch_handler, event_handler
from handlerkit.events import SqsRecord
from handlerkit.logs import bind, bound, clear, set_correlation_id, unbind
from handlerkit.logs.correlation import correlation_id_of, record_correlation_id
from handlerkit.scope import current
from handlerkit.testing import FakeContext, sqs_event

from .conftest import Log, MakeLog


def keys(line: dict[str, Any], *names: str) -> dict[str, Any]:
    """Those of a line that are there."""
    return {name: line[name] for name in names if name in line}


def in_fresh_context(function: Any) -> Any:
    """As a process's first code: nothing is bound."""
    return contextvars.Context().run(function)


def test_what_an_invocation_binds_is_in_its_lines_and_not_in_the_next_ones(log: Log) -> None:
    @event_handler
    def handler(event: dict[str, Any]) -> None:
        log.logger.info("before")
        if event["binds"]:
            bind(user="u", n=1)
            unbind("n", "nothing")
        log.logger.info("after")

    def run() -> None:
        handler({"binds": True})
        handler({"binds": False})
        log.logger.info("outside")

    in_fresh_context(run)
    assert [keys(line, "user", "n") for line in log.lines] == [{}, {"user": "u"}, {}, {}, {}]


def test_what_is_bound_outside_is_in_all_invocations(log: Log) -> None:
    @event_handler
    def handler(event: dict[str, Any]) -> None:
        bind(user=event["user"])
        log.logger.info("in")
        clear()
        log.logger.info("cleared")

    def run() -> None:
        bind(region="eu")
        handler({"user": 1})
        handler({"user": 2})
        log.logger.info("outside")
        unbind("region")
        log.logger.info("without")
        bind(region="us")
        clear()
        log.logger.info("cleared")

    in_fresh_context(run)
    assert [keys(line, "region", "user") for line in log.lines] == [
        {"region": "eu", "user": 1}, {}, {"region": "eu", "user": 2}, {}, {"region": "eu"}, {}, {},
    ]  # fmt: skip


def test_a_block_has_its_values_and_gives_the_former_ones_back(log: Log) -> None:
    def run() -> None:
        bind(a=1)
        with bound(a=2, b=2):
            with bound(b=3):
                log.logger.info("inner")
            log.logger.info("middle", a="call")
        log.logger.info("outer")

    in_fresh_context(run)
    assert [keys(line, "a", "b") for line in log.lines] == [{"a": 2, "b": 3}, {"a": "call", "b": 2}, {"a": 1}]


def test_a_block_left_in_another_context_ends_there(log: Log) -> None:
    block = bound(a=1)
    contextvars.Context().run(block.__enter__)
    contextvars.Context().run(block.__exit__, None, None, None)
    bound(a=1).__exit__(None, None, None)  # never entered


def test_tasks_inherit_and_do_not_disturb_each_other(log: Log) -> None:
    async def work(n: int) -> None:
        with bound(n=n):
            for _ in range(5):
                await asyncio.sleep(0)
                log.logger.info("work", own=n)

    @event_handler
    async def handler(event: dict[str, Any]) -> None:
        bind(batch="b")
        await asyncio.gather(*(work(n) for n in range(8)))
        log.logger.info("end")

    handler({})
    assert all(line["n"] == line["own"] for line in log.lines[:-1])
    assert all(line["batch"] == "b" for line in log.lines)
    assert "n" not in log.last


def test_a_thread_is_of_its_invocation_if_it_has_its_context_and_of_none_otherwise(log: Log) -> None:
    go = threading.Event()
    threads: list[threading.Thread] = []

    def work() -> None:
        go.wait(10)
        log.logger.info("late")

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        bind(user="u")
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(work,)))
        threads.append(threading.Thread(target=work))
        for thread in threads:
            thread.start()

    @event_handler
    def other(event: dict[str, Any], context: Any) -> None:
        go.set()  # both threads log while this one runs, long after the response of theirs
        for thread in threads:
            thread.join()

    handler({}, FakeContext(aws_request_id="first"))
    other({}, FakeContext(aws_request_id="second"))
    seen = sorted((keys(line, "request_id", "user") for line in log.lines), key=len)
    assert seen == [{}, {"request_id": "first", "user": "u"}]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_logs_for_its_invocation_and_keeps_its_parents_debug_lines(make_log: MakeLog) -> None:
    log = make_log(debug_buffer_bytes=10_000)
    reading, writing = os.pipe()

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.debug("of the parent")
        child = os.fork()
        if child == 0:
            try:
                log.logger.info("of the child")
                scope = current.get()
                assert scope is not None
                scope.error = ValueError()
                scope.end()
                os.write(writing, log.text.encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        raise ValueError("fails")

    with pytest.raises(ValueError, match="fails"):
        handler({}, FakeContext(aws_request_id="r-1"))
    os.close(writing)
    of_child = os.read(reading, 10_000).decode()
    os.close(reading)
    assert of_child.count("\n") == 1
    assert '"event":"of the child"' in of_child
    assert '"request_id":"r-1"' in of_child
    assert [line["event"] for line in log.lines] == ["of the parent"]


def test_what_a_task_unbinds_or_clears_stays_with_whoever_started_it(log: Log) -> None:
    async def child() -> None:
        unbind("a")
        log.logger.info("child")
        clear()
        log.logger.info("child")

    @event_handler
    async def handler(event: dict[str, Any]) -> None:
        bind(a=1, b=2)
        await asyncio.create_task(child())
        log.logger.info("parent")

    handler({})
    assert [keys(line, "a", "b") for line in log.lines] == [{"b": 2}, {}, {"a": 1, "b": 2}]


def test_settings_that_change_within_an_invocation_hold_from_there(log: Log) -> None:
    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("before")
        log.change(service="changed", keys="powertools")
        log.logger.info("after")

    handler({}, FakeContext(aws_request_id="r-1"))
    before, after = log.lines
    assert (before["request_id"], before.get("service")) == ("r-1", None)
    assert (after["function_request_id"], after["service"]) == ("r-1", "changed")
    assert "request_id" not in after


# Batches.


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_every_record_of_a_batch_has_its_id_in_its_lines(log: Log, workers: int, asynchronous: bool) -> None:
    if asynchronous:

        @batch_handler(max_workers=workers)
        async def handler(record: SqsRecord[str]) -> None:
            bind(body=record.body)
            await asyncio.sleep(0)
            log.logger.info("one", expected=record.message_id)

    else:

        @batch_handler(max_workers=workers)
        def handler(record: SqsRecord[str]) -> None:
            bind(body=record.body)
            log.logger.info("one", expected=record.message_id)

    event = sqs_event([f"b{n}" for n in range(12)])
    event["Records"][3]["messageAttributes"] = {"CorrelationId": {"stringValue": "c-3", "dataType": "String"}}
    handler(event, FakeContext(aws_request_id="r-1"))
    log.logger.info("outside")
    *lines, outside = log.lines
    assert len(lines) == 12
    assert all(line["record_id"] == line["expected"] and line["request_id"] == "r-1" for line in lines)
    assert {line["body"] for line in lines} == {f"b{n}" for n in range(12)}
    assert [line["body"] for line in lines if line.get("correlation_id") == "c-3"] == ["b3"]
    assert "record_id" not in outside


# Correlation ids.

CORRELATED = [
    ({"headers": {"x-Correlation-Id": "h"}, "requestContext": {"requestId": "r"}}, "h"),
    ({"headers": {"a": "b"}, "requestContext": {"requestId": "r"}}, "r"),
    ({"headers": None, "multiValueHeaders": {"X-Correlation-Id": ["a", "b"]}}, "b"),
    ({"headers": {"X-Amzn-Trace-Id": "Root=1-2"}, "requestContext": {"elb": {}}}, "Root=1-2"),
    ({"request": {"headers": {"x-amzn-trace-id": "Root=1-3"}}, "info": {}}, "Root=1-3"),
    ({"xAmzRequestId": "s3"}, "s3"),
    ({"id": "e-1", "detail-type": "t", "source": "s", "detail": {}}, "e-1"),
    ({"id": "e-1", "detail-type": "t", "source": "s", "detail": {"correlationId": "d"}}, "d"),
    ({"id": "e-1"}, None),
    ({"correlation_id": "direct"}, "direct"),
    ({"Execution": {"Id": "arn:aws:states:..."}}, "arn:aws:states:..."),
    ({"Records": [{"messageAttributes": {"correlation-id": {"stringValue": "q"}}}]}, "q"),
    ({"Records": [{"Sns": {"MessageAttributes": {"CorrelationId": {"Value": "n"}}}}]}, "n"),
    ({"Records": [{}, {}]}, None),
    ({"headers": {"x-correlation-id": 5}, "requestContext": []}, None),
    ({"headers": [1], "Records": "no"}, None),
    ({"headers": {"x-correlation-id": "x" * 10_000}}, "x" * 256),
    ([], None),
    (None, None),
    ("text", None),
]


@pytest.mark.parametrize(("event", "expected"), CORRELATED, ids=[str(at) for at in range(len(CORRELATED))])
def test_a_correlation_id_is_found_where_the_source_has_one(event: Any, expected: str | None) -> None:
    assert correlation_id_of(event) == expected


def test_a_kafka_record_brings_its_id_in_a_header() -> None:
    record = {"headers": [{"other": [1]}, {"correlation_id": [99, 45, 49]}]}
    assert record_correlation_id(record) == "c-1"
    assert record_correlation_id({"headers": [5]}) is None
    assert record_correlation_id(None) is None


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Records", "headers", "requestContext", "messageAttributes", "Sns", "detail", "Execution", "request"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@hypothesis.given(JSON)
@hypothesis.settings(max_examples=80, deadline=None)
def test_no_event_is_too_odd_to_look_for_an_id(event: Any) -> None:
    assert isinstance(correlation_id_of(event), str | None)
    assert isinstance(record_correlation_id(event), str | None)


def test_a_correlation_id_can_be_set_or_taken_by_a_rule_of_ones_own(make_log: MakeLog) -> None:
    log = make_log(correlation_id=lambda event: event["order"])

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("by rule")
        set_correlation_id("set")
        log.logger.info("set", correlation_id_="x")
        with bound(correlation_id="block"):
            log.logger.info("block")

    handler({"order": "A-17"}, FakeContext())
    handler({}, FakeContext())
    found = [line.get("correlation_id") for line in log.lines]
    assert found == ["A-17", "set", "block", None, "set", "block"]


def test_a_rule_sees_the_whole_event_of_a_batch_that_is_parsed_in_portions(make_log: MakeLog) -> None:
    log = make_log(correlation_id=lambda event: f"{len(event['Records'])} records")

    @batch_handler
    def handler(record: SqsRecord) -> None:
        log.logger.info("received")

    event = sqs_event(["x" * 1_000] * 80)
    handler.__lambda_raw__(json.dumps(event).encode(), FakeContext())
    assert {line["correlation_id"] for line in log.lines} == {"80 records"}
    received = [line["record_id"] for line in log.lines if line["event"] == "received"]
    assert received == [record["messageId"] for record in event["Records"]]


def test_a_correlation_id_is_redacted_as_all_values_are(make_log: MakeLog) -> None:
    parts = {"order": "A-17", "token": "hunter2", "more": [{"db_password": "hunter2"}]}
    shown = {"order": "A-17", "token": "[redacted]", "more": [{"db_password": "[redacted]"}]}
    log = make_log(correlation_id=lambda event: event["parts"])

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("by rule")
        bind(correlation_id=parts)
        for _ in range(2):
            log.logger.info("bound")
        log.logger.info("careful", kind=object)
        with bound(correlation_id=[parts]):
            log.logger.info("block")

    handler({"parts": parts}, FakeContext())
    assert [line["correlation_id"] for line in log.lines] == [shown, shown, shown, shown, [shown]]


def test_a_field_of_the_invocation_may_be_a_secret_itself(make_log: MakeLog) -> None:
    log = make_log(redact=["tenant_id", "correlation_id"])

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        for _ in range(2):
            log.logger.info("fast")
        log.logger.info("careful", kind=object)

    context = FakeContext()
    context.tenant_id = "hunter2"
    handler({"correlationId": "hunter2"}, context)
    assert "hunter2" not in log.text
    assert [line["tenant_id"] for line in log.lines] == ["[redacted]"] * 3


def test_a_line_before_the_event_is_read_costs_the_later_ones_nothing(log: Log) -> None:
    def prepare(event: dict[str, Any]) -> dict[str, Any]:
        log.logger.info("preparing")
        return event

    @event_handler(prepare=prepare)
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("handling")

    handler({"correlationId": "c-1"}, FakeContext())
    assert [line.get("correlation_id") for line in log.lines] == [None, "c-1"]


def test_the_events_id_is_found_though_another_was_asked_for_before(log: Log) -> None:
    def prepare(event: dict[str, Any]) -> dict[str, Any]:
        bind(correlation_id="mine", a=1)
        log.logger.info("preparing")
        return event

    @event_handler(prepare=prepare)
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("handling")
        clear()
        log.logger.info("cleared")

    handler({"correlationId": "c-1"}, FakeContext())
    assert [line.get("correlation_id") for line in log.lines] == ["mine", "mine", "c-1"]


# Debug lines.


def run(log: Log, fails: bool, request_id: str = "r-1") -> None:
    """An invocation with debug lines before and after one at INFO."""

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        with bound(step=1):
            log.logger.debug("first")
        log.logger.info("second")
        bind(step=3)
        log.logger.debug("third")
        if fails:
            raise ValueError("failed")

    if fails:
        with pytest.raises(ValueError, match="failed"):
            handler({}, FakeContext(aws_request_id=request_id))
    else:
        handler({}, FakeContext(aws_request_id=request_id))


def test_debug_lines_are_not_there_by_default(log: Log) -> None:
    run(log, fails=True)
    assert [line["event"] for line in log.lines] == ["second"]


def test_kept_debug_lines_are_written_if_the_invocation_fails_as_they_were_logged(make_log: MakeLog) -> None:
    log = make_log({"HANDLERKIT_LOG_DEBUG_BUFFER_BYTES": "10000"})
    run(log, fails=False, request_id="good")
    assert [line["event"] for line in log.lines] == ["second"]
    run(log, fails=True, request_id="bad")
    failed = log.lines[1:]
    assert [(line["event"], line.get("step")) for line in failed] == [("second", None), ("first", 1), ("third", 3)]
    assert {line["request_id"] for line in failed} == {"bad"}
    log.logger.debug("outside of any invocation")
    assert len(log.lines) == 4


def test_a_batch_with_a_failed_record_counts_as_failed(make_log: MakeLog) -> None:
    log = make_log(debug_buffer_bytes=10_000)

    @batch_handler
    def handler(record: SqsRecord[str]) -> None:
        log.logger.debug("taken")
        if record.body == "bad":
            raise ValueError("no")

    handler(sqs_event(["good", "good"]), FakeContext())
    assert log.text == ""
    handler(sqs_event(["good", "bad"]), FakeContext())
    assert [line["event"] for line in log.lines] == ["taken", "taken"]


def test_the_oldest_debug_lines_go_when_there_are_too_many(make_log: MakeLog) -> None:
    log = make_log(debug_buffer_bytes=2_000)

    @event_handler
    def handler(event: dict[str, Any]) -> None:
        for n in range(1_000):
            log.logger.debug("step", n=n)
        raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        handler({})
    first, *kept = log.lines
    assert first["event"] == "debug lines dropped: the buffer was full"
    assert first["dropped"] + len(kept) == 1_000
    assert [line["n"] for line in kept] == list(range(first["dropped"], 1_000))
    assert len(log.text) < 2_500


def test_a_debug_line_after_the_end_is_kept_for_nobody(make_log: MakeLog) -> None:
    log = make_log(debug_buffer_bytes=2_000)
    contexts: list[contextvars.Context] = []

    @event_handler
    def handler(event: dict[str, Any]) -> None:
        contexts.append(contextvars.copy_context())
        if event["logs"]:
            log.logger.debug("in time")

    handler({"logs": True})
    handler({"logs": False})
    for context in contexts:
        context.run(log.logger.debug, "too late")
    assert log.text == ""


def test_a_share_of_the_invocations_logs_everything(make_log: MakeLog) -> None:
    log = make_log(sample_rate=1)
    run(log, fails=False)
    assert [line["event"] for line in log.lines] == ["first", "second", "third"]
    log.logger.debug("outside")
    assert len(log.lines) == 3
    some = make_log({"HANDLERKIT_LOG_SAMPLE_RATE": "0.5"})
    for _ in range(200):
        run(some, fails=False)
    assert 40 < len(some.lines) - 200 < 360
    assert (len(some.lines) - 200) % 2 == 0  # all of an invocation's lines or none


def test_what_an_invocation_has_bound_keeps_neither_its_event_nor_its_context(log: Log) -> None:
    gone: list[weakref.ref[Any]] = []

    @event_handler
    def handler(event: dict[str, Any], context: FakeContext) -> None:
        bind(user="u")
        log.logger.info("line")
        scope = current.get()
        assert scope is not None
        gone.append(weakref.ref(context))

    handler({}, FakeContext())
    gc.collect()
    assert gone[0]() is None
    assert log.last["user"] == "u"
    log.logger.info("outside")
    assert "user" not in log.last
