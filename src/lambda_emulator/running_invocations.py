"""Invocations that have begun and are not over. Lives in one event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from lambda_emulator.answer import Answer
from lambda_emulator.clock import Clock
from lambda_emulator.errors import ServiceClosed
from lambda_emulator.result import Completion

__all__ = ["RunningInvocations"]


class RunningInvocations:
    """A task for each, with the future of its answer: callers are answered before the invocation is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[asyncio.Task[Completion], asyncio.Future[Answer]] = {}

    def __len__(self) -> int:
        return len(self._answers)

    def start(
        self, run: "Callable[[asyncio.Future[Answer]], Coroutine[Any, Any, Completion]]", *, what: str
    ) -> "tuple[asyncio.Task[Completion], asyncio.Future[Answer]]":
        """Begin one; `run` resolves the future when the caller can be answered. `what` it is, for the clock."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        completed = self._clock.create_task(run(answered), what=what)
        self._answers[completed] = answered
        completed.add_done_callback(self._ended)
        return completed, answered

    @property
    def ending(self) -> "list[asyncio.Task[Completion]]":
        """Those whose caller has been answered."""
        return [task for task, answered in self._answers.items() if answered.done()]

    async def let_end(self) -> None:
        """Wait for those whose caller has been answered by now."""
        if ending := self.ending:
            await asyncio.wait(ending)

    async def let_run_out(self) -> None:
        """Wait for all that run now."""
        if self._answers:
            await asyncio.wait(list(self._answers))

    async def cut(self) -> None:
        """Cancel all. Callers that still wait get `ServiceClosed`."""
        running = list(self._answers)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[Completion]") -> None:
        _pass_on_failure(task, self._answers.pop(task))


def _pass_on_failure(task: "asyncio.Task[Completion]", answered: "asyncio.Future[Answer]") -> None:
    """A caller never waits for an answer that cannot come."""
    failure = None if task.cancelled() else task.exception()
    if answered.done():
        return
    if task.cancelled():
        answered.set_exception(ServiceClosed("this LocalLambda was closed while the invocation was running"))
    else:
        answered.set_exception(failure or RuntimeError("the invocation ended without an answer"))
    answered.exception()  # nobody may be waiting (an Event invocation), and that is no news for the event loop
