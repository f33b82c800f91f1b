"""Requests read and answers written without h11 are those that h11 would have read and written."""

import asyncio
import json
import socket
from collections.abc import Iterator
from unittest import mock

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambda_emulator import http_connection
from lambda_emulator.http_message import Request, Response, Route, Routes
from lambda_emulator.http_plain import plain_request, plain_response
from lambda_emulator.http_server import HttpServer
from lambda_emulator.loop_thread import LoopThread

LIMIT = 50


async def everything(request: Request) -> Response:
    """All that a handler can see of a request; what the body says of the answer."""
    body, body_bytes, truncated, trailers = request.body, request.body_bytes, request.truncated, request.trailers
    if request.incoming is not None:
        body, body_bytes = await request.incoming.read_all(LIMIT)
        truncated, trailers = request.incoming.truncated, request.incoming.trailers
        assert request.incoming.truncated or await request.incoming.read() == b""
    seen = [
        *(request.method, request.path, request.query, dict(request.headers), body.decode("latin-1"), body_bytes),
        *(dict(trailers), truncated, dict(request.captures), request.header_list, request.protocol, len(request.peer)),
    ]
    return Response(status=200, headers=(("X-Seen", "yes"),), body=json.dumps(seen).encode())


async def odd(request: Request) -> Response | None:
    """Answers that only h11 writes, or that nobody can."""
    match request.query:
        case "none":
            return None
        case "reason":
            return Response(status=200, reason="Why Not")
        case "nothing":
            return Response(status=204, headers=(("a", "b"),))
        case "long":
            return Response(status=200, body=b"x" * 5000)
        case "unread":
            return Response(status=413, body=b"no")
    raise ZeroDivisionError("a bug")


ROUTES = Routes(
    (
        Route(method="GET", path="/seen/{id}", handler=everything),
        Route(method="POST", path="/seen/{id}", handler=everything, max_body_bytes=LIMIT),
        Route(method="POST", path="/read", handler=everything, reads_body=True),
        Route(method="GET", path="/odd", handler=odd),
        Route(method="POST", path="/odd", handler=odd, reads_body=True),
    )
)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "PUT", "CONNECT", "get", "G@T"])
TARGETS = st.sampled_from(["/seen/a%2Fb", "/seen/a?x=1&y", "/read", "/nowhere", "/a b", "*", "http://h/seen/a"]) | (
    st.sampled_from(["none", "reason", "nothing", "long", "unread", "bug"]).map("/odd?{}".format)
)
LINES = st.sampled_from(
    [
        *("Host: h", "Host: h", "host:h", "X-Test:  a b\t", "x-test: b", "X-Empty:", "X-High: \xe4", "Cookie: a=1; b"),
        *(
            "Content-Length: 3",
            "Content-Length: 03",
            "content-length: 3, 3",
            "Content-Length: -1",
            "Content-Length: 60",
        ),
        *("Transfer-Encoding: chunked", "Transfer-Encoding: x", "Connection: close", "Connection: keep-alive"),
        *("Expect: 100-continue", "Upgrade: h2c", " folded", "no colon", "a b: c", "X-Bad: \x01", "X-Bad: \x00", ""),
        *("Bad : x", "X: a\rb", "X: a\nHost: b", ": x"),
    ]
)
VERSIONS = st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1", ""])
BODIES = st.sampled_from([b"", b"abc", b"abc", b"abcd", b"ab", b"3\r\nabc\r\n0\r\nt: 1\r\n\r\n", b"\r\n", b"x" * 60])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """From plain to hopeless."""
    lines = [f"{draw(METHODS)} {draw(TARGETS)} {draw(VERSIONS)}", "Host: h"]
    lines += draw(st.lists(LINES, max_size=4))
    if draw(st.integers(0, 9)) == 0:
        del lines[1]
    head = draw(st.sampled_from(["\r\n", "\r\n", "\r\n", "\r\n", "\n"])).join([*lines, "", ""]).encode("latin-1")
    return head + draw(BODIES)


