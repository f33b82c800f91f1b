"""What can happen to an execution environment while it waits for its process. Values only.

The Runtime API's session and the process report; the environment reads them in order and decides.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lambda_emulator.answer import Answer
from lambda_emulator.answer_stream import AnswerStream
from lambda_emulator.process import ExitStatus

__all__ = [
    "Answered",
    "Exited",
    "ExtensionExited",
    "ExtensionFailed",
    "ExtensionReady",
    "ExtensionRegistered",
    "Happening",
    "InitFailed",
    "OverMemory",
    "Ready",
    "RestoreFailed",
    "RestoreWanted",
    "StreamEnded",
]


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
    began_s: float = 0.0
    """When its first byte was there, of `time.monotonic`."""
    ended_s: float = 0.0
    """When all of it was there; of no meaning for a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnded:
    """The answer that was given as a stream is complete, or has failed."""

    request_id: str
    stream: AnswerStream
    at_s: float
    """Of `time.monotonic`."""


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
    """The runtime's process is gone."""

    status: ExitStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OverMemory:
    """The process group holds more than the function's memory."""

    resident_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRegistered:
    """An extension has registered."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionReady:
    """An extension asks for an event: initialised, or done with the one it had."""

    name: str
    at_s: float
    """Of `time.monotonic`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFailed:
    """An extension has posted an error; there is no way back from it."""

    name: str
    error_type: str
    """`Extension.InitError` or `Extension.ExitError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionExited:
    """The process of an external extension is gone."""

    name: str
    status: ExitStatus


Happening: TypeAlias = (
    Ready
    | Answered
    | StreamEnded
    | InitFailed
    | RestoreWanted
    | RestoreFailed
    | Exited
    | OverMemory
    | ExtensionRegistered
    | ExtensionReady
    | ExtensionFailed
    | ExtensionExited
)
