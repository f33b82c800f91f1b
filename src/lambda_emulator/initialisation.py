"""Start the processes of an environment and wait until its runtime and its extensions ask for their first events, or
until it is clear that they never will.

The result is a running life, or a `Failure` with everything ended and cleaned up. What the platform has to say of it
goes to the journal here.
"""

import asyncio
import os
import time
from dataclasses import dataclass

from lambda_emulator import failure, platform_events
from lambda_emulator.external_extensions import LaunchFailed
from lambda_emulator.failure import Failure
from lambda_emulator.happenings import (
    Exited,
    ExtensionExited,
    ExtensionFailed,
    Happening,
    InitFailed,
    OverMemory,
    Ready,
    RestoreFailed,
    RestoreWanted,
)
from lambda_emulator.journal import Journal
from lambda_emulator.log_lines import extension_line
from lambda_emulator.platform_events import Phase
from lambda_emulator.runtime_life import ExtensionsFailed, RuntimeLife
from lambda_emulator.sandbox import Sandbox
from lambda_emulator.sessions import Session
from runtime import protocol

__all__ = ["Attempt", "Initialised", "failure_of_extension", "initialise"]

# A runtime or extension that has posted its error is about to exit; what it still logs belongs to the log.
_LAST_WORDS_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to initialise."""

    request_id: str
    """For the text of a failure."""
    phase: Phase
    deadline_s: float
    """Of `time.monotonic`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """It runs and waits for an event."""

    life: RuntimeLife
    init_ms: float
    restore_ms: float | None
    """Only with SnapStart: from the snapshot to the first /next."""


async def initialise(
    sandbox: Sandbox, session: Session, happenings: asyncio.Queue[Happening], attempt: Attempt
) -> Initialised | Failure:
    """One try, from the first process to the first /next."""
    configuration, journal = sandbox.configuration, sandbox.journal
    began_s = time.monotonic()
    journal.begin_life()
    journal.write(platform_events.init_start(configuration, attempt.phase, sandbox.log_stream))
    result = await _start(sandbox, session, happenings, attempt)
    duration_ms = (time.monotonic() - began_s) * 1000
    journal.end_lines()
    if isinstance(result, Failure):
        error_type = result.answer.error_type
        journal.write(platform_events.init_report(configuration, attempt.phase, result.status, duration_ms, error_type))
        return result
    life, restore_ms = result
    init_ms = duration_ms - (restore_ms or 0)
    for extension in life.extensions.registered:
        journal.write(platform_events.extension(extension, "Ready"))
    journal.write(platform_events.init_report(configuration, attempt.phase, "success", init_ms))
    journal.hub.close_subscriptions()
    return Initialised(life=life, init_ms=init_ms, restore_ms=restore_ms)


async def failure_of_extension(
    life: RuntimeLife, journal: Journal, request_id: str, happening: ExtensionExited | ExtensionFailed
) -> Failure:
    """What an extension has done to the environment."""
    if isinstance(happening, ExtensionExited):
        return failure.extension_died(request_id, happening.status)
    for extension in life.extensions.registered:
        if extension.name == happening.name:
            journal.write(platform_events.extension(extension, extension.state.value, extension.error_type))
    status = await life.extension_exit_within(happening.name, _LAST_WORDS_S)
    return failure.extension_failed(request_id, happening.error_type, status)


async def _start(
    sandbox: Sandbox, session: Session, happenings: asyncio.Queue[Happening], attempt: Attempt
) -> tuple[RuntimeLife, float | None] | Failure:
    try:
        life = await sandbox.start(session, happenings, deadline_s=attempt.deadline_s)
    except LaunchFailed as error:
        sandbox.journal.note(extension_line(error.name, "LaunchError", (), "UnknownError"))
        return failure.launch_failed(attempt.request_id, error.reason)
    except ExtensionsFailed as error:
        return _not_registered(sandbox, attempt, error.happening)
    except OSError as error:
        return _start_failed(sandbox, attempt.request_id, error)
    try:
        waiting = _Waiting(life, sandbox, session, attempt)
        result = await waiting.until_ready()
    except BaseException:
        await sandbox.end(life, "failure")
        raise
    if result is None:
        return life, waiting.restore_ms
    await sandbox.end(life, "failure" if result.status == "error" else "timeout")
    late = (failure.init_error(each.answer) for each in life.left_over() if isinstance(each, InitFailed))
    result = next(late, result)
    done = platform_events.init_runtime_done(
        sandbox.configuration, attempt.phase, result.event_status, result.answer.error_type
    )
    sandbox.journal.write(done)
    return result


