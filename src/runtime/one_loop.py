"""One event loop for everything: it polls on N connections and runs the `async def` handlers of all. Loaded only then.

A lane is one connection with one invocation at a time, as a worker thread would be, without the thread. What would
block the loop (streams, work after the response) runs in threads of the default executor, in the invocation's
context. A handler that is not asynchronous blocks all lanes while it runs.
"""

import asyncio
import contextvars
import signal
from collections import deque

from .connection import STALL_S
from .errors import PlatformError, Terminated
from .invocation import Invocation, current
from .reporting import fault_of
from .waiting import LoopElsewhere, loop_of_user_code
from .wire import Message, ResponseReader, WireError
from .workers import ATTEMPTS, FIRST_PAUSE_S, WorkerClient, shut_down

__all__ = ["serve_on_one_loop"]


def serve_on_one_loop(function: "Function", client: "RuntimeClient", count: int) -> int:
    """Serve with `count` lanes until SIGTERM (0), or until none is left (1)."""
    loop = loop_of_user_code() or asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    function.waiter = LoopElsewhere(loop)
    stopped = loop.run_until_complete(_serve(function, client, count))
    if stopped:
        shut_down(function)
        function.output.flush()
    return 0 if stopped else 1


async def _serve(function: "Function", client: "RuntimeClient", count: int) -> bool:
    lanes = [asyncio.create_task(_Lane(function, client).serve(), name=f"runtime-{index}") for index in range(count)]
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        for lane in lanes:
            lane.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(*lanes, return_exceptions=True)
    return stopped


class _LaneClient(WorkerClient):
    """What a worker's client knows and decides, without its input and output: those are the lane's."""

    def _deliver_if_large(self) -> None:
        """The lane sees to it."""

    @property
    def held(self) -> "list[bytes]":
        """The answer that waits to be sent, taken out."""
        held, self._held = self._held, []
        return held

    @property
    def request_for_next(self) -> bytes:
        """The bytes that ask for an event."""
        return self._next


