"""The X-Ray daemon that a function finds beside it: it takes datagrams and keeps what is in them.

It forwards nothing. What breaks X-Ray's rules is set apart with the reason, where the real one would drop it in
silence. Memory is bounded: the oldest traces go first.
"""

import json
import select
import socket
import threading
from collections import OrderedDict, deque
from typing import Any, Self

from lambda_emulator.segment_rules import problems
from lambda_emulator.xray_trace import Trace

__all__ = ["Rejected", "XRayDaemon"]

_HEADER_END = b"\n"
_MAX_DATAGRAM_BYTES = 65_536
_BUFFER_BYTES = 4 * 1024 * 1024
"""Asked for; the system gives what it allows, and what exceeds that is lost, as with the real one."""
_MAX_BYTES = 32 * 1024 * 1024


class Rejected(tuple[str, bytes]):
    """Why a datagram was not kept, and its first 500 bytes."""

    __slots__ = ()


class XRayDaemon:
    """Listens on loopback from the moment it is made. Every method may be called from any thread.

    with XRayDaemon() as daemon:
        ...  # something that sends to daemon.address
        daemon.trace(trace_id).find("charge").duration_ms
    """

    def __init__(self, *, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._traces: OrderedDict[str, dict[str, tuple[dict[str, Any], int]]] = OrderedDict()
        self._rejected: deque[Rejected] = deque(maxlen=100)
        self._bytes = 0
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name="xray-daemon", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """For `AWS_XRAY_DAEMON_ADDRESS`."""
        return f"127.0.0.1:{self._port}"

    def trace(self, trace_id: str) -> Trace:
        """All that has been sent of a trace by now; without documents if nothing has."""
        with self._lock:
            self._take()
            kept = self._traces.get(trace_id, {})
            return Trace(trace_id, tuple(document for document, _ in kept.values()))

    @property
    def trace_ids(self) -> list[str]:
        """Of the traces that are kept, the longest known first."""
        with self._lock:
            self._take()
            return list(self._traces)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """All that are kept."""
        return [document for trace_id in self.trace_ids for document in self.trace(trace_id).documents]

    @property
    def rejected(self) -> list[Rejected]:
        """The last hundred datagrams that were none of X-Ray's."""
        with self._lock:
            self._take()
            return list(self._rejected)

    def put(self, document: dict[str, Any]) -> None:
        """Keep a document that came another way: the platform's own. Raises `ValueError` if X-Ray would refuse it."""
        if wrong := problems(document):
            raise ValueError(f"{document.get('name')!r}: {'; '.join(wrong)}")
        with self._lock:
            self._keep(document, len(json.dumps(document)))

    def close(self) -> None:
        """Stop listening; what was kept can still be read. May be called again."""
        with self._lock:
            if self._closed:
                return
            self._take()
            self._closed = True
            self._socket.sendto(b"", ("127.0.0.1", self._port))  # wakes the thread
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        waiting = select.poll()  # select() refuses descriptors above 1,023, of which a busy process has many
        waiting.register(self._socket, select.POLLIN)
        while True:
            waiting.poll()
            with self._lock:
                if self._closed:
                    return
                self._take()

    def _take(self) -> None:
        """All that waits in the socket: so a reader knows everything that was sent before it asked."""
        while not self._closed:
            try:
                data = self._socket.recv(_MAX_DATAGRAM_BYTES)
            except OSError:  # nothing more
                return
            self._read(data)

    def _read(self, data: bytes) -> None:
        header, _, body = data.partition(_HEADER_END)
        try:
            if json.loads(header) != {"format": "json", "version": 1}:
                raise ValueError("the first line is not the daemon's header")  # noqa: TRY301  # told like all others
            document = json.loads(body.decode(), parse_constant=_refuse)
            wrong = "; ".join(problems(document))
        except (ValueError, RecursionError) as error:
            wrong = str(error) or type(error).__name__
        if wrong:
            self._rejected.append(Rejected((wrong, data[:500])))
        else:
            self._keep(document, len(body))

    def _keep(self, document: dict[str, Any], size: int) -> None:
        kept = self._traces.setdefault(document["trace_id"], {})
        known = kept.get(document["id"])
        if known is not None:
            if document.get("in_progress"):
                return  # what is over has overtaken its announcement
            self._bytes -= known[1]
        kept[document["id"]] = document, size
        self._bytes += size
        while self._bytes > self._max_bytes and len(self._traces) > 1:
            _, oldest = self._traces.popitem(last=False)
            self._bytes -= sum(size for _, size in oldest.values())
        while self._bytes > self._max_bytes and len(kept) > 1:
            self._bytes -= kept.pop(next(iter(kept)))[1]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
