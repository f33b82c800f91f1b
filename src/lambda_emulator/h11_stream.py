"""A client's bytes as h11 understands them: events of requests in, answers out. It decides nothing."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import h11

from lambda_emulator.byte_stream import ByteStream, Gone
from lambda_emulator.http_head import joined, response_head, value_bytes
from lambda_emulator.http_message import Response, RouteTable, StreamCut
from runtime import protocol

__all__ = ["H11Stream", "HttpRules"]

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


class H11Stream(ByteStream):
    """One request after the other; `http` is where it stands."""

    def __init__(self, rules: HttpRules) -> None:
        super().__init__()
        self.rules = rules
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=protocol.MAX_HEAD_BYTES)
        self.fed_end = False
        """The end has been told to h11."""

    async def next_body_event(self) -> h11.Data | h11.EndOfMessage:
        """The next of the body's events. Raises `h11.RemoteProtocolError`."""
        if self.http.they_are_waiting_for_100_continue:
            await self.write(self.http.send(h11.InformationalResponse(status_code=100, headers=[])))
        event = await self.next_event()
        assert isinstance(event, h11.Data | h11.EndOfMessage)
        return event

    @property
    def has_ended(self) -> bool:
        """The client has closed its side, and all that it had sent has been looked at."""
        return self.fed_end

    async def discard(self) -> None:
        """Read on where the handler stopped, as far as patience goes, so that the client gets to read its answer."""
        discarded_bytes = 0
        while self.http.their_state is h11.SEND_BODY and discarded_bytes <= self.rules.discard_bytes:
            try:
                event = await self.next_body_event()
            except h11.RemoteProtocolError:
                return
            discarded_bytes += len(event.data) if isinstance(event, h11.Data) else 0

    async def next_event(self) -> h11.Event:
        """The next event of the request, read as far as need be. Raises `h11.RemoteProtocolError`."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            while not self.received and not self.has_left:
                await self.more()
            data = bytes(self.received)
            self.received.clear()
            self.fed_end = not data
            self.http.receive_data(data)
            self.resume()
        return cast("h11.Event", event)

    async def send(self, response: Response, *, close: bool = False, only_head: bool = False) -> None:
        """Answer the request that was read last. Raises `Gone` when the client has left, or was cut off."""
        headers = [(name.encode("ascii"), value_bytes(value)) for name, value in response.headers]
        if response.stream is not None:
            await self._send_stream(response, response.stream, headers, only_head=only_head)
            return
        limit = self.rules.chunk_above_bytes
        has_body = response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        has_length = only_head and any(name.lower() == b"content-length" for name, _ in headers)
        if has_body and not has_length and (limit is None or len(response.body) <= limit):
            headers.append((b"content-length", b"%d" % len(response.body)))
        body = response.body if has_body and not only_head else b""
        # The body was not read to its end: what comes next on this connection is no request.
        if close or self.http.their_state is not h11.DONE:
            headers.append((b"connection", b"close"))
        out = self.http.send(response_head(response, headers))
        for start in range(0, len(body), _CHUNK_BYTES):
            piece = self.http.send(h11.Data(data=body[start : start + _CHUNK_BYTES]))
            await self.write(joined(out, piece))
            out = b""
        await self.write(joined(out, self.http.send(h11.EndOfMessage())))

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
            await self.write(self.http.send(response_head(response, headers)))
            async for piece in stream:
                if has_body:
                    await self.write(self.http.send(h11.Data(data=piece)))
            await self.write(self.http.send(h11.EndOfMessage()))
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

    @property
    def both_are_done(self) -> bool:
        """Request and answer are complete, and another may follow."""
        return self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
