"""Spans inside of an invocation: nesting, what they say, and what exceptions become."""

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handlerkit import event_handler
from handlerkit.tracing import NoSpan, Span, annotate, current_span, outgoing_headers, span, traced

from .conftest import Context, Invocation, header, shape


def test_a_handler_has_a_span_with_cold_start_and_service(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDLERKIT_SERVICE", "orders")

    @event_handler
    def take(event: dict[str, str]) -> str:
        return event["a"]

    given = header(parent="53995c3f42cd8ad8")
    assert take({"a": "b"}, Context(given)) == "b"
    (document,) = invocation.trace(given).documents
    assert document["parent_id"] == "53995c3f42cd8ad8"
    assert document["name"].startswith("## ")
    assert document["name"].endswith("take")
    assert document["annotations"]["Service"] == "orders"
    assert isinstance(document["annotations"]["ColdStart"], bool)
    assert "fault" not in document


def test_spans_nest_as_blocks_do(invocation: Invocation) -> None:
    def body() -> None:
        with span("outer"):
            with span("first"):
                pass
            with span("second"), span("inner"):
                pass

    assert shape(invocation(body)) == [["## handler", ["outer", ["first"], ["second", ["inner"]]]]]


def test_a_span_says_all_that_was_put_on_it(invocation: Invocation) -> None:
    def body() -> None:
        with span("payments.example.com", remote=True, order="A-17") as call:
            assert isinstance(call, Span)
            call.annotate(amount=12.5, paid=True)
            call.add_metadata("basket", {"books": 2})
            call.add_metadata("note", "x", namespace="shop")
            call.add_event("retried", attempt=2)
            call.add_link("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8", kind="sender")
            call.set_http(method="POST", url="https://payments.example.com/charge?card=4111", status=429)
        annotate(seen=1)
        current_span().annotate(more=2)

    trace = invocation(body)
    said = trace.find("payments.example.com").document
    assert said["namespace"] == "remote"
    assert said["annotations"] == {"order": "A-17", "amount": 12.5, "paid": True}
    assert said["metadata"]["default"] == {"basket": {"books": 2}}
    assert said["metadata"]["shop"] == {"note": "x"}
    assert said["metadata"]["handlerkit"]["events"][0]["attempt"] == 2
    assert said["links"][0]["attributes"] == {"kind": "sender"}
    assert said["http"] == {
        "request": {"method": "POST", "url": "https://payments.example.com/charge"},
        "response": {"status": 429},
    }
    assert (said["throttle"], said["error"], "fault" in said) == (True, True, False)
    assert trace.find("## handler").annotations | {"seen": 1, "more": 2} == trace.find("## handler").annotations


def test_an_exception_is_told_once_with_its_stack_and_its_cause(invocation: Invocation) -> None:
    def fail() -> None:
        try:
            raise KeyError("a")
        except KeyError as error:
            raise ValueError("no such order") from error

    def body() -> None:
        with span("outer"), span("inner"):
            fail()

    trace = invocation(body)
    inner, outer, handler = (trace.find(name).document for name in ("inner", "outer", "## handler"))
    assert inner["fault"] is outer["fault"] is handler["fault"] is True
    first, second = inner["cause"]["exceptions"]
    assert (first["type"], first["message"], second["type"]) == ("ValueError", "no such order", "KeyError")
    assert first["cause"] == second["id"]
    assert first["stack"][-1]["label"] == "fail"
    assert not any("handlerkit/tracing/" in frame["path"] for frame in first["stack"] if "/src/" in frame["path"])
    assert outer["cause"] == handler["cause"] == first["id"]


def test_an_exception_that_was_dealt_with_is_no_fault_of_the_spans_around(invocation: Invocation) -> None:
    def body() -> None:
        with span("outer"):
            try:
                with span("inner"):
                    raise ValueError
            except ValueError:
                pass

    trace = invocation(body)
    assert trace.find("inner").document["fault"]
    assert "fault" not in trace.find("outer").document
    assert "fault" not in trace.find("## handler").document


def test_what_the_caller_did_wrong_can_be_said_without_an_exception(invocation: Invocation) -> None:
    def body() -> None:
        with span("check") as check:
            check.set_status("error")
        with span("handled") as handled:
            handled.record_exception(ValueError("known"))

    trace = invocation(body)
    assert trace.find("check").document["error"]
    assert trace.find("handled").document["cause"]["exceptions"][0]["message"] == "known"


def test_siblings_in_tasks_are_siblings_and_not_a_chain(invocation: Invocation) -> None:
    async def work(number: int) -> None:
        with span(f"task {number}"):
            await asyncio.sleep(0.001 * (3 - number))
            with span(f"step {number}"):
                await asyncio.sleep(0.001)

    async def all_of_them() -> None:
        async with span("gather"):
            await asyncio.gather(*(work(number) for number in range(3)))

    (tree,) = shape(invocation(lambda: asyncio.run(all_of_them())))
    gather = tree[1]
    assert gather[0] == "gather"
    assert sorted(gather[1:]) == [[f"task {number}", [f"step {number}"]] for number in range(3)]


def test_threads_with_a_copied_context_keep_the_handler_as_parent(invocation: Invocation) -> None:
    def work(number: int) -> None:
        with span(f"thread {number}"):
            pass

    def body() -> None:
        with span("pool"), ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(contextvars.copy_context().run, work, number) for number in range(3)]:
                future.result()

    (tree,) = shape(invocation(body))
    assert sorted(tree[1][1:]) == [["thread 0"], ["thread 1"], ["thread 2"]]


