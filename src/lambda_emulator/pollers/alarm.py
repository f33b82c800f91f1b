"""A moment that is due: when it comes, a manual clock has passed it and every poller looks again."""

import asyncio

from lambda_emulator.clock import Clock

__all__ = ["set_alarm"]


def set_alarm(clock: Clock, at_s: float, what: str) -> "asyncio.Task[None]":
    """A task that only sleeps. `run_until_quiet` waits for it, unless it is cancelled."""
    return clock.create_task(clock.sleep(max(0.0, at_s - clock.time()), what=what), what=what)
