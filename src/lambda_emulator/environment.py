"""One execution environment: initialised, invoked, frozen, reset, closed; one invocation at a time.

Rules:

- The first invocation initialises the environment before its own clock starts. If that fails or takes too long, it
  is done once more inside the invocation, within the function's timeout; so it is for every invocation that finds
  its process gone.
- The caller is answered at the runtime's `/response` or `/error`. The invocation ends at the following `/next`:
  until then it is timed, billed and measured, and then the process group is frozen.
- A process that times out, dies or outgrows its memory takes its group with it. The private `/tmp` stays until the
  environment is closed.
"""

import asyncio
import math
import time
import uuid
from dataclasses import dataclass
from typing import Literal, Protocol

from lambda_emulator import log_lines
from lambda_emulator.answer import Answer
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.happenings import Answered, Exited, Happening, OverMemory, Ready
from lambda_emulator.initialisation import Failure, crashed, initialise, over_memory, timed_out
from lambda_emulator.invocation import Delivery, Invocation
from lambda_emulator.result import Completion, Report
from lambda_emulator.runtime_life import RuntimeLife
from lambda_emulator.sandbox import Sandbox
from lambda_emulator.sessions import SingleSession

__all__ = ["Environment", "ExecutionEnvironment", "Outcome", "delivery_of", "make_report"]

_MIB = 1024 * 1024


