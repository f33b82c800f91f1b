"""One keep-alive connection to the Runtime API: bytes out, messages in. Decides nothing about what they mean.

No time limit applies while nothing has come, since the process may be frozen for hours. Once an answer has begun,
or is due, silence of `STALL_S` seconds is an error.
"""

import _socket
import sys

from . import protocol
from .errors import PlatformError, Terminated
from .wire import Message, ResponseReader, WireError

__all__ = ["Connection"]

RECEIVE_BYTES = 64 * 1024
"""One read; events of ordinary size come in one."""
ONE_WRITE_BYTES = 128 * 1024
"""Parts of a request that are joined and written at once; larger ones are not copied."""
STALL_S = 30
WAKE_MS = 100
"""How long one read waits. A signal that arrives just before the read begins does not interrupt it (there is no way
to close that gap from Python without a further system call per invocation), so its handler runs this much later at
the most. An idle environment is frozen and wakes for nothing."""


class Connection:
    """Connects to `address` (`host:port`) when first used, and again after it was closed.

    `stopping`, once set, lets a wait for nothing in particular end by `Terminated`. Not to be shared by threads.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.stopping = False
        self._socket: _socket.socket | None = None
        self._reader = ResponseReader()

    def close(self) -> None:
        """Close it; whatever was on its way is gone."""
        if self._socket is not None:
            try:
                self._socket.close()
            except OSError:
                pass  # user code closed the descriptor
            self._socket = None
        self._reader = ResponseReader()

    def send(self, parts: "list[bytes]") -> None:
        """Write all parts. A connection that breaks meanwhile is left to `receive`, which may find an answer."""
        if len(parts) > 1 and sum(map(len, parts)) <= ONE_WRITE_BYTES:
            parts = [b"".join(parts)]
        connection = self._socket or self._connect()
        try:
            for part in parts:
                connection.sendall(part)
        except BlockingIOError:
            raise PlatformError(f"the Runtime API at {self.address} took nothing for {STALL_S} s") from None
        except OSError:
            pass

    def send_patiently(self, parts: "list[bytes]") -> bool:
        """Write all parts, however long the other side pauses; False when the connection has ended.

        For streams, whose consumers set the pace. The function's own time limit bounds the wait.
        """
        connection = self._socket or self._connect()
        try:
            for part in [b"".join(parts)] if sum(map(len, parts)) <= ONE_WRITE_BYTES else parts:
                view = memoryview(part)
                while view:
                    try:
                        view = view[connection.send(view) :]
                    except BlockingIOError:  # STALL_S have passed
                        continue
        except OSError:
            return False
        return True

    def receive(self, *, due: bool) -> "Message | None":
        """The next message, or None when the connection ended before one began.

        `due` says that the platform owes it without delay; otherwise silence may last for ever.
        """
        reader, connection = self._reader, self._socket
        assert connection is not None
        try:
            silences = 0
            while (message := reader.next_message()) is None:
                try:
                    data = connection.recv(RECEIVE_BYTES)
                except BlockingIOError:  # WAKE_MS have passed; time spent frozen does not count
                    if self.stopping and not due and not reader.started:
                        raise Terminated from None  # another thread was told to end
                    silences += 1
                    if silences * WAKE_MS > STALL_S * 1000 and (due or reader.started):
                        raise PlatformError(f"the Runtime API at {self.address} fell silent in an answer") from None
                    continue
                except OSError:
                    data = b""
                silences = 0
                reader.feed(data)
                if not data and not reader.started:
                    self.close()
                    return None
        except WireError as error:
            raise PlatformError(f"the Runtime API at {self.address} sent no valid answer: {error}") from None
        if message.closes:
            self.close()
        return message

    def _connect(self) -> "_socket.socket":
        host, colon, port = self.address.rpartition(":")
        if not colon or not port.isdecimal():
            raise PlatformError(f"{protocol.ENV_API} must be host:port, not {self.address!r}")
        family = _socket.AF_INET6 if host.startswith("[") else _socket.AF_INET
        connection = _socket.socket(family, _socket.SOCK_STREAM)
        connection.settimeout(None)  # user code may have called socket.setdefaulttimeout
        try:
            connection.connect((host.strip("[]"), int(port)))
        except (OSError, OverflowError) as error:
            connection.close()
            raise PlatformError(f"cannot connect to the Runtime API at {self.address}: {error}") from None
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        # The kernel's own time limits cost no system call per read, as Python's settimeout would.
        connection.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, _timeval(WAKE_MS))
        connection.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, _timeval(STALL_S * 1000))
        self._socket = connection
        self._reader = ResponseReader()
        return connection


def _timeval(milliseconds: int) -> bytes:
    """A C `struct timeval` of a 64-bit system."""
    seconds, rest = divmod(milliseconds, 1000)
    return seconds.to_bytes(8, sys.byteorder) + (rest * 1000).to_bytes(8, sys.byteorder)
