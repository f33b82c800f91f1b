"""The HTTP server against clients that split, pipeline, exaggerate, lie and leave."""

import asyncio
import contextlib
import gc
import json
import socket
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_emulator.http_message import Request, Response, Route, Routes
from lambda_emulator.http_server import HttpServer
from lambda_emulator.loop_thread import LoopThread
from tests.emulator.raw_client import RawClient, request_bytes

LIMIT = 1000


async def describe(request: Request) -> Response:
    """Says what it was asked, and shows a body."""
    document = {
        "captures": dict(request.captures),
        "query": request.query,
        "x": request.headers.get("x-test"),
        "body": request.body.decode("latin-1"),
        "bytes": request.body_bytes,
        "trailers": dict(request.trailers),
        "truncated": request.truncated,
    }
    return Response(status=200, body=json.dumps(document).encode())


async def large(_request: Request) -> Response:
    return Response(status=200, body=b"x" * 100_000)


async def broken(_request: Request) -> Response:
    raise ZeroDivisionError("a bug")


async def hang_up(_request: Request) -> None:
    return None


async def slow(_request: Request) -> Response:
    await asyncio.sleep(0.2)
    return Response(status=200, body=b"slow")


async def until_gone(request: Request) -> Response:
    await request.disconnected.wait()
    return Response(status=200, body=b"gone")