class Environment(Protocol):
    """What the pool needs of an environment, of whichever kind."""

    capacity: int
    """Invocations at once."""
    finishing: bool
    """The caller is answered, the runtime is about to come back."""

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation to its end; `answered` is resolved as soon as the caller can be answered."""

    async def close(self, *, grace_s: float = 0) -> None:
        """End the process and remove what the environment owns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation ended."""

    ended_at_s: float
    """Of `time.monotonic`."""
    status: Literal["success", "error", "timeout"] = "success"
    error_type: str | None = None


class ExecutionEnvironment:
    """One at a time. To be used by one task at a time, inside one event loop."""

    def __init__(self, configuration: FunctionConfiguration) -> None:
        self.capacity = 1
        self.finishing = False
        self._configuration = configuration
        self._sandbox = Sandbox(configuration)
        self._log = self._sandbox.log
        self._session: SingleSession | None = None
        self._life: RuntimeLife | None = None
        self._started_before = False

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation to its end, whatever the function does. Only cancellation gets out of it."""
        self.finishing = False
        request_id, configuration = invocation.request_id, self._configuration
        if self._life is not None and self._life.has_exited:
            await self._end_life()  # it died while nobody asked anything of it
        init_ms = None
        if not self._started_before:
            self._started_before = True
            init_ms = await self._first_initialisation(request_id)
        began_s = time.monotonic()
        deadline_s = began_s + configuration.timeout_s
        delivery = delivery_of(invocation, configuration.timeout_s)
        failure = await self._repeated_initialisation(request_id, deadline_s) if self._life is None else None
        init_log = self._log.take()
        self._log.line(log_lines.start_line(request_id, configuration.version))
        if failure is None:
            outcome = await self._handle(delivery, answered, deadline_s)
        else:
            outcome = self._fail(failure, answered)
        report = make_report(
            configuration, outcome, began_s=began_s, init_ms=init_ms, peak_bytes=self._sandbox.peak_bytes
        )
        self._log.line(log_lines.end_line(request_id))
        self._log.line(log_lines.report_line(request_id, report))
        self.finishing = False
        return Completion(log=self._log.take(), init_log=init_log, report=report)

    async def close(self, *, grace_s: float = 0) -> None:
        """End the process and remove `/tmp`. A running invocation has to be cancelled first."""
        await self._end_life(grace_s=grace_s)
        self._sandbox.close()

    async def _first_initialisation(self, request_id: str) -> float | None:
        """Its duration in milliseconds; None if it failed and is to be repeated."""
        self._log.line(log_lines.init_start_line(self._configuration.region))
        began_s = time.monotonic()
        failure = await self._initialise(request_id, began_s + self._configuration.init_timeout_s)
        duration_ms = (time.monotonic() - began_s) * 1000
        if failure is None:
            return duration_ms
        self._report_failed_init(failure, "init", duration_ms)
        return None

    async def _repeated_initialisation(self, request_id: str, deadline_s: float) -> Failure | None:
        began_s = time.monotonic()
        failure = await self._initialise(request_id, deadline_s)
        if failure is not None:
            self._report_failed_init(failure, "invoke", (time.monotonic() - began_s) * 1000)
        return failure

    async def _initialise(self, request_id: str, deadline_s: float) -> Failure | None:
        happenings: asyncio.Queue[Happening] = asyncio.Queue()
        self._session = SingleSession(happenings.put_nowait)
        result = await initialise(
            self._sandbox, self._session, happenings, request_id=request_id, deadline_s=deadline_s
        )
        if isinstance(result, Failure):
            return result
        self._life = result
        return None

    def _report_failed_init(self, failure: Failure, phase: Literal["init", "invoke"], duration_ms: float) -> None:
        error_type = failure.answer.error_type
        self._log.line(log_lines.init_report_line(duration_ms, phase, failure.status, error_type))

    async def _handle(self, delivery: Delivery, answered: "asyncio.Future[Answer]", deadline_s: float) -> Outcome:
        """From the event's delivery to the following `/next`, or to the process's end."""
        life, session = self._life, self._session
        assert life is not None
        assert session is not None
        limit_bytes = self._configuration.memory_mb * _MIB
        request_id = delivery.invocation.request_id
        life.watch_memory(limit_bytes)
        life.thaw()
        session.deliver(delivery)
        error_type = None
        while True:
            happening = await life.happening(deadline_s)
            # The samples may have missed a short peak; the kernel has not.
            if not isinstance(happening, Exited) and life.memory.peak_bytes() > limit_bytes:
                happening = OverMemory(resident_bytes=life.memory.peak_bytes())
            match happening:
                case Answered(answer=answer):
                    error_type = answer.error_type
                    self._answer(answered, answer)
                case Ready(at_s=at_s):
                    life.freeze()
                    self._sandbox.measure(life)
                    return Outcome(ended_at_s=at_s, status="error" if error_type else "success", error_type=error_type)
                case Exited(status=status):
                    await self._end_life(answered)
                    return self._fail(crashed(request_id, status), answered)
                case OverMemory():
                    await self._end_life()
                    return self._fail(over_memory(request_id), answered)
                case None:
                    await self._end_life()
                    return self._fail(timed_out(request_id, self._configuration.timeout_s), answered)

    def _answer(self, answered: "asyncio.Future[Answer]", answer: Answer) -> None:
        if not answered.done():
            answered.set_result(answer)
        self.finishing = True

    def _fail(self, failure: Failure, answered: "asyncio.Future[Answer]") -> Outcome:
        self._log.line(failure.log)
        self._answer(answered, failure.answer)
        return Outcome(ended_at_s=time.monotonic(), status=failure.status, error_type=failure.answer.error_type)

    async def _end_life(self, answered: "asyncio.Future[Answer] | None" = None, *, grace_s: float = 0) -> None:
        """End the process. An answer that it had sent before it died still counts."""
        life = self._life
        if life is None:
            return
        await self._sandbox.end(life, grace_s=grace_s)
        self._life = None  # not before: whoever is cancelled in between leaves it to `close`
        for happening in life.left_over():
            if isinstance(happening, Answered) and answered is not None:
                self._answer(answered, happening.answer)


def delivery_of(invocation: Invocation, timeout_s: float) -> Delivery:
    """An attempt that begins now: its deadline, and a nonce of its own."""
    deadline_ms = math.floor((time.time() + timeout_s) * 1000)
    return Delivery(invocation=invocation, nonce=str(uuid.uuid4()), deadline_ms=deadline_ms)


def make_report(
    configuration: FunctionConfiguration,
    outcome: Outcome,
    *,
    began_s: float,
    init_ms: float | None,
    peak_bytes: int,
) -> Report:
    """The figures: milliseconds billed are whole ones, begun ones count."""
    duration_ms = max(0.0, outcome.ended_at_s - began_s) * 1000
    return Report(
        duration_ms=round(duration_ms, 2),
        billed_ms=max(1, math.ceil(duration_ms)),
        memory_mb=configuration.memory_mb,
        max_memory_mb=math.ceil(peak_bytes / _MIB),
        init_ms=None if init_ms is None else round(init_ms, 2),
        status=outcome.status,
        error_type=outcome.error_type,
    )
