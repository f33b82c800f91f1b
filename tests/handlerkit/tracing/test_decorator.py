"""`traced`, on every kind of function."""

import asyncio
import copy
import functools
import inspect
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from handlerkit import batch_handler, custom_resource, event_handler, http_handler
from handlerkit.events import CustomResourceEvent, SqsRecord
from handlerkit.scope import current as current_scope
from handlerkit.testing import http_event, sqs_event
from handlerkit.tracing import current_span, span, traced

from .conftest import Context, Invocation, header, shape


@traced
def plain(number: int = 1) -> int:
    """Doubles."""
    with span("inside"):
        return 2 * number


@traced
async def coroutine() -> str:
    await asyncio.sleep(0.005)
    with span("inside"):
        return "done"


@traced
def numbers() -> Generator[int, Any, None]:
    got = yield 1
    with span("inside"):
        assert got == "sent"
    yield 2


@traced
async def async_numbers() -> AsyncIterator[int]:
    with span("inside"):
        await asyncio.sleep(0)
    yield 1
    yield 2


@traced
@contextmanager
def manager() -> Iterator[str]:
    yield "value"


@traced
@asynccontextmanager
async def async_manager() -> AsyncIterator[str]:
    yield "value"


class Shop:
    @traced
    def sell(self) -> str:
        return "sold"

    @classmethod
    @traced
    def open(cls) -> str:
        return cls.__name__

    @traced
    @staticmethod
    def close() -> str:
        return "closed"


NAME = f"## {__name__}"


def test_a_function_keeps_its_name_its_text_and_its_result(invocation: Invocation) -> None:
    results = []
    trace = invocation(lambda: results.append(plain(21)))
    assert results == [42]
    assert shape(trace) == [["## handler", [f"{NAME}.plain", ["inside"]]]]
    assert (plain.__name__, plain.__doc__, str(inspect.signature(plain))) == (
        "plain",
        "Doubles.",
        "(number: int = 1) -> int",
    )


def test_a_coroutine_is_recorded_until_it_is_done(invocation: Invocation) -> None:
    assert inspect.iscoroutinefunction(coroutine)
    trace = invocation(lambda: asyncio.run(coroutine()))
    assert (trace.find(f"{NAME}.coroutine").duration_ms or 0) >= 5
    assert shape(trace) == [["## handler", [f"{NAME}.coroutine", ["inside"]]]]


def test_a_function_that_only_returns_a_coroutine_is_recorded_until_that_is_done(invocation: Invocation) -> None:
    @traced(name="hidden")
    def hidden() -> Any:
        return coroutine.__wrapped__()  # type: ignore[attr-defined]

    async def body() -> None:
        assert await hidden() == "done"
        with span("after"):
            pass

    trace = invocation(lambda: asyncio.run(body()))
    assert shape(trace) == [["## handler", ["hidden", ["inside"]], ["after"]]]
    assert (trace.find("hidden").duration_ms or 0) >= 5


def test_a_generator_encloses_its_own_steps_and_not_those_of_its_reader(invocation: Invocation) -> None:
    def body() -> None:
        generator = numbers()
        assert next(generator) == 1
        with span("reader"):
            pass
        assert generator.send("sent") == 2
        assert list(generator) == []

    assert shape(invocation(body)) == [["## handler", [f"{NAME}.numbers", ["inside"]], ["reader"]]]


def test_a_generator_that_is_left_early_ends_without_a_fault(invocation: Invocation) -> None:
    def body() -> None:
        for _ in numbers():
            break

    assert "fault" not in invocation(body).find(f"{NAME}.numbers").document


def test_a_generator_gets_what_is_thrown_into_it(invocation: Invocation) -> None:
    @traced(name="thrown")
    def catching() -> Generator[int, Any, None]:
        try:
            yield 1
        except KeyError:
            yield 2
        raise ValueError("end")

    def body() -> None:
        generator = catching()
        next(generator)
        assert generator.throw(KeyError("a")) == 2
        with pytest.raises(ValueError, match="end"):
            next(generator)

    assert invocation(body).find("thrown").document["cause"]["exceptions"][0]["message"] == "end"


def test_an_async_generator_encloses_its_own_steps(invocation: Invocation) -> None:
    async def body() -> None:
        got = []
        async for number in async_numbers():
            got.append(number)
            with span("reader"):
                await asyncio.sleep(0)
        assert got == [1, 2]

    trace = invocation(lambda: asyncio.run(body()))
    assert shape(trace) == [["## handler", [f"{NAME}.async_numbers", ["inside"]], ["reader"], ["reader"]]]


def test_a_context_manager_encloses_its_block(invocation: Invocation) -> None:
    async def asynchronous() -> None:
        async with async_manager() as value:
            assert value == "value"
            with span("async block"):
                pass

    def body() -> None:
        with manager() as value:
            assert value == "value"
            with span("block"):
                pass
        asyncio.run(asynchronous())

    assert shape(invocation(body)) == [
        ["## handler", [f"{NAME}.manager", ["block"]], [f"{NAME}.async_manager", ["async block"]]]
    ]


