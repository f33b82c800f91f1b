"""Datagrams to the X-Ray daemon: one document each, never waiting, never failing.

The socket is not connected, so that nobody hears whether somebody listens. A
forked child goes on with its parent's, which is as good for datagrams.
"""

from __future__ import annotations

import _socket  # what `socket` is made of: the module around it takes 5 ms to import
import atexit
import errno

__all__ = ["Emitter", "udp_address"]

CLOSED = (errno.EBADF, errno.ENOTSOCK)
"""Closed behind our back, as programs do that close all descriptors."""


class Emitter:
    """Sends to one address. `lost` counts what the machine could not take: a full socket, no memory, no network."""

    __slots__ = ("_address", "_closes_at_exit", "_family", "_socket", "lost")

    def __init__(self, address: str) -> None:
        """Raises `ValueError` for what is no address, `OSError` for a host whose name nobody knows."""
        host, port = udp_address(address)
        # Numeric ones are not looked up; a name is, once, and not with every datagram.
        found = _socket.getaddrinfo(host, port, 0, _socket.SOCK_DGRAM)[0]
        self._family = found[0]
        self._address = found[4]
        self._socket: _socket.socket | None = None
        self._closes_at_exit = False
        self.lost = 0

    def send(self, datagram: bytes) -> bool:
        """Send, or lose it; False if it is larger than what this machine lets through."""
        for is_last in (False, True):
            opened = self._socket
            try:
                if opened is None:
                    opened = self._opened()
                opened.sendto(datagram, self._address)
                return True
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    return False
                if error.errno not in CLOSED or opened is None or is_last:
                    break  # full, unreachable, forbidden: waiting is what an invocation must never do for its trace
                opened.detach()  # its number may be somebody else's by now: not to be closed
                self._socket = None
        self.lost += 1
        return True

    def _opened(self) -> _socket.socket:
        opened = _socket.socket(self._family, _socket.SOCK_DGRAM)
        opened.setblocking(False)
        if self._socket is not None:  # another thread was faster
            opened.close()
            return self._socket
        self._socket = opened
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self._close)  # not a word of an unclosed socket at the end
        return opened

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()


def udp_address(text: str) -> tuple[str, int]:
    """Host and port out of the variable's forms. Raises `ValueError`.

    >>> udp_address("169.254.100.1:2000")
    ('169.254.100.1', 2000)
    >>> udp_address("tcp:127.0.0.1:2001 udp:127.0.0.2:2002")
    ('127.0.0.2', 2002)
    >>> udp_address("[::1]:2000")
    ('::1', 2000)
    """
    parts = text.split()
    chosen = next((part[4:] for part in parts if part.startswith("udp:")), None)
    if chosen is None and len(parts) == 1 and not text.startswith("tcp:"):
        chosen = parts[0]
    host, _, port = (chosen or "").rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("it must be host:port, or tcp:host:port udp:host:port")
    return host, int(port)
