"""One request through an ASGI application: its messages become a response.

The response is complete with the application's last body message; what the application does afterwards (background
tasks) is work after the response. See `asgi_pieces` for a response that is sent while it is made.
"""

from __future__ import annotations

import asyncio

from .errors import HttpError
from .exchange import log_error
from .response import HttpResponse

__all__ = ["Application", "ClientLeftError", "HttpCycle"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, Never, TypeAlias

    from .asgi_scope import Scope

    Message: TypeAlias = Any
    Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
else:
    Application = object

# Turns of the loop in which an application comes to its end that has nothing left to do after its response.
TURNS_TO_END = 12
# What an application gets for its `finally` when there is no time left.
MARGIN_OF_CANCELLED_S = 0.05


class ClientLeftError(OSError):
    """Raised by `send` when nobody reads the response any more, as the specification asks for."""


class HttpCycle:
    """One request. `limit_s` is how long the response may take to begin, None for ever.

    `after_response` takes a function to call when the response is out; None where the runtime has nothing of the kind.
    """

    # What most requests never change is the class's: each of these would cost every request its share.
    _status: int | None = None
    _is_complete = False
    _has_left = False
    _is_driven = False
    _has_expired = False
    _over: asyncio.Event | None = None
    _progress: asyncio.Future[None] | None = None
    _task: asyncio.Task[None] | None = None

    def __init__(
        self,
        app: Application,
        scope: Scope,
        body: bytes,
        loop: asyncio.AbstractEventLoop,
        *,
        limit_s: float | None,
        after_response: Callable[[Callable[[], object]], object] | None,
    ) -> None:
        self._app = app
        self._scope = scope
        self._body: bytes | None = body
        self._limit_s = limit_s
        self._after_response = after_response
        self._loop = loop
        self._headers: list[tuple[str, str]] = []
        self._parts: list[bytes] = []

    def response_here(self) -> HttpResponse:
        """The response when it is complete, by running the loop in this thread. Raises what the application raised.

        The application's task is all that runs in it: a task and a future around it would cost as much again.
        """
        loop = self._loop
        task = self._task = loop.create_task(self._app(self._scope, self._receive, self._send))  # type: ignore[arg-type]
        # One turn, which is all that an application needs that waits for nothing.
        loop.stop()
        try:
            loop.run_forever()
        except BaseException:  # a signal's, mostly
            task.cancel()
            raise
        if not task.done():
            self._drive(task)
        if not self._is_complete:
            if self._has_expired:
                return loop.run_until_complete(self._give_up())
            loop.run_until_complete(self._broke_off())
        if task.done():
            self._report()
        elif self._after_response is not None:
            self._after_response(self._finish_later)
        else:
            loop.run_until_complete(self._finish())
        return HttpResponse(self._joined(), self._status or 500, self._headers)

    async def response(self) -> HttpResponse:
        """The same inside a loop that runs."""
        await self._begin()
        await self._made_progress()
        if not self._is_complete:
            await self._broke_off()
        await self._settle()
        return HttpResponse(self._joined(), self._status or 500, self._headers)

    # --- what the application calls ---

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not (self._is_complete or self._has_left):
            if self._over is None:
                self._over = asyncio.Event()
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._has_left:
            raise ClientLeftError("the client has left")
        kind = message["type"]
        if kind == "http.response.start":
            if self._status is not None:
                raise RuntimeError("the application began its response a second time")
            self._status = message["status"]
            self._headers = [
                (bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
        elif kind == "http.response.body":
            if self._status is None:
                raise RuntimeError("the application sent a body before http.response.start")
            if self._is_complete:
                raise RuntimeError("the application sent a body after the end of its response")
            await self._take(bytes(message.get("body", b"")), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"the application sent {kind!r}, which is no message of an HTTP response")

    async def _take(self, part: bytes, *, is_last: bool) -> None:
        if part:
            self._parts.append(part)
        if is_last:
            self._is_complete = True
            self._tell_of_the_end()
            if self._is_driven:
                self._loop.call_soon(self._stop_when_settled, TURNS_TO_END)
            else:
                self._advance()

    def _tell_of_the_end(self) -> None:
        if self._over is not None:
            self._over.set()

    def _joined(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    # --- driving it in this thread ---

    def _drive(self, task: asyncio.Task[None]) -> None:
        """Run the loop until the response is complete and the application has ended, or has more to do."""
        loop = self._loop
        task.add_done_callback(self._stop)
        if self._is_complete:
            loop.call_soon(self._stop_when_settled, TURNS_TO_END)
        timer = loop.call_later(self._limit_s, self._expire_here) if self._limit_s is not None else None
        self._is_driven = True
        try:
            loop.run_forever()
        except BaseException:
            task.cancel()
            raise
        finally:
            self._is_driven = False  # what is left of callbacks must not stop the next request's
            if timer is not None:
                timer.cancel()

    def _stop(self, _: object = None) -> None:
        if self._is_driven:
            self._loop.stop()

    def _stop_when_settled(self, turns: int) -> None:
        """Stop when the application has come to its end, or after so many turns that it has more to do."""
        if self._task is not None and not self._task.done() and self._is_driven:
            if turns:
                self._loop.call_soon(self._stop_when_settled, turns - 1)
            else:
                self._loop.stop()

    def _expire_here(self) -> None:
        if self._is_driven and not self._is_complete:
            self._has_expired = True
            self._loop.stop()

    # --- driving it inside a loop ---

    async def _begin(self) -> None:
        self._progress = self._loop.create_future()
        self._task = self._loop.create_task(self._app(self._scope, self._receive, self._send))  # type: ignore[arg-type]
        self._task.add_done_callback(lambda _: self._advance())

    def _advance(self) -> None:
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    async def _made_progress(self) -> None:
        """Until there is something to look at. Raises `HttpError` (504) when the limit is over."""
        assert self._progress is not None
        timer = None
        if self._limit_s is not None:
            timer = self._loop.call_later(self._limit_s, self._expire)
        try:
            await self._progress
        finally:
            if timer is not None:
                timer.cancel()
        if self._has_expired:
            await self._give_up()

    def _expire(self) -> None:
        if self._progress is not None and not self._progress.done():
            self._has_expired = True
            self._progress.set_result(None)

    async def _give_up(self) -> Never:
        assert self._task is not None
        late = TimeoutError(f"no response within {self._limit_s:.1f} s")
        log_error("the application did not answer in time, and was cancelled", late)
        self.abandon()
        await asyncio.wait({self._task}, timeout=MARGIN_OF_CANCELLED_S)
        raise HttpError(504, "The server did not answer this request in time.")

    async def _broke_off(self) -> None:
        """The application has ended without (the rest of) a response."""
        assert self._task is not None
        await self._task
        began = "ended in the middle of its response" if self._status is not None else "ended without a response"
        raise RuntimeError(f"the application {began}")

    async def _settle(self) -> None:
        """Let the application come to its end: now if it has nothing left to do, else after the response."""
        task = self._task
        assert task is not None
        for _ in range(TURNS_TO_END):
            if task.done():
                break
            await asyncio.sleep(0)
        if not task.done() and self._after_response is not None:
            self._after_response(self._finish_later)
            return
        await asyncio.wait({task})
        self._report()

    def _finish_later(self) -> None:
        """Called by the runtime when the response is out, in the thread whose time it is."""
        rest = self._finish()
        if self._loop.is_running():
            asyncio.run_coroutine_threadsafe(rest, self._loop).result()
        else:
            self._loop.run_until_complete(rest)

    async def _finish(self) -> None:
        assert self._task is not None
        try:
            await asyncio.wait({self._task})
        except BaseException:
            self._task.cancel()
            raise
        self._report()

    def _report(self) -> None:
        assert self._task is not None
        if self._task.cancelled():
            return
        error = self._task.exception()
        if isinstance(error, Exception):
            log_error("the application failed after its response", error)
        elif error is not None:
            raise error

    def abandon(self) -> None:
        """Nobody wants the response any more."""
        self._has_left = True
        self._tell_of_the_end()
        if self._task is not None:
            self._task.cancel()
