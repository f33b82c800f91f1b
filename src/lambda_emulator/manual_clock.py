"""A clock that stands still until a test lets it go on; what it owes to its users is in `clock`.

Sleepers and work in flight may be in any event loop and any thread; `advance` and `run_until_quiet` are called from a
thread that runs none of these loops. All state is behind one condition. Nothing here waits without a limit: what is
still in flight or due is in the message of `NotQuiet`.
"""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from lambda_emulator.clock import Purpose
from lambda_emulator.errors import NotQuiet

__all__ = ["ManualClock"]

_T = TypeVar("_T")
# How many turns an event loop is given to pass things on (a future's callbacks, a queue's getter) after the last work
# has ended, before it counts as quiet. Each hand-over takes one or two.
_TURNS = 12
# Longer than the event age of an asynchronous invocation (6 h) and than the retention of a stream (24 h).
_LIMIT = timedelta(hours=48)
# What a message names before it only counts.
_NAMED = 8
# How often it is asked whether a loop that is slow has ended.
_LOOP_CHECK_S = 0.5


class ManualClock:
    """Begins at `start_s` seconds since the epoch (None: now), and goes on when it is told.

        clock = ManualClock()
        with LocalLambda(function, clock=clock) as service:
            service.invoke("orders", event, invocation_type="Event")
            clock.run_until_quiet()

    `patience_s`: how many real seconds one `advance` or `run_until_quiet` may take before it gives up.
    """

    def __init__(self, start_s: float | None = None, *, patience_s: float = 60.0) -> None:
        self._now_s = time.time() if start_s is None else float(start_s)
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._driving = threading.Lock()
        self._sleepers: list[_Sleeper] = []
        self._in_flight: dict[object, str] = {}
        self._names: dict[asyncio.Task[Any], str] = {}
        """Tasks that take part, asleep or not."""
        self._woken_at: dict[asyncio.Task[Any], int] = {}
        self._loops: set[asyncio.AbstractEventLoop] = set()
        self._changes = 0
        """Counts what a poller might want to look at."""
        self._sleeps = 0

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._now_s

    async def sleep(self, seconds: float, *, what: str | None = None, purpose: Purpose = "due") -> None:
        """Wait until the clock has been advanced that far; a poll until it is worth a look."""
        if seconds <= 0 and purpose != "poll":
            await asyncio.sleep(0)
            return
        loop, task = asyncio.get_running_loop(), _current_task()
        with self._changed:
            self._join(task, what or task.get_name())
            self._sleeps += 1
            sleeper = _Sleeper(
                until_s=self._now_s + max(0.0, seconds),
                order=self._sleeps,
                what=what or self._names[task],
                purpose=purpose,
                seen=self._woken_at.pop(task, -1),
                task=task,
                future=loop.create_future(),
            )
            self._sleepers.append(sleeper)
            del self._in_flight[task]
            self._changed.notify_all()
        try:
            await sleeper.future
        finally:
            with self._changed:
                self._in_flight[task] = self._names[task]  # there already if it was woken, not if it was cancelled
                with contextlib.suppress(ValueError):
                    self._sleepers.remove(sleeper)

    def create_task(self, coroutine: Coroutine[Any, Any, _T], *, what: str) -> "asyncio.Task[_T]":
        """Start a task in the running loop that is work in flight whenever it does not sleep."""
        task = asyncio.get_running_loop().create_task(coroutine, name=what)
        with self._changed:
            self._changes += 1
            self._join(task, what)
        return task

    @contextlib.contextmanager
    def work(self, what: str) -> Iterator[None]:
        """Real work: time stands still inside."""
        token = object()
        with self._changed:
            self._changes += 1
            self._in_flight[token] = what
        try:
            yield
        finally:
            with self._changed:
                del self._in_flight[token]
                self._changed.notify_all()

    @contextlib.contextmanager
    def idle(self) -> Iterator[None]:
        """The current task waits for others inside, and is no work in flight."""
        task = _current_task()
        with self._changed:
            was = self._in_flight.pop(task, None)
            self._changed.notify_all()
        try:
            yield
        finally:
            if was is not None:
                with self._changed:
                    self._in_flight[task] = was

    def advance(self, duration: timedelta | float) -> None:
        """Let that much time pass (seconds, or a timedelta), and all happen that is due meanwhile.

        0 only waits until nothing is in flight. Raises ValueError for less than that, `NotQuiet` if work does not end
        (the clock then stands where it came to), RuntimeError inside an event loop that the clock serves.
        """
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock cannot go on by {duration!r}: use seconds from 0, or a timedelta")
        with self._drive() as deadline_s:
            target_s = self._now_s + seconds
            while (sleeper := self._next(("due", "idle"), target_s)) is not None:
                self._wake(sleeper)
                self._rest(deadline_s)
            with self._changed:
                self._now_s = max(self._now_s, target_s)
                self._changes += 1
            self._rest(deadline_s)

    def run_until_quiet(self, *, limit: timedelta = _LIMIT) -> timedelta:
        """Advance from one due time to the next until nothing is due or in flight; return how much time has passed.

        Raises `NotQuiet` when something is still due after `limit`, or when work does not end. Pollers and what is
        "idle" do not keep it going.
        """
        with self._drive() as deadline_s:
            began_s = self._now_s
            while (due := self._next(("due",), math.inf)) is not None:
                if due.until_s - began_s > limit.total_seconds():
                    raise NotQuiet(
                        f"the clock has gone on by {self._now_s - began_s:.0f} s, the limit is "
                        f"{limit.total_seconds():.0f} s, and {self._pending()}"
                    )
                self._wake(self._next(("due", "idle"), due.until_s) or due)
                self._rest(deadline_s)
            return timedelta(seconds=self._now_s - began_s)

    def pending(self) -> list[str]:
        """What is in flight and what is due, in words: for a test's message."""
        with self._changed:
            flying = [f"{what} (in flight)" for what in self._in_flight.values()]
            due = [each for each in sorted(self._sleepers, key=_Sleeper.key) if each.purpose == "due"]
            return flying + [f"{each.what} (due in {each.until_s - self._now_s:.0f} s)" for each in due]

    def _join(self, task: "asyncio.Task[Any]", what: str) -> None:
        """The task takes part from now on, and is in flight; to be called with the condition held."""
        if task not in self._names:
            self._names[task] = what
            self._loops.add(task.get_loop())
            task.add_done_callback(self._leave)
        self._in_flight[task] = self._names[task]

    def _leave(self, task: "asyncio.Task[Any]") -> None:
        with self._changed:
            self._in_flight.pop(task, None)
            self._names.pop(task, None)
            self._woken_at.pop(task, None)
            self._changed.notify_all()

    @contextlib.contextmanager
    def _drive(self) -> Iterator[float]:
        """One driver at a time; begins and goes on only at rest. Yields the real deadline."""
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running in self._loops:
            raise RuntimeError(
                "the clock cannot be advanced inside an event loop that waits for it: "
                "use `await asyncio.to_thread(clock.advance, ...)`"
            )
        with self._driving:
            deadline_s = time.monotonic() + self._patience_s
            with self._changed:
                self._changes += 1  # whoever calls may have put something into a queue
            self._rest(deadline_s)
            yield deadline_s

    def _next(self, purposes: tuple[Purpose, ...], until_s: float) -> "_Sleeper | None":
        with self._changed:
            ripe = [each for each in self._sleepers if each.purpose in purposes and each.until_s <= until_s]
        return min(ripe, key=_Sleeper.key, default=None)

    def _wake(self, sleeper: "_Sleeper") -> None:
        """In flight from here on, not only when its loop comes to it: there is no moment in between."""
        with self._changed:
            if sleeper not in self._sleepers:
                return  # it was cancelled meanwhile
            self._sleepers.remove(sleeper)
            if sleeper.purpose != "poll":
                self._now_s = max(self._now_s, sleeper.until_s)
                self._changes += 1
            self._in_flight[sleeper.task] = self._names[sleeper.task]
            self._woken_at[sleeper.task] = self._changes
        try:
            sleeper.task.get_loop().call_soon_threadsafe(_resolve, sleeper.future)
        except RuntimeError:  # its loop is closed: nobody will ever wake
            self._leave(sleeper.task)

    def _rest(self, deadline_s: float) -> None:
        """Return when nothing is in flight and no poller would see anything new."""
        while True:
            self._settle(deadline_s)
            with self._changed:
                stale = [each for each in self._sleepers if each.purpose == "poll" and each.seen != self._changes]
            if not stale:
                return
            self._wake(min(stale, key=lambda each: each.order))

    def _settle(self, deadline_s: float) -> None:
        """Wait until nothing is in flight, and every loop has passed on what it had to."""
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: not self._in_flight, deadline_s - time.monotonic()):
                    raise NotQuiet(f"{self._patience_s:g} s of real time are over, and {self._pending()}")
                changes, sleeps = self._changes, self._sleeps
                self._loops = {loop for loop in self._loops if loop.is_running()}
                loops = list(self._loops)
            for loop in loops:
                self._give_turns(loop, deadline_s)
            if time.monotonic() > deadline_s:
                raise NotQuiet(f"{self._patience_s:g} s of real time are over, and {self._pending()}")
            with self._changed:
                if not self._in_flight and (changes, sleeps) == (self._changes, self._sleeps):
                    return

    def _give_turns(self, loop: asyncio.AbstractEventLoop, deadline_s: float) -> None:
        done = threading.Event()

        def turn(left: int) -> None:
            if left:
                loop.call_soon(turn, left - 1)
            else:
                done.set()

        with contextlib.suppress(RuntimeError):  # closed meanwhile
            loop.call_soon_threadsafe(turn, _TURNS)
            while not done.wait(_LOOP_CHECK_S) and loop.is_running():
                if time.monotonic() > deadline_s:
                    raise NotQuiet(f"an event loop is blocked, and {self._pending()}")

    def _pending(self) -> str:
        pending = self.pending()
        more = f" and {len(pending) - _NAMED} more" if len(pending) > _NAMED else ""
        return f"still pending: {'; '.join(pending[:_NAMED]) or 'nothing that has a name'}{more}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sleeper:
    """One sleep."""

    until_s: float
    order: int
    what: str
    purpose: Purpose
    seen: int
    """The change after which a poller last had its look; -1 for none."""
    task: "asyncio.Task[Any]"
    future: "asyncio.Future[None]"

    def key(self) -> tuple[float, int]:
        return self.until_s, self.order


def _current_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("the clock serves tasks: await it inside one")
    return task


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
