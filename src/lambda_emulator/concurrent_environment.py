"""An execution environment in which several invocations are open at once, as on managed instances.

Rules: an answer ends its invocation, for there is no state per worker; a timeout kills nothing, the worker goes on
and its late answer is refused; the environment is never frozen; it ends when its main process or an extension does,
and takes all open invocations with it. Whose output is whose is decided line by line (`shared_log`).
"""

import asyncio
import contextlib
import time

from lambda_emulator import failure as failures
from lambda_emulator import faults, log_lines, platform_events
from lambda_emulator.answer import Answer
from lambda_emulator.failure import Failure
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.happenings import Answered, Exited, ExtensionExited, ExtensionFailed, Happening, OverMemory
from lambda_emulator.initialisation import Attempt, Initialised, failure_of_extension, initialise
from lambda_emulator.invocation import Delivery, Invocation
from lambda_emulator.invocation_figures import Outcome, delivery_of, epoch_of, make_report
from lambda_emulator.invocation_progress import InvocationProgress
from lambda_emulator.process_guard import ProcessGuard
from lambda_emulator.result import Completion
from lambda_emulator.runtime_life import RuntimeLife
from lambda_emulator.sandbox import Sandbox
from lambda_emulator.sessions import ConcurrentSession, NoIdleWorker
from lambda_emulator.shared_log import SharedLog

__all__ = ["ConcurrentEnvironment"]

# A worker that has just answered, or just been started, is given so long to ask for an event.
_ALMOST_IDLE_S = 0.5