class _Waiting:
    """For a life that has begun."""

    def __init__(self, life: RuntimeLife, sandbox: Sandbox, session: Session, attempt: Attempt) -> None:
        self.restore_ms: float | None = 0.0 if sandbox.configuration.snap_start else None
        self._life = life
        self._sandbox = sandbox
        self._session = session
        self._attempt = attempt
        self._restore_began_s: float | None = None

    async def until_ready(self) -> Failure | None:
        """None when runtime and extensions wait for their events."""
        runtime_is_ready = False
        while not (runtime_is_ready and self._life.extensions.are_initialised):
            match await self._life.happening(self._deadline_s):
                case None:
                    return self._timed_out()
                case Ready(at_s=at_s):
                    runtime_is_ready = True
                    self._runtime_done(at_s)
                case InitFailed(answer=answer) | RestoreFailed(answer=answer):
                    await self._life.exit_within(_LAST_WORDS_S)
                    return failure.init_error(answer)
                case Exited(status=status):
                    return failure.crashed(self._attempt.request_id, status)
                case OverMemory():
                    return failure.over_memory(self._attempt.request_id)
                case (ExtensionExited() | ExtensionFailed()) as failed:
                    return await failure_of_extension(
                        self._life, self._sandbox.journal, self._attempt.request_id, failed
                    )
                case RestoreWanted():
                    self._restore()
                case _:
                    pass
        return None

    @property
    def _deadline_s(self) -> float:
        if self._restore_began_s is None:
            return self._attempt.deadline_s
        return self._restore_began_s + self._sandbox.configuration.restore_timeout_s

    def _timed_out(self) -> Failure:
        configuration = self._sandbox.configuration
        if self._restore_began_s is not None:
            return failure.restore_timed_out(self._attempt.request_id, configuration.restore_timeout_s)
        return failure.timed_out(self._attempt.request_id, configuration.timeout_s)

    def _restore(self) -> None:
        """The snapshot is taken and restored at once; only the runtime's side of it takes time."""
        journal = self._sandbox.journal
        journal.write(platform_events.init_runtime_done(self._sandbox.configuration, self._attempt.phase, "success"))
        journal.write(platform_events.restore_start(self._sandbox.configuration, self._sandbox.log_stream))
        self._restore_began_s = time.monotonic()
        self._session.restored()

    def _runtime_done(self, at_s: float) -> None:
        self._life.drain()
        journal = self._sandbox.journal
        if self._restore_began_s is None:
            done = platform_events.init_runtime_done(self._sandbox.configuration, self._attempt.phase, "success")
            journal.write(done)
            return
        self.restore_ms = (at_s - self._restore_began_s) * 1000
        journal.write(platform_events.restore_runtime_done("success"))
        journal.write(platform_events.restore_report("success", self.restore_ms))


def _not_registered(sandbox: Sandbox, attempt: Attempt, happening: ExtensionExited | ExtensionFailed | None) -> Failure:
    """The runtime was never started."""
    match happening:
        case ExtensionExited(status=status):
            return failure.extension_died(attempt.request_id, status)
        case ExtensionFailed(error_type=error_type):
            return failure.extension_failed(attempt.request_id, error_type, None)
        case None:
            return failure.timed_out(attempt.request_id, sandbox.configuration.timeout_s)


def _start_failed(sandbox: Sandbox, request_id: str, error: OSError) -> Failure:
    """A missing folder is the working directory's fault, everything else the entry point's."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.filename == str(sandbox.configuration.task_root) or not sandbox.configuration.task_root.is_dir():
        text = f"chdir {sandbox.configuration.task_root}: {reason}"
        return failure.start_failed(request_id, "Runtime.InvalidWorkingDir", text)
    return failure.start_failed(request_id, protocol.INVALID_ENTRYPOINT, f"fork/exec {error.filename}: {reason}")