class _Lane:
    """One connection, one invocation at a time."""

    def __init__(self, function: "Function", origin: "RuntimeClient") -> None:
        self._function = function
        self._origin = origin
        self._client = _LaneClient(origin)
        self._connection: _Connection | None = None

    async def serve(self) -> None:
        """Until cancelled, or until `/next` has failed `ATTEMPTS` times in a row."""
        failures = 0
        while True:
            try:
                invocation = await self._next()
            except PlatformError as error:
                failures += 1
                if failures >= ATTEMPTS:
                    self._client.warn(str(error))
                    raise
                self._client.warn(f"{error}; trying again")
                self._close()
                await asyncio.sleep(FIRST_PAUSE_S * 2 ** (failures - 1))
                continue
            failures = 0
            current.set(invocation)
            await self._handle(invocation)
            if invocation.after_response is not None:
                await self._after_response(invocation)

    async def _handle(self, invocation: Invocation) -> None:
        function = self._function
        try:
            result = function.call(invocation)
            if hasattr(result, "__await__"):
                # In a task of its own: a handler may cancel the task it runs in, and that must not be the lane.
                result, error = await asyncio.create_task(_outcome(result))
                if error is not None:
                    raise error  # noqa: TRY301  # to where all errors of the invocation are dealt with
            if function.is_ordinary(result):
                body, content_type = function.encode(result)
            else:
                made = await self._in_thread(self._finish, result, invocation)
                if made is None:  # a stream, sent
                    return
                body, content_type = made
        except asyncio.CancelledError as error:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]  # the process is to end
                raise
            self._fail(error, invocation)
        except (Terminated, PlatformError):
            raise
        except BaseException as error:  # noqa: BLE001  # also the handler's own SystemExit and KeyboardInterrupt
            self._fail(error, invocation)
        else:
            function.output.flush()
            self._client.respond(invocation, body, content_type)

    def _fail(self, error: BaseException, invocation: Invocation) -> None:
        fault = fault_of(error, invocation)
        self._function.output.error(fault)
        self._function.output.flush()
        self._client.fail(invocation, fault.document, fault.header_type, fault.xray_cause)

    def _finish(self, result: object, invocation: Invocation) -> "tuple[bytes, str] | None":
        """In a thread: an answer of an unusual type; None for a stream, which is sent on a connection of its own."""
        body, content_type = self._function.finish(result)
        if isinstance(body, bytes):
            return body, content_type
        client = WorkerClient(self._origin)
        try:
            body.send(client, invocation)
        finally:
            client.close()
        return None

    async def _after_response(self, invocation: Invocation) -> None:
        from . import lifecycle  # the module is loaded: the handler has used it

        await self._acknowledge()
        await self._in_thread(lifecycle.run_after_response, invocation, self._function)

    async def _in_thread(self, call: "Callable[..., Any]", *arguments: object) -> "Any":
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(None, context.run, call, *arguments)

    # --- the conversation, as in RuntimeClient ------------------------------------------------------------------------

    async def _next(self) -> Invocation:
        redeliveries = 0
        while True:
            invocation = await self._deliver_and_wait()
            if self._client.is_new(invocation, redeliveries):
                return invocation
            redeliveries += 1

    async def _deliver_and_wait(self) -> Invocation:
        client = self._client
        if client.holds_large:
            await self._acknowledge()
        held = client.held
        await self._send([*held, client.request_for_next])
        silent = 0
        while True:
            message = await self._receive(due=bool(held))
            if message is None:
                silent = client.count_silence(silent)
                held = []
                await self._send([client.request_for_next])
                continue
            silent = 0
            if held:
                held = []
                client.judge(message)
                if message.closes:
                    await self._send([client.request_for_next])
                continue
            return client.invocation_of(message)

    async def _acknowledge(self) -> None:
        """Send what is held, alone, and read the platform's word on it."""
        if held := self._client.held:
            await self._send(held)
            message = await self._receive(due=True)
            if message is not None:
                self._client.judge(message)

    async def _send(self, parts: "list[bytes]") -> None:
        if self._connection is None:
            self._connection = await _connected(self._client.address)
        self._connection.send(b"".join(parts))

    async def _receive(self, *, due: bool) -> "Message | None":
        assert self._connection is not None
        try:
            message = await self._connection.message(STALL_S if due else None)
        except WireError as error:
            raise PlatformError(f"the Runtime API at {self._client.address} sent no valid answer: {error}") from None
        except TimeoutError:
            raise PlatformError(f"the Runtime API at {self._client.address} fell silent in an answer") from None
        if message is None or message.closes:
            self._close()
        return message

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Connection(asyncio.Protocol):
    """Bytes to messages, for one coroutine that waits."""

    def __init__(self) -> None:
        self._reader = ResponseReader()
        self._messages: deque[Message] = deque()
        self._failed: WireError | None = None
        self._ended = False
        self._waiting: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of the protocol."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Part of the protocol."""
        self._reader.feed(data)
        self._read()

    def connection_lost(self, _exc: "Exception | None") -> None:
        """Part of the protocol."""
        self._ended = True
        if self._reader.started and self._failed is None:
            self._reader.feed(b"")
            self._read()
        self._wake()

    def _read(self) -> None:
        try:
            while (message := self._reader.next_message()) is not None:
                self._messages.append(message)
        except WireError as error:
            self._failed = error
        if self._messages or self._failed is not None:
            self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _expire(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(TimeoutError())

    def send(self, data: bytes) -> None:
        """Write; a connection that has ended is noticed when the answer is waited for."""
        if self._transport is not None and not self._ended:
            self._transport.write(data)

    async def message(self, limit_s: "float | None") -> "Message | None":
        """The next message; None when the connection has ended. Raises `WireError`, and `TimeoutError`."""
        while not self._messages:
            if self._failed is not None:
                raise self._failed
            if self._ended:
                return None
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the result.
            limit = loop.call_later(limit_s, self._expire) if limit_s is not None else None
            try:
                await self._waiting
            finally:
                if limit is not None:
                    limit.cancel()
        return self._messages.popleft()

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


async def _outcome(awaitable: "Awaitable[Any]") -> "tuple[Any, BaseException | None]":
    """Result and error. asyncio lets SystemExit and KeyboardInterrupt of a task end the whole loop."""
    try:
        return await awaitable, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  # raised again by the lane
        return None, error


async def _connected(address: str) -> _Connection:
    host, _, port = address.rpartition(":")
    try:
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, host.strip("[]"), int(port))
    except (OSError, ValueError, OverflowError) as error:
        raise PlatformError(f"cannot connect to the Runtime API at {address}: {error}") from None
    return connection


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from .client import RuntimeClient
    from .function import Function
