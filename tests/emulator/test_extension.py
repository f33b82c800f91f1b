"""The table of an extension's legal calls, against an independent copy of what AWS's emulator allows."""

import asyncio

import pytest

from lambda_emulator.extension import Extension, ExtensionMove, ExtensionState
from lambda_emulator.refusals import Refusal
from lambda_emulator.waiting import Signal

# state, call, state afterwards; everything that is not here is refused.
LEGAL = """
Started REGISTER Registered
Registered NEXT Ready
Registered INIT_ERROR InitError
Registered EXIT_ERROR ExitError
Ready DELIVER Running
Ready EXIT_ERROR ExitError
Running NEXT Ready
Running EXIT_ERROR ExitError
InitError INIT_ERROR InitError
ExitError EXIT_ERROR ExitError
"""


def legal() -> dict[tuple[str, str], str]:
    rows = (line.split() for line in LEGAL.strip().splitlines())
    return {(before, call): after for before, call, after in rows}


@pytest.mark.parametrize("state", list(ExtensionState), ids=lambda state: state.value)
@pytest.mark.parametrize("move", list(ExtensionMove), ids=lambda move: move.name)
def test_each_call_in_each_state_is_legal_or_refused(state: ExtensionState, move: ExtensionMove) -> None:
    extension = Extension("e", internal=True)
    extension.state = state
    after = legal().get((state.value, move.name))
    if after is not None:
        extension.move(move)
        assert extension.state.value == after
        return
    with pytest.raises(Refusal) as refused:
        extension.move(move)
    assert (refused.value.status, refused.value.error_type) == (403, "Extension.InvalidExtensionState")
    assert refused.value.message == (
        f"State transition from {state.value} to {move.value} failed for extension {extension.identifier}. "
        "Error: State transition is not allowed"
    )
    assert extension.state is state


def test_events_wait_for_an_extension_that_is_busy() -> None:
    async def main() -> None:
        extension, gone = Extension("e", internal=False), Signal()
        extension.move(ExtensionMove.REGISTER)
        extension.deliver({"n": 1})
        extension.deliver({"n": 2})
        for number in (1, 2):
            extension.move(ExtensionMove.NEXT)
            assert await extension.event(gone) == {"n": number}
            assert extension.state is ExtensionState.RUNNING
        extension.move(ExtensionMove.NEXT)
        gone.set()
        assert await extension.event(gone) is None

    asyncio.run(main())