def test_the_second_invocation_of_the_same_trace_has_its_own_parent_and_decision(invocation: Invocation) -> None:
    root = "1-5759e988-bd862e3fe1be46a994272793"
    for parent, sampled in (("a" * 16, "1"), ("b" * 16, "1"), ("c" * 16, "0")):
        invocation.run(lambda: span("work").end(), header(root=root, parent=parent, sampled=sampled))
    trace = invocation.daemon.trace(root)
    assert sorted(d["parent_id"] for d in trace.documents if d["name"] == "## handler") == ["a" * 16, "b" * 16]
    assert len(trace.documents) == 4


def test_requests_carry_the_innermost_span_as_their_parent(invocation: Invocation) -> None:
    seen: dict[str, str] = {}

    def body() -> None:
        with span("call", remote=True) as call:
            seen.update(outgoing_headers(), id=call.span_id)

    given = header(rest=";Lineage=1:a:b")
    invocation(body, given)
    root = given.partition(";")[0]
    assert seen["X-Amzn-Trace-Id"] == f"{root};Parent={seen['id']};Sampled=1;Lineage=1:a:b"


def test_without_sampling_nothing_is_sent_and_the_header_is_passed_on(invocation: Invocation) -> None:
    given = header(sampled="0", rest=";Lineage=1:a:b")
    seen = []

    def body() -> None:
        with span("work", order="A-17") as work:
            work.add_metadata("a", 1)
            work.set_http(status=500)
            work.end()
            seen.extend([type(work), work.trace_id, outgoing_headers(), work.outgoing_header()])

    assert invocation(body, given).documents == ()
    root = given.partition(";")[0].removeprefix("Root=")
    assert seen == [NoSpan, root, {"X-Amzn-Trace-Id": given}, given]


def test_the_kill_switch_stops_everything(invocation: Invocation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLERKIT_TRACING", "off")
    given = header()
    assert invocation(lambda: span("work").end(), given).documents == ()


def test_a_handler_that_calls_another_in_its_own_invocation_nests(invocation: Invocation) -> None:
    context = Context(header())

    @event_handler
    def inner(event: dict[str, str]) -> None:
        with span("work"):
            pass

    @event_handler
    def outer(event: dict[str, str], context: Context) -> None:
        inner(event, context)
        inner(event, Context(header(sampled="0")))
        with span("after"):
            pass

    outer({}, context)
    (tree,) = shape(invocation.trace(context.xray_trace_id or ""))
    assert [each[0] for each in tree[1:]] == ["work", "after"]


def test_a_long_span_is_announced_when_its_first_child_ends(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from handlerkit.tracing import trace as module

    monkeypatch.setattr(module, "SLOW_NS", 0)
    given = header()
    announced: list[dict[str, Any]] = []

    def body() -> None:
        with span("outer"):
            with span("inner"):
                time.sleep(0.001)
            announced.extend(invocation.trace(given).documents)

    final = invocation(body, given)
    assert sorted((d["name"], d.get("in_progress", False)) for d in announced) == [
        ("## handler", True),
        ("inner", False),
        ("outer", True),
    ]
    assert not any("in_progress" in document for document in final.documents)


def test_a_plain_thread_is_in_no_trace_and_says_so_where_it_is_asked(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR")
    given = header()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", given)

    def body() -> None:
        thread = threading.Thread(target=lambda: span("lost").end())
        thread.start()
        thread.join()

    assert shape(invocation(body, given)) == [["## handler"]]
    assert "no trace here for the span 'lost'" in caplog.text


def test_an_asynchronous_handler_is_recorded_until_it_is_done(invocation: Invocation) -> None:
    @event_handler
    async def handler(event: dict[str, str]) -> None:
        async with span("work"):
            await asyncio.sleep(0.005)

    given = header()
    handler({}, Context(given))
    (root,) = invocation.trace(given).roots
    assert (root.duration_ms or 0) >= 5
    assert [child.name for child in root.children] == ["work"]


def test_a_large_result_never_costs_the_handlers_span(invocation: Invocation) -> None:
    @traced(capture_result=True)
    def handler(event: dict[str, str], context: Context) -> str:
        return "x" * 70_000

    given = header()
    assert len(handler({}, Context(given))) == 70_000
    (document,) = invocation.trace(given).documents
    assert "default.result (70002 characters)" in document["metadata"]["handlerkit"]["left_out"][0]
