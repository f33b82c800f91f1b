"""The codec: however the bytes are cut, the same messages; whatever cannot be one, an error at once."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.wire import MAX_HEAD_BYTES, Message, ResponseReader, WireError, get, post

EVENT = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: id-1\r\n"
    b'Lambda-Runtime-Client-Context: {"a": "b: c"}\r\nLambda-Runtime-Trace-Id:\r\nContent-Length: 9\r\n\r\n{"a": 12}'
)
ACK = b'HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    b'4\r\n{"a"\r\n5;name="x"\r\n: 12}\r\n0\r\nX-Sum: 1\r\n\r\n'
)


def messages_of(*pieces: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """All messages of a stream given in pieces."""
    reader = ResponseReader()
    found = []
    for piece in pieces:
        reader.feed(piece)
        while (message := reader.next_message()) is not None:
            found.append((message.status, message.headers, message.body))
    return found


def cuts(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Ways to cut `data` into non-empty pieces."""
    return st.lists(st.integers(1, len(data) - 1), unique=True, max_size=30).map(
        lambda places: [
            data[start:end]
            for start, end in zip([0, *sorted(places)], [*sorted(places), len(data)], strict=True)
            if start != end
        ]
    )


@given(cuts(EVENT + ACK + CHUNKED + b"HTTP/1.1 100 Continue\r\n\r\n" + EVENT))
def test_any_cut_of_the_bytes_gives_the_same_messages(pieces: list[bytes]) -> None:
    found = messages_of(*pieces)
    assert [(status, body) for status, _, body in found] == [
        (200, b'{"a": 12}'),
        (202, b'{"status":"OK"}\n'),
        (200, b'{"a": 12}'),
        (200, b'{"a": 12}'),
    ]
    assert found[0][1]["lambda-runtime-client-context"] == '{"a": "b: c"}'
    assert found[0][1]["lambda-runtime-trace-id"] == ""


@given(st.randoms(use_true_random=False))
def test_the_case_of_header_names_does_not_matter(random: Random) -> None:
    head, body = EVENT.split(b"\r\n\r\n")
    lines = [
        bytes(random.choice((byte, ord(chr(byte).swapcase()))) for byte in name) + b":" + value
        for name, value in (line.split(b":", 1) for line in head.split(b"\r\n")[1:])
    ]
    data = b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body
    assert messages_of(data) == messages_of(EVENT)


@given(st.binary(min_size=1, max_size=300), st.integers(0, 200))
def test_garbage_is_an_error_or_an_unfinished_message_and_the_end_of_stream_settles_it(noise: bytes, at: int) -> None:
    data = EVENT[:at] + noise
    reader = ResponseReader()
    reader.feed(data)
    try:
        while reader.next_message() is not None:
            pass
        if reader.started:
            reader.feed(b"")
            with pytest.raises(WireError):
                reader.next_message()
    except WireError:
        pass


@given(st.binary(max_size=5000), st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_a_chunked_body_is_put_together_again(body: bytes, sizes: list[int]) -> None:
    data, rest = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body
    for size in sizes:
        if rest:
            data += b"%X\r\n%b\r\n" % (len(rest[:size]), rest[:size])
            rest = rest[size:]
    if rest:
        data += b"%x\r\n%b\r\n" % (len(rest), rest)
    ((_, _, found),) = messages_of(data + b"0\r\n\r\n")
    assert found == body


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"hello\n", "not an HTTP/1.1 response"),
        (b"HTTP/2 200\r\n\r\n", "not an HTTP/1.1"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n", "status line"),
        (b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "bare line feeds"),
        (b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "line feed"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not a header line"),
        (b"HTTP/1.1 200 OK\r\n: value\r\nContent-Length: 0\r\n\r\n", "empty name"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded: x\r\nContent-Length: 0\r\n\r\n", "folded"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "neither Content-Length nor chunked"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not a number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n", "not a number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", "more than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "two different"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "ambiguous"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "unknown transfer encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "no hexadecimal number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", "no hexadecimal number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n", "more than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "longer than its stated size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\n", "expected a chunk's size"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES, "more than"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", "more than"),
    ],
)
def test_what_can_never_become_a_message_is_refused_without_waiting_for_more(data: bytes, text: str) -> None:
    reader = ResponseReader()
    reader.feed(data)
    with pytest.raises(WireError, match=text):
        reader.next_message()


@pytest.mark.parametrize("data", [EVENT[:30], EVENT[:-1], CHUNKED[:-2], CHUNKED[:80]])
def test_a_stream_that_ends_in_a_message_is_an_error(data: bytes) -> None:
    reader = ResponseReader()
    reader.feed(data)
    assert reader.next_message() is None
    assert reader.started
    reader.feed(b"")
    with pytest.raises(WireError, match="connection closed in the middle"):
        reader.next_message()


def test_a_stream_that_ends_between_messages_is_none() -> None:
    reader = ResponseReader()
    reader.feed(EVENT)
    assert reader.next_message() is not None
    reader.feed(b"")
    assert reader.next_message() is None
    assert not reader.started


def test_whether_the_connection_ends_is_read_from_the_version_and_the_header() -> None:
    def closes(head: bytes) -> bool:
        reader = ResponseReader()
        reader.feed(head + b"Content-Length: 0\r\n\r\n")
        message = reader.next_message()
        assert isinstance(message, Message)
        return message.closes

    assert closes(b"HTTP/1.1 200 OK\r\nConnection: Close\r\n")
    assert closes(b"HTTP/1.0 200 OK\r\n")
    assert not closes(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n")
    assert not closes(b"HTTP/1.1 200 OK\r\n")


def test_a_204_needs_no_length() -> None:
    assert messages_of(b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n") == [(204, {"a": "b"}, b"")]


def test_a_megabyte_comes_together_from_small_pieces_in_linear_time() -> None:
    body = bytes(1_000_000)
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    found = messages_of(*(data[start : start + 100] for start in range(0, len(data), 100)))
    assert found[0][2] == body


def test_requests_are_exactly_these_bytes() -> None:
    assert get("h:1", "/p", "agent") == b"GET /p HTTP/1.1\r\nHost: h:1\r\nUser-Agent: agent\r\n\r\n"
    assert post("h:1", "/p", "a/b", 3, "X: y\r\n") == (
        b"POST /p HTTP/1.1\r\nHost: h:1\r\nContent-Type: a/b\r\nX: y\r\nContent-Length: 3\r\n\r\n"
    )


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.data())
def test_chunks_that_come_at_once_are_read_as_those_that_come_in_pieces(
    chunks: list[bytes], data: st.DataObject
) -> None:
    sent = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in chunks) + b"0\r\n\r\n"
    at = data.draw(st.integers(0, len(sent) - 1))
    # What is damaged anywhere is the same error, or the same body, however it comes.
    damaged = sent[:at] + data.draw(st.sampled_from([b"", b"0", b"_", b" ", b"\r", b"\n", b"f", b";"])) + sent[at + 1 :]
    for body in (sent, damaged):
        message = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + ACK
        assert outcome_of(message) == outcome_of(*(message[i : i + 1] for i in range(len(message))))


def outcome_of(*pieces: bytes) -> object:
    """The messages of a stream that then ends, or that it is none."""
    reader = ResponseReader()
    found = []
    try:
        for piece in (*pieces, b""):
            reader.feed(piece)
            while (message := reader.next_message()) is not None:
                found.append((message.status, message.headers, message.body))
        if reader.started:
            reader.next_message()
    except WireError:
        return found, "no response"
    return found, reader.started