def test_a_block_that_fails_is_a_fault_of_its_context_manager(invocation: Invocation) -> None:
    def body() -> None:
        with manager():
            raise ValueError("in the block")

    assert invocation(body).find(f"{NAME}.manager").document["fault"]


def test_methods_of_all_kinds(invocation: Invocation) -> None:
    results = []
    invocation(lambda: results.extend([Shop().sell(), Shop.open(), Shop.close(), Shop().close()]))
    assert results == ["sold", "Shop", "closed", "closed"]


def test_a_partial_of_a_coroutine_function_is_one(invocation: Invocation) -> None:
    made = traced(name="partial")(functools.partial(coroutine.__wrapped__))  # type: ignore[attr-defined]
    assert shape(invocation(lambda: asyncio.run(made()))) == [["## handler", ["partial", ["inside"]]]]


def test_names_annotations_and_results_on_demand(invocation: Invocation) -> None:
    drained = iter([1, 2, 3])

    @traced(name="find", capture_result=True, table="orders")
    def find() -> dict[str, Any]:
        return {"rows": 3, "lazy": drained, "nan": float("nan")}

    document = invocation(find).find("find").document
    assert document["annotations"] == {"table": "orders"}
    assert document["metadata"]["default"]["result"]["rows"] == 3
    assert document["metadata"]["default"]["result"]["nan"] == "nan"
    assert list(drained) == [1, 2, 3]


def test_results_are_not_captured_and_lazy_ones_not_drained(invocation: Invocation) -> None:
    @traced
    def lazy() -> Any:
        return map(str, [1, 2])

    results: list[str] = []
    trace = invocation(lambda: results.extend(lazy()))
    assert results == ["1", "2"]
    assert not any("metadata" in document for document in trace.documents)


def test_on_a_plain_handler_it_opens_the_invocation(invocation: Invocation) -> None:
    @traced(team="orders")
    def handler(event: dict[str, str], context: Any) -> str:
        with span("work"):
            return current_span().name

    given = header()
    assert handler({}, Context(given)).endswith("work")
    trace = invocation.trace(given)
    (root,) = trace.roots
    assert [child.name for child in root.children] == ["work"]
    assert root.annotations["team"] == "orders"
    assert "ColdStart" in root.annotations
    assert handler({}, Context(header(sampled="0"))) == ""


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="for functions and methods"):
        traced(Shop)
    with pytest.raises(TypeError, match="for functions and methods"):
        traced(3)  # type: ignore[call-overload]


def test_without_a_trace_every_kind_runs_as_it_did() -> None:
    async def all_async() -> list[int]:
        async with async_manager() as value:
            assert value == "value"
        return [number async for number in async_numbers()]

    assert plain(2) == 4
    assert asyncio.run(coroutine()) == "done"
    assert next(numbers()) == 1
    with manager() as value:
        assert value == "value"
    assert asyncio.run(all_async()) == [1, 2]


def test_a_plain_coroutine_handler_opens_its_invocation(invocation: Invocation) -> None:
    @traced(name="mine", capture_result=True, kind="plain")
    async def handler(event: Any, context: Any) -> int:
        scope = current_scope.get()
        assert scope is not None
        assert scope.context is context
        with span("inside"):
            await asyncio.sleep(0)
        return 3

    async def both(*texts: str) -> list[int]:
        return list(await asyncio.gather(*(handler({}, Context(text)) for text in texts)))

    texts = header(), header()
    assert asyncio.run(both(*texts)) == [3, 3]
    for text in texts:
        trace = invocation.trace(text)
        assert shape(trace) == [["mine", ["inside"]]]
        assert trace.roots[0].document["annotations"]["kind"] == "plain"


def test_what_is_around_a_decorated_coroutine_encloses_it_inside_a_loop(invocation: Invocation) -> None:
    @traced
    @event_handler
    async def handler(event: dict[str, int], context: Any) -> int:
        with span("inside"):
            await asyncio.sleep(0)
        return event["n"]

    async def run(text: str) -> Any:
        return await handler({"n": 1}, Context(text))

    text = header()
    assert asyncio.run(run(text)) == 1
    [root] = shape(invocation.trace(text))
    assert root[1:] == [["inside"]]


# On handlers.


def both_ways(handler: Any, event: Any, context: Callable[[], Context]) -> list[Any]:
    """What a handler answers to a parsed event, and to its bytes."""
    by_bytes = handler.__lambda_raw__(json.dumps(event).encode(), context())
    return [handler(event, context()), json.loads(by_bytes)]


