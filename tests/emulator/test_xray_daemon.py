"""The X-Ray daemon of the local Lambda, fed by real datagrams."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambda_emulator import Trace, XRayDaemon

HEADER = b'{"format":"json","version":1}\n'
ROOT = "1-5759e988-bd862e3fe1be46a994272793"
Send = Callable[..., None]


def document(name: str = "work", **members: Any) -> dict[str, Any]:
    """A subsegment."""
    made = {"type": "subsegment", "id": os.urandom(8).hex(), "trace_id": ROOT, "parent_id": "0" * 16, "name": name}
    return {**made, "start_time": 1.0, "end_time": 2.0, **members}


@pytest.fixture
def daemon() -> Iterator[XRayDaemon]:
    with XRayDaemon(max_bytes=20_000) as listening:
        yield listening


@pytest.fixture
def send(daemon: XRayDaemon) -> Iterator[Send]:
    host, _, port = daemon.address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:

        def send(body: Any, header: bytes = HEADER) -> None:
            data = body if isinstance(body, bytes) else header + json.dumps(body).encode()
            sending.sendto(data, (host, int(port)))

        yield send


def test_what_was_sent_before_one_asks_is_there(daemon: XRayDaemon, send: Send) -> None:
    for number in range(20):
        send(document(f"work {number}"))
        assert len(daemon.trace(ROOT).documents) == number + 1
    assert daemon.trace_ids == [ROOT]
    assert daemon.trace("1-00000000-000000000000000000000000").documents == ()


def test_documents_join_by_their_ids_in_any_order(daemon: XRayDaemon, send: Send) -> None:
    outer, early, late = "a" * 16, "b" * 16, "c" * 16
    send(document("late", id=late, parent_id=outer, start_time=1.5))
    send(document("early", id=early, parent_id=outer, start_time=1.1, end_time=1.2))
    send(
        document("outer", id=outer, subsegments=[{"id": "d" * 16, "name": "first", "start_time": 1.0, "end_time": 1.1}])
    )
    (root,) = daemon.trace(ROOT).roots
    assert [node.name for node in root.walk()] == ["outer", "first", "early", "late"]
    assert daemon.trace(ROOT).find("early").duration_ms == pytest.approx(100)
    with pytest.raises(KeyError, match="no 'other' in the trace: it has"):
        daemon.trace(ROOT).find("other")


def test_an_announcement_is_replaced_by_the_end_whichever_comes_first(daemon: XRayDaemon, send: Send) -> None:
    announced = {key: value for key, value in document(id="a" * 16).items() if key != "end_time"} | {
        "in_progress": True
    }
    send(announced)
    assert daemon.trace(ROOT).find("work").duration_ms is None
    assert "still running" in daemon.trace(ROOT).lines()[1]
    send(document(id="a" * 16))
    send(announced)
    (kept,) = daemon.trace(ROOT).documents
    assert "in_progress" not in kept


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "Expecting value"),
        (b"nonsense", "Expecting value"),
        (HEADER + b"{}", "no id"),
        (HEADER + b"[1]", "no JSON object"),
        (HEADER + b"[" * 60_000, "recursion|RecursionError|Expecting"),
        (b'{"format":"json","version":2}\n{}', "header"),
        (HEADER + json.dumps(document(start_time=float("nan"))).encode(), "NaN is not JSON"),
        (HEADER + b"\xff\xfe", "utf|codec|decode"),
    ],
)
def test_what_is_none_of_x_rays_is_set_apart_with_the_reason(
    daemon: XRayDaemon, send: Send, datagram: bytes, reason: str
) -> None:
    send(datagram)
    ((said, data),) = daemon.rejected
    assert any(part in said for part in reason.split("|"))
    assert data == datagram[:500]
    assert daemon.documents == []


def test_memory_is_bounded_and_the_oldest_traces_go_first(daemon: XRayDaemon, send: Send) -> None:
    for number in range(30):
        send(document(trace_id=f"1-5759e988-{number:024x}", metadata={"a": {"text": "x" * 1_000}}))
        daemon.trace_ids  # take it before the next one comes
    kept = daemon.trace_ids
    assert 5 < len(kept) < 20
    assert kept[-1] == f"1-5759e988-{29:024x}"
    for _ in range(30):
        send(document(metadata={"a": {"text": "x" * 1_000}}))
        daemon.trace_ids  # as above
    assert 5 < len(daemon.trace(ROOT).documents) < 20
    assert daemon.trace_ids == [ROOT]


def test_hundreds_of_refusals_are_not_all_kept(daemon: XRayDaemon, send: Send) -> None:
    for _ in range(150):
        send(b"nonsense")
        daemon.rejected  # take it
    assert len(daemon.rejected) == 100


def test_the_platforms_own_documents_must_keep_the_rules(daemon: XRayDaemon) -> None:
    with pytest.raises(ValueError, match="'a\\*b': name"):
        daemon.put(document("a*b"))


def test_closing_twice_is_closing_and_what_was_kept_can_be_read() -> None:
    daemon = XRayDaemon()
    daemon.put(document())
    daemon.close()
    daemon.close()
    assert len(daemon.documents) == 1


@pytest.mark.usefixtures("many_descriptors")
def test_it_listens_beyond_a_thousand_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    with XRayDaemon() as daemon:
        assert daemon._socket.fileno() > 1_023
    assert died == []


def test_a_document_that_is_its_own_parent_is_a_root() -> None:
    trace = Trace(ROOT, (document(id="a" * 16, parent_id="a" * 16),))
    assert [node.name for node in trace.roots] == ["work"]
