"""One execution environment: initialised, invoked, frozen, reset, closed; one invocation at a time.

Rules:

- The first invocation initialises the environment before its own clock starts. If that fails or takes too long, it
  is done once more inside the invocation, within the function's timeout; so it is for every invocation that finds
  its process gone.
- The caller is answered at the runtime's `/response` or `/error`. The invocation ends at the following `/next`:
  until then it is timed, billed and measured, and then the process group is frozen.
- Extensions take part: the environment is initialised when each of them waits for an event, an invocation is over
  when those that were told of it are back, and one that dies takes the environment along. No caller waits for them.
- A process that times out, dies or outgrows its memory takes its group with it. The private `/tmp` stays until the
  environment is closed.
"""

import asyncio
import time
from typing import Protocol

from lambda_emulator import failure as failures
from lambda_emulator import log_lines, platform_events
from lambda_emulator.answer import Answer
from lambda_emulator.failure import Failure
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.happenings import (
    Answered,
    Exited,
    ExtensionExited,
    ExtensionFailed,
    ExtensionReady,
    Happening,
    OverMemory,
    Ready,
    StreamEnded,
)
from lambda_emulator.initialisation import Attempt, Initialised, failure_of_extension, initialise
from lambda_emulator.invocation import Delivery, Invocation
from lambda_emulator.invocation_figures import Outcome, delivery_of, epoch_of, make_report
from lambda_emulator.invocation_progress import InvocationProgress
from lambda_emulator.platform_events import Phase
from lambda_emulator.process_guard import ProcessGuard
from lambda_emulator.result import Completion
from lambda_emulator.runtime_life import Ending, RuntimeLife
from lambda_emulator.sandbox import Sandbox
from lambda_emulator.sessions import SingleSession

__all__ = ["Environment", "ExecutionEnvironment"]

_MIB = 1024 * 1024
# Of the event loop, from an answer to its last byte on a socket.
_TURNS_TO_THE_CALLER = 2


