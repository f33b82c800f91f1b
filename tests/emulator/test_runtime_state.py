"""The table of legal calls, against an independent copy of what the real service allows."""

import pytest

from lambda_emulator.refusals import Refusal
from lambda_emulator.runtime_state import Move, RuntimeState, RuntimeStateMachine

# state, call, state afterwards; everything that is not here is refused.
LEGAL = """
Started NEXT Ready
Started RESTORE_NEXT RestoreReady
Started INIT_ERROR InitError
RestoreReady RESTORE Restoring
Restoring NEXT Ready
Restoring RESTORE_ERROR RuntimeRestoreErrorState
Restoring INIT_ERROR RuntimeRestoreErrorState
Ready NEXT Ready
Ready DELIVER Running
Running NEXT Running
Running RESPONSE InvocationResponse
Running ERROR InvocationErrorResponse
InvocationResponse TAKEN RuntimeResponseSentState
InvocationErrorResponse TAKEN RuntimeResponseSentState
RuntimeResponseSentState NEXT Ready
"""
# The state that a refusal names as the one that was tried for.
TRIED = {
    "NEXT": "Ready",
    "DELIVER": "Running",
    "RESPONSE": "InvocationResponse",
    "ERROR": "InvocationErrorResponse",
    "TAKEN": "RuntimeResponseSentState",
    "INIT_ERROR": "InitError",
    "RESTORE_NEXT": "RestoreReady",
    "RESTORE": "Restoring",
    "RESTORE_ERROR": "RuntimeRestoreErrorState",
}


def legal() -> dict[tuple[str, str], str]:
    rows = (line.split() for line in LEGAL.strip().splitlines())
    return {(before, call): after for before, call, after in rows}


@pytest.mark.parametrize("state", list(RuntimeState), ids=lambda state: state.value)
@pytest.mark.parametrize("move", list(Move), ids=lambda move: move.name)
def test_each_call_in_each_state_is_legal_or_refused_as_the_platform_does(state: RuntimeState, move: Move) -> None:
    machine = RuntimeStateMachine()
    machine.state = state
    after = legal().get((state.value, move.name))
    if after is not None:
        machine.move(move)
        assert machine.state.value == after
        return
    with pytest.raises(Refusal) as refusal:
        machine.move(move)
    assert refusal.value.status == 403
    assert refusal.value.error_type == "InvalidStateTransition"
    assert refusal.value.message == (
        f"State transition from {state.value} to {TRIED[move.name]} failed for runtime. "
        "Error: State transition is not allowed"
    )
    assert machine.state is state
