"""One client of the HTTP server: requests out of its bytes one by one, and their answers. It decides nothing.

h11 has the grammar. Plain requests (`http_plain`) never reach it: it stands between two requests then, and can be told
of one afterwards.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import h11

from lambda_emulator.byte_stream import ByteStream, Gone
from lambda_emulator.http_body import CountedBody, ReadableBody, first_of_each
from lambda_emulator.http_head import head_bytes, headers_as_sent, joined, malformed, response_head, value_bytes
from lambda_emulator.http_message import Handler, IncomingBody, Request, Response, Route, RouteTable, StreamCut
from lambda_emulator.http_plain import PlainBody, PlainRequest, plain_request, plain_response
from runtime import protocol

__all__ = ["HttpConnection", "HttpRules"]

# One chunk of an answer, and the size of Go's copy buffer.
_CHUNK_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRules:
    """What all connections of one server have in common."""

    routes: RouteTable
    chunk_above_bytes: int | None
    """A longer answer goes out in chunks; None for never."""
    discard_bytes: int
    """How much of a body beyond its route's limit is read and thrown away before the connection is given up."""


class HttpConnection(ByteStream):
    """One client: bytes go in by callback, `serve` takes them out request by request."""

    def __init__(self, rules: HttpRules, on_open: "Callable[[HttpConnection], None]") -> None:
        super().__init__()
        self._rules = rules
        self._on_open = on_open
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=protocol.MAX_HEAD_BYTES)
        self._in_h11 = False
        """h11 has been given something of the next request."""
        self._fed_end = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._on_open(self)

    async def serve(self) -> None:
        """Answer requests until the client leaves, breaks the grammar, or an answer ends the connection."""
        try:
            while await self._serve_one():
                pass
            await self.linger()
        except Gone:
            pass
        finally:
            self.close()

    async def _serve_one(self) -> bool:
        """One request and its answer. False when there will be no other on this connection."""
        while not (self._in_h11 or self.received or self.has_left):
            await self.more()
        if not self._in_h11 and (plain := plain_request(self.received)) is not None:
            path, _, query = plain.target.partition("?")
            route, captures = self._rules.routes.find(plain.method, path)
            if await self._has_arrived(plain, route):
                return await self._serve_plain(plain, route, self._plain_request(plain, route, path, query, captures))
        self._in_h11 = True
        if not await self._serve_any():
            return False
        self._http.start_next_cycle()
        self._in_h11 = self._http.trailing_data[0] != b""
        return True

    async def _has_arrived(self, plain: PlainRequest, route: Route) -> bool:
        """Whether all of a plain request is there; only what no handler sees the beginning of is waited for."""
        wanted = plain.head_bytes + plain.length
        if route.reads_body:
            return len(self.received) >= wanted
        if plain.length > route.max_body_bytes:
            return False
        while len(self.received) < wanted and not self.has_left:
            await self.more()
        return len(self.received) >= wanted

    def _plain_request(
        self, plain: PlainRequest, route: Route, path: str, query: str, captures: dict[str, str]
    ) -> Request:
        body = bytes(self.received[plain.head_bytes : plain.head_bytes + plain.length])
        if route.reads_body:
            return self._unread_request(route, path, query, plain.headers, captures, PlainBody(body))
        return Request(
            method=route.method,
            path=path,
            query=query,
            headers=plain.headers,
            body=body,
            body_bytes=plain.length,
            trailers={},
            truncated=False,
            captures=captures,
            disconnected=self.disconnected,
            header_list=tuple(plain.header_list),
            peer=self.peer,
        )

    def _unread_request(
        self,
        route: Route,
        path: str,
        query: str,
        headers: dict[str, str],
        captures: dict[str, str],
        incoming: IncomingBody,
    ) -> Request:
        return Request(
            method=route.method,
            path=path,
            query=query,
            headers=headers,
            body=b"",
            body_bytes=0,
            trailers={},
            truncated=False,
            captures=captures,
            disconnected=self.disconnected,
            incoming=incoming,
        )

    async def _serve_plain(self, plain: PlainRequest, route: Route, request: Request) -> bool:
        wanted = plain.head_bytes + plain.length
        sent = bytes(self.received[:wanted])
        del self.received[:wanted]
        self.resume()
        unread = False
        try:
            response = await route.handler(request)
        except Exception as error:  # noqa: BLE001 (the boundary, as below)
            response = _failed(error)
            if isinstance(request.incoming, PlainBody) and not request.incoming.ended:
                unread = True
        if response is None:
            return False
        answer = None if unread else plain_response(response, chunk_above_bytes=self._rules.chunk_above_bytes)
        if answer is not None:
            await self.write(answer)
            return True
        # h11 writes the answer: it is told of the request that it answers.
        self._http.receive_data(sent)
        event = self._http.next_event()
        while not (unread or isinstance(event, h11.EndOfMessage)):
            event = self._http.next_event()
        await self._send(response)
        if not self._both_are_done:
            return False
        self._http.start_next_cycle()
        return True

    async def _serve_any(self) -> bool:
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
            response = _failed(error)
        if response is None:
            return False
        await self._send(response, only_head=request.method == "HEAD")
        return self._both_are_done

    @property
    def _both_are_done(self) -> bool:
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _read_request(self) -> tuple[Handler, Request]:
        head = await self._next_event()
        if not isinstance(head, h11.Request):
            raise Gone
        if head_bytes(head) > protocol.MAX_HEAD_BYTES:  # h11 looks at the limit only while a head is incomplete
            raise h11.RemoteProtocolError("the head is too long", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        path, _, query = head.target.decode("latin-1").partition("?")
        route, captures = self._rules.routes.find(head.method.decode("latin-1"), path)
        headers = first_of_each(head.headers)
        if route.reads_body:
            incoming = ReadableBody(self, self._rules.discard_bytes)
            return route.handler, self._unread_request(route, path, query, headers, captures, incoming)
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
            headers=headers,
            body=bytes(body.kept),
            body_bytes=body.arrived_bytes,
            trailers=body.trailers,
            truncated=truncated,
            captures=captures,
            disconnected=self.disconnected,
            header_list=tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers_as_sent(head)
            ),
            protocol=f"HTTP/{head.http_version.decode('ascii')}",
            peer=self.peer,
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
            await self.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
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
            while not self.received and not self.has_left:
                await self.more()
            data = bytes(self.received)
            self.received.clear()
            self._fed_end = not data
            self._http.receive_data(data)
            self.resume()
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
            await self.write(joined(out, piece))
            out = b""
        await self.write(joined(out, self._http.send(h11.EndOfMessage())))

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
            await self.write(self._http.send(response_head(response, headers)))
            async for piece in stream:
                if has_body:
                    await self.write(self._http.send(h11.Data(data=piece)))
            await self.write(self._http.send(h11.EndOfMessage()))
        except Gone:
            raise
        except StreamCut as error:
            await self.flush()
            self.cut()
            raise Gone from error
        except Exception as error:  # the boundary, as above; but there is no status any more to say it with
            asyncio.get_running_loop().call_exception_handler({"message": "a stream failed", "exception": error})
            self.cut()
            raise Gone from error
        finally:
            await stream.aclose()


def _failed(error: Exception) -> Response:
    asyncio.get_running_loop().call_exception_handler({"message": "a handler failed", "exception": error})
    return Response(status=500, body=b"Internal Server Error\n")
