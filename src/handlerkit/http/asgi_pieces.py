"""An ASGI application's response that is sent while it is made. Loaded only where the front takes one.

Each `send` returns when its piece has been taken, as with a server's socket, so a slow client slows the application and
nothing piles up.
"""

from __future__ import annotations

import asyncio

from .asgi_cycle import ClientLeftError, HttpCycle
from .exchange import log_error
from .response import HttpResponse

__all__ = ["PiecewiseCycle"]

# How long an application whose client has left may take to notice.
LEAVING_S = 1.0


class PiecewiseCycle(HttpCycle):
    """One request, inside a loop that runs."""

    _taken: asyncio.Future[None] | None = None

    async def response(self) -> HttpResponse:
        """The response when its first piece is there. Raises what the application raised before."""
        await self._begin()
        await self._made_progress()
        if not self._parts and not self._is_complete:
            await self._broke_off()
        return HttpResponse(_Pieces(self), self._status or 500, self._headers)

    async def next_piece(self) -> bytes | None:
        """The next piece; None at the end. Raises what the application raises in its midst."""
        assert self._task is not None
        while not self._parts:
            if self._is_complete:
                self._release()
                await self._settle()
                return None
            progress = self._progress = self._loop.create_future()
            self._release()
            if self._task.done():
                await self._broke_off()
            await progress
        return self._parts.pop(0)

    async def leave(self) -> None:
        """The client has left: the application is told, and cancelled if it does not mind."""
        task = self._task
        assert task is not None
        self._has_left = True
        self._tell_of_the_end()
        self._release()
        if not task.done():
            await asyncio.wait({task}, timeout=LEAVING_S)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=LEAVING_S)
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, OSError):
                log_error("the application failed after its client had left", error)

    def abandon(self) -> None:
        """As of a whole response; whoever sends is let go."""
        self._release()
        super().abandon()

    async def _take(self, part: bytes, *, is_last: bool) -> None:
        if part:
            self._parts.append(part)
        if is_last:
            self._is_complete = True
            self._tell_of_the_end()
        if part or is_last:
            taken = self._taken = self._loop.create_future()
            self._advance()
            await taken
            if self._has_left and not is_last:
                raise ClientLeftError("the client has left")

    def _release(self) -> None:
        """The piece before has been taken: `send` returns."""
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)


class _Pieces:
    """The body of a response in pieces."""

    def __init__(self, cycle: PiecewiseCycle) -> None:
        self._cycle = cycle
        self._has_ended = False

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        if self._has_ended:
            raise StopAsyncIteration
        try:
            piece = await self._cycle.next_piece()
        except BaseException:
            self._has_ended = True
            raise
        if piece is None:
            self._has_ended = True
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """The client has left."""
        if not self._has_ended:
            self._has_ended = True
            await self._cycle.leave()

    def abandon(self) -> None:
        """The response is not sent at all."""
        self._has_ended = True
        self._cycle.abandon()
