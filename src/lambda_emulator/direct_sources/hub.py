"""Between one embedded AWS and the local Lambdas that were made with its clients. May be used from any thread.

The AWS side hands over events and says which schedules there are; the first local Lambda that has the function accepts
the event, and the first of all keeps the schedules on its clock.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lambda_emulator.direct_sources.schedules import Schedule
from lambda_emulator.errors import InvokeError, LocalLambdaError, ServiceClosed

__all__ = ["DirectSources", "NotHandedOver", "Receiver", "UndeliveredEvent"]

# What is kept for reading.
_KEPT: Final = 1_000


class NotHandedOver(LocalLambdaError):  # noqa: N818 (it says what happened)
    """No local Lambda has taken the event."""


@dataclass(frozen=True, slots=True)
class UndeliveredEvent:
    """An event that its target did not take, for a test to read."""

    source: str
    """The bucket, topic, rule or schedule, as its ARN."""
    target: str
    """ARN."""
    reason: str
    payload: str


class Receiver(Protocol):
    """One local Lambda. All may be called from any thread but that of its event loop."""

    def knows(self, function_arn: str) -> bool:
        """There is such a function, with that qualifier."""

    def accept(self, function_arn: str, payload: bytes, trace_header: str | None) -> None:
        """Run it asynchronously; the header is that of what caused it.

        Raises `InvokeError` where Lambda refuses, `ServiceClosed`.
        """

    def set_schedules(self, schedules: Sequence[Schedule]) -> None:
        """These and no others are to be kept from now on."""


class DirectSources:
    """One embedded AWS's side."""

    def __init__(self) -> None:
        self.undelivered: deque[UndeliveredEvent] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._keeping = threading.Lock()
        self._receivers: list[Receiver] = []
        self._schedules: list[Schedule] = []

    def attach(self, receiver: Receiver) -> None:
        """It takes part from now on."""
        with self._lock:
            self._receivers.append(receiver)
        self._keep()

    def detach(self, receiver: Receiver) -> None:
        """It takes part no longer. May be called again."""
        with self._lock:
            if receiver not in self._receivers:
                return
            self._receivers.remove(receiver)
        with contextlib.suppress(ServiceClosed):
            receiver.set_schedules(())  # before another one keeps them
        self._keep()

    def knows(self, function_arn: str) -> bool:
        """Whether any local Lambda has that function."""
        return any(receiver.knows(function_arn) for receiver in self._all())

    def hand_over(self, function_arn: str, payload: str, source: str, trace_header: str | None = None) -> None:
        """Give the event to the function; the header is that of the call that caused it.

        Raises `NotHandedOver`, and remembers that.
        """
        reason = "no local Lambda has this function"
        for receiver in self._all():
            try:
                if receiver.knows(function_arn):
                    receiver.accept(function_arn, payload.encode("utf-8", "surrogatepass"), trace_header)
                    return
            except ServiceClosed:
                continue
            except InvokeError as error:
                reason = error.message
                break
        self.missed(source, function_arn, reason, payload)
        raise NotHandedOver(reason)

    def missed(self, source: str, target: str, reason: str, payload: str) -> None:
        """Remember what could not be delivered."""
        self.undelivered.append(UndeliveredEvent(source, target, reason, payload))

    def set_schedules(self, schedules: Sequence[Schedule]) -> None:
        """These and no others are there from now on."""
        with self._lock:
            self._schedules = list(schedules)
        self._keep()

    def _keep(self) -> None:
        with self._keeping:  # whoever comes last passes on what is true then
            for number, receiver in enumerate(self._all()):
                with contextlib.suppress(ServiceClosed):
                    receiver.set_schedules(self._schedules if number == 0 else ())

    def _all(self) -> list[Receiver]:
        with self._lock:
            return list(self._receivers)
