"""A small HTTP/1.1 server for loopback: it accepts connections, and ends them. What one does is `http_connection`'s.

Rules, most of them Go's `net/http`, which the real Runtime API is built on:

- connections are kept alive, and requests may be pipelined: the next one waits in the buffer until the answer
  before it is sent;
- a head takes at most 1 MiB (431 beyond); a body is kept up to its route's limit, and what follows is read and
  thrown away, so that the client gets to read its refusal; past `discard_bytes` the connection is closed instead;
- bytes that are no HTTP get a 400 and the connection is closed; nothing a client sends can end the server;
- an answer above `chunk_above_bytes` goes out in chunks, any other with its length;
- no timeouts: a client may wait for hours.
"""

import asyncio

from lambda_emulator.h11_stream import HttpRules
from lambda_emulator.http_connection import HttpConnection
from lambda_emulator.http_message import RouteTable

__all__ = ["HttpServer"]

# A connection that asyncio has just accepted reaches its protocol after this many turns of the loop at the latest.
_TURNS_OF_AN_ACCEPT = 5


class HttpServer:
    """Listens on 127.0.0.1 once `start` has run. To be used inside one event loop."""

    def __init__(
        self, routes: RouteTable, *, chunk_above_bytes: int | None = None, discard_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._rules = HttpRules(routes=routes, chunk_above_bytes=chunk_above_bytes, discard_bytes=discard_bytes)
        self._listener: asyncio.Server | None = None
        self._closing = False
        self._connections: dict[asyncio.Task[None], HttpConnection] = {}

    @property
    def is_listening(self) -> bool:
        """Between `start` and `close`."""
        return self._listener is not None and self._listener.is_serving()

    @property
    def address(self) -> str:
        """`host:port`. Raises RuntimeError before `start` and after `close`."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("the server does not listen: start it first")
        host, port = self._listener.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        # In two steps: cancelled in one, asyncio loses a server that listens already.
        self._listener = await loop.create_server(
            lambda: HttpConnection(self._rules, self._opened), "127.0.0.1", port, backlog=512, start_serving=False
        )
        await self._listener.start_serving()

    async def settle(self, timeout_s: float) -> None:
        """Wait until every open connection is closed by its client, and all that it had sent is handled."""
        await self._finish_accepting()
        if self._connections:
            await asyncio.wait(self._connections, timeout=timeout_s)

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        self._closing = True
        if self._listener is None:
            return
        # First nothing new, then what asyncio is just accepting: it would lose a connection whose listener is closed.
        for listening in self._listener.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await self._finish_accepting()
        while self._connections:
            for task, connection in self._connections.items():
                connection.cut()
                task.cancel()
            await asyncio.wait(self._connections)
        self._listener.close()
        await self._listener.wait_closed()

    def _opened(self, connection: HttpConnection) -> None:
        """A connection begins: it is served by a task of its own."""
        if self._closing:
            connection.cut()
            return
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)

    async def _finish_accepting(self) -> None:
        for _ in range(_TURNS_OF_AN_ACCEPT):
            await asyncio.sleep(0)
