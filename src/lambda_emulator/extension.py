"""One extension as the platform sees it: what it may do when, as a table, and the event that waits for it.

A pair of state and call that the table lacks is refused; the refusal's text is made of that failed look-up.
"""

import uuid
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from lambda_emulator.refusals import Refusal
from lambda_emulator.waiting import Signal, either
from runtime import protocol

__all__ = ["TRANSITIONS", "Extension", "ExtensionMove", "ExtensionState"]


class ExtensionState(Enum):
    """Named as refusals and log lines name them."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"


class ExtensionMove(Enum):
    """What moves an extension; the value is the state that a refusal says was tried for."""

    REGISTER = "Registered"
    NEXT = "Ready"
    DELIVER = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "Exited"


_S, _M = ExtensionState, ExtensionMove
TRANSITIONS: Mapping[tuple[ExtensionState, ExtensionMove], ExtensionState] = MappingProxyType(
    {
        (_S.STARTED, _M.REGISTER): _S.REGISTERED,
        (_S.REGISTERED, _M.NEXT): _S.READY,
        (_S.REGISTERED, _M.INIT_ERROR): _S.INIT_ERROR,
        (_S.REGISTERED, _M.EXIT_ERROR): _S.EXIT_ERROR,
        (_S.READY, _M.DELIVER): _S.RUNNING,
        (_S.READY, _M.EXIT_ERROR): _S.EXIT_ERROR,
        (_S.RUNNING, _M.NEXT): _S.READY,
        (_S.RUNNING, _M.EXIT_ERROR): _S.EXIT_ERROR,
        # May be said twice; only the first counts.
        (_S.INIT_ERROR, _M.INIT_ERROR): _S.INIT_ERROR,
        (_S.EXIT_ERROR, _M.EXIT_ERROR): _S.EXIT_ERROR,
    }
)


class Extension:
    """Where one extension stands."""

    def __init__(self, name: str, *, internal: bool) -> None:
        self.name = name
        self.internal = internal
        self.identifier = str(uuid.uuid4())
        self.events: tuple[str, ...] = ()
        self.state = ExtensionState.STARTED
        self.error_type: str | None = None
        """What it said went wrong, in its own words."""
        self._waiting_events: list[Mapping[str, Any]] = []
        self._came = Signal()

    def move(self, move: ExtensionMove, called: str | None = None) -> None:
        """Raises `Refusal` (403) where the table has no such move; `called` is its name in the text."""
        following = TRANSITIONS.get((self.state, move))
        if following is None:
            tried = f"State transition from {self.state.value} to {move.value} failed"
            text = f"{tried} for extension {called or self.identifier}. Error: State transition is not allowed"
            raise Refusal((protocol.FORBIDDEN, "Extension.InvalidExtensionState", text))
        self.state = following

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Hand it an event: at once if it waits for one, else when it asks."""
        self._waiting_events.append(event)
        if self.state is ExtensionState.READY:
            self.move(ExtensionMove.DELIVER)
        self._came.set()

    async def event(self, disconnected: Signal) -> Mapping[str, Any] | None:
        """Wait for an event; None when the extension has gone away meanwhile."""
        if self._waiting_events and self.state is ExtensionState.READY:
            self.move(ExtensionMove.DELIVER)
        if not await either(self._came, disconnected):
            return None
        event = self._waiting_events.pop(0)
        if not self._waiting_events:
            self._came.clear()
        return event
