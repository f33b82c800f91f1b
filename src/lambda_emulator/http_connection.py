"""One client of the HTTP server: h11 for the grammar, one asyncio transport for the bytes. It decides nothing.

The transport's callbacks only collect bytes and set events; `serve` takes requests out one by one, and answers them.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import h11

from lambda_emulator.http_body import CountedBody, ReadableBody, first_of_each
from lambda_emulator.http_head import head_bytes, headers_as_sent, joined, malformed, response_head, value_bytes
from lambda_emulator.http_message import Handler, Request, Response, RouteTable, StreamCut
from lambda_emulator.waiting import Signal
from runtime import protocol

__all__ = ["HttpConnection", "HttpRules"]

# One chunk of an answer, and the size of Go's copy buffer.
_CHUNK_BYTES = 32 * 1024
# What may wait unread behind the request that is being handled, before the socket is left alone.
_READ_AHEAD_BYTES = 256 * 1024
# How long a connection that is to be closed is still read, so that the answer is not lost to a reset.
_LINGER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRules:
    """What all connections of one server have in common."""

    routes: RouteTable
    chunk_above_bytes: int | None
    """A longer answer goes out in chunks; None for never."""
    discard_bytes: int
    """How much of a body beyond its route's limit is read and thrown away before the connection is given up."""