def test_a_handler_under_it_still_takes_bytes_and_has_one_span_around_them(invocation: Invocation) -> None:
    @traced(name="orders", capture_result=True, team="blue")
    @event_handler
    def handler(event: dict[str, int]) -> dict[str, int]:
        with span("inside"):
            return {"n": event["n"] + 1}

    texts: list[str] = []

    def context() -> Context:
        texts.append(header())
        return Context(texts[-1])

    assert both_ways(handler, {"n": 1}, context) == [{"n": 2}, {"n": 2}]
    for text in texts:
        trace = invocation.trace(text)
        assert shape(trace) == [["orders", ["inside"]]]
        (root,) = trace.roots
        assert root.annotations["team"] == "blue"
        assert root.document["metadata"]["default"]["result"] == {"n": 2}


def test_a_batch_handler_under_it_still_takes_bytes(invocation: Invocation) -> None:
    @traced
    @batch_handler
    def handler(record: SqsRecord[int]) -> None:
        if record.body == 2:
            raise ValueError("two")

    text = header()
    failed = [answer["batchItemFailures"] for answer in both_ways(handler, sqs_event([1, 2]), lambda: Context(text))]
    assert [len(one) for one in failed] == [1, 1]
    assert len(invocation.trace(text).roots) == 2


def test_a_handler_under_it_fails_as_it_did_and_the_span_says_so(invocation: Invocation) -> None:
    @traced
    @event_handler
    def handler(event: dict[str, int]) -> None:
        raise KeyError("lost")

    text = header()
    with pytest.raises(KeyError, match="lost"):
        handler.__lambda_raw__(b"{}", Context(text))
    assert invocation.trace(text).roots[0].document["fault"]


def test_bytes_are_awaited_inside_a_loop_where_the_handlers_are(invocation: Invocation) -> None:
    @traced(name="asynchronous")
    @event_handler
    async def handler(event: dict[str, int]) -> int:
        await asyncio.sleep(0)
        with span("inside"):
            return event["n"]

    async def run(text: str) -> Any:
        return await handler.__lambda_raw__(b'{"n": 3}', Context(text))

    text = header()
    assert asyncio.run(run(text)) == b"3"
    assert shape(invocation.trace(text)) == [["asynchronous", ["inside"]]]


def test_what_else_a_handler_has_is_there_under_it() -> None:
    def function(event: dict[str, int]) -> int:
        """Doc."""
        return event["n"]

    inner = event_handler(function)
    handler = traced(inner)
    assert handler.func is function
    assert handler.read({"n": 1}) == {"n": 1}
    assert (handler.__name__, handler.__doc__) == ("function", "Doc.")
    assert repr(handler) == f"<traced {inner!r}>"
    assert str(inspect.signature(handler)) == "(event: dict[str, int]) -> int"
    assert copy.copy(handler)({"n": 2}, None) == 2
    handler.__lambda_prepare__()
    assert not hasattr(traced(print), "__lambda_raw__")


def test_a_handler_that_takes_no_bytes_is_prepared_all_the_same() -> None:
    @traced
    @custom_resource
    def handler(event: CustomResourceEvent) -> None: ...

    @handler.delete
    def delete(event: CustomResourceEvent) -> None: ...

    handler.__lambda_prepare__()
    assert not hasattr(handler, "__lambda_raw__")


def test_a_decorator_above_it_is_not_passed_by() -> None:
    calls: list[object] = []

    def counted(function: Any) -> Any:
        @functools.wraps(function)
        def count(*args: Any) -> Any:
            calls.append(args)
            return function(*args)

        return count

    handler = counted(traced(event_handler(lambda event: event)))
    call = getattr(handler, "__lambda_raw__", handler)
    assert call({"n": 1}, None) == {"n": 1}
    assert calls == [({"n": 1}, None)]


def test_an_answer_that_is_no_json_is_captured_as_it_is(invocation: Invocation) -> None:
    class Raw:
        def __call__(self, event: object, context: object) -> str:
            return "called"

        def __lambda_raw__(self, body: bytes, context: object) -> bytes:
            return b"<p>"

    text = header()
    assert traced(capture_result=True)(Raw()).__lambda_raw__(b"{}", Context(text)) == b"<p>"
    assert invocation.trace(text).roots[0].document["metadata"]["default"]["result"] == "b'<p>'"


def test_a_stream_of_a_handler_under_it_stays_one_and_in_the_trace(invocation: Invocation) -> None:
    @traced(name="streaming")
    @http_handler(stream=True)
    def handler() -> Iterator[bytes]:
        with span("in the stream"):
            yield b"a"

    text = header()
    result = handler.__lambda_raw__(json.dumps(http_event(kind="function_url")).encode(), Context(text))
    _, _, chunks = result.__lambda_stream__()
    assert b"".join(chunks) == b"a"
    assert shape(invocation.trace(text)) == [["streaming", ["in the stream"]]]
