"""How an initialisation or an invocation goes wrong: the caller's answer and the platform's lines. Values only."""

from dataclasses import dataclass
from typing import Literal

from lambda_emulator import faults, log_lines
from lambda_emulator.answer import Answer
from lambda_emulator.answer_stream import StreamFailure
from lambda_emulator.process import ExitStatus
from runtime import protocol

__all__ = [
    "KILLED",
    "Failure",
    "crashed",
    "extension_died",
    "extension_failed",
    "init_error",
    "launch_failed",
    "over_memory",
    "restore_timed_out",
    "start_failed",
    "timed_out",
]

KILLED = ExitStatus(-9)
"""How a process ends that the platform has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the caller gets, and what is written."""

    answer: Answer
    status: Literal["error", "timeout"]
    log: str = ""
    """What the platform writes about it in text logs."""
    crash: bool = False
    """A process went away: subscribers read `failure` instead of `error`."""

    @property
    def event_status(self) -> str:
        """As the records of events have it."""
        return "failure" if self.crash else self.status

    def for_stream(self) -> StreamFailure:
        """For a caller who has read a part of the response already: whatever ended the runtime, it is cut off."""
        if self.crash and self.answer.error_type in (protocol.EXIT_ERROR, protocol.OUT_OF_MEMORY):
            return StreamFailure(error_type=protocol.TRUNCATED_RESPONSE, document=faults.truncated().payload)
        return StreamFailure(
            error_type=self.answer.error_type or protocol.RUNTIME_UNKNOWN, document=self.answer.payload
        )


def timed_out(request_id: str, timeout_s: float) -> Failure:
    """The deadline came first."""
    return Failure(
        answer=faults.timed_out(request_id, timeout_s),
        status="timeout",
        log=log_lines.timeout_line(request_id, timeout_s),
    )


def crashed(request_id: str, status: ExitStatus) -> Failure:
    """The runtime's process went away."""
    answer = faults.exited(request_id, status.reason)
    log = log_lines.crash_line(request_id, status.reason, protocol.EXIT_ERROR)
    return Failure(answer=answer, status="error", log=log, crash=True)


def over_memory(request_id: str) -> Failure:
    """The process was killed for its memory. The caller cannot tell it from another kill; the log can."""
    answer = faults.exited(request_id, KILLED.reason, protocol.OUT_OF_MEMORY)
    log = log_lines.crash_line(request_id, KILLED.reason, protocol.OUT_OF_MEMORY)
    return Failure(answer=answer, status="error", log=log, crash=True)


def init_error(answer: Answer) -> Failure:
    """The runtime has said what is wrong."""
    return Failure(answer=answer, status="error")


def start_failed(request_id: str, error_type: str, reason: str) -> Failure:
    """There is no runtime to start."""
    answer = faults.start_failed(request_id, error_type, reason)
    return Failure(answer=answer, status="error", log=log_lines.crash_line(request_id, reason, error_type))


def restore_timed_out(request_id: str, timeout_s: float) -> Failure:
    """SnapStart: restore and hooks took too long. The service's caller is answered by a 408 besides."""
    reason = f"Restore and after-restore hooks took longer than {timeout_s:.2f} seconds"
    answer = faults.start_failed(request_id, protocol.RESTORE_HOOK_TIMEOUT, reason)
    return Failure(
        answer=answer,
        status="timeout",
        log=log_lines.crash_line(request_id, reason, protocol.RESTORE_HOOK_TIMEOUT),
    )


def launch_failed(request_id: str, reason: str) -> Failure:
    """An extension is no program."""
    return _of_extension(request_id, "Extension.LaunchError", reason)


def extension_died(request_id: str, status: ExitStatus) -> Failure:
    """An extension's process went away."""
    return _of_extension(request_id, "Extension.Crash", status.extension_reason)


def extension_failed(request_id: str, error_type: str, status: ExitStatus | None) -> Failure:
    """An extension has posted an error. The service's sentence names the exit that follows, not the error."""
    return _of_extension(request_id, error_type, (status or ExitStatus(0)).extension_reason)


def _of_extension(request_id: str, error_type: str, reason: str) -> Failure:
    answer = faults.start_failed(request_id, error_type, reason)
    log = log_lines.crash_line(request_id, reason, error_type)
    return Failure(answer=answer, status="error", log=log, crash=True)