class HttpConnection(asyncio.Protocol):
    """One client: bytes go in by callback, `serve` takes them out request by request."""

    def __init__(self, rules: HttpRules, on_open: "Callable[[HttpConnection], None]") -> None:
        self._rules = rules
        self._on_open = on_open
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=protocol.MAX_HEAD_BYTES)
        self._received = bytearray()
        self._ended = False
        self._fed_end = False
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._disconnected = Signal()

    # --- what the transport reports ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _READ_AHEAD_BYTES:
            self._transport.pause_reading()
        self._arrived.set()

    def eof_received(self) -> bool:
        self._end()
        return True  # the client may have closed only its sending side: it still gets its answers

    def connection_lost(self, _exc: Exception | None) -> None:
        self._end()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _end(self) -> None:
        self._ended = True
        self._disconnected.set()
        self._arrived.set()

    def cut(self) -> None:
        """Drop the connection without another byte."""
        self._transport.abort()

    # --- requests and answers -----------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Answer requests until the client leaves, breaks the grammar, or an answer ends the connection."""
        try:
            while await self._serve_one():
                self._http.start_next_cycle()
            await self._linger()
        except _Gone:
            pass
        finally:
            self._transport.close()

    async def _serve_one(self) -> bool:
        """One request and its answer. False when there will be no other on this connection."""
        try:
            handler, request = await self._read_request()
        except h11.RemoteProtocolError as error:
            await self._send(malformed(error.error_status_hint), close=True)
            return False
        try:
            response = await handler(request)
            if request.incoming is not None and response is not None:
                await self._discard()
        except h11.RemoteProtocolError as error:  # in a body that the handler was reading
            await self._send(malformed(error.error_status_hint), close=True)
            return False
        except Exception as error:  # noqa: BLE001 (the boundary: a bug of a handler must not take the server along)
            asyncio.get_running_loop().call_exception_handler({"message": "a handler failed", "exception": error})
            response = Response(status=500, body=b"Internal Server Error\n")
        if response is None:
            return False
        await self._send(response, only_head=request.method == "HEAD")
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _read_request(self) -> tuple[Handler, Request]:
        head = await self._next_event()
        if not isinstance(head, h11.Request):
            raise _Gone
        if head_bytes(head) > protocol.MAX_HEAD_BYTES:  # h11 looks at the limit only while a head is incomplete
            raise h11.RemoteProtocolError("the head is too long", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        path, _, query = head.target.decode("latin-1").partition("?")
        route, captures = self._rules.routes.find(head.method.decode("latin-1"), path)
        if route.reads_body:
            return route.handler, Request(
                method=route.method,
                path=path,
                query=query,
                headers=first_of_each(head.headers),
                body=b"",
                body_bytes=0,
                trailers={},
                truncated=False,
                captures=captures,
                disconnected=self._disconnected,
                incoming=ReadableBody(self, self._rules.discard_bytes),
            )
        body = CountedBody(route.max_body_bytes, route.max_body_bytes + self._rules.discard_bytes)
        truncated = False
        try:
            await self._read_body(body)
        except h11.RemoteProtocolError:
            if not self._fed_end:
                raise
            truncated = True
        return route.handler, Request(
            method=route.method,
            path=path,
            query=query,
            headers=first_of_each(head.headers),
            body=bytes(body.kept),
            body_bytes=body.arrived_bytes,
            trailers=body.trailers,
            truncated=truncated,
            captures=captures,
            disconnected=self._disconnected,
            header_list=tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers_as_sent(head)
            ),
            protocol=f"HTTP/{head.http_version.decode('ascii')}",
            peer=self._transport.get_extra_info("peername")[:2],
        )

    async def _read_body(self, body: CountedBody) -> None:
        while body.arrived_bytes <= body.patience_bytes:
            event = await self.next_body_event()
            if not isinstance(event, h11.Data):
                body.trailers = first_of_each(event.headers)
                return
            body.add(event.data)

    async def next_body_event(self) -> h11.Data | h11.EndOfMessage:
        """The next of the body's events. Raises `h11.RemoteProtocolError`."""
        if self._http.they_are_waiting_for_100_continue:
            await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
        event = await self._next_event()
        assert isinstance(event, h11.Data | h11.EndOfMessage)
        return event

    @property
    def has_ended(self) -> bool:
        """The client has closed its side, and all that it had sent has been looked at."""
        return self._fed_end

    async def _discard(self) -> None:
        """Read on where the handler stopped, as far as patience goes, so that the client gets to read its answer."""
        discarded_bytes = 0
        while self._http.their_state is h11.SEND_BODY and discarded_bytes <= self._rules.discard_bytes:
            try:
                event = await self.next_body_event()
            except h11.RemoteProtocolError:
                return
            discarded_bytes += len(event.data) if isinstance(event, h11.Data) else 0

    async def _next_event(self) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            while not self._received and not self._ended:
                self._arrived.clear()
                await self._arrived.wait()
            data = bytes(self._received)
            self._received.clear()
            self._fed_end = not data
            self._http.receive_data(data)
            self._transport.resume_reading()
        return cast("h11.Event", event)

    async def _send(self, response: Response, *, close: bool = False, only_head: bool = False) -> None:
        headers = [(name.encode("ascii"), value_bytes(value)) for name, value in response.headers]
        if response.stream is not None:
            await self._send_stream(response, response.stream, headers, only_head=only_head)
            return
        limit = self._rules.chunk_above_bytes
        has_body = response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        has_length = only_head and any(name.lower() == b"content-length" for name, _ in headers)
        if has_body and not has_length and (limit is None or len(response.body) <= limit):
            headers.append((b"content-length", b"%d" % len(response.body)))
        body = response.body if has_body and not only_head else b""
        # The body was not read to its end: what comes next on this connection is no request.
        if close or self._http.their_state is not h11.DONE:
            headers.append((b"connection", b"close"))
        out = self._http.send(response_head(response, headers))
        for start in range(0, len(body), _CHUNK_BYTES):
            piece = self._http.send(h11.Data(data=body[start : start + _CHUNK_BYTES]))
            await self._write(joined(out, piece))
            out = b""
        await self._write(joined(out, self._http.send(h11.EndOfMessage())))

    async def _send_stream(
        self,
        response: Response,
        stream: AsyncGenerator[bytes, None],
        headers: list[tuple[bytes, bytes]],
        *,
        only_head: bool,
    ) -> None:
        """The head at once, then each piece when it is there, and no faster than the client reads."""
        has_body = not only_head and response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if has_body:
            headers.append((b"transfer-encoding", b"chunked"))
        try:
            await self._write(self._http.send(response_head(response, headers)))
            async for piece in stream:
                if has_body:
                    await self._write(self._http.send(h11.Data(data=piece)))
            await self._write(self._http.send(h11.EndOfMessage()))
        except _Gone:
            raise
        except StreamCut as error:
            await self._flush()
            self.cut()
            raise _Gone from error
        except Exception as error:  # the boundary, as above; but there is no status any more to say it with
            asyncio.get_running_loop().call_exception_handler({"message": "a stream failed", "exception": error})
            self.cut()
            raise _Gone from error
        finally:
            await stream.aclose()

    async def _flush(self) -> None:
        """Wait until what was written has left: cutting throws away what has not."""
        while self._transport.get_write_buffer_size() and not self._transport.is_closing():
            await asyncio.sleep(0.001)

    async def _write(self, data: bytes | None) -> None:
        if self._transport.is_closing():
            raise _Gone
        if data:
            self._transport.write(data)
            await self._writable.wait()

    async def _linger(self) -> None:
        """Say that no more will be sent, and read on for a moment: closing at once could destroy the answer."""
        if self._ended or self._transport.is_closing():
            return
        self._transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while not self._ended:
                    self._received.clear()
                    self._transport.resume_reading()
                    self._arrived.clear()
                    await self._arrived.wait()


class _Gone(Exception):  # noqa: N818 (no error: clients leave)
    """The client has left; there is nobody to serve."""
