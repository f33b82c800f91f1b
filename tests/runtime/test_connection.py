"""The connection by itself: what it does when the kernel's limits strike, and when either side breaks off."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from runtime import connection as module
from runtime.client import RuntimeClient
from runtime.connection import Connection
from runtime.errors import PlatformError, Terminated
from runtime.invocation import Invocation
from tests.runtime.platform import ACCEPTED, PATIENCE_S, Platform, Reply, event

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Tape:
    """A socket that plays back what it is told to and keeps a record of what is done to it."""

    def __init__(self, *incoming: "bytes | OSError", takes: "list[int | OSError] | None" = None) -> None:
        self.incoming = list(incoming)
        self.takes = takes or []
        self.log: list[bytes | str] = []

    def recv(self, _size: int) -> bytes:
        self.log.append("recv")
        item = self.incoming.pop(0)
        if isinstance(item, OSError):
            raise item
        return item

    def sendall(self, data: bytes) -> None:
        if self.takes:
            item = self.takes.pop(0)
            if isinstance(item, OSError):
                raise item
        self.log.append(data)

    def send(self, data: "memoryview | bytes") -> int:
        item = self.takes.pop(0) if self.takes else len(data)
        if isinstance(item, OSError):
            raise item
        self.log.append(bytes(data[:item]))
        return item

    def close(self) -> None:
        self.log.append("close")


def playing(tape: Tape, address: str = "127.0.0.1:1") -> Connection:
    """A connection whose socket is the tape, until it is closed."""
    connection = Connection(address)
    connection._socket = tape  # type: ignore[assignment]
    return connection


def recording(tape: Tape, address: str = "127.0.0.1:1") -> RuntimeClient:
    """A client whose first socket is the tape."""
    client = RuntimeClient(address, "agent", lambda _line: None)
    client._connection._socket = tape  # type: ignore[assignment]
    return client


@pytest.fixture
def idle_peer() -> Iterator[str]:
    """The address of a platform that accepts a connection and never reads nor writes; it hangs up in the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[socket.socket] = []

        def accept() -> None:
            connection, _ = listener.accept()
            accepted.append(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        hang_up = threading.Timer(PATIENCE_S, lambda: accepted[0].close())
        hang_up.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        hang_up.cancel()
        hang_up.join()
        thread.join(PATIENCE_S)
        for connection in accepted:
            connection.close()


def test_a_platform_that_takes_nothing_is_given_up(idle_peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALL_S", 1)
    connection = Connection(idle_peer)
    # More than the kernel's buffers of both sides hold.
    with closing(connection), pytest.raises(PlatformError, match="took nothing for 1 s"):
        connection.send([bytes(50_000_000)])


def test_a_wait_without_end_ends_when_another_thread_says_so(idle_peer: str) -> None:
    connection = Connection(idle_peer)
    connection.send([b"GET"])
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(Terminated):
            connection.receive(due=False)
        ended.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    connection.stopping = True
    assert ended.wait(PATIENCE_S / 2)
    thread.join(PATIENCE_S)
    connection.close()


def test_an_answer_that_is_due_is_waited_for_even_when_the_process_is_to_end() -> None:
    connection = playing(Tape(BlockingIOError(), EMPTY))
    connection.stopping = True
    message = connection.receive(due=True)
    assert message is not None
    assert message.status == 200


@pytest.mark.parametrize("error", [BrokenPipeError(), ConnectionResetError()])
def test_an_answer_may_lie_ready_on_a_connection_that_takes_no_more(error: OSError) -> None:
    connection = playing(Tape(EMPTY, takes=[error]))
    connection.send([b"x"])
    message = connection.receive(due=True)
    assert message is not None
    assert message.status == 200


def test_a_reset_between_messages_is_the_end_of_the_connection_and_one_inside_is_an_error() -> None:
    assert playing(Tape(ConnectionResetError())).receive(due=True) is None
    with pytest.raises(PlatformError, match="closed in the middle"):
        playing(Tape(b"HTTP/1.1 200 O", ConnectionResetError())).receive(due=True)


def test_after_a_reset_the_next_event_is_asked_for_on_a_new_connection(platform: Platform) -> None:
    platform.deliver(event(b"5"))
    client = recording(Tape(ConnectionResetError(), takes=[BrokenPipeError()]), platform.address)
    with closing(client):
        assert client.next().body == b"5"
    assert [request.connection for request in platform.requests] == [1]


def test_what_follows_a_connection_close_goes_over_a_new_connection(platform: Platform) -> None:
    # The platform leaves the old one open: only the header tells.
    delivered = event(b"1").data.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    platform.deliver(Reply(delivered), event(b"2", "id-2"))
    client = RuntimeClient(platform.address, "agent", lambda _line: None)
    with closing(client):
        client.respond(client.next(), b"1")
        assert client.next().request_id == "id-2"
    assert [(request.method, request.connection) for request in platform.requests] == [
        ("GET", 1),
        ("POST", 2),
        ("GET", 2),
    ]


def test_a_stream_waits_for_a_consumer_that_pauses_and_loses_no_byte() -> None:
    tape = Tape(takes=[2, BlockingIOError(), BlockingIOError(), 1])
    assert playing(tape).send_patiently([b"abc", b"defg"])
    assert b"".join(item for item in tape.log if isinstance(item, bytes)) == b"abcdefg"
    assert not playing(Tape(takes=[1, ConnectionResetError()])).send_patiently([b"abc"])


def test_a_platform_on_ipv6_is_reached() -> None:
    try:
        platform = Platform(host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with closing(platform), closing(RuntimeClient(platform.address, "agent", lambda _line: None)) as client:
        platform.deliver(event(b"6"))
        assert client.next().body == b"6"


def invocation() -> Invocation:
    """An event to be answered."""
    return Invocation({"lambda-runtime-aws-request-id": "id-1", "lambda-runtime-deadline-ms": "1"}, b"event")


def test_a_small_answer_waits_for_the_next_request_and_a_large_one_goes_at_once() -> None:
    small = Tape(ACCEPTED + event(b"1", "id-2").data)
    client = recording(small)
    client.respond(invocation(), b"small")
    assert small.log == []
    assert client.next().request_id == "id-2"
    assert len([item for item in small.log if isinstance(item, bytes)]) == 1
    large = Tape(ACCEPTED)
    client = recording(large)
    client.respond(invocation(), bytes(100_000))
    assert large.log[-1] == "recv"
    assert large.incoming == []


def test_a_large_answer_that_is_sent_again_is_acknowledged_before_more_is_asked_for() -> None:
    again = event(b"event", "id-1", deadline_ms=1).data
    first = Tape(ACCEPTED)
    client = recording(first)
    answered = invocation()
    client.respond(answered, bytes(300_000))
    # As if the acknowledgement had not come, and the platform had delivered the event once more.
    client._acknowledged = False
    client._answer = [b"POST", bytes(300_000)]
    second = Tape(again, ACCEPTED, event(b"2", "id-2").data)
    client._connection._socket = second  # type: ignore[assignment]
    assert client.next().request_id == "id-2"
    shape = [item if isinstance(item, str) else item[:4] for item in second.log]
    assert shape == [b"GET ", "recv", b"POST", bytes(4), "recv", b"GET ", "recv"]


@pytest.mark.parametrize("head", [b"200 OK", b"204 No Content", b"201 Created"])
def test_any_status_of_success_acknowledges_an_answer(head: bytes) -> None:
    lines: list[str] = []
    client = RuntimeClient("127.0.0.1:1", "agent", lines.append)
    acknowledged = b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % head
    client._connection._socket = Tape(acknowledged + event(b"2", "id-2").data)  # type: ignore[assignment]
    client.respond(invocation(), b"1")
    assert client.next().request_id == "id-2"
    assert lines == []


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_client_that_waits_keeps_neither_event_nor_answer(size: int) -> None:
    import sys

    class Looking(Tape):
        """Looks at the body's owners while the client waits for the next event."""

        def recv(self, size: int) -> bytes:
            data = super().recv(size)
            if b"id-2" in data:
                owners.append(sys.getrefcount(body))
            return data

    body = bytes(size)
    owners = [sys.getrefcount(body)]
    client = recording(Looking(ACCEPTED, event(b"2", "id-2").data))
    answered = invocation()
    client.respond(answered, body)
    assert answered.body == b""
    client.next()
    assert owners[1] == owners[0]


def test_a_streamed_answers_event_is_not_kept_either() -> None:
    client = recording(Tape())
    answered = invocation()
    client.begin_stream(answered, b"head", b"first")
    assert answered.body == b""
