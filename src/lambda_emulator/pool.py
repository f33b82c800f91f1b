"""The execution environments of one function: a free one is used again, else another is started, up to a limit.

The limit is this machine's, not Lambda's, so a call that meets it waits instead of being refused.
"""

import asyncio
import contextlib
from collections.abc import Callable

from lambda_emulator.answer import Answer
from lambda_emulator.environment import Environment
from lambda_emulator.invocation import Invocation
from lambda_emulator.result import Completion

__all__ = ["EnvironmentPool"]

# A caller that has just been answered is quicker than the runtime that has yet to ask for its next event. Lambda's
# distance to the caller hides that; here a call waits so long for such an environment before it starts another.
_ALMOST_FREE_S = 0.5


class EnvironmentPool:
    """Environments by need. To be used inside one event loop."""

    def __init__(self, make: Callable[[], Environment], *, max_environments: int) -> None:
        self._make = make
        self._max_environments = max_environments
        self._load: dict[Environment, int] = {}
        """Invocations open in each environment; the one used last is the last."""
        self._released = asyncio.Condition()
        self._runs = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._retired = False

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        """Handle one invocation in some environment."""
        self._runs += 1
        self._idle.clear()
        try:
            environment = await self._acquire()
            try:
                return await environment.run(invocation, answered)
            finally:
                self._load[environment] = self._load.pop(environment) - 1
                async with self._released:
                    self._released.notify_all()
        finally:
            self._runs -= 1
            if not self._runs:
                self._idle.set()
                if self._retired:
                    await self.close()

    async def prepare(self) -> str | None:
        """Initialise as many as the limit allows in advance; what went wrong if one fails, and all are ended then."""
        prepared = [self._make() for _ in range(self._max_environments)]
        self._load.update(dict.fromkeys(prepared, 0))
        failures = await asyncio.gather(*(environment.prepare() for environment in prepared))
        failure = next((each for each in failures if each is not None), None)
        if failure is not None:
            await self.close()
        return failure

    async def close_when_idle(self) -> None:
        """End each environment when nothing runs any more; who still comes is served before."""
        self._retired = True
        await self._idle.wait()
        await self.close()

    async def close(self) -> None:
        """End all environments. What runs has to be cancelled first."""
        environments = list(self._load)
        self._load.clear()
        await asyncio.gather(*(environment.close() for environment in environments))

    async def _acquire(self) -> Environment:
        environment = self._free()
        if environment is None and any(busy.finishing for busy in self._load):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ALMOST_FREE_S):
                    environment = await self._wait_for_free()
        if environment is None and len(self._load) < self._max_environments:
            environment = self._make()
            self._load[environment] = 0
        if environment is None:
            environment = await self._wait_for_free()
        self._load[environment] += 1
        return environment

    def _free(self) -> Environment | None:
        return next((each for each in reversed(self._load) if self._load[each] < each.capacity), None)

    async def _wait_for_free(self) -> Environment:
        async with self._released:
            while (environment := self._free()) is None:
                await self._released.wait()
            return environment
