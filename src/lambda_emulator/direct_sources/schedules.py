"""Schedules on the local Lambda's clock: each is a task that sleeps until it is due. Lives in one event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from lambda_emulator.clock import Clock
from lambda_emulator.direct_sources.schedule_expression import ScheduleExpression

__all__ = ["Schedule", "Schedules"]

# What was due while no local Lambda was there is not made up for, but for what was due a moment ago.
_LATE_S = 60.0


@dataclass(slots=True, kw_only=True, eq=False)
class Schedule:
    """One of a rule or of EventBridge Scheduler. Which one it is, is its identity."""

    name: str
    """For people."""
    expression: ScheduleExpression
    anchor_s: float
    """What a rate counts from."""
    after_s: float
    """The last moment that has been seen to: what is due, is due after it."""
    end_s: float | None = None
    fire: Callable[[float], None]
    """Sends to the targets what is due at that moment; blocks."""

    def due_s(self) -> float | None:
        """When it is due next; None for never again."""
        due_s = self.expression.after(self.after_s, anchor_s=self.anchor_s)
        return None if due_s is None or (self.end_s is not None and due_s > self.end_s) else due_s


class Schedules:
    """Those of one embedded AWS, as long as this loop keeps them."""

    def __init__(self, clock: Clock, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        """`run` calls something that blocks in a thread."""
        self._clock = clock
        self._run = run
        self._tasks: dict[Schedule, asyncio.Task[None]] = {}

    def set(self, schedules: Iterable[Schedule]) -> None:
        """Keep these and no others. Those that are kept already go on undisturbed."""
        wanted = list(schedules)
        for schedule in [each for each in self._tasks if each not in wanted]:
            self._tasks.pop(schedule).cancel()
        for schedule in wanted:
            if schedule not in self._tasks:
                what = f"schedule {schedule.name}"
                self._tasks[schedule] = self._clock.create_task(self._keep(schedule), what=what)

    async def close(self) -> None:
        """Keep none."""
        tasks = list(self._tasks.values())
        self.set(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, schedule: Schedule) -> None:
        if self._clock.time() - schedule.after_s > _LATE_S:
            schedule.after_s = self._clock.time()
        while (due_s := schedule.due_s()) is not None:
            await self._clock.sleep(due_s - self._clock.time(), purpose="idle")
            schedule.after_s = due_s
            await self._run(partial(schedule.fire, due_s))
