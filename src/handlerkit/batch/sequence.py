"""Records one after the other, in the order they came."""

from __future__ import annotations

__all__ = ["run_in_sequence"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from .deadline import Deadline
    from .outcomes import Outcome


def run_in_sequence(
    outcomes: list[Outcome | None],
    run: Callable[[int], Outcome],
    lanes: Sequence[Hashable] | None,
    halts: bool,
    deadline: Deadline,
    begun: int = 0,
) -> None:
    """Fill in the outcomes; what may not run, or has no time to, stays None.

    The outcomes of the first `begun` records are there already. The very first record always starts.
    """
    closed: set[Hashable] = set()
    # What is left is told in milliseconds: to ask for it twice in one is to pay for the same answer.
    clock, again_s = deadline.clock, 0.0 if deadline.is_set else float("inf")
    for position in range(len(outcomes)):
        if position < begun:
            outcome = outcomes[position]
            assert outcome is not None
        elif lanes is not None and lanes[position] in closed:
            continue
        else:
            if position and clock() >= again_s:
                if deadline.is_near():
                    return
                again_s = clock() + 0.001
            outcome = outcomes[position] = run(position)
        if not outcome.is_done:
            if halts:
                return
            if lanes is not None:
                closed.add(lanes[position])
