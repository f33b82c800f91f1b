"""The two ways in which a runtime may talk to the platform: one invocation at a time, or several at once.

A session belongs to one life of one process. It judges calls, hands out events, and reports what happened to a
listener; it knows no HTTP and no process. Both kinds have the same methods, which `RuntimeApi` calls in the order of
the platform's checks: `begin_answer` (request id, nonce, state), then `answer`, then `answer_taken`.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from lambda_emulator.answer import Answer
from lambda_emulator.answer_stream import AnswerStream
from lambda_emulator.happenings import (
    Answered,
    Happening,
    InitFailed,
    Ready,
    RestoreFailed,
    RestoreWanted,
    StreamEnded,
)
from lambda_emulator.invocation import Delivery
from lambda_emulator.refusals import Refusal
from lambda_emulator.runtime_state import Move, RuntimeState, RuntimeStateMachine
from lambda_emulator.waiting import Signal, either
from runtime import protocol

__all__ = ["ConcurrentSession", "NoIdleWorker", "Session", "SingleSession"]

# Answers that may still come after their invocation has timed out are remembered so many (managed instances).
_REMEMBERED_TIMEOUTS = 1000
# Workers that may wait for an event at once (managed instances).
_MAX_IDLE_WORKERS = 10_000


class NoIdleWorker(Exception):  # noqa: N818 (a state of affairs, answered as `Runtime.Unavailable`)
    """An event has nobody to go to."""


class Session(Protocol):
    """What the Runtime API needs of either kind. Every method may raise `Refusal`."""

    max_error_bytes: int

    async def next(self, disconnected: Signal) -> Delivery | None:
        """Wait for an event; None when the client has gone away meanwhile."""

    def begin_answer(self, request_id: str, nonce: str | None, move: Move) -> Delivery:
        """The first two checks of /response and /error, in the platform's order; there is no way back."""

    def answer(self, request_id: str, answer: Answer, *, began_s: float) -> None:
        """Give the caller its answer, or the beginning of it; `began_s` (monotonic) is when it began to arrive."""

    def stream_ended(self, request_id: str, stream: AnswerStream) -> None:
        """The answer that was given as a stream has ended."""

    def open_stream(self, request_id: str) -> AnswerStream | None:
        """The stream that is being sent under this id, where an error may still end it; else None."""

    def answer_taken(self, request_id: str) -> None:
        """The body has been judged; the runtime may go on."""

    def init_failed(self, answer: Answer) -> None:
        """/init/error."""

    async def restore_next(self, disconnected: Signal) -> bool:
        """/restore/next; false when the client has gone away meanwhile."""

    def restored(self) -> None:
        """The platform has restored the snapshot."""

    def restore_failed(self, answer: Answer) -> None:
        """/restore/error."""


class SingleSession:
    """One invocation at a time, by the state table."""

    def __init__(self, listener: Callable[[Happening], None]) -> None:
        self.max_error_bytes = protocol.MAX_RESPONSE_BYTES
        self._listener = listener
        self._machine = RuntimeStateMachine()
        self._current: Delivery | None = None
        self._delivered = Signal()
        self._restored = Signal()

    async def next(self, disconnected: Signal) -> Delivery | None:
        """As the table says; while an event is being handled, that same event."""
        before = self._machine.state
        after = self._machine.move(Move.NEXT)
        if after is RuntimeState.READY:
            if before is not RuntimeState.READY:
                self._current = None
                self._delivered.clear()
                self._listener(Ready(at_s=time.monotonic()))
            if not await either(self._delivered, disconnected):
                return None
        return self._current

    def deliver(self, delivery: Delivery) -> None:
        """Hand an event to the waiting runtime. Only when it is ready."""
        self._machine.move(Move.DELIVER)
        self._current = delivery
        self._delivered.set()

    def begin_answer(self, request_id: str, nonce: str | None, move: Move) -> Delivery:
        """Request id, nonce, state: in this order, because only the last one changes anything."""
        if self._current is None or self._current.invocation.request_id != request_id:
            raise Refusal(protocol.INVALID_REQUEST_ID)
        if nonce and nonce != self._current.nonce:
            raise Refusal(protocol.INVOKE_TIMEOUT)
        self._machine.move(move)
        return self._current

    def answer(self, request_id: str, answer: Answer, *, began_s: float) -> None:
        """Report it."""
        self._listener(Answered(request_id=request_id, answer=answer, began_s=began_s, ended_s=time.monotonic()))

    def stream_ended(self, request_id: str, stream: AnswerStream) -> None:
        """Report it."""
        self._listener(StreamEnded(request_id=request_id, stream=stream, at_s=time.monotonic()))

    def open_stream(self, request_id: str) -> AnswerStream | None:  # noqa: ARG002 (the table refuses what follows)
        """None: an error behind the beginning of a response is an illegal move."""
        return None

    def answer_taken(self, request_id: str) -> None:  # noqa: ARG002 (the other kind needs it)
        """The invocation goes on until /next."""
        self._machine.move(Move.TAKEN)

    def init_failed(self, answer: Answer) -> None:
        """Report it; after a restore it is the hooks' failure."""
        if self._machine.move(Move.INIT_ERROR) is RuntimeState.INIT_ERROR:
            self._listener(InitFailed(answer=answer))
        else:
            self._listener(RestoreFailed(answer=answer))

    async def restore_next(self, disconnected: Signal) -> bool:
        """Blocks until `restored`."""
        self._machine.move(Move.RESTORE_NEXT)
        self._listener(RestoreWanted())
        return await either(self._restored, disconnected)

    def restored(self) -> None:
        """The snapshot has been restored."""
        self._machine.move(Move.RESTORE)
        self._restored.set()

    def restore_failed(self, answer: Answer) -> None:
        """Report it."""
        self._machine.move(Move.RESTORE_ERROR)
        self._listener(RestoreFailed(answer=answer))


