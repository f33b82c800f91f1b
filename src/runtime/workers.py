"""Many invocations at once (`AWS_LAMBDA_MAX_CONCURRENCY`): worker processes, or worker threads. Loaded only then.

`HANDLERKIT_CONCURRENCY` chooses: `processes` (default), `threads`, or `asyncio` (threads poll, one event loop runs the
`async def` handlers of all). As the official client does, workers survive refusals of any kind and ask for the
next event up to `ATTEMPTS` times before they give up.

**Processes.** The handler is imported once and the workers are forked, so that they share its memory.
`HANDLERKIT_PRELOAD=0` lets every worker import it itself, for code that must not be forked.
"""

import sys
import time

from .client import RuntimeClient
from .errors import PlatformError
from .loop import run

__all__ = ["STOP_S", "WorkerClient", "poll_persistently", "serve", "shut_down"]

ATTEMPTS = 5
FIRST_PAUSE_S = 0.1
"""Pause before asking again after a failed `/next`; it doubles."""
STOP_S = 0.4
"""Lambda kills everything 0.6 s after SIGTERM."""


def serve(name: str, settings: "Settings", output: "Output", client: RuntimeClient) -> int:
    """Serve until SIGTERM (0), or until no worker is left or the function cannot be initialised (1)."""
    count = max(1, settings.max_concurrency or 1)
    if settings.concurrency == "processes":
        from .supervisor import Supervisor  # late: threads do without it

        return Supervisor(name, settings, output, client, count).run()
    from . import threads  # late: processes do without them

    return threads.serve(name, settings, output, client, count)


class WorkerClient(RuntimeClient):
    """A client whose refused answers are lost and never fatal, and that says what it is serving."""

    def __init__(self, origin: RuntimeClient, slot: "Slot | None" = None) -> None:
        other = origin.another()
        super().__init__(other.address, other.user_agent, other.warn)
        self.refusals_are_fatal = False
        self._slot = slot

    def next(self) -> "Invocation":
        """As in the base class; the invocation is on record until it is acknowledged."""
        invocation = super().next()
        if self._slot is not None:
            self._slot.write(invocation.request_id, invocation.invocation_id)
        return invocation

    def judge(self, message: "Message") -> None:
        """As in the base class; what was served is off the record."""
        super().judge(message)
        if self._slot is not None:
            self._slot.clear()


def poll_persistently(client: RuntimeClient, function: "Function", publish: "Callable[[str | None], object]") -> None:
    """The loop, begun again after a failing `/next`. Raises `PlatformError` after `ATTEMPTS` failures in a row."""
    failures = 0
    while True:
        served = client.received
        try:
            run(client, function, publish)
        except PlatformError as error:
            failures = 1 if client.received > served else failures + 1
            if failures >= ATTEMPTS:
                raise
            client.warn(f"{error}; trying again")
            client.close()
            time.sleep(FIRST_PAUSE_S * 2 ** (failures - 1))


def shut_down(function: "Function") -> None:
    """Run the shutdown hooks, if the function registered any, and close what it awaits with."""
    lifecycle = sys.modules.get(f"{__package__}.lifecycle")
    if lifecycle is not None:
        lifecycle.run_shutdown(function)
    function.close()


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .environ import Settings
    from .function import Function
    from .invocation import Invocation
    from .output import Output
    from .supervisor import Slot
    from .wire import Message
