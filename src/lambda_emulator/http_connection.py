"""One client of the HTTP server: requests out of its bytes one by one, and their answers. It decides nothing.

h11 has the grammar. Plain requests (`http_plain`) never reach it: it stands between two requests then, and can be told
of one afterwards.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import h11

from lambda_emulator.byte_stream import Gone
from lambda_emulator.h11_stream import H11Stream, HttpRules
from lambda_emulator.http_body import CountedBody, ReadableBody, first_of_each
from lambda_emulator.http_head import head_bytes, headers_as_sent, malformed
from lambda_emulator.http_message import Handler, IncomingBody, Request, Response, Route
from lambda_emulator.http_plain import PlainBody, PlainRequest, plain_request, plain_response
from runtime import protocol

__all__ = ["HttpConnection"]


class HttpConnection(H11Stream):
    """One client: bytes go in by callback, `serve` takes them out request by request."""

    def __init__(self, rules: HttpRules, on_open: "Callable[[HttpConnection], None]") -> None:
        super().__init__(rules)
        self._on_open = on_open
        self._in_h11 = False
        """h11 has been given something of the next request."""

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
            route, captures = self.rules.routes.find(plain.method, path)
            if await self._has_arrived(plain, route):
                return await self._serve_plain(plain, route, self._plain_request(plain, route, path, query, captures))
        self._in_h11 = True
        if not await self._serve_any():
            return False
        self.http.start_next_cycle()
        self._in_h11 = self.http.trailing_data[0] != b""
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
        answer = None if unread else plain_response(response, chunk_above_bytes=self.rules.chunk_above_bytes)
        if answer is not None:
            await self.write(answer)
            return True
        # h11 writes the answer: it is told of the request that it answers.
        self.http.receive_data(sent)
        event = self.http.next_event()
        while not (unread or isinstance(event, h11.EndOfMessage)):
            event = self.http.next_event()
        await self.send(response)
        if not self.both_are_done:
            return False
        self.http.start_next_cycle()
        return True

    async def _serve_any(self) -> bool:
        try:
            handler, request = await self._read_request()
        except h11.RemoteProtocolError as error:
            await self.send(malformed(error.error_status_hint), close=True)
            return False
        try:
            response = await handler(request)
            if request.incoming is not None and response is not None:
                await self.discard()
        except h11.RemoteProtocolError as error:  # in a body that the handler was reading
            await self.send(malformed(error.error_status_hint), close=True)
            return False
        except Exception as error:  # noqa: BLE001 (the boundary: a bug of a handler must not take the server along)
            response = _failed(error)
        if response is None:
            return False
        await self.send(response, only_head=request.method == "HEAD")
        return self.both_are_done

    async def _read_request(self) -> tuple[Handler, Request]:
        head = await self.next_event()
        if not isinstance(head, h11.Request):
            raise Gone
        if head_bytes(head) > protocol.MAX_HEAD_BYTES:  # h11 looks at the limit only while a head is incomplete
            raise h11.RemoteProtocolError("the head is too long", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        path, _, query = head.target.decode("latin-1").partition("?")
        route, captures = self.rules.routes.find(head.method.decode("latin-1"), path)
        headers = first_of_each(head.headers)
        if route.reads_body:
            incoming = ReadableBody(self, self.rules.discard_bytes)
            return route.handler, self._unread_request(route, path, query, headers, captures, incoming)
        body = CountedBody(route.max_body_bytes, route.max_body_bytes + self.rules.discard_bytes)
        truncated = False
        try:
            await self._read_body(body)
        except h11.RemoteProtocolError:
            if not self.fed_end:
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


def _failed(error: Exception) -> Response:
    asyncio.get_running_loop().call_exception_handler({"message": "a handler failed", "exception": error})
    return Response(status=500, body=b"Internal Server Error\n")
