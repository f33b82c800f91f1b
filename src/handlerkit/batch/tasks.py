"""Records of asynchronous functions: in one event loop, as many at once as there are workers."""

from __future__ import annotations

import asyncio

from .deadline import RESERVE_MS
from .outcomes import LATE

__all__ = ["run_in_tasks"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from .deadline import Deadline
    from .outcomes import Outcome
    from .schedule import Schedule


async def run_in_tasks(
    outcomes: list[Outcome | None],
    run: Callable[[int], Coroutine[Any, Any, Outcome]],
    schedule: Schedule,
    workers: int,
    deadline: Deadline,
    may_give_up: bool,
) -> None:
    """Fill in the outcomes.

    What still runs when the time is over is cancelled and its end awaited, for the time that is left; where order
    counts (`may_give_up` is False) for as long as it takes. Cancelled ourselves, we cancel what runs.
    """
    crew = _Crew(outcomes, run, schedule, deadline)
    loop = asyncio.get_running_loop()
    workers_tasks = [loop.create_task(crew.work()) for _ in range(min(workers, schedule.width))]
    if not workers_tasks:
        return
    try:
        await _ended(workers_tasks, deadline.left_ms() - RESERVE_MS if deadline.is_set else None)
        if crew.running:
            crew.cancel()
            await _ended(workers_tasks, RESERVE_MS / 2 if may_give_up else None)
        if crew.end is not None:
            raise crew.end
        for task in workers_tasks:
            if task.done():
                task.result()  # raises what was none of a record's
    finally:
        crew.disband()
        for task in workers_tasks:
            task.cancel()


class _Crew:
    """What the workers of one batch share; all of them in one thread."""

    def __init__(
        self,
        outcomes: list[Outcome | None],
        run: Callable[[int], Coroutine[Any, Any, Outcome]],
        schedule: Schedule,
        deadline: Deadline,
    ) -> None:
        self._outcomes = outcomes
        self._run = run
        self._schedule = schedule
        self._deadline = deadline
        self._disbanded = False
        self.running: dict[asyncio.Task[Outcome], int] = {}
        self.end: BaseException | None = None

    async def work(self) -> None:
        """Take positions and run each in a task of its own, until there are none."""
        deadline, schedule = self._deadline, self._schedule
        while True:
            if deadline.has_no_time_for_another():
                schedule.close()
            position = schedule.take()
            if position is None:
                return
            began_ms = deadline.left_ms() if deadline.is_set else 0
            outcome = await self._outcome(position)
            if self._disbanded:
                return
            self._outcomes[position] = outcome
            if deadline.is_set:
                deadline.took(began_ms - deadline.left_ms())
            schedule.ended(position, outcome.is_done)

    async def _outcome(self, position: int) -> Outcome:
        task = asyncio.get_running_loop().create_task(self._guarded(position))
        self.running[task] = position
        try:
            return await task  # which is cancelled with us
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            return LATE  # cancelled because the time is over, or by itself
        finally:
            del self.running[task]

    async def _guarded(self, position: int) -> Outcome:
        try:
            return await self._run(position)
        except (SystemExit, KeyboardInterrupt) as end:  # would leave the loop at once, and all of us in it
            self.end = self.end or end
            self.cancel()
            return LATE

    def cancel(self) -> None:
        """Start nothing more, and ask what runs to end."""
        self._schedule.close()
        for task in self.running:
            task.cancel()

    def disband(self) -> None:
        """Settle the outcomes for good: what still runs is late."""
        self._schedule.close()
        self._disbanded = True
        for position in self.running.values():
            self._outcomes[position] = LATE


async def _ended(tasks: list[asyncio.Task[None]], left_ms: float | None) -> None:
    """Until all have ended, one has failed, or the time is over."""
    timeout_s = None if left_ms is None else max(left_ms, 0) / 1000
    await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_EXCEPTION)
