"""The local Lambda's time: retries, back-off, windows, ages and schedules ask it and nothing else.

What a function's process sees is always the machine's own clock: its deadline, its `time.time()`, its timeout. All
that the service does *between* invocations goes by a `Clock`, so that a test may let two minutes pass in no time.
`RealClock` is for `handlerkit serve`, `ManualClock` (in `manual_clock`) for tests.

The protocol, for everything that runs in the event loop of a `LocalLambda`:

1. Read time by `clock.time()` and let it pass by `await clock.sleep(seconds, what=...)`, never by `time.time()` or
   `asyncio.sleep`. `what` is a short phrase for people, such as "retry 1 of orders" (None: the task's name): it is in
   the message when a test's clock cannot come to rest.
2. Start a task that sleeps with `clock.create_task(coroutine, what=...)`. From its first line to its last it is work
   in flight, except while it sleeps on the clock or is inside `clock.idle()`. A manual clock stands still while work
   is in flight. So a task may await a process, a thread or a socket, and time does not run away from it.
3. Around real work that belongs to no such task (a thread, a callback) use `with clock.work(what)`.
4. Around a wait for what *others* will do (a queue's `get`, an event, a lock that is held over a sleep, the end of a
   task that sleeps) use `with clock.idle()`; else nothing would ever be due.
5. Say what a sleep is for:

   - `"due"` (the default): something will happen then. `run_until_quiet` goes on until nothing is due.
   - `"poll"`: a look whether there is something to do, over and over: a queue's poller. It keeps nothing from being
     quiet. A manual clock pays no attention to how long it sleeps, and wakes it when there may be something to see:
     whenever time has passed or anything else has happened, and at the beginning of each `advance` and
     `run_until_quiet`, until a look leads to nothing. A poller that finds something says so by rule 2 or 3: it starts
     a task, or does its work inside `clock.work`.
   - `"idle"`: happens when time passes that way, but nobody waits for it: a schedule's next firing.

A manual clock wakes one sleeper at a time, in the order of their times and then of their beginnings, and the next one
when nothing is in flight any more. So the same test takes the same course each time, as far as functions do.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

__all__ = ["Clock", "Purpose", "RealClock"]

Purpose: TypeAlias = Literal["due", "poll", "idle"]
"""What a sleep is for; see the module's fifth rule."""

_T = TypeVar("_T")


class Clock(Protocol):
    """Time, and a say in when it may pass. `time` and `work` may be called from any thread."""

    def time(self) -> float:
        """Seconds since the epoch, as `time.time`."""

    async def sleep(self, seconds: float, *, what: str | None = None, purpose: Purpose = "due") -> None:
        """Let time pass; 0 or less lets other tasks run once. A poll may be woken early."""

    def create_task(self, coroutine: Coroutine[Any, Any, _T], *, what: str) -> "asyncio.Task[_T]":
        """Start a task in the running loop that is work in flight whenever it does not sleep."""

    def work(self, what: str) -> AbstractContextManager[object]:
        """Real work: time stands still inside."""

    def idle(self) -> AbstractContextManager[object]:
        """The current task waits for others inside, and is no work in flight."""


class RealClock:
    """The machine's time, or time that runs `speed` times as fast from the clock's making on.

    >>> RealClock(speed=0)
    Traceback (most recent call last):
    ValueError: speed 0 is not possible: use a number above 0, such as 60 for a minute in each second
    """

    def __init__(self, *, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(
                f"speed {speed!r} is not possible: use a number above 0, such as 60 for a minute in each second"
            )
        self._speed = speed
        self._began_s = time.time()
        self._began_monotonic_s = time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        if self._speed == 1.0:
            return time.time()
        return self._began_s + (time.monotonic() - self._began_monotonic_s) * self._speed

    async def sleep(self, seconds: float, *, what: str | None = None, purpose: Purpose = "due") -> None:  # noqa: ARG002
        """Let time pass."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)

    def create_task(self, coroutine: Coroutine[Any, Any, _T], *, what: str) -> "asyncio.Task[_T]":
        """Start a task in the running loop; `what` is its name."""
        return asyncio.get_running_loop().create_task(coroutine, name=what)

    def work(self, what: str) -> AbstractContextManager[object]:  # noqa: ARG002
        """Nothing to be done: this time passes anyway."""
        return nullcontext()

    def idle(self) -> AbstractContextManager[object]:
        """Nothing to be done either."""
        return nullcontext()
