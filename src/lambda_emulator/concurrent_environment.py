"""An execution environment in which several invocations are open at once, as on managed instances.

Rules: an answer ends its invocation, for there is no state per worker; a timeout kills nothing, the worker goes on
and its late answer is refused; the environment is never frozen; it ends when its main process does, and takes all
open invocations with it. Output cannot be told apart by invocation: each one's log holds what was written while it
was open, so lines of others may be among it, and what came while none was.
"""

import asyncio
import contextlib
import time

from lambda_emulator import faults, log_lines
from lambda_emulator.answer import Answer
from lambda_emulator.environment import Outcome, delivery_of, make_report
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.happenings import Answered, Exited, Happening, OverMemory
from lambda_emulator.initialisation import KILLED, Failure, initialise, timed_out
from lambda_emulator.invocation import Invocation
from lambda_emulator.log_lines import LogBuffer
from lambda_emulator.result import Completion
from lambda_emulator.runtime_life import RuntimeLife
from lambda_emulator.sandbox import Sandbox
from lambda_emulator.sessions import ConcurrentSession, NoIdleWorker
from runtime import protocol

__all__ = ["ConcurrentEnvironment"]

# A worker that has just answered, or just been started, is given so long to ask for an event.
_ALMOST_IDLE_S = 0.5


class ConcurrentEnvironment:
    """Up to `max_concurrency` tasks may be in `run` at once, all of one event loop."""

    def __init__(self, configuration: FunctionConfiguration) -> None:
        self.capacity = configuration.max_concurrency or 1
        self.finishing = False
        self._configuration = configuration
        self._sandbox = Sandbox(configuration)
        self._sandbox.log = self._log = _SharedLog()
        self._starting = asyncio.Lock()
        self._session: ConcurrentSession | None = None
        self._life: RuntimeLife | None = None
        self._pump: asyncio.Task[None] | None = None
        self._open: dict[str, asyncio.Future[Answer]] = {}

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation to its answer, its deadline, or the environment's end."""
        request_id = invocation.request_id
        init_ms, failure, init_log = await self._ensure_started(request_id)
        began_s = time.monotonic()
        log = self._log.opened(log_lines.start_line(request_id, self._configuration.version))
        try:
            answer, failure = await self._answer_to(invocation) if failure is None else (failure.answer, failure)
        finally:
            self._log.closed(log)
        if not answered.done():
            answered.set_result(answer)
        if self._life is not None:
            self._sandbox.measure(self._life)
        status = failure.status if failure else "error" if answer.error_type else "success"
        outcome = Outcome(ended_at_s=time.monotonic(), status=status, error_type=answer.error_type)
        report = make_report(
            self._configuration, outcome, began_s=began_s, init_ms=init_ms, peak_bytes=self._sandbox.peak_bytes
        )
        if failure:
            log.line(failure.log)
        log.line(log_lines.end_line(request_id))
        log.line(log_lines.report_line(request_id, report))
        return Completion(log=log.take(), init_log=init_log, report=report)

    async def close(self, *, grace_s: float = 0) -> None:
        """End the process and remove `/tmp`."""
        if self._pump is not None:
            self._pump.cancel()
        await self._end_life(grace_s=grace_s)
        self._sandbox.close()

    async def _ensure_started(self, request_id: str) -> tuple[float | None, Failure | None, str]:
        """Initialise unless that is done; the duration and the log are the first caller's."""
        async with self._starting:
            if self._life is not None:
                return None, None, ""
            log = self._log.opened(log_lines.init_start_line(self._configuration.region))
            began_s = time.monotonic()
            happenings: asyncio.Queue[Happening] = asyncio.Queue()
            self._session = ConcurrentSession(happenings.put_nowait)
            deadline_s = began_s + self._configuration.init_timeout_s
            result = await initialise(
                self._sandbox, self._session, happenings, request_id=request_id, deadline_s=deadline_s
            )
            duration_ms = (time.monotonic() - began_s) * 1000
            self._log.closed(log)
            if isinstance(result, Failure):
                error_type = result.answer.error_type
                log.line(log_lines.init_report_line(duration_ms, "init", result.status, error_type))
                return None, result, log.take()
            self._life = result
            self._pump = asyncio.get_running_loop().create_task(self._hand_on(result))
            return duration_ms, None, log.take()

    async def _answer_to(self, invocation: Invocation) -> tuple[Answer, Failure | None]:
        session, request_id, timeout_s = self._session, invocation.request_id, self._configuration.timeout_s
        assert session is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ALMOST_IDLE_S):
                await session.worker()
        try:
            session.deliver(delivery_of(invocation, timeout_s))
        except NoIdleWorker:
            return faults.unavailable(request_id), None
        answer = self._open[request_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                return await answer, None
        except TimeoutError:
            session.expire(request_id)
            failure = timed_out(request_id, timeout_s)
            return failure.answer, failure
        finally:
            del self._open[request_id]

    async def _hand_on(self, life: RuntimeLife) -> None:
        """Take answers to those who wait for them, until the process is gone."""
        while True:
            match await life.happening(None):
                case Answered(request_id=request_id, answer=answer):
                    self._resolve(request_id, answer)
                case Exited(status=status):
                    return await self._fail_all(status.reason, protocol.EXIT_ERROR)
                case OverMemory():
                    return await self._fail_all(KILLED.reason, protocol.OUT_OF_MEMORY)
                case _:
                    pass

    async def _fail_all(self, reason: str, error_type: str) -> None:
        life = self._life
        await self._end_life()
        for happening in life.left_over() if life else ():
            if isinstance(happening, Answered):
                self._resolve(happening.request_id, happening.answer)
        for request_id in list(self._open):
            self._resolve(request_id, faults.exited(request_id, reason, error_type))

    def _resolve(self, request_id: str, answer: Answer) -> None:
        waiting = self._open.get(request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _end_life(self, *, grace_s: float = 0) -> None:
        if self._life is not None:
            await self._sandbox.end(self._life, grace_s=grace_s)
            self._life = None


class _SharedLog(LogBuffer):
    """Output goes to every log that is open; what comes while there is none waits for the next."""

    def __init__(self) -> None:
        super().__init__()
        self._logs: list[LogBuffer] = []

    def opened(self, first_line: str) -> LogBuffer:
        log = LogBuffer()
        log.line(first_line)
        log.output(self.take().encode())
        self._logs.append(log)
        return log

    def closed(self, log: LogBuffer) -> None:
        self._logs = [each for each in self._logs if each is not log]

    def output(self, data: bytes) -> None:
        if not self._logs:
            super().output(data)
        for log in self._logs:
            log.output(data)
