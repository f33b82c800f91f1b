"""`@http_handler`: what it passes, what it answers, what it never tells a client."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel, Field

from handlerkit import HttpRequest, HttpResponse, http_handler
from handlerkit.events.errors import EventValidationError
from handlerkit.http import HttpError
from handlerkit.http.stream import HttpStream
from handlerkit.idempotency import AlreadyInProgressError, Idempotency, MemoryStore
from handlerkit.scope import current
from handlerkit.testing import FakeContext, http_event, sqs_event

KINDS = ["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"]


class Order(BaseModel):
    article: str
    quantity: int = Field(default=1, gt=0)
    lines: list["Order"] = []


def both(handler: Any, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """The answer, which has to be the same from the parsed event and from its bytes."""
    parsed = handler(event, context)
    raw = handler.__lambda_raw__(json.dumps(event).encode(), context)
    assert json.loads(raw) == parsed
    return parsed  # type: ignore[no-any-return]


def headers(answer: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in answer["headers"].items()}


def test_a_function_gets_what_its_parameters_name() -> None:
    @http_handler
    def typed(request: HttpRequest, body: Order, context: Any) -> dict[str, Any]:
        return {"path": request.path, "article": body.article, "id": context.aws_request_id}

    @http_handler
    def generic(request: HttpRequest[Order]) -> str:
        return request.body.article

    @http_handler
    def only_body(body: dict) -> dict:  # type: ignore[type-arg]
        return body

    @http_handler
    def nothing() -> str:
        return "here"

    @http_handler
    def plain(request, context=None, unused=3):  # type: ignore[no-untyped-def]
        return request.method

    event = http_event("POST", "/orders", json={"article": "book"})
    context = FakeContext()
    assert json.loads(both(typed, event, context)["body"]) == {
        "path": "/orders", "article": "book", "id": context.aws_request_id,
    }  # fmt: skip
    assert both(generic, event)["body"] == "book"
    assert json.loads(both(only_body, event)["body"]) == {"article": "book"}
    assert both(nothing, event)["body"] == "here"
    assert both(plain, event)["body"] == "POST"
    assert typed.func(HttpRequest(event), Order(article="a"), context)["article"] == "a"
    assert typed.__name__ == "typed"
    assert "http_handler" in repr(typed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_the_wrong_shape_is_a_problem_document(kind: Any) -> None:
    called = []

    @http_handler
    def handler(body: Order) -> None:
        called.append(body)

    wrong = both(handler, http_event("POST", json={"lines": [{"article": "a", "quantity": 0}]}, kind=kind))
    document = json.loads(wrong["body"])
    assert wrong["statusCode"] == 422
    assert document["status"] == 422
    assert document["title"] == "Unprocessable Content"
    assert [one["pointer"] for one in document["errors"]] == ["#/article", "#/lines/0/quantity"]
    sent = wrong.get("headers") or {name: values[0] for name, values in wrong["multiValueHeaders"].items()}
    assert sent["content-type"] == "application/problem+json"
    none = both(handler, http_event("POST", body="{", kind=kind))
    assert none["statusCode"] == 400
    broken = http_event("POST", body=b"x", kind=kind)
    broken["body"] = "***"
    assert both(handler, broken)["statusCode"] == 400
    assert called == []


def test_an_http_error_is_the_response_it_says() -> None:
    @http_handler
    def handler(request: HttpRequest) -> None:
        raise HttpError(409, "taken", type="https://example.com/taken", headers={"Retry-After": "1"}, order="A-1")

    answer = both(handler, http_event())
    assert answer["statusCode"] == 409
    assert headers(answer)["retry-after"] == "1"
    assert json.loads(answer["body"]) == {
        "type": "https://example.com/taken", "title": "Conflict", "status": 409, "detail": "taken", "order": "A-1",
    }  # fmt: skip
    with pytest.raises(ValueError, match="from 400 to 599"):
        HttpError(200)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unexpected_error_is_in_the_log_and_not_in_the_response(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    @http_handler
    def handler(request: HttpRequest) -> None:
        scope = current.get()
        assert scope is not None
        scope.at_end(lambda scope: seen.append(scope.error))
        raise KeyError("the password is 1234")

    with caplog.at_level(logging.ERROR):
        answer = both(handler, http_event(kind=kind))
    assert answer["statusCode"] == 500
    assert "1234" not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)
    assert "1234" in caplog.text
    assert "Traceback" in caplog.text
    assert [type(error) for error in seen] == [KeyError, KeyError]


@pytest.mark.parametrize(
    ("kind", "asked", "route"),
    [
        ("http_api", "POST /orders/{id}", "/orders/{id}"),
        ("rest", "POST /orders/{id}", "/orders/{id}"),
        ("function_url", "POST (function_url $default)", "(function_url $default)"),
        ("alb", "POST (alb.single)", "(alb.single)"),
    ],
)
@pytest.mark.parametrize("way", ["def", "async def"])
def test_the_log_of_an_unexpected_error_names_method_and_route_but_no_path(
    kind: Any, asked: str, route: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: HttpRequest) -> None:
        raise KeyError("sku\nof the order")

    async def fail_later(request: HttpRequest) -> None:
        fail(request)

    event = http_event("POST", "/orders/s3cr3t", kind=kind)
    context = event["requestContext"]
    if kind == "http_api":
        context["routeKey"] = event["routeKey"] = "POST /orders/{id}"
    elif kind == "rest":
        context["resourcePath"] = event["resource"] = "/orders/{id}"
    with caplog.at_level(logging.ERROR):
        http_handler(fail if way == "def" else fail_later)(event, FakeContext())
    (record,) = caplog.records
    assert record.getMessage() == f"{asked} the handler failed: KeyError: 'sku\\nof the order'"
    assert (vars(record)["http_method"], vars(record)["http_route"]) == ("POST", route)
    assert "Traceback" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_an_error_that_cannot_say_what_it_is_is_logged_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    @http_handler
    def handler(request: HttpRequest) -> None:
        raise MuteError

    with caplog.at_level(logging.ERROR):
        assert handler(http_event(), FakeContext())["statusCode"] == 500
    assert caplog.records[0].getMessage().endswith("the handler failed: MuteError")


def test_an_unexpected_error_fails_the_invocation_where_that_is_asked_for() -> None:
    @http_handler(fail_on_error=True)
    def handler(request: HttpRequest) -> HttpResponse:
        if request.path == "/header":
            return HttpResponse(headers={"X": "a\nb"})
        if request.path == "/known":
            raise HttpError(404)
        raise KeyError("x")

    with pytest.raises(KeyError):
        handler(http_event())
    with pytest.raises(ValueError, match="line break"):
        handler(http_event(path="/header"))
    assert handler(http_event(path="/known"))["statusCode"] == 404


def test_the_functions_exit_is_not_swallowed() -> None:
    @http_handler
    def handler(request: HttpRequest) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        handler(http_event())


@pytest.mark.parametrize(
    "result",
    [HttpResponse(headers={"X": "a\r\nSet-Cookie: evil=1"}), HttpResponse(status=0), float("nan"), object()],
    ids=["line break", "status", "nan", "object"],
)
def test_a_result_that_cannot_be_sent_is_a_logged_500(result: object, caplog: pytest.LogCaptureFixture) -> None:
    @http_handler
    def handler(request: HttpRequest) -> object:
        return result

    answer = both(handler, http_event())
    assert answer["statusCode"] == 500
    assert "evil" not in json.dumps(answer)
    assert "cannot be sent" in caplog.text


def test_an_event_of_another_source_fails_the_invocation() -> None:
    @http_handler
    def handler(request: HttpRequest) -> None: ...

    with pytest.raises(EventValidationError, match=r"kind 'sqs.standard'"):
        handler(sqs_event("x"))
    with pytest.raises(EventValidationError, match="not JSON"):
        handler.__lambda_raw__(b"{", None)


def test_an_asynchronous_function_is_awaited_on_one_loop() -> None:
    loops = []

    @http_handler
    async def handler(request: HttpRequest) -> dict[str, str]:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        if request.path == "/error":
            raise HttpError(404)
        return {"path": request.path}

    assert json.loads(both(handler, http_event(path="/a"))["body"]) == {"path": "/a"}
    assert both(handler, http_event(path="/error"))["statusCode"] == 404
    assert len(set(loops)) == 1


def test_inside_a_loop_the_answer_is_awaited_with_its_own_scope() -> None:
    ended = []

    @http_handler
    async def handler(request: HttpRequest, context: Any) -> dict[str, str]:
        scope = current.get()
        assert scope is not None
        scope.at_end(lambda _: ended.append(request.path))
        await asyncio.sleep(0.001)
        assert current.get() is scope
        return {"path": request.path}

    async def main() -> list[Any]:
        events = [json.dumps(http_event(path=f"/{number}")).encode() for number in range(5)]
        return await asyncio.gather(*(handler.__lambda_raw__(event, FakeContext()) for event in events))

    answers = asyncio.run(main())
    paths = [json.loads(json.loads(answer)["body"])["path"] for answer in answers]
    assert paths == [f"/{number}" for number in range(5)]
    assert sorted(ended) == paths


def pieces() -> Iterator[str | bytes]:
    yield "one "
    yield b"two"


async def async_pieces() -> AsyncIterator[str]:
    yield "one "
    await asyncio.sleep(0)
    yield "two"


@pytest.mark.parametrize("body", [pieces, async_pieces])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_collected_where_nothing_streams(kind: Any, body: Callable[[], Any]) -> None:
    @http_handler
    def handler(request: HttpRequest) -> object:
        return HttpResponse(body(), content_type="text/plain") if request.path == "/typed" else body()

    answer = both(handler, http_event(path="/typed", kind=kind))
    assert answer["body"] == "one two"
    assert both(handler, http_event(kind=kind))["body"] == "one two"


def streamed(handler: Any, event: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Prelude and chunks of what the handler gives a runtime."""
    stream = handler.__lambda_raw__(json.dumps(event).encode(), None)
    assert isinstance(stream, HttpStream)
    content_type, prelude, chunks = stream.__lambda_stream__()
    assert content_type == "application/vnd.awslambda.http-integration-response"
    text, _, rest = prelude.partition(bytes(8))
    assert rest == b""
    return json.loads(text), list(chunks)