class Answers:
    """A server in a thread; what it answers to bytes, with and without the short way."""

    def __init__(self) -> None:
        self.loop = LoopThread("http-plain-test")
        self.server = HttpServer(ROUTES, chunk_above_bytes=2048, discard_bytes=100)
        self.loop.submit(self._start()).result(10)

    async def _start(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        await self.server.start()

    def to(self, pieces: list[bytes], *, plain: bool) -> bytes:
        """All that comes back until the server closes."""
        short_way = plain_request if plain else lambda _: None
        host, port = self.server.address.split(":")
        with (
            mock.patch.object(http_connection, "plain_request", short_way),
            socket.create_connection((host, int(port)), timeout=60) as client,
        ):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = b""
            try:
                for piece in pieces:
                    client.sendall(piece)
                client.shutdown(socket.SHUT_WR)
            except OSError:  # it was refused before its end
                pass
            try:
                while data := client.recv(65536):
                    answer += data
            except ConnectionResetError:
                pass
            return answer

    def close(self) -> None:
        self.loop.submit(self.server.close()).result(10)
        self.loop.stop()


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    made = Answers()
    yield made
    made.close()


PLAIN = b"POST /seen/a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\nabc"


@given(st.lists(requests(), min_size=1, max_size=3), st.integers(0, 400))
@example([PLAIN, PLAIN.replace(b"Host: h\r\n", b""), PLAIN], 20)
@example([PLAIN, PLAIN.replace(b"/seen/a", b"/odd?reason"), PLAIN], 0)
@example([PLAIN.replace(b"/seen/a", b"/odd?bug"), PLAIN], 0)
@example([PLAIN[:-1]], 0)
@example([PLAIN.replace(b"X-A: 1", b"Content-Length: 2"), PLAIN], 0)
@example([PLAIN.replace(b"X-A: 1", b"Host: h"), PLAIN], 0)
@example([PLAIN.replace(b"X-A: 1", b"Connection: close"), PLAIN], 0)
@example([PLAIN.replace(b"X-A: 1", b"Expect: 100-continue"), PLAIN], 0)
@example([PLAIN.replace(b"X-A: 1", b"Upgrade: x"), PLAIN], 0)
@example([PLAIN.replace(b"X-A: 1", b"Transfer-Encoding: chunked"), PLAIN], 0)
@example([PLAIN.replace(b"POST /seen/a", b"HEAD /seen/a"), PLAIN], 0)
@example([PLAIN.replace(b"/1.1", b"/1.0"), PLAIN], 0)
@example([PLAIN.replace(b": 3", b": 60") + b"x" * 57, PLAIN], 0)
@settings(max_examples=300, deadline=None)
def test_the_short_way_and_h11_give_the_same_bytes(answers: Answers, sent: list[bytes], cut: int) -> None:
    everything_sent = b"".join(sent)
    whole = answers.to([everything_sent], plain=False)
    assert answers.to([everything_sent], plain=True) == whole
    assert answers.to([everything_sent[:cut], everything_sent[cut:]], plain=True) == whole


def test_what_functions_and_sdks_send_takes_the_short_way() -> None:
    assert plain_request(PLAIN) is not None
    assert plain_request(PLAIN[:-3]) is not None  # its body may be on its way
    answer = plain_response(Response(status=200, headers=(("A", "b"),), body=b"x"), chunk_above_bytes=2048)
    assert answer == b"HTTP/1.1 200 \r\nA: b\r\ncontent-length: 1\r\n\r\nx"


NAMES = st.sampled_from(["a", "Content-Type", "Set-Cookie", "connection", "Content-Length", "x y", "ä", ""])
VALUES = st.text(st.characters(max_codepoint=255), max_size=5) | st.binary(max_size=5) | st.just("a\r\nb: c")


@given(
    st.sampled_from([101, 200, 202, 204, 304, 404, 500]),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
    st.binary(max_size=20),
)
@settings(max_examples=300, deadline=None)
def test_an_answer_written_without_h11_is_h11s(
    status: int, headers: list[tuple[str, str | bytes]], body: bytes
) -> None:
    response = Response(status=status, headers=tuple(headers), body=body)
    written = plain_response(response, chunk_above_bytes=None)
    if written is None:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    has_body = status not in {204, 304}
    length = [(b"content-length", b"%d" % len(body))] if has_body else []
    values = [value.encode("latin-1") if isinstance(value, str) else value for _, value in headers]
    names = [name.encode() for name, _ in headers]
    sent = connection.send(h11.Response(status_code=status, headers=[*zip(names, values, strict=True), *length])) or b""
    if has_body:
        sent += connection.send(h11.Data(data=body)) or b""
    assert written == sent + (connection.send(h11.EndOfMessage()) or b"")
