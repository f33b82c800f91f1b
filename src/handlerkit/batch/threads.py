"""Records in several threads at once; the threads live no longer than the batch."""

from __future__ import annotations

import threading
from contextvars import copy_context

from .deadline import RESERVE_MS
from .outcomes import LATE

__all__ = ["run_in_threads", "wait_in_thread"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .deadline import Deadline
    from .outcomes import Outcome
    from .schedule import Schedule


def run_in_threads(
    outcomes: list[Outcome | None],
    run: Callable[[int], Outcome],
    schedule: Schedule,
    workers: int,
    deadline: Deadline,
    may_give_up: bool,
) -> None:
    """Fill in the outcomes.

    A thread cannot be stopped. Where order counts (`may_give_up` is False) its end is waited for, whatever happens:
    a record brought again while it still ran would be out of order. Elsewhere it is left behind and reported as not
    finished.
    """
    crew = _Crew(outcomes, run, schedule, deadline)
    contexts = [copy_context() for _ in range(min(workers, schedule.width))]
    threads = [
        threading.Thread(target=context.run, args=(crew.work,), name=f"batch-{number}", daemon=True)
        for number, context in enumerate(contexts)
    ]
    try:
        for thread in _started(threads):
            if may_give_up and deadline.is_set:
                thread.join(max(deadline.left_ms() - RESERVE_MS, 0) / 1000)
            else:
                thread.join()
    finally:  # also where a signal's handler raised: the batch comes again, and nothing more of it may start here
        crew.disband()


def _started(threads: list[threading.Thread]) -> list[threading.Thread]:
    """Those that could be started; they do what there is to do. Raises `RuntimeError` if the system allows none."""
    for count, thread in enumerate(threads):
        try:
            thread.start()
        except RuntimeError:
            if not count:
                raise
            return threads[:count]
    return threads


def wait_in_thread(awaitable: Any) -> Any:
    """The result of something to wait for, in an event loop that ends with it, as the thread soon will."""
    import asyncio  # late: only where a function is asynchronous without looking it

    async def awaited() -> Any:
        return await awaitable

    return asyncio.run(awaited())


class _Crew:
    """What the threads of one batch share."""

    def __init__(
        self,
        outcomes: list[Outcome | None],
        run: Callable[[int], Outcome],
        schedule: Schedule,
        deadline: Deadline,
    ) -> None:
        self._lock = threading.Lock()
        self._outcomes = outcomes
        self._run = run
        self._schedule = schedule
        self._deadline = deadline
        self._running: set[int] = set()
        self._disbanded = False
        self._end: BaseException | None = None

    def work(self) -> None:
        """Take positions and run them until there are none."""
        deadline = self._deadline
        while True:
            with self._lock:
                if deadline.has_no_time_for_another():
                    self._schedule.close()
                position = self._schedule.take()
                if position is None:
                    return
                self._running.add(position)
                began_ms = deadline.left_ms() if deadline.is_set else 0
            try:
                outcome = self._run(position)
            except BaseException as end:  # noqa: BLE001  # SystemExit and the like are not the thread's alone
                with self._lock:
                    self._running.discard(position)
                    self._end = self._end or end
                    self._schedule.close()
                return
            with self._lock:
                if self._disbanded:
                    return  # given up long ago: the response said so, and nothing may say otherwise
                self._running.discard(position)
                self._outcomes[position] = outcome
                if deadline.is_set:
                    deadline.took(began_ms - deadline.left_ms())
                self._schedule.ended(position, outcome.is_done)

    def disband(self) -> None:
        """Settle the outcomes for good: what still runs is late. Raises what ended a thread."""
        with self._lock:
            self._disbanded = True
            self._schedule.close()
            for position in self._running:
                self._outcomes[position] = LATE
            if self._end is not None:
                raise self._end
