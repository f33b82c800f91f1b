"""Everything that can go wrong around a trace, none of which may reach the invocation."""

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from handlerkit.tracing import ContextMissingError, outgoing_headers, span, traced
from handlerkit.tracing.emitter import Emitter, udp_address

from .conftest import Invocation, header, shape


@pytest.fixture
def without_daemon(monkeypatch: pytest.MonkeyPatch) -> Invocation:
    """Invocations that send to a port where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{port}")
    return Invocation(None)  # type: ignore[arg-type]


def test_a_daemon_that_is_not_there_is_not_missed(without_daemon: Invocation) -> None:
    def body() -> str:
        for _ in range(50):
            span("work").end()
        return "done"

    assert without_daemon.run(body, header()) == "done"
    assert without_daemon.run(body, header()) == "done"


@pytest.mark.parametrize(
    "address",
    ["nonsense", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "tcp:127.0.0.1:2000", "no.such.host.invalid:1"],
)
def test_an_address_that_is_none_is_said_once_and_the_function_runs(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"{address} " if address == "nonsense" else address
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    from handlerkit.tracing import destination

    destination._kept.pop(address, None)
    invocation = Invocation(None)  # type: ignore[arg-type]
    assert [invocation.run(lambda: span("work").end(), header()) for _ in range(2)] == [None, None]
    assert capsys.readouterr().err.count("AWS_XRAY_DAEMON_ADDRESS") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("169.254.79.129:2000", ("169.254.79.129", 2000)),
        ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("udp:127.0.0.2:2001 tcp:127.0.0.1:2000", ("127.0.0.2", 2001)),
        ("udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("[::1]:2000", ("::1", 2000)),
        ("xray-daemon:2000", ("xray-daemon", 2000)),
    ],
)
def test_the_forms_of_the_daemons_address(text: str, expected: tuple[str, int]) -> None:
    assert udp_address(text) == expected


class Refusing:
    """A socket on which sending fails."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked = 0

    def sendto(self, *_: Any) -> None:
        self.asked += 1
        raise OSError(self.number, os.strerror(self.number))

    def detach(self) -> None: ...


def test_a_daemon_that_cannot_be_reached_costs_no_descriptors() -> None:
    emitter = Emitter("255.255.255.255:2000")  # forbidden to a socket that has not asked for broadcasts
    opened: list[int] = []
    for _ in range(30):
        assert emitter.send(b"x")
        opened.append(len(os.listdir("/dev/fd")))
    assert emitter.lost == 30
    assert len(set(opened)) == 1
    emitter._close()


def test_a_descriptor_that_somebody_else_has_by_now_is_left_alone() -> None:
    emitter = Emitter("127.0.0.1:9")
    emitter.send(b"x")
    assert emitter._socket is not None
    number = emitter._socket.fileno()
    with Path(os.devnull).open("rb") as other:
        os.dup2(other.fileno(), number)
        emitter.send(b"x")
        assert emitter.lost == 0
        os.fstat(number)
        os.close(number)
    emitter._close()


def test_a_full_socket_loses_the_datagram_and_nobody_waits() -> None:
    emitter = Emitter("127.0.0.1:9")
    emitter._socket = full = Refusing(errno.EAGAIN)  # type: ignore[assignment]
    assert emitter.send(b"x")
    assert (emitter.lost, full.asked) == (1, 1)


def test_a_socket_that_was_closed_behind_our_back_is_opened_again(invocation: Invocation) -> None:
    emitter = Emitter(invocation.daemon.address)
    emitter._socket = Refusing(errno.EBADF)  # type: ignore[assignment]
    assert emitter.send(b'{"format":"json","version":1}\n{}')
    assert emitter.lost == 0
    assert [reason for reason, _ in invocation.daemon.rejected]
    invocation.daemon._rejected.clear()


def test_what_is_too_large_for_a_datagram_is_said_to_the_sender() -> None:
    assert Emitter("127.0.0.1:9").send(b"x" * 70_000) is False