class ConcurrentEnvironment:
    """Up to `max_concurrency` tasks may be in `run` at once, all of one event loop."""

    def __init__(self, configuration: FunctionConfiguration, guard: ProcessGuard) -> None:
        self.capacity = configuration.max_concurrency or 1
        self.finishing = False
        self._configuration = configuration
        self._sandbox = Sandbox(configuration, guard)
        self._journal = self._sandbox.journal
        self._journal.log = self._log = SharedLog()
        self._starting = asyncio.Lock()
        self._session: ConcurrentSession | None = None
        self._life: RuntimeLife | None = None
        self._dying: RuntimeLife | None = None
        self._pump: asyncio.Task[None] | None = None
        self._open: dict[str, asyncio.Future[Answer | Failure]] = {}

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation to its answer, its deadline, or the environment's end."""
        request_id, configuration = invocation.request_id, self._configuration
        initialised, init_log = await self._ensure_started(request_id)
        began_s = time.monotonic()
        delivery = delivery_of(invocation, configuration.timeout_s)
        progress = InvocationProgress(delivery)
        with self._log.opened(request_id) as log:
            self._journal.write(
                platform_events.start(request_id, configuration.version, invocation.trace_header, invocation.tenant_id),
                log,
            )
            outcome: Outcome | Failure
            if isinstance(initialised, Failure):
                outcome = self._failed(initialised, answered, progress)
            else:
                outcome = await self._outcome(delivery, answered, progress)
            if self._life is not None:
                self._life.drain()
                self._sandbox.measure(self._life)
        if isinstance(outcome, Failure):
            self._journal.note(outcome.log, log)
            if (event := progress.runtime_gone(outcome.event_status, outcome.answer.error_type)) is not None:
                self._journal.write(event, log)
            outcome = Outcome(
                ended_at_s=time.monotonic(),
                status=outcome.status,
                event_status=outcome.event_status,
                error_type=outcome.answer.error_type,
            )
        else:
            self._journal.write_detail(progress.runtime_back(outcome.ended_at_s), log)
        report = make_report(
            configuration,
            outcome,
            began_s=began_s,
            initialised=initialised if isinstance(initialised, Initialised) else None,
            peak_bytes=self._sandbox.peak_bytes,
        )
        self._journal.note(log_lines.end_line(request_id), log)
        self._journal.write(
            platform_events.report(request_id, report, outcome.event_status, trace_header=invocation.trace_header),
            log,
        )
        return Completion(log=log.take(), init_log=init_log, report=report, began_s=epoch_of(began_s))

    async def prepare(self) -> str | None:
        """Initialise now; the log of what went wrong, or None."""
        result, log = await self._ensure_started("")
        return log + result.log if isinstance(result, Failure) else None

    async def close(self) -> None:
        """End the processes and remove `/tmp`."""
        if self._pump is not None:
            self._pump.cancel()
        try:
            if self._dying is not None:
                await self._sandbox.end(self._dying, "failure")
            if self._life is not None:
                await self._sandbox.end(self._life, "spindown")
        finally:
            self._sandbox.close()

    async def _ensure_started(self, request_id: str) -> tuple[Initialised | Failure | None, str]:
        """Initialise unless that is done; what came of it, and the log, are the first caller's."""
        async with self._starting:
            if self._life is not None:
                return None, ""
            happenings: asyncio.Queue[Happening] = asyncio.Queue()
            self._session = ConcurrentSession(happenings.put_nowait)
            deadline_s = time.monotonic() + self._configuration.init_limit_s
            attempt = Attempt(request_id=request_id, phase="init", deadline_s=deadline_s)
            result = await initialise(self._sandbox, self._session, happenings, attempt)
            if isinstance(result, Initialised):
                self._life = result.life
                self._pump = asyncio.get_running_loop().create_task(self._hand_on(result.life))
            return result, self._log.take()

    async def _outcome(
        self, delivery: Delivery, answered: "asyncio.Future[Answer]", progress: InvocationProgress
    ) -> Outcome | Failure:
        """From an idle worker to the end of its answer."""
        session, request_id = self._session, delivery.invocation.request_id
        assert session is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ALMOST_IDLE_S):
                await session.worker()
        waiting = self._open[request_id] = asyncio.get_running_loop().create_future()
        try:
            session.deliver(delivery)
            async with asyncio.timeout(self._configuration.timeout_s):
                answer = await waiting
                if isinstance(answer, Failure):
                    return self._failed(answer, answered, progress)
                if not answered.done():
                    answered.set_result(answer)
                if answer.stream is not None:
                    await answer.stream.wait_until_ended()
        except NoIdleWorker:
            answer = faults.unavailable(request_id)
            answered.set_result(answer)
        except TimeoutError:
            session.expire(request_id)
            failure = failures.timed_out(request_id, self._configuration.timeout_s)
            return self._failed(failure, answered, progress)
        finally:
            del self._open[request_id]
        error_type = answer.error_type
        if answer.stream is not None and answer.stream.failure is not None:
            error_type = answer.stream.failure.error_type
        now_s = time.monotonic()
        progress.answered(Answered(request_id=request_id, answer=answer, began_s=now_s, ended_s=now_s))
        progress.error_type = error_type
        if error_type is None:
            return Outcome(ended_at_s=time.monotonic())
        return Outcome(ended_at_s=time.monotonic(), status="error", event_status="error", error_type=error_type)

    def _failed(self, failure: Failure, answered: "asyncio.Future[Answer]", progress: InvocationProgress) -> Failure:
        if not answered.done():
            answered.set_result(failure.answer)
        elif (stream := answered.result().stream) is not None:
            progress.stream = stream
            stream.end(failure.for_stream())
        return failure

    async def _hand_on(self, life: RuntimeLife) -> None:
        """Take answers to those who wait for them, until a process is gone."""
        while True:
            happening = await life.happening(None)
            match happening:
                case Answered(request_id=request_id, answer=answer):
                    self._resolve(request_id, answer)
                case Exited() | OverMemory() | ExtensionExited() | ExtensionFailed():
                    return await self._fail_all(life, happening)
                case _:
                    pass

    async def _fail_all(
        self, life: RuntimeLife, cause: Exited | OverMemory | ExtensionExited | ExtensionFailed
    ) -> None:
        # Whoever comes from now on starts another life.
        self._dying, self._life = life, None
        await life.last_messages()
        for happening in life.left_over():
            if isinstance(happening, Answered):
                self._resolve(happening.request_id, happening.answer)
        for request_id in list(self._open):
            match cause:
                case Exited(status=status):
                    failure = failures.crashed(request_id, status)
                case OverMemory():
                    failure = failures.over_memory(request_id)
                case _:
                    failure = await failure_of_extension(life, self._journal, request_id, cause)
            self._resolve(request_id, failure)
        await self._sandbox.end(life, "failure")
        self._dying = None

    def _resolve(self, request_id: str, answer: Answer | Failure) -> None:
        waiting = self._open.get(request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
