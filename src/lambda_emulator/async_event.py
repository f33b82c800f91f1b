"""An asynchronous event on its way: accepted, run, decided. Values, and what its queue needs of the service."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from lambda_emulator.answer import Answer
from lambda_emulator.destination_document import Condition
from lambda_emulator.errors import LocalLambdaError
from lambda_emulator.function_name import FunctionName
from lambda_emulator.functions import Function, Target
from lambda_emulator.invocation import Invocation
from lambda_emulator.result import Completion

__all__ = ["EventNews", "EventOutcome", "NeverRan", "QueuedEvent", "Ran", "RetryPlanned", "Surroundings"]


class NeverRan(LocalLambdaError):  # noqa: N818 (it says what happened)
    """An asynchronous invocation has no log and no report: it was given up before its function ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """An accepted event."""

    name: FunctionName
    invocation: Invocation
    accepted_s: float
    chain: tuple[str, ...] = ()
    """Functions whose destinations have led here."""
    duplicate: bool = False
    """The second delivery of an event that was sent once."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One attempt that reached the function."""

    answer: Answer
    completion: Completion
    executed_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOutcome:
    """What became of an accepted event, for a test to read."""

    request_id: str
    function_arn: str
    """With its qualifier."""
    condition: Condition | Literal["FunctionDeleted", "RecursionStopped"]
    invoke_count: int
    payload: bytes = field(repr=False)
    response: bytes | None = field(repr=False, default=None)
    """Of the last attempt; None if there was none."""
    delivered: tuple[str, ...] = ()
    """ARNs of the dead-letter queue and destinations that took it."""
    undelivered: tuple[tuple[str, str], ...] = ()
    """ARNs of those that did not, each with the reason."""
    duplicate: bool = False
    """Of the second delivery of an event that was sent once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlanned:
    """An accepted event will be run again."""

    request_id: str
    function: str
    attempts: int
    """That have failed so far."""
    refused: bool
    """The function was not run: throttled, or its service would not."""
    in_s: float
    """Of the clock."""


EventNews: TypeAlias = EventOutcome | RetryPlanned


class Surroundings(Protocol):
    """What it needs of the service around it."""

    def function(self, name: FunctionName) -> Function:
        """The function, if it has that qualifier. Raises `ResourceNotFound`."""

    def target(self, name: FunctionName) -> Target:
        """The version that an invocation runs now; an alias chooses. Raises `ResourceNotFound`."""

    def reserved(self, function: str) -> int | None:
        """The function's reserved concurrency."""

    async def attempt(self, event: QueuedEvent, target: Target) -> Ran:
        """Run it once. Raises `InvokeError` when it is refused."""

    def turn(self, function: str) -> AbstractAsyncContextManager[object]:
        """Held during an attempt, so that a backlog waits in order."""

    def send_event(self, arn: str, payload: bytes, trace_header: str | None, chain: tuple[str, ...]) -> object:
        """Accept another one. Raises `InvokeError`."""