def test_a_span_that_is_closed_twice_is_sent_once(invocation: Invocation, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    send = Emitter.send

    def counting(emitter: Emitter, datagram: bytes) -> bool:
        sent.append(datagram)
        return send(emitter, datagram)

    monkeypatch.setattr(Emitter, "send", counting)

    def body() -> None:
        work = span("work")
        with work:
            work.end()
        work.end()
        with span("next"):
            pass

    assert shape(invocation(body)) == [["## handler", ["work"], ["next"]]]
    assert len(sent) == 3


def test_spans_that_are_closed_out_of_order_leave_the_right_one_around(invocation: Invocation) -> None:
    def body() -> None:
        outer = span("outer").__enter__()
        inner = span("inner").__enter__()
        outer.end()
        with span("in inner"):
            pass
        inner.end()
        with span("in handler"):
            pass

    assert shape(invocation(body)) == [["## handler", ["outer", ["inner", ["in inner"]]], ["in handler"]]]


def test_a_span_that_is_left_open_is_in_the_trace_and_its_end_is_sent_when_it_comes(invocation: Invocation) -> None:
    kept: list[Any] = []
    trace = invocation(lambda: kept.append(span("open").__enter__()))
    assert trace.find("open").document["in_progress"] is True
    kept[0].end()
    document = invocation.daemon.trace(trace.trace_id).find("open").document
    assert "in_progress" not in document
    assert document["end_time"] >= document["start_time"]


def test_a_thread_that_goes_on_after_the_response_stays_in_its_own_trace(invocation: Invocation) -> None:
    go, opened = threading.Event(), threading.Event()

    def background() -> None:
        with span("background"):
            opened.set()
            go.wait(10)
            with span("late"):
                pass

    threads: list[threading.Thread] = []

    def body() -> None:
        threads.append(threading.Thread(target=copy_context().run, args=(background,)))
        threads[0].start()
        opened.wait(10)

    first = invocation(body)

    def second_body() -> None:
        go.set()
        threads[0].join()

    second = invocation(second_body)
    assert first.find("background").document["in_progress"] is True
    assert shape(invocation.daemon.trace(first.trace_id)) == [["## handler", ["background", ["late"]]]]
    assert shape(second) == [["## handler"]]


def test_a_forked_child_sends_its_own_spans_and_not_its_parents(invocation: Invocation) -> None:
    given = header()
    sent_by_child: list[str] = []

    def body() -> None:
        with span("outer"):
            child = os.fork()
            if child == 0:
                try:
                    with span("in the child"):
                        pass
                finally:
                    raise SystemExit  # and out through every block that its parent has opened
            time.sleep(0)
            assert os.waitpid(child, 0)[1] == 0
            sent_by_child.extend(document["name"] for document in invocation.trace(given).documents)
            with span("in the parent"):
                pass

    parent = os.getpid()
    try:
        trace = invocation(body, given)
    except SystemExit:
        assert os.getpid() != parent
        os._exit(0)
    assert sent_by_child == ["in the child"]
    assert shape(trace) == [["## handler", ["outer", ["in the child"], ["in the parent"]]]]
    ids = [document["id"] for document in trace.documents]
    assert len(ids) == len(set(ids)) == 4
    assert "fault" not in trace.find("outer").document


def test_at_import_and_outside_of_invocations_there_is_no_trace(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with span("nowhere") as nothing:
        assert not nothing.is_recording
        assert outgoing_headers() == {}
    assert caplog.text == ""
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR")
    with span("logged"):
        pass
    assert "no trace here for the span 'logged'" in caplog.text
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "IGNORE_ERROR")
    with span("ignored"):
        pass
    assert "ignored" not in caplog.text
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "RUNTIME_ERROR")
    with pytest.raises(ContextMissingError, match="'raised'"):
        span("raised")
    assert callable(traced(lambda: 1))  # decorating is never outside of anything
    assert invocation.daemon.documents == []


def test_a_plain_handler_takes_the_trace_of_its_process(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = header(parent="ab" * 8)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", given)
    with span("work"), span("inner"):
        pass
    trace = invocation.trace(given)
    assert shape(trace) == [["work", ["inner"]]]
    assert trace.roots[0].document["parent_id"] == "ab" * 8


def test_an_invocation_without_a_header_is_no_error(invocation: Invocation) -> None:
    assert invocation.run(lambda: span("work").is_recording, "Root=1-5759e988-bd862e3fe1be46a994272793") is False


def test_an_error_in_the_tracing_itself_is_said_and_nothing_else(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from handlerkit.tracing import trace as module

    def broken(*_: Any) -> bytes:
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "datagram", broken)
    assert invocation.run(lambda: 7, header()) == 7
    assert "span '## handler' is lost: RuntimeError" in capsys.readouterr().err


def test_an_invocation_that_is_not_sampled_loads_none_of_it() -> None:
    code = """
import os, sys
os.environ["AWS_XRAY_DAEMON_ADDRESS"] = "127.0.0.1:2000"
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
from handlerkit import event_handler
@event_handler
def handler(event: dict): return 1
assert handler({}, None) == 1
print([name for name in sys.modules if name.startswith("handlerkit.tracing")])
from handlerkit import traced
from handlerkit.tracing import span
print(sorted(set(sys.modules) & {"handlerkit.tracing.document", "handlerkit.tracing.emitter", "_socket", "asyncio"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_nothing_of_a_failure_is_kept_when_the_span_is_over(invocation: Invocation) -> None:
    import gc
    import weakref

    class Large:
        pass

    kept: list[Any] = []

    def body() -> None:
        large = Large()
        kept.append(weakref.ref(large))
        with span("work") as work:
            kept.append(work)
            raise ValueError("with frames")

    gc.disable()
    try:
        invocation(body)
        assert kept[0]() is None
    finally:
        gc.enable()
