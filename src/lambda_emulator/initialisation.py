"""Start a process and wait until its runtime asks for the first event, or until it is clear that it never will.

The result is a running life, or a `Failure` with the process ended and cleaned up.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Literal

from lambda_emulator import faults, log_lines
from lambda_emulator.answer import Answer
from lambda_emulator.happenings import (
    Exited,
    Happening,
    InitFailed,
    OverMemory,
    Ready,
    RestoreFailed,
    RestoreWanted,
)
from lambda_emulator.process import ExitStatus
from lambda_emulator.runtime_life import RuntimeLife
from lambda_emulator.sandbox import Sandbox
from lambda_emulator.sessions import Session
from runtime import protocol

__all__ = ["KILLED", "Failure", "crashed", "initialise", "over_memory", "timed_out"]

KILLED = ExitStatus(-9)
"""How a process ends that the platform has ended."""
# A runtime that has posted its error is about to exit; what it still logs on the way belongs to the log.
_LAST_WORDS_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How an initialisation or an invocation went wrong."""

    answer: Answer
    status: Literal["error", "timeout"]
    log: str = ""
    """What the platform writes about it."""


def timed_out(request_id: str, timeout_s: float) -> Failure:
    """The deadline came first."""
    return Failure(
        answer=faults.timed_out(request_id, timeout_s),
        status="timeout",
        log=log_lines.timeout_line(request_id, timeout_s),
    )


def crashed(request_id: str, status: ExitStatus) -> Failure:
    """The process went away."""
    answer = faults.exited(request_id, status.reason)
    log = log_lines.crash_line(request_id, status.reason, protocol.EXIT_ERROR)
    return Failure(answer=answer, status="error", log=log)


def over_memory(request_id: str) -> Failure:
    """The process was killed for its memory. The caller cannot tell it from another kill; the log can."""
    answer = faults.exited(request_id, KILLED.reason, protocol.OUT_OF_MEMORY)
    log = log_lines.crash_line(request_id, KILLED.reason, protocol.OUT_OF_MEMORY)
    return Failure(answer=answer, status="error", log=log)


async def initialise(
    sandbox: Sandbox, session: Session, happenings: asyncio.Queue[Happening], *, request_id: str, deadline_s: float
) -> RuntimeLife | Failure:
    """Start a life. `deadline_s` is of `time.monotonic`; `request_id` is for the fault's text."""
    try:
        life = await sandbox.start(session, happenings)
    except OSError as error:
        return _start_failed(sandbox, request_id, error)
    try:
        failure = await _wait_until_ready(life, sandbox, session, request_id, deadline_s)
    except BaseException:
        await sandbox.end(life)
        raise
    if failure is None:
        return life
    await sandbox.end(life)
    return next((_init_error(late.answer) for late in life.left_over() if isinstance(late, InitFailed)), failure)


async def _wait_until_ready(
    life: RuntimeLife, sandbox: Sandbox, session: Session, request_id: str, deadline_s: float
) -> Failure | None:
    while True:
        match await life.happening(deadline_s):
            case None:
                return timed_out(request_id, sandbox.configuration.timeout_s)
            case Ready():
                return None
            case InitFailed(answer=answer) | RestoreFailed(answer=answer):
                await life.exit_within(_LAST_WORDS_S)
                return _init_error(answer)
            case Exited(status=status):
                return crashed(request_id, status)
            case OverMemory():
                return over_memory(request_id)
            case RestoreWanted():
                session.restored()


def _init_error(answer: Answer) -> Failure:
    return Failure(answer=answer, status="error")


def _start_failed(sandbox: Sandbox, request_id: str, error: OSError) -> Failure:
    """A missing folder is the working directory's fault, everything else the entry point's."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.filename == str(sandbox.configuration.task_root) or not sandbox.configuration.task_root.is_dir():
        error_type, text = "Runtime.InvalidWorkingDir", f"chdir {sandbox.configuration.task_root}: {reason}"
    else:
        error_type, text = protocol.INVALID_ENTRYPOINT, f"fork/exec {error.filename}: {reason}"
    answer = faults.start_failed(request_id, error_type, text)
    return Failure(answer=answer, status="error", log=log_lines.crash_line(request_id, text, error_type))