@pytest.mark.parametrize("kind", ["function_url", "rest"])
def test_a_stream_goes_out_in_pieces_where_the_front_takes_them(kind: Any) -> None:
    @http_handler(stream=True)
    def handler(request: HttpRequest) -> object:
        match request.path:
            case "/async":
                return HttpResponse(async_pieces(), 201, {"X": "1"}, cookies=["a=1"])
            case "/whole":
                return {"a": 1}
            case "/empty":
                return None
            case "/bad":
                return HttpResponse(pieces(), headers={"X": "a\nb"})
            case "/error":
                raise HttpError(404)
        return pieces()

    prelude, chunks = streamed(handler, http_event(path="/async", kind=kind))
    assert prelude["statusCode"] == 201
    assert prelude["headers"] == {"X": "1", "content-type": "application/octet-stream"}
    assert prelude["cookies"] == ["a=1"]
    assert chunks == ["one ", "two"]
    assert streamed(handler, http_event(kind=kind))[1] == ["one ", b"two"]
    prelude, chunks = streamed(handler, http_event(path="/whole", kind=kind))
    assert (prelude["headers"], chunks) == ({"content-type": "application/json"}, [b'{"a":1}'])
    assert streamed(handler, http_event(path="/empty", kind=kind))[1] == []
    assert streamed(handler, http_event(path="/bad", kind=kind))[0]["statusCode"] == 500
    assert streamed(handler, http_event(path="/error", kind=kind))[0]["statusCode"] == 404
    assert handler(http_event(kind=kind))["body"] == "one two"  # another runtime