class ConcurrentSession:
    """Several invocations at once; each answer is judged by its request id alone."""

    def __init__(self, listener: Callable[[Happening], None]) -> None:
        self.max_error_bytes = protocol.MAX_ERROR_BYTES
        self._listener = listener
        self._machine = RuntimeStateMachine()  # of the initialisation only
        self._idle: deque[Signal] = deque()
        self._came = Signal()
        self._handed: dict[Signal, Delivery] = {}
        self._open: dict[str, Delivery] = {}
        self._streams: dict[str, AnswerStream] = {}
        self._timed_out: OrderedDict[str, None] = OrderedDict()

    async def next(self, disconnected: Signal) -> Delivery | None:
        """One waiting call is one idle worker; whichever waits longest gets the event."""
        if len(self._idle) >= _MAX_IDLE_WORKERS:
            raise Refusal((protocol.SERVER_ERROR, "Runtime.TooManyIdleRuntimes", "Too many idle runtimes"))
        first = self._machine.state is RuntimeState.STARTED
        self._machine.move(Move.NEXT)
        waiting = Signal()
        self._idle.append(waiting)
        self._came.set()
        if first:
            self._listener(Ready(at_s=time.monotonic()))
        if not await either(waiting, disconnected):
            self._idle.remove(waiting)
            return None
        return self._handed.pop(waiting)

    def deliver(self, delivery: Delivery) -> None:
        """Hand an event to an idle worker. Raises `NoIdleWorker`."""
        if not self._idle:
            raise NoIdleWorker
        waiting = self._idle.popleft()
        self._open[delivery.invocation.request_id] = delivery
        self._handed[waiting] = delivery
        waiting.set()

    async def worker(self) -> None:
        """Wait until some worker is idle."""
        while not self._idle:
            self._came.clear()
            await self._came.wait()

    def begin_answer(self, request_id: str, nonce: str | None, move: Move) -> Delivery:  # noqa: ARG002
        """Open: fine, once. Timed out: 410, once. Anything else: 400."""
        if request_id in self._timed_out:
            del self._timed_out[request_id]
            raise Refusal(protocol.INVOKE_TIMEOUT)
        delivery = self._open.get(request_id)
        if delivery is None:
            raise Refusal(protocol.INVALID_REQUEST_ID)
        if nonce and nonce != delivery.nonce:
            raise Refusal(protocol.INVOKE_TIMEOUT)
        return self._open.pop(request_id)

    def answer(self, request_id: str, answer: Answer, *, began_s: float) -> None:
        """Report it."""
        if answer.stream is not None:
            self._streams[request_id] = answer.stream
        self._listener(Answered(request_id=request_id, answer=answer, began_s=began_s, ended_s=time.monotonic()))

    def stream_ended(self, request_id: str, stream: AnswerStream) -> None:
        """Report it."""
        del self._streams[request_id]
        self._listener(StreamEnded(request_id=request_id, stream=stream, at_s=time.monotonic()))

    def open_stream(self, request_id: str) -> AnswerStream | None:
        """Managed instances let a worker that cannot go on with its stream end it by /error."""
        return self._streams.get(request_id)

    def answer_taken(self, request_id: str) -> None:
        """Nothing to do: the invocation was over when its answer began."""

    def expire(self, request_id: str) -> None:
        """The invocation has timed out; its worker goes on, and its answer will be refused."""
        if self._open.pop(request_id, None):
            self._timed_out[request_id] = None
            if len(self._timed_out) > _REMEMBERED_TIMEOUTS:
                self._timed_out.popitem(last=False)

    def init_failed(self, answer: Answer) -> None:
        """The first worker to say so wins, the others are refused by the table."""
        self._machine.move(Move.INIT_ERROR)
        self._listener(InitFailed(answer=answer))

    async def restore_next(self, disconnected: Signal) -> bool:  # noqa: ARG002
        """There are no snapshots of such environments."""
        self._machine.move(Move.RESTORE)
        return False

    def restored(self) -> None:
        """There are no snapshots of such environments."""

    def restore_failed(self, answer: Answer) -> None:  # noqa: ARG002
        """There are no snapshots of such environments."""
        self._machine.move(Move.RESTORE_ERROR)
