"""HTTP handlers and applications in a trace: a span for the invocation, around all of it and nothing else."""

import asyncio
import contextvars
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from handlerkit import HttpResponse, asgi_handler, event_handler, http_handler, traced
from handlerkit.scope import current, current_span
from handlerkit.testing import http_event
from handlerkit.tracing import span
from lambda_emulator import XRayDaemon

from .conftest import Context, Invocation, header, shape

EVENT = http_event("GET", "/orders", kind="function_url")
RAW = json.dumps(EVENT).encode()


@http_handler
def plain() -> str:
    with span("inside"):
        return "x"


@http_handler
async def awaited() -> str:
    with span("inside"):
        await asyncio.sleep(0)
        return "x"


@http_handler(stream=True)
def streamed() -> HttpResponse:
    def pieces() -> Iterator[str]:
        with span("inside"):
            yield "a"
            yield "b"

    return HttpResponse(pieces())


@http_handler(stream=True)
async def streamed_async() -> HttpResponse:
    async def pieces() -> AsyncIterator[str]:
        with span("inside"):
            yield "a"
            await asyncio.sleep(0)
            yield "b"

    return HttpResponse(pieces())


async def _app(scope: Any, receive: Any, send: Any) -> None:
    with span("inside"):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"x"})


app = asgi_handler(_app, lifespan="off")
app_in_pieces = asgi_handler(_app, lifespan="off", stream=True)
HANDLERS: list[Any] = [plain, awaited, streamed, streamed_async, app, app_in_pieces]
HANDLERS += [traced(handler) for handler in HANDLERS]


def is_clean() -> bool:
    """Whether nothing of an invocation is left in this context."""
    return current.get() is None and current_span.get() is None


def drained(answer: Any) -> Any:
    """The answer, taken as a runtime takes it that streams."""
    take = getattr(answer, "__lambda_stream__", None)
    if take is None:
        return answer
    for _ in take()[2]:
        assert is_clean()
    return answer


async def drained_in_loop(handler: Any, context: Any) -> None:
    answer = handler.__lambda_raw__(RAW, context)
    assert is_clean()
    if hasattr(answer, "__await__"):
        # As our runtime does: in a task of its own.
        answer = await asyncio.create_task(answer)
    assert is_clean()
    take = getattr(answer, "__lambda_stream__", None)
    if take is not None:
        pieces = take()[2]
        if hasattr(pieces, "__aiter__"):
            async for _ in pieces:
                assert is_clean()
        else:
            for _ in pieces:
                assert is_clean()
    assert is_clean()


@pytest.mark.parametrize("handler", HANDLERS, ids=repr)
def test_an_invocation_has_its_span_around_all_that_it_does(invocation: Invocation, handler: Any) -> None:
    text = header()
    drained(handler.__lambda_raw__(RAW, Context(text)))
    name = f"## {getattr(handler, '__qualname__', 'AsgiHandler')}"
    assert shape(invocation.trace(text)) == [[name, ["inside"]]]
    assert is_clean()


@pytest.mark.parametrize("handler", HANDLERS, ids=repr)
def test_the_same_inside_a_loop_for_many_at_once(invocation: Invocation, handler: Any) -> None:
    texts = [header() for _ in range(5)]

    async def all_of_them() -> None:
        await asyncio.gather(*(drained_in_loop(handler, Context(text)) for text in texts))

    asyncio.run(all_of_them())
    name = f"## {getattr(handler, '__qualname__', 'AsgiHandler')}"
    assert [shape(invocation.trace(text)) for text in texts] == [[[name, ["inside"]]]] * 5


def test_a_stream_read_in_other_contexts_keeps_its_span(invocation: Invocation) -> None:
    text = header()
    pieces = contextvars.copy_context().run(streamed.__lambda_raw__, RAW, Context(text)).__lambda_stream__()[2]
    assert contextvars.copy_context().run(next, pieces) == "a"
    assert [one["name"] for one in invocation.daemon.documents if "in_progress" not in one] == []
    assert contextvars.copy_context().run(list, pieces) == ["b"]
    assert shape(invocation.trace(text)) == [["## streamed", ["inside"]]]


def test_a_client_that_leaves_ends_the_span(invocation: Invocation) -> None:
    text = header()
    pieces = streamed.__lambda_raw__(RAW, Context(text)).__lambda_stream__()[2]
    next(pieces)
    pieces.close()
    assert shape(invocation.trace(text)) == [["## streamed", ["inside"]]]
    assert is_clean()


def test_an_error_that_the_client_sees_as_500_is_a_fault_in_the_trace(invocation: Invocation) -> None:
    @http_handler
    def failing() -> str:
        raise LookupError("no such order")

    text = header()
    assert failing(EVENT, Context(text))["statusCode"] == 500
    [document] = invocation.daemon.documents
    assert document["fault"] is True
    assert document["cause"]["exceptions"][0]["message"] == "no such order"


def test_one_that_is_not_sampled_sends_nothing(daemon: XRayDaemon) -> None:
    assert plain(EVENT, Context(header(sampled="0")))["statusCode"] == 200
    assert daemon.documents == []


def test_frames_of_our_own_are_not_in_the_stack_of_a_fault(invocation: Invocation) -> None:
    @traced
    def find() -> None:
        raise LookupError("no such order")

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        find()

    with pytest.raises(LookupError):
        handler({}, Context(header()))
    causes = [one["cause"] for one in invocation.daemon.documents if isinstance(one.get("cause"), dict)]
    [exception] = [one for cause in causes for one in cause["exceptions"]]
    assert [frame["label"] for frame in exception["stack"]] == ["find"]


def test_a_span_never_ends_before_it_begins(invocation: Invocation, monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> None:
        with span("inside"):
            monkeypatch.setattr("handlerkit.tracing.spans.time.time_ns", lambda: 1_000_000_000_000_000_000)

    trace = invocation(body)
    monkeypatch.undo()
    [root] = trace.roots
    for node in root.walk():
        assert node.document["end_time"] >= node.document["start_time"]
