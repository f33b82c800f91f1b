"""The state machine of a runtime that handles one invocation at a time, as a table.

Nothing else decides whether a call is legal: a pair of state and call that the table lacks is refused, and the
refusal's text is made of that failed look-up. A move cannot be undone.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from lambda_emulator.refusals import Refusal
from runtime import protocol

__all__ = ["TRANSITIONS", "Move", "RuntimeState", "RuntimeStateMachine"]


class RuntimeState(Enum):
    """Named as the refusals name them."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    INVOCATION_RESPONSE = "InvocationResponse"
    INVOCATION_ERROR_RESPONSE = "InvocationErrorResponse"
    RESPONSE_SENT = "RuntimeResponseSentState"
    RESTORE_ERROR = "RuntimeRestoreErrorState"


class Move(Enum):
    """What moves the machine; the value is the state that a refusal says was tried for."""

    NEXT = RuntimeState.READY
    """The runtime calls /next."""
    DELIVER = RuntimeState.RUNNING
    """The platform hands it an event."""
    RESPONSE = RuntimeState.INVOCATION_RESPONSE
    """/response, before its body is judged."""
    ERROR = RuntimeState.INVOCATION_ERROR_RESPONSE
    """/error, likewise."""
    TAKEN = RuntimeState.RESPONSE_SENT
    """The body has been judged, whatever the verdict."""
    INIT_ERROR = RuntimeState.INIT_ERROR
    """/init/error."""
    RESTORE_NEXT = RuntimeState.RESTORE_READY
    """/restore/next."""
    RESTORE = RuntimeState.RESTORING
    """The platform has restored the snapshot."""
    RESTORE_ERROR = RuntimeState.RESTORE_ERROR
    """/restore/error."""


_S = RuntimeState
TRANSITIONS: Mapping[tuple[RuntimeState, Move], RuntimeState] = MappingProxyType(
    {
        (_S.STARTED, Move.NEXT): _S.READY,
        (_S.STARTED, Move.RESTORE_NEXT): _S.RESTORE_READY,
        (_S.STARTED, Move.INIT_ERROR): _S.INIT_ERROR,
        (_S.RESTORE_READY, Move.RESTORE): _S.RESTORING,
        (_S.RESTORING, Move.NEXT): _S.READY,
        (_S.RESTORING, Move.RESTORE_ERROR): _S.RESTORE_ERROR,
        # Kept for runtimes from before /restore/error.
        (_S.RESTORING, Move.INIT_ERROR): _S.RESTORE_ERROR,
        (_S.READY, Move.NEXT): _S.READY,
        (_S.READY, Move.DELIVER): _S.RUNNING,
        # No mistake: the same event is delivered again.
        (_S.RUNNING, Move.NEXT): _S.RUNNING,
        (_S.RUNNING, Move.RESPONSE): _S.INVOCATION_RESPONSE,
        (_S.RUNNING, Move.ERROR): _S.INVOCATION_ERROR_RESPONSE,
        (_S.INVOCATION_RESPONSE, Move.TAKEN): _S.RESPONSE_SENT,
        (_S.INVOCATION_ERROR_RESPONSE, Move.TAKEN): _S.RESPONSE_SENT,
        # This, and not the response, completes the invocation.
        (_S.RESPONSE_SENT, Move.NEXT): _S.READY,
    }
)


class RuntimeStateMachine:
    """Where one runtime process stands."""

    def __init__(self) -> None:
        self.state = RuntimeState.STARTED

    def move(self, move: Move) -> RuntimeState:
        """The new state. Raises `Refusal` (403) where the table has none, and stays where it was."""
        following = TRANSITIONS.get((self.state, move))
        if following is None:
            tried = f"State transition from {self.state.value} to {move.value.value} failed for runtime."
            text = f"{tried} Error: State transition is not allowed"
            raise Refusal((protocol.FORBIDDEN, protocol.INVALID_TRANSITION, text))
        self.state = following
        return following
