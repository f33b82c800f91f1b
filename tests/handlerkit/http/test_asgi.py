"""`asgi_handler` with applications that are nothing but the protocol, well-behaved and not."""

import asyncio
import contextlib
import gc
import json
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import pytest

from handlerkit import asgi_handler
from handlerkit.events.errors import EventValidationError
from handlerkit.http.asgi_cycle import ClientLeftError
from handlerkit.http.asgi_lifespan import LifespanError
from handlerkit.scope import current
from handlerkit.testing import FakeContext, http_event, websocket_event

KINDS = ["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"]
OK = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


def body(part: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": part, "more_body": more}


def application(
    respond: Callable[..., Awaitable[None]], lifespan: Callable[..., Awaitable[None]] | None = None
) -> Callable[..., Awaitable[None]]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            assert lifespan is not None
            await lifespan(scope, receive, send)
        else:
            await respond(scope, receive, send)

    return app


def both(handler: Any, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    parsed = handler(event, context)
    assert json.loads(handler.__lambda_raw__(json.dumps(event).encode(), context)) == parsed
    return parsed  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", KINDS)
def test_the_scope_says_what_was_sent(kind: Any) -> None:
    seen: dict[str, Any] = {}

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        seen["message"] = await receive()
        await send(OK)
        await send(body(b"done"))

    event = http_event(
        "POST", "/a%2Fb/../c%20d", json={"a": 1}, query={"x": "1", "y": "ä b"}, cookies={"s": "1"},
        headers={"X-Tag": "t", "host": "shop.example.com:8443"}, kind=kind,
    )  # fmt: skip
    context = FakeContext()
    answer = both(asgi_handler(respond, lifespan="off", root_path=""), event, context)
    assert answer["body"] == "done"
    assert (seen["type"], seen["method"], seen["scheme"], seen["http_version"]) == ("http", "POST", "https", "1.1")
    assert (seen["path"], seen["raw_path"]) == ("/a/b/../c d", b"/a%2Fb/../c%20d")
    assert seen["query_string"].replace(b"+", b"%20") == b"x=1&y=%C3%A4%20b"
    assert (b"x-tag", b"t") in seen["headers"]
    assert (b"cookie", b"s=1") in seen["headers"]
    assert all(name == name.lower() for name, _ in seen["headers"])
    assert (seen["client"], seen["server"]) == (("203.0.113.7", 0), ("shop.example.com", 8443))
    assert seen["message"] == {"type": "http.request", "body": b'{"a":1}', "more_body": False}
    assert seen["aws.event"] == event
    assert seen["aws.context"] is context
    assert seen["asgi"] == {"version": "3.0", "spec_version": "2.4"}


@pytest.mark.parametrize(
    ("kind", "stage", "raw", "root_path", "expected"),
    [
        ("rest", "prod", "/orders", None, ("/prod", "/prod/orders")),
        ("rest", "prod", "/orders", "", ("", "/orders")),
        ("http_api", "dev", "/dev/orders", None, ("/dev", "/dev/orders")),
        ("http_api", "$default", "/v1/orders", "/v1", ("/v1", "/v1/orders")),
        ("http_api", "$default", "/orders", "/v1", ("/v1", "/v1/orders")),
        ("function_url", "$default", "/orders", None, ("", "/orders")),
    ],
)
def test_the_root_path_is_the_stage_or_what_is_said(
    kind: Any, stage: str, raw: str, root_path: str | None, expected: tuple[str, str]
) -> None:
    seen = {}

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await send(OK)
        await send(body())

    event = http_event(path=raw, kind=kind)
    event["requestContext"]["stage"] = stage
    asgi_handler(respond, lifespan="off", root_path=root_path)(event)
    assert (seen["root_path"], seen["path"]) == expected
    assert seen["raw_path"].decode() == seen["path"]


def test_addresses_may_have_ports_and_brackets() -> None:
    seen = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"])
        await send(OK)
        await send(body())

    handler = asgi_handler(respond, lifespan="off")
    for address in ("10.1.15.242:39870", "[2001:db8::1]:443", "2001:db8::1", "test-invoke-source-ip", ""):
        event = http_event()
        event["requestContext"]["http"]["sourceIp"] = address
        handler(event)
    assert seen == [
        ("10.1.15.242", 39870), ("2001:db8::1", 443), ("2001:db8::1", 0), ("test-invoke-source-ip", 0), None,
    ]  # fmt: skip


# --- lifespan ---


def counting(calls: list[str], state: dict[str, Any] | None = None) -> Callable[..., Awaitable[None]]:
    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        calls.append("startup")
        scope["state"].update(state or {})
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        calls.append("shutdown")
        await send({"type": "lifespan.shutdown.complete"})

    return lifespan


async def show_state(scope: Any, receive: Any, send: Any) -> None:
    scope["state"]["seen"] = scope["state"].get("seen", 0) + 1
    await send(OK)
    await send(body(json.dumps(scope["state"]).encode()))


def test_the_lifespan_runs_once_and_gives_each_request_a_copy_of_its_state() -> None:
    calls: list[str] = []
    with asgi_handler(application(show_state, counting(calls, {"pool": 1}))) as handler:
        for _ in range(2):
            assert json.loads(both(handler, http_event())["body"]) == {"pool": 1, "seen": 1}
        assert calls == ["startup"]
    assert calls == ["startup", "shutdown"]
    handler.close()
    assert calls == ["startup", "shutdown"]


def test_a_runtime_that_prepares_starts_the_application_in_the_loop_that_it_will_use() -> None:
    calls: list[str] = []
    loops = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        loops.append(asyncio.get_running_loop())
        await send(OK)
        await send(body())

    def run() -> None:  # in a thread of its own: it becomes the thread's current loop
        handler = asgi_handler(application(respond, counting(calls)))
        handler.__lambda_prepare__()
        assert calls == ["startup"]
        handler(http_event())
        assert loops == [asyncio.get_event_loop()]
        handler.__lambda_shutdown__()
        asyncio.get_event_loop().close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
    assert calls == ["startup", "shutdown"]


def test_an_application_without_lifespan_needs_none_unless_told(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError("only HTTP")
        await send(OK)
        await send(body(b"x"))

    assert both(asgi_handler(respond), http_event())["body"] == "x"
    handler = asgi_handler(respond, lifespan="on")
    assert both(handler, http_event())["statusCode"] == 500
    assert "has no lifespan: ValueError: only HTTP" in caplog.text

    def run() -> None:
        unsupported = asgi_handler(respond)
        unsupported.__lambda_prepare__()
        assert not hasattr(unsupported, "__lambda_shutdown__")
        with pytest.raises(LifespanError):
            asgi_handler(respond, lifespan="on").__lambda_prepare__()
        asyncio.get_event_loop().close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
    assert not hasattr(asgi_handler(respond, lifespan="off"), "__lambda_shutdown__")


def test_a_start_that_fails_is_a_500_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        tries.append(1)
        if len(tries) == 1:
            await send({"type": "lifespan.startup.failed", "message": "no database"})
        else:
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.failed", "message": "cannot end"})

    handler = asgi_handler(application(show_state, lifespan))
    assert handler(http_event())["statusCode"] == 500
    assert "no database" in caplog.text
    assert handler(http_event())["statusCode"] == 500 or len(tries) == 2
    assert handler(http_event())["statusCode"] == 200
    with pytest.raises(LifespanError, match="cannot end"):
        handler.close()


@pytest.mark.parametrize(
    ("arguments", "message"), [({"lifespan": "yes"}, "auto, on, off"), ({"root_path": "v1"}, "begins with a slash")]
)
def test_options_that_mean_nothing_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asgi_handler(show_state, **arguments)


# --- applications that misbehave ---


async def raises_before(scope: Any, receive: Any, send: Any) -> None:
    raise KeyError("the password is 1234")


async def raises_after_start(scope: Any, receive: Any, send: Any) -> None:
    await send(OK)
    await send(body(b"half", more=True))
    raise KeyError("the password is 1234")


async def returns_nothing(scope: Any, receive: Any, send: Any) -> None:
    await receive()


async def returns_half(scope: Any, receive: Any, send: Any) -> None:
    await send(OK)
    await send(body(b"half", more=True))


async def starts_twice(scope: Any, receive: Any, send: Any) -> None:
    await send(OK)
    await send(OK)


async def body_first(scope: Any, receive: Any, send: Any) -> None:
    await send(body(b"x"))


async def says_something_else(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})


async def injects(scope: Any, receive: Any, send: Any) -> None:
    await send({**OK, "headers": [(b"x", b"a\r\nset-cookie: evil=1")]})
    await send(body(b"x"))


async def has_no_status(scope: Any, receive: Any, send: Any) -> None:
    await send({**OK, "status": "200"})
    await send(body(b"x"))


BAD = [
    (raises_before, "1234"),
    (raises_after_start, "1234"),
    (returns_nothing, "ended without a response"),
    (returns_half, "ended in the middle of its response"),
    (starts_twice, "began its response a second time"),
    (body_first, "sent a body before http.response.start"),
    (says_something_else, "which is no message of an HTTP response"),
    (injects, "has a line break or NUL"),
    (has_no_status, "not a number from 200 to 599"),
]


@pytest.mark.parametrize(("app", "logged"), BAD, ids=lambda one: getattr(one, "__name__", ""))
@pytest.mark.parametrize("kind", KINDS)
def test_what_an_application_does_wrong_is_in_the_log_and_a_500_to_the_client(
    kind: Any, app: Any, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = both(asgi_handler(app, lifespan="off"), http_event(kind=kind))
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["status"] == 500
    assert "1234" not in str(answer)
    assert "evil" not in str(answer)
    assert logged in caplog.text


def test_a_websocket_event_is_refused_by_its_kind() -> None:
    for route in ("$connect", "$default", "$disconnect"):
        with pytest.raises(EventValidationError, match="kind 'apigw_websocket"):
            asgi_handler(raises_before, lifespan="off")(websocket_event(route=route))


def test_an_application_that_fails_may_fail_the_invocation() -> None:
    with pytest.raises(KeyError):
        asgi_handler(raises_before, lifespan="off", fail_on_error=True)(http_event())


def test_an_application_that_never_answers_is_cancelled_in_time(caplog: pytest.LogCaptureFixture) -> None:
    cancelled = []

    async def never(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(1)

    answer = asgi_handler(never, lifespan="off")(http_event(), FakeContext(remaining_ms=60))
    assert answer["statusCode"] == 504
    assert json.loads(answer["body"])["title"] == "Gateway Timeout"
    assert "did not answer in time" in caplog.text
    asgi_handler(raises_before, lifespan="off")(http_event())
    assert cancelled in ([1], [])


def test_what_an_application_does_after_its_response_does_not_change_it(caplog: pytest.LogCaptureFixture) -> None:
    async def again(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"first"))
        await send(body(b"second"))

    assert both(asgi_handler(again, lifespan="off"), http_event())["body"] == "first"
    assert "sent a body after the end of its response" in caplog.text

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await send({**OK, "status": 500})
        await send(body(b"its own page"))
        raise ValueError("raised again, as servers are told")

    answer = both(asgi_handler(fails, lifespan="off"), http_event())
    assert (answer["statusCode"], answer["body"]) == (500, "its own page")
    assert "raised again" in caplog.text


def test_receive_tells_of_the_end_when_the_response_is_complete() -> None:
    messages = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        await send(OK)
        await send(body(b"x"))
        messages.append(await waiting)

    both(asgi_handler(respond, lifespan="off"), http_event())
    assert messages == [{"type": "http.disconnect"}] * 2


# --- work after the response ---


class HookContext(FakeContext):
    """A context of a runtime that calls back when the response is out."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: list[Callable[[], object]] = []

    def __lambda_after_response__(self, function: Callable[[], object]) -> None:
        self.hooks.append(function)


def test_background_work_runs_after_the_response_where_the_runtime_can() -> None:
    done = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"x"))
        await asyncio.sleep(0.01)
        done.append(current.get())

    handler = asgi_handler(respond, lifespan="off")
    context = HookContext()
    assert handler(http_event(), context)["body"] == "x"
    assert done == []
    context.hooks[0]()
    assert len(done) == 1
    assert handler(http_event(), FakeContext())["body"] == "x"  # elsewhere before the answer is given
    assert len(done) == 2


def test_an_application_that_has_nothing_left_to_do_leaves_no_work_for_later() -> None:
    context = HookContext()
    with asgi_handler(application(show_state, counting([]))) as handler:
        handler(http_event(), context)
    assert context.hooks == []


def test_background_work_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"x"))
        await asyncio.sleep(0.001)
        raise ValueError("too late")

    context = HookContext()
    handler = asgi_handler(respond, lifespan="off")
    handler(http_event(), context)
    context.hooks[0]()
    assert "too late" in caplog.text


# --- streams ---


def stream_of(handler: Any, context: Any = None, kind: Any = "function_url") -> tuple[dict[str, Any], Any]:
    stream = handler.__lambda_raw__(json.dumps(http_event(kind=kind)).encode(), context)
    _, prelude, chunks = stream.__lambda_stream__()
    return json.loads(prelude.partition(bytes(8))[0]), chunks


@pytest.mark.parametrize("kind", ["function_url", "rest"])
def test_each_piece_is_taken_before_the_application_goes_on(kind: Any) -> None:
    steps: list[str] = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        for number in range(3):
            await send(body(b"%d" % number, more=True))
            steps.append(f"sent {number}")
        await send(body(b"", more=True))
        await send(body(b"end"))
        steps.append("over")

    prelude, chunks = stream_of(asgi_handler(respond, lifespan="off", stream=True), kind=kind)
    assert prelude == {"statusCode": 200, "headers": {"content-type": "text/plain"}}
    while chunk := next(chunks, None):
        steps.append(f"took {chunk.decode()}")
    expected = ["took 0", "sent 0", "took 1", "sent 1", "took 2", "sent 2", "took end", "over"]
    assert steps == expected


def test_background_work_of_a_stream_waits_for_its_end() -> None:
    steps = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"all"))
        await asyncio.sleep(0.001)
        steps.append("background")

    context = HookContext()
    _, chunks = stream_of(asgi_handler(respond, lifespan="off", stream=True), context)
    assert list(chunks) == [b"all"]
    assert steps == []
    context.hooks[0]()
    assert steps == ["background"]


def test_an_application_that_raises_in_a_stream_fails_it() -> None:
    _, chunks = stream_of(asgi_handler(raises_after_start, lifespan="off", stream=True))
    assert next(chunks) == b"half"
    with pytest.raises(KeyError):
        next(chunks)
    _, chunks = stream_of(asgi_handler(returns_half, lifespan="off", stream=True))
    assert next(chunks) == b"half"
    with pytest.raises(RuntimeError, match="in the middle"):
        next(chunks)


@pytest.mark.parametrize("app", [raises_before, returns_nothing, injects, starts_twice])
def test_a_stream_that_does_not_begin_is_a_500(app: Any) -> None:
    prelude, chunks = stream_of(asgi_handler(app, lifespan="off", stream=True))
    assert prelude["statusCode"] == 500
    assert json.loads(b"".join(chunks))["title"] == "Internal Server Error"


def test_an_application_learns_that_its_client_has_left() -> None:
    learned: list[Any] = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(OK)
        try:
            while True:
                await send(body(b"x", more=True))
        except OSError as error:
            learned.append(error)
            learned.append(await receive())
            raise

    _, chunks = stream_of(asgi_handler(respond, lifespan="off", stream=True))
    assert next(chunks) == b"x"
    assert next(chunks) == b"x"
    chunks.close()
    assert isinstance(learned[0], ClientLeftError)
    assert learned[1] == {"type": "http.disconnect"}


def test_an_application_that_does_not_mind_its_client_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlerkit.http.asgi_pieces.LEAVING_S", 0.02)
    cancelled = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        with contextlib.suppress(OSError):
            await send(body(b"x", more=True))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    _, chunks = stream_of(asgi_handler(respond, lifespan="off", stream=True))
    assert next(chunks) == b"x"
    chunks.close()
    assert cancelled == [1]


# --- many at once ---


def test_requests_in_one_loop_run_together_with_one_lifespan() -> None:
    calls: list[str] = []
    everybody = []

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        everybody.append(1)
        while len(everybody) < 8:
            await asyncio.sleep(0)
        await send(OK)
        await send(body(scope["raw_path"]))

    async def main() -> list[Any]:
        handler = asgi_handler(application(respond, counting(calls)))
        events = [json.dumps(http_event(path=f"/{number}")).encode() for number in range(8)]
        answers = await asyncio.gather(*(handler.__lambda_raw__(event, FakeContext()) for event in events))
        await handler.close()
        return answers

    answers = [json.loads(answer)["body"] for answer in asyncio.run(main())]
    assert answers == [f"/{number}" for number in range(8)]
    assert calls == ["startup", "shutdown"]


def test_requests_of_many_threads_share_one_loop() -> None:
    for _ in range(10):  # the first requests come together, each time
        calls: list[str] = []
        loops: set[object] = set()
        everybody: list[int] = []

        async def respond(
            scope: Any, receive: Any, send: Any, loops: Any = loops, everybody: list[int] = everybody
        ) -> None:
            loops.add(asyncio.get_running_loop())
            everybody.append(1)
            while len(everybody) < 4:
                await asyncio.sleep(0.001)
            await send(OK)
            await send(body(threading.current_thread().name.encode()))

        with asgi_handler(application(respond, counting(calls))) as handler, ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(handler, [http_event()] * 4))
            assert {answer["body"] for answer in answers} == {"handlerkit-asyncio"}
        assert len(loops) == 1
        assert calls == ["startup", "shutdown"]


def test_what_lives_on_is_of_no_invocation_and_keeps_none() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(current.get())
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            return
        await send(OK)
        await send(body(b"x"))

    with asgi_handler(app) as handler:
        event = http_event()
        context = FakeContext()
        gone = weakref.ref(context)
        assert handler(event, context)["statusCode"] == 200
        assert seen[0] is None
        assert seen[1].context is context
        seen.clear()
        del context
        gc.collect()
        assert gone() is None


@pytest.mark.parametrize("lifespan", ["off", "auto"])
def test_a_loop_that_is_collected_while_another_one_runs_is_closed(
    lifespan: Literal["off", "auto"], caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send(OK)
        await send(body(b"x"))

    handler = asgi_handler(app, lifespan=lifespan)
    assert handler(http_event())["statusCode"] == 200
    loop = handler._kept_loop()._loop
    assert loop is not None

    async def run() -> None:
        nonlocal handler
        del handler
        gc.collect()

    asyncio.run(run())
    assert loop.is_closed()
    assert "Task was destroyed" not in caplog.text
