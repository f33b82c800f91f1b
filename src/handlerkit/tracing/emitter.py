"""Datagrams to the X-Ray daemon: one document each, never waiting, never failing.

The socket is not connected, so that nobody hears whether somebody listens. A
forked child goes on with its parent's, which is as good for datagrams.
"""

from __future__ import annotations

import _socket  # what `socket` is made of: the module around it takes 5 ms to import
import atexit
import errno

__all__ = ["Emitter", "udp_address"]


class Emitter:
    """Sends to one address. `lost` counts what the machine could not take: a full socket, no memory, no network."""

    __slots__ = ("_address", "_family", "_socket", "lost")

    def __init__(self, address: str) -> None:
        """Raises `ValueError` for what is no address, `OSError` for a host whose name nobody knows."""
        host, port = udp_address(address)
        # Numeric ones are not looked up; a name is, once, and not with every datagram.
        found = _socket.getaddrinfo(host, port, 0, _socket.SOCK_DGRAM)[0]
        self._family = found[0]
        self._address = found[4]
        self._socket: _socket.socket | None = None
        self.lost = 0

    def send(self, datagram: bytes) -> bool:
        """Send, or lose it; False if it is larger than what this machine lets through."""
        for is_last in (False, True):
            try:
                opened = self._socket
                if opened is None:
                    opened = _socket.socket(self._family, _socket.SOCK_DGRAM)
                    opened.setblocking(False)
                    self._socket = opened
                    atexit.register(opened.close)  # not a word of an unclosed socket at the end
                opened.sendto(datagram, self._address)
                return True
            except BlockingIOError:
                break  # full: waiting is what an invocation must never do for its trace
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    return False
                if is_last:
                    break
                self._socket = None  # closed behind our back, or of before a snapshot: once more with another
        self.lost += 1
        return True


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