@pytest.mark.parametrize("kind", ["http_api", "alb", "lattice"])
def test_a_front_that_cannot_stream_gets_all_at_once(kind: Any) -> None:
    handler = http_handler(stream=True)(lambda request: pieces())
    assert both(handler, http_event(kind=kind))["body"] == "one two"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_scope_lives_as_long_as_the_stream(asynchronous: bool) -> None:
    ended: list[object] = []

    def log() -> None:
        scope = current.get()
        assert scope is not None
        scope.values["chunks"] = scope.values.get("chunks", 0) + 1

    def plain() -> Iterator[str]:
        log()
        yield "a"
        log()

    async def awaited() -> AsyncIterator[str]:
        log()
        yield "a"
        log()

    @http_handler(stream=True)
    def handler(request: HttpRequest) -> object:
        scope = current.get()
        assert scope is not None
        scope.at_end(lambda scope: ended.append(scope.values["chunks"]))
        return awaited() if asynchronous else plain()

    stream = handler.__lambda_raw__(json.dumps(http_event(kind="function_url")).encode(), FakeContext())
    chunks = stream.__lambda_stream__()[2]
    assert current.get() is None
    assert next(chunks) == "a"
    assert ended == []
    assert list(chunks) == []
    assert ended == [2]
    assert current.get() is None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_closing_a_stream_closes_its_generator_and_ends_the_scope(asynchronous: bool) -> None:
    closed: list[str] = []

    def plain() -> Iterator[str]:
        try:
            yield "a"
        finally:
            closed.append("generator")

    async def awaited() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            closed.append("generator")

    @http_handler(stream=True)
    def handler(request: HttpRequest) -> object:
        scope = current.get()
        assert scope is not None
        scope.at_end(lambda _: closed.append("scope"))
        return awaited() if asynchronous else plain()

    chunks = handler.__lambda_raw__(json.dumps(http_event(kind="function_url")).encode(), None).__lambda_stream__()[2]
    assert next(chunks) == "a"
    chunks.close()
    assert closed == ["generator", "scope"]