async def in_pieces(request: Request) -> Response:
    """Each piece when the client has been heard to leave, or at once; the last never comes where it is to fail."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"one"
        yield b"two"
        if request.query == "broken":
            raise ZeroDivisionError("a bug")
        if request.query == "endless":
            while True:
                yield b"x" * 50_000

    return Response(status=200, stream=pieces())


async def read_some(request: Request) -> Response | None:
    """Reads as much of the body as the query says, and tells what it got."""
    assert request.incoming is not None
    if request.query == "none":
        return Response(status=200, body=b"none")
    if request.query == "leave":
        return None
    kept, arrived_bytes = await request.incoming.read_all(LIMIT)
    trailers = dict(request.incoming.trailers)
    return Response(
        status=200, body=json.dumps([len(kept), arrived_bytes, request.incoming.truncated, trailers]).encode()
    )


ROUTES = Routes(
    (
        Route(method="GET", path="/pieces", handler=in_pieces),
        Route(method="POST", path="/read", handler=read_some, reads_body=True),
        Route(method="POST", path="/echo/{name}", handler=describe, max_body_bytes=LIMIT),
        Route(method="GET", path="/echo/{name}", handler=describe),
        Route(method="GET", path="/large", handler=large),
        Route(method="GET", path="/broken", handler=broken),
        Route(method="GET", path="/hang-up", handler=hang_up),
        Route(method="GET", path="/slow", handler=slow),
        Route(method="GET", path="/until-gone", handler=until_gone),
    )
)


class Running:
    """A server in a thread."""

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.reports: list[str] = []
        self.loop = LoopThread("http-server-test")
        self.do(self._start)

    def do(self, action: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await action()

        self.loop.submit(run()).result(10)

    async def _start(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: self.reports.append(context["message"]))
        await self.server.start()


@pytest.fixture
def running() -> Iterator[Running]:
    under_test = Running(HttpServer(ROUTES, chunk_above_bytes=50_000, discard_bytes=100_000))
    yield under_test
    under_test.do(under_test.server.close)
    under_test.loop.stop()


@pytest.fixture
def client(running: Running) -> Iterator[RawClient]:
    with RawClient(running.server.address) as connected:
        yield connected


def test_a_connection_serves_many_requests(client: RawClient) -> None:
    for name in ("a", "b", "c%3A%20d"):
        assert client.call("GET", f"/echo/{name}?q=1").json()["captures"] == {"name": name.replace("%3A%20", ": ")}


def test_pipelined_requests_are_answered_in_order(client: RawClient) -> None:
    names = [str(number) for number in range(50)]
    client.send(b"".join(request_bytes("POST", f"/echo/{name}", name.encode()) for name in names))
    assert [client.answer().json()["body"] for _ in names] == names


def test_a_chunked_body_and_its_trailers_are_read(client: RawClient) -> None:
    client.send(b"POST /echo/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"3\r\nabc\r\n2;extension=1\r\nde\r\n0\r\nX-Tail: 1\r\n\r\n" + request_bytes("GET", "/echo/b"))
    first, second = client.answer().json(), client.answer().json()
    assert (first["body"], first["bytes"], first["trailers"]) == ("abcde", 5, {"x-tail": "1"})
    assert second["captures"] == {"name": "b"}


def test_a_body_over_its_limit_is_cut_and_counted(client: RawClient) -> None:
    seen = client.call("POST", "/echo/a", b"x" * (LIMIT + 500)).json()
    assert (len(seen["body"]), seen["bytes"]) == (LIMIT, LIMIT + 500)
    assert client.call("GET", "/echo/b").status == 200


def test_a_body_past_all_patience_is_answered_and_the_connection_closed(client: RawClient) -> None:
    client.send(b"POST /echo/a HTTP/1.1\r\nHost: t\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 150_000)
    answer = client.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert client.at_end()


def test_a_client_that_goes_on_sending_to_a_closing_connection_still_reads_its_answer(client: RawClient) -> None:
    client.send(b"POST /echo/a HTTP/1.1\r\nHost: t\r\nContent-Length: 50000000\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            client.send(b"x" * 10_000)
    assert client.answer().status == 200


def test_a_client_that_asks_whether_to_go_on_is_told_to(client: RawClient) -> None:
    client.send(b"POST /echo/a HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert client.answer().status == 100
    client.send(b"ok")
    assert client.answer().json()["body"] == "ok"


def test_an_answer_above_the_mark_is_chunked(client: RawClient) -> None:
    answer = client.call("GET", "/large")
    assert answer.chunk_sizes == (32768, 32768, 32768, 1696)
    assert answer.body == b"x" * 100_000


def test_a_client_of_the_old_protocol_gets_its_answer_and_the_end(client: RawClient) -> None:
    client.send(b"GET /echo/a HTTP/1.0\r\n\r\n")
    assert client.answer().json()["captures"] == {"name": "a"}
    assert client.at_end()


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nno colon\r\n\r\n", 400),
        (b"POST /echo/a HTTP/1.1\r\nHost: t\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /echo/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /echo/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nX: " + b"x" * 1_100_000 + b"\r\n\r\n", 431),
        (b"x" * 2_000_000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    client: RawClient, garbage: bytes, status: int
) -> None:
    with contextlib.suppress(ConnectionError):
        client.send(garbage)
    answer = client.answer()
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert client.at_end()


def test_a_client_that_leaves_in_mid_request_is_forgotten(running: Running, client: RawClient) -> None:
    client.send(b"POST /echo/a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc")
    client.finish_sending()
    assert client.answer().json()["truncated"] is True
    running.do(lambda: running.server.settle(10))


def test_a_client_that_closes_its_side_still_gets_its_answers(client: RawClient) -> None:
    client.send(request_bytes("GET", "/echo/a") * 3)
    client.finish_sending()
    assert [client.answer().status for _ in range(3)] == [200, 200, 200]
    assert client.at_end()


def test_a_waiting_handler_is_told_that_its_client_has_left(client: RawClient) -> None:
    client.send(request_bytes("GET", "/until-gone"))
    client.finish_sending()
    assert client.answer().body == b"gone"


def test_a_handler_may_hang_up(client: RawClient) -> None:
    client.send(request_bytes("GET", "/hang-up"))
    assert client.at_end()


def test_the_bug_of_a_handler_is_reported_and_answered(running: Running, client: RawClient) -> None:
    assert client.call("GET", "/broken").status == 500
    assert running.reports == ["a handler failed"]
    assert client.call("GET", "/echo/a").status == 200


def test_a_stream_goes_out_piece_by_piece_and_the_connection_lives_on(client: RawClient) -> None:
    for _ in range(2):
        answer = client.call("GET", "/pieces")
        assert (answer.body, answer.chunk_sizes) == (b"onetwo", (3, 3))


def test_a_stream_that_fails_is_cut_and_reported(running: Running, client: RawClient) -> None:
    client.send(request_bytes("GET", "/pieces?broken"))
    with pytest.raises((ValueError, ConnectionError)):
        client.answer()
    assert running.reports == ["a stream failed"]


def test_a_stream_ends_with_its_client(running: Running, client: RawClient) -> None:
    client.send(request_bytes("GET", "/pieces?endless"))
    client.socket.recv(10)
    client.close()

    async def settle() -> None:
        await running.server.settle(10)

    running.do(settle)
    assert running.reports == []


@pytest.mark.parametrize(
    ("size_bytes", "told"), [(0, [0, 0]), (LIMIT, [LIMIT, LIMIT]), (LIMIT + 1, [LIMIT, LIMIT + 1])]
)
def test_a_handler_may_read_its_body_itself(client: RawClient, size_bytes: int, told: list[int]) -> None:
    assert client.call("POST", "/read", b"x" * size_bytes).json() == [*told, False, {}]
    assert client.call("POST", "/read", b"x").json() == [1, 1, False, {}]


def test_a_body_that_nobody_reads_is_read_past(client: RawClient) -> None:
    assert client.call("POST", "/read?none", b"x" * 50_000).body == b"none"
    assert client.call("POST", "/read", b"x").status == 200


def test_past_all_patience_the_connection_is_closed_behind_the_answer(client: RawClient) -> None:
    answer = client.call("POST", "/read", b"x" * 300_000)
    assert (answer.json()[0], answer.headers["connection"]) == (LIMIT, "close")


def test_a_body_that_is_cut_off_is_truncated(client: RawClient) -> None:
    client.send(b"POST /read HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
    client.finish_sending()
    assert client.answer().json() == [3, 3, True, {}]


def test_trailers_come_at_the_end_of_a_body(client: RawClient) -> None:
    client.send(b"POST /read HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"3\r\nabc\r\n0\r\nX-Test: yes\r\n\r\n")
    assert client.answer().json() == [3, 3, False, {"x-test": "yes"}]


def test_a_body_that_is_no_http_is_refused(client: RawClient) -> None:
    client.send(b"POST /read HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
    assert client.answer().status == 400
    assert client.at_end()


def test_a_handler_that_leaves_its_body_hangs_up(client: RawClient) -> None:
    client.send(b"POST /read?leave HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
    assert client.at_end()


def test_a_reader_that_is_slow_slows_the_server_and_loses_nothing(running: Running) -> None:
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = running.server.address.split(":")
        slow.connect((host, int(port)))
        slow.settimeout(10)
        slow.sendall(request_bytes("GET", "/large") * 20)
        slow.shutdown(socket.SHUT_WR)
        received = b""
        while data := slow.recv(100_000):
            received += data
    assert received.count(b"HTTP/1.1 200") == 20
    assert received.count(b"x") == 20 * 100_000


def test_much_may_wait_behind_a_slow_request(running: Running, client: RawClient) -> None:
    client.send(request_bytes("GET", "/slow") + request_bytes("GET", "/echo/a", headers={"X-Test": "y" * 1000}) * 1000)
    assert client.answer().body == b"slow"
    assert {client.answer().json()["x"] for _ in range(1000)} == {"y" * 1000}


def test_closing_a_server_that_was_never_started_is_harmless(running: Running) -> None:
    running.do(HttpServer(ROUTES).close)


def test_closing_cuts_those_who_wait(running: Running, client: RawClient) -> None:
    address = running.server.address
    client.send(request_bytes("GET", "/until-gone"))
    running.do(running.server.close)
    assert client.at_end()
    with pytest.raises(ConnectionRefusedError):
        RawClient(address)
    with pytest.raises(RuntimeError, match="start it first"):
        _ = running.server.address


# --- properties -------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[HttpServer]:
    server = HttpServer(ROUTES, chunk_above_bytes=50, discard_bytes=1000)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def exchange(server: HttpServer, pieces: list[bytes]) -> bytes:
    """Send the pieces so that the server sees each by itself; all that it answers until it closes."""
    host, port = server.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            for _ in range(3):  # the same loop serves: it has read the piece after one turn
                await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError):
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


CONVERSATION = (
    request_bytes("POST", "/echo/a", b'{"long": "body"}', {"X-Test": "1"})
    + request_bytes("GET", "/echo/b?x=%20")
    + b"POST /echo/c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n1\r\ne\r\n0\r\nT: 1\r\n\r\n"
    + request_bytes("GET", "/missing")
    + request_bytes("POST", "/echo/d", b"x" * 1200)
)


@given(cuts=st.lists(st.integers(0, len(CONVERSATION)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_split_of_the_bytes_gives_the_same_answers(cuts: list[int]) -> None:
    async def both() -> tuple[bytes, bytes]:
        edges = [0, *sorted(cuts), len(CONVERSATION)]
        pieces = [CONVERSATION[start:end] for start, end in pairwise(edges)]
        async with served() as server:
            return await exchange(server, [CONVERSATION]), await exchange(server, pieces)

    whole, split = asyncio.run(both())
    assert whole == split
    assert whole.count(b"HTTP/1.1 200") == 4


@given(upper=st.lists(st.booleans(), min_size=40, max_size=40), value=st.text("abc /;=,\t\"'", max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_case_of_a_header_name_is_the_same_header(upper: list[bool], value: str) -> None:
    def shuffled(name: str) -> str:
        return "".join(c.upper() if up else c.lower() for c, up in zip(name, upper, strict=False))

    async def seen() -> bytes:
        head = f"POST /echo/a HTTP/1.1\r\n{shuffled('host')}: t\r\n{shuffled('x-test')}:{value}\r\n"
        framing = f"{shuffled('content-length')}: 2\r\n\r\nok"
        async with served() as server:
            return await exchange(server, [(head + framing).encode()])

    head, _, rest = asyncio.run(seen()).partition(b"\r\n\r\n")
    assert b"HTTP/1.1 200" in head
    body = b"".join(line for line in rest.split(b"\r\n")[1::2])
    document = json.loads(body)
    assert (document["x"], document["body"]) == (value.strip(" \t"), "ok")


GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [
                b"GET ",
                b"POST ",
                b"/echo/a",
                b"/large",
                b" HTTP/1.1\r\n",
                b"Host: t\r\n",
                b"Content-Length: 5\r\n",
                b"Content-Length: -1\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Connection: close\r\n",
                b"Expect: 100-continue\r\n",
                b"\r\n",
                b"5\r\nabcde\r\n",
                b"0\r\n\r\n",
                b"\x00",
                b"\xff\xfe",
            ]
        ),
        max_size=25,
    ).map(b"".join),
)


@given(garbage=st.lists(GARBAGE, max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_garbage_crashes_or_hangs_the_server(garbage: list[bytes]) -> None:
    async def survive() -> tuple[bytes, list[str]]:
        reports: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: reports.append(context["message"]))
        async with served() as server:
            await exchange(server, garbage)
            return await exchange(server, [request_bytes("GET", "/echo/after")]), reports

    after, reports = asyncio.run(survive())
    assert after.startswith(b"HTTP/1.1 200")
    assert reports == []


def test_a_server_that_was_cancelled_at_any_moment_of_its_start_leaves_no_socket_open() -> None:
    async def cancelled_after(turns: int) -> bool:
        """Whether it was still starting."""
        server = HttpServer(ROUTES)
        starting = asyncio.create_task(server.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        is_starting = not starting.done()
        starting.cancel()
        await asyncio.wait([starting])
        await server.close()
        return is_starting

    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        turns = 0
        while asyncio.run(cancelled_after(turns)):
            turns += 1
        gc.collect()
    assert turns > 1
    assert left_open == []