class Environment(Protocol):
    """What the pool needs of an environment, of whichever kind."""

    @property
    def capacity(self) -> int:
        """Invocations at once."""

    @property
    def finishing(self) -> bool:
        """The caller is answered, the runtime is about to come back."""

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation to its end; `answered` is resolved as soon as the caller can be answered."""

    async def prepare(self) -> str | None:
        """Initialise before the first invocation; the log of what went wrong, or None."""

    async def close(self) -> None:
        """End the processes and remove what the environment owns."""


class ExecutionEnvironment:
    """One at a time. To be used by one task at a time, inside one event loop."""

    def __init__(self, configuration: FunctionConfiguration, guard: ProcessGuard) -> None:
        self.capacity = 1
        self.finishing = False
        self._configuration = configuration
        self._sandbox = Sandbox(configuration, guard)
        self._journal = self._sandbox.journal
        self._session: SingleSession | None = None
        self._life: RuntimeLife | None = None
        self._ending: Ending | None = None
        self._started_before = False

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation to its end, whatever the function does. Only cancellation gets out of it."""
        self.finishing = False
        request_id, configuration = invocation.request_id, self._configuration
        if self._life is not None and self._life.has_exited:
            await self._end_life("failure")  # it died while nobody asked anything of it
        first = None
        if not self._started_before:
            self._started_before = True
            first = await self._initialise(request_id, "init", time.monotonic() + configuration.init_limit_s)
        began_s = time.monotonic()
        deadline_s = began_s + configuration.timeout_s
        delivery = delivery_of(invocation, configuration.timeout_s)
        repeated = await self._initialise(request_id, "invoke", deadline_s) if self._life is None else None
        init_log = self._journal.log.take()
        progress = InvocationProgress(delivery)
        self._journal.write(
            platform_events.start(request_id, configuration.version, invocation.trace_header, invocation.tenant_id)
        )
        if isinstance(repeated, Failure):
            outcome = await self._fail(repeated, answered, progress, None)
        else:
            outcome = await self._handle(delivery, answered, progress, deadline_s)
        self._journal.end_lines()
        report = make_report(
            configuration,
            outcome,
            began_s=began_s,
            initialised=first if isinstance(first, Initialised) else None,
            peak_bytes=self._sandbox.peak_bytes,
        )
        self._journal.note(log_lines.end_line(request_id))
        self._journal.write(
            platform_events.report(
                request_id,
                report,
                outcome.event_status,
                spans=progress.spans_of_report(),
                trace_header=invocation.trace_header,
            )
        )
        if self._ending is not None:
            # Not before: extensions are told of the failure, and of its report, while they are still there.
            await self._end_life(self._ending)
            self._ending = None
        self.finishing = False
        return Completion(log=self._journal.log.take(), init_log=init_log, report=report, began_s=epoch_of(began_s))

    async def prepare(self) -> str | None:
        """Initialise now, and wait frozen. If that fails the log of it is returned, and the environment is no use."""
        self._started_before = True
        result = await self._initialise("", "init", time.monotonic() + self._configuration.init_limit_s)
        if isinstance(result, Failure):
            return self._journal.log.take() + result.log
        result.life.freeze()
        return None

    async def close(self) -> None:
        """End the processes as Lambda does an idle environment's, and remove `/tmp`.

        A running invocation has to be cancelled first.
        """
        try:
            await self._end_life("spindown")
        finally:
            self._sandbox.close()

    async def _initialise(self, request_id: str, phase: Phase, deadline_s: float) -> Initialised | Failure:
        happenings: asyncio.Queue[Happening] = asyncio.Queue()
        self._session = SingleSession(happenings.put_nowait)
        attempt = Attempt(request_id=request_id, phase=phase, deadline_s=deadline_s)
        result = await initialise(self._sandbox, self._session, happenings, attempt)
        if isinstance(result, Initialised):
            self._life = result.life
        return result

    async def _handle(
        self,
        delivery: Delivery,
        answered: "asyncio.Future[Answer]",
        progress: InvocationProgress,
        deadline_s: float,
    ) -> Outcome:
        """From the event's delivery until runtime and extensions are back, or to the process's end."""
        life, session = self._life, self._session
        assert life is not None
        assert session is not None
        limit_bytes = self._configuration.memory_mb * _MIB
        request_id = delivery.invocation.request_id
        frozen = False
        life.watch_memory(limit_bytes)
        life.thaw()
        session.deliver(delivery)
        life.extensions.invoke(delivery)
        while progress.runtime_back_at_s is None or not life.extensions.are_back:
            happening = await life.happening(deadline_s)
            happening = _over_memory(life, happening, limit_bytes) or happening
            match happening:
                case Answered():
                    progress.answered(happening)
                    self._answer(answered, happening.answer)
                    await _let_go()
                case StreamEnded():
                    progress.stream_ended(happening)
                    self.finishing = True
                case Ready(at_s=at_s):
                    if life.extensions.are_back:
                        life.freeze()
                        frozen = True
                    else:
                        life.drain()
                    self._journal.write_detail(progress.runtime_back(at_s))
                case ExtensionReady(at_s=at_s):
                    progress.extension_back(at_s)
                case Exited():
                    await self._take_last_messages(life, answered, progress)
            if (failure := await self._failure(life, request_id, happening)) is not None:
                return await self._fail(failure, answered, progress, "timeout" if happening is None else "failure")
        if not frozen:
            life.freeze()
        self._sandbox.measure(life)
        ended_at_s = progress.last_back_at_s
        if progress.error_type is None:
            return Outcome(ended_at_s=ended_at_s)
        return Outcome(ended_at_s=ended_at_s, status="error", event_status="error", error_type=progress.error_type)

    async def _failure(self, life: RuntimeLife, request_id: str, happening: Happening | None) -> Failure | None:
        """What this is the end of, if it is."""
        match happening:
            case Exited(status=status):
                return failures.crashed(request_id, status)
            case (ExtensionExited() | ExtensionFailed()) as failed:
                return await failure_of_extension(life, self._journal, request_id, failed)
            case OverMemory():
                return failures.over_memory(request_id)
            case None:
                return failures.timed_out(request_id, self._configuration.timeout_s)
            case _:
                return None

    def _answer(self, answered: "asyncio.Future[Answer]", answer: Answer) -> None:
        if not answered.done():
            answered.set_result(answer)
        self.finishing = answer.stream is None

    async def _fail(
        self,
        failure: Failure,
        answered: "asyncio.Future[Answer]",
        progress: InvocationProgress,
        ending: Ending | None,
    ) -> Outcome:
        """Answer the caller, if that is still to be done, and stop the runtime; the rest is ended after the report."""
        ended_at_s = time.monotonic()
        if progress.stream is not None:
            progress.stream.end(failure.for_stream())
        self._answer(answered, failure.answer)
        if ending is not None and self._life is not None:
            self._ending = ending
            self._sandbox.measure(self._life)
            await self._life.halt()
        self._journal.end_lines()
        self._journal.note(failure.log)
        error_type = failure.answer.error_type
        if (event := progress.runtime_gone(failure.event_status, error_type)) is not None:
            self._journal.write(event)
        return Outcome(
            ended_at_s=ended_at_s,
            status=failure.status,
            event_status=failure.event_status,
            error_type=error_type,
        )

    async def _take_last_messages(
        self, life: RuntimeLife, answered: "asyncio.Future[Answer]", progress: InvocationProgress
    ) -> None:
        """An answer that the process had sent before it died still counts."""
        await life.last_messages()
        for happening in life.left_over():
            if isinstance(happening, Answered):
                progress.answered(happening)
                self._answer(answered, happening.answer)
            elif isinstance(happening, StreamEnded):
                progress.stream_ended(happening)

    async def _end_life(self, reason: Ending) -> None:
        if self._life is not None:
            await self._sandbox.end(self._life, reason)
            self._life = None  # not before: whoever is cancelled in between leaves it to `close`


def _over_memory(life: RuntimeLife, happening: Happening | None, limit_bytes: int) -> OverMemory | None:
    """The samples may have missed a short peak; the kernel has not."""
    if isinstance(happening, Exited) or not life.memory.may_exceed(limit_bytes):
        return None
    peak_bytes = life.memory.peak_bytes()
    return OverMemory(resident_bytes=peak_bytes) if peak_bytes > limit_bytes else None


async def _let_go() -> None:
    """The caller first, then all that it does not wait for."""
    for _ in range(_TURNS_TO_THE_CALLER):
        await asyncio.sleep(0)