def test_a_chunk_that_is_neither_bytes_nor_text_is_a_500_where_it_is_collected(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = http_handler(lambda request: iter([1]))
    assert both(handler, http_event())["statusCode"] == 500
    assert "one of its chunks is a int" in caplog.text


def test_a_function_that_asks_for_more_is_refused_when_it_is_defined() -> None:
    with pytest.raises(TypeError, match=r"asks for request and other"):

        @http_handler
        def two(request: HttpRequest, other: int) -> None: ...

    with pytest.raises(TypeError, match="not as HttpRequest"):

        @http_handler
        def wrong(order: Order) -> None: ...

    with pytest.raises(TypeError, match="positional-only"):

        @http_handler
        def positional(request: HttpRequest, /) -> None: ...


def test_methods_and_callable_objects_are_handlers_too() -> None:
    class Shop:
        def __call__(self, request: HttpRequest, body: Order) -> str:
            return body.article

        def place(self, body: Order, *, context: Any = None) -> str:
            return body.article

    event = http_event("POST", json={"article": "book"})
    assert both(http_handler(Shop().place), event)["body"] == "book"


def test_a_handler_calls_another_in_the_same_scope() -> None:
    scopes = []

    @http_handler
    def inner(request: HttpRequest) -> str:
        scopes.append(current.get())
        return "inner"

    @http_handler
    def outer(request: HttpRequest, context: Any) -> Any:
        scopes.append(current.get())
        return inner(request.raw, context)

    assert both(outer, http_event(), FakeContext())["body"] == "inner"
    assert scopes[0] is scopes[1]


LATER = """
from __future__ import annotations
from handlerkit import HttpRequest, http_handler

@http_handler
def handler(request: HttpRequest[Later], body: Later) -> str:
    return f"{request.body.n} {body.n}"

from pydantic import BaseModel

class Later(BaseModel):
    n: int
"""


def test_a_type_may_be_defined_further_down() -> None:
    names: dict[str, Any] = {"__name__": "later"}
    exec(LATER, names)
    handler = names["handler"]
    event = http_event("POST", json={"n": 7})
    assert both(handler, event)["body"] == "7 7"
    handler.__lambda_prepare__()


class Once:
    """Handlers under idempotency, and how often each was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.began = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def plain(self, **options: Any) -> Any:
        def pay(request: HttpRequest, body: dict) -> HttpResponse:  # type: ignore[type-arg]
            self.calls += 1
            self.began.set()
            assert self.may_end.wait(10)
            if body.get("fails"):
                raise LookupError("no such card")
            return HttpResponse(Order(article=body["article"]), 201, {"x-call": str(self.calls)}, cookies=["a=b"])

        return self._handler(pay, options)

    def coroutine(self, **options: Any) -> Any:
        async def pay(request: HttpRequest, body: dict) -> HttpResponse:  # type: ignore[type-arg]
            self.calls += 1
            await asyncio.sleep(0)
            return HttpResponse(Order(article=body["article"]), 201, {"x-call": str(self.calls)})

        return self._handler(pay, options)

    def _handler(self, function: Any, options: dict[str, Any]) -> Any:
        key = options.pop("key", lambda request, body: request.headers.get("idempotency-key"))
        return http_handler(idempotency=Idempotency(MemoryStore(), key=key, **options))(function)


def paid(key: str | None = "k-1", **body: Any) -> dict[str, Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    return http_event("POST", "/", json={"article": "cup", **body}, headers=headers)


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_a_duplicate_gets_the_first_response(kind: str) -> None:
    once = Once()
    handler = getattr(once, kind)()
    first = handler(paid(), FakeContext())
    assert (first["statusCode"], json.loads(first["body"])["article"], headers(first)["x-call"]) == (201, "cup", "1")
    assert handler(paid(), FakeContext()) == first
    assert json.loads(handler.__lambda_raw__(json.dumps(paid()).encode(), None)) == first
    assert handler(paid("k-2"), FakeContext()) != first
    assert once.calls == 2


def test_a_duplicate_gets_the_first_response_inside_a_loop() -> None:
    once = Once()
    handler = once.coroutine()

    async def run() -> Any:
        return [await handler(paid(), FakeContext()), await handler(paid(), FakeContext())]

    first, second = asyncio.run(run())
    assert first == second
    assert once.calls == 1


def test_a_duplicate_that_comes_too_early_is_told_to_come_again() -> None:
    once = Once()
    handler = once.plain()
    once.may_end.clear()
    thread = threading.Thread(target=handler, args=(paid(), FakeContext()))
    thread.start()
    assert once.began.wait(10)
    early = handler(paid(), FakeContext())
    once.may_end.set()
    thread.join()
    assert (early["statusCode"], headers(early)["retry-after"]) == (409, "1")
    assert handler(paid(), FakeContext())["statusCode"] == 201
    assert once.calls == 1


def test_a_key_that_is_missing_or_of_another_payload_is_the_clients_mistake() -> None:
    once = Once()
    handler = once.plain(payload=lambda request, body: body)
    assert handler(paid(None), FakeContext())["statusCode"] == 400
    assert handler(paid(), FakeContext())["statusCode"] == 201
    other = handler(paid(amount=5), FakeContext())
    assert other["statusCode"] == 422
    assert "another payload" in json.loads(other["body"])["detail"]
    assert once.calls == 1


def test_a_response_that_fails_can_be_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    once = Once()
    handler = once.plain()
    for _ in range(2):
        assert handler(paid(fails=True), FakeContext())["statusCode"] == 500
    assert once.calls == 2
    assert "no such card" in caplog.text


def test_what_the_function_itself_meets_of_idempotency_is_no_mistake_of_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def key(request: HttpRequest) -> str:
        return request.path

    @http_handler(idempotency=Idempotency(MemoryStore(), key=key))
    def handler(request: HttpRequest) -> None:
        raise AlreadyInProgressError("another function's")

    assert handler(http_event(), FakeContext())["statusCode"] == 500
    assert "another function's" in caplog.text


@pytest.mark.parametrize("key", ["body", lambda request, body: body])
def test_a_key_is_made_of_the_request_and_never_of_the_context(key: Any) -> None:
    calls = []

    @http_handler(idempotency=Idempotency(MemoryStore(), key=key))
    def handler(request: HttpRequest, body: dict, context: Any) -> str:  # type: ignore[type-arg]
        calls.append(context)
        return "x"

    assert handler(paid(), FakeContext()) == handler(paid(), FakeContext())
    assert len(calls) == 1


def test_a_key_that_the_function_cannot_have_is_refused_where_it_is_defined() -> None:
    with pytest.raises(TypeError, match="no parameter 'order'"):

        @http_handler(idempotency=Idempotency(MemoryStore(), key="order"))
        def handler(request: HttpRequest) -> None: ...


def test_a_stream_is_not_kept_and_a_duplicate_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    @http_handler(idempotency=Idempotency(MemoryStore(), key=lambda request: request.path))
    def handler(request: HttpRequest) -> HttpResponse:
        return HttpResponse(iter(["a", "b"]))

    assert handler(http_event(), FakeContext())["statusCode"] == 200
    assert handler(http_event(), FakeContext())["statusCode"] == 500
    assert "was not kept" in caplog.text
