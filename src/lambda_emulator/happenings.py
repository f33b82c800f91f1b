"""What can happen to an execution environment while it waits for its process. Values only.

The Runtime API's session and the process report; the environment reads them in order and decides.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lambda_emulator.answer import Answer
from lambda_emulator.process import ExitStatus

__all__ = ["Answered", "Exited", "Happening", "InitFailed", "OverMemory", "Ready", "RestoreFailed", "RestoreWanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The runtime asks for an event: initialised, or done with the one it had."""

    at_s: float
    """Of `time.monotonic`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The runtime has posted a response or an error, or something that had to be taken as one."""

    request_id: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class InitFailed:
    """The runtime has posted an initialisation error."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreWanted:
    """SnapStart: the runtime is ready for its snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreFailed:
    """SnapStart: the runtime's hooks failed after the restore."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """The process is gone."""

    status: ExitStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OverMemory:
    """The process group holds more than the function's memory."""

    resident_bytes: int


Happening: TypeAlias = Ready | Answered | InitFailed | RestoreWanted | RestoreFailed | Exited | OverMemory
