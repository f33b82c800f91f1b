"""The local Lambda for callers that are not asynchronous: a test, a script, the command line.

One event loop in a daemon thread does all the work; every method may be called from any other thread. Closing it, or
leaving the `with` block, or the end of the interpreter, ends every process that it has started.
"""

import weakref
from collections.abc import Callable
from random import Random
from typing import Protocol, Self

from lambda_emulator.async_event import EventNews, EventOutcome
from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.clock import Clock, RealClock
from lambda_emulator.concurrency_limits import ACCOUNT_LIMIT
from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.deployment import Deployments
from lambda_emulator.direct_sources.receiver import LocalReceiver
from lambda_emulator.dispatcher import Dispatcher, Settings
from lambda_emulator.duplicates import Duplicates
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.history import History
from lambda_emulator.invoke_api import InvokeApi
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.metrics import Metrics
from lambda_emulator.pollers.invoker import DispatcherInvoker
from lambda_emulator.pollers.registry import EventSourceMappings
from lambda_emulator.service_functions import ServiceFunctions
from lambda_emulator.service_invocations import ServiceInvocations
from lambda_emulator.service_mappings import ServiceMappings
from lambda_emulator.xray_daemon import XRayDaemon

__all__ = ["LocalLambda", "Side"]


class LocalLambda(ServiceFunctions, ServiceInvocations, ServiceMappings):
    """Functions that can be invoked.

        with LocalLambda(FunctionConfiguration(handler="app.handler", task_root=Path("src"))) as service:
            result = service.invoke("function", {"name": "you"})

    `clock`: what retries and back-off go by; a `ManualClock` in tests. `aws`: where queues, streams, topics, buses are.
    `max_environments` limits the processes of each version on this machine; a call that meets the limit waits.
    `account_concurrency` is Lambda's limit; a call that meets that is refused. With `strict_rates` so is a function's
    eleventh synchronous request in a second of the clock for each unit of its reserved concurrency. `duplicates` is the
    share of asynchronous events and of messages of standard queues that are delivered twice. `random` (0 up to 1)
    chooses these, and between the versions of an alias.
    """

    def __init__(
        self,
        *functions: FunctionConfiguration,
        clock: Clock | None = None,
        aws: AwsClients | None = None,
        max_environments: int = 10,
        account_concurrency: int = ACCOUNT_LIMIT,
        strict_rates: bool = False,
        duplicates: float = 0.0,
        random: Callable[[], float] | None = None,
    ) -> None:
        self.clock: Clock = RealClock() if clock is None else clock
        random = Random().random if random is None else random  # noqa: S311 (it chooses, it keeps no secret)
        self._duplicates = Duplicates(duplicates, random)
        self._dispatcher = Dispatcher(
            Settings(
                clock=self.clock,
                random=random,
                duplicates=self._duplicates,
                max_environments=max_environments,
                account_concurrency=account_concurrency,
                strict_rates=strict_rates,
                aws=aws,
            )
        )
        self._control = ControlPlane(self._dispatcher)
        self._deployments = Deployments(self._dispatcher, self._control)
        self._mappings = EventSourceMappings(DispatcherInvoker(self._dispatcher), aws, self.clock, self._duplicates)
        self._invoke_api = InvokeApi(self._dispatcher, self._control, self._mappings)
        for configuration in functions:
            self._control.create_function(configuration)
        self._loop = LoopThread("local-lambda")
        self._sides: list[Side] = [self._invoke_api]
        receiver = LocalReceiver(self._dispatcher, self._loop, aws)
        self._closing = weakref.finalize(
            self,
            _close,
            self._loop,
            self._dispatcher,
            (self._mappings, self._deployments, self._control),
            self._sides,
            receiver,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def delete_event_invoke_config(self, function_name: str, *, qualifier: str | None = None) -> None:
        """Back to two retries and six hours. Raises `ResourceNotFound` if nothing is set."""
        self._do(lambda: self._control.delete_event_invoke_config(function_name, qualifier=qualifier))

    def event_outcomes(self, function_name: str | None = None) -> list[EventOutcome]:
        """What became of accepted asynchronous invocations, the last 10,000, in the order in which it was decided."""
        outcomes = self._do(lambda: list(self._dispatcher.events.outcomes))
        return [each for each in outcomes if function_name is None or each.function_arn.split(":")[6] == function_name]

    @property
    def duplicates(self) -> float:
        """The share of asynchronous events and of messages of standard queues that are delivered twice; may be set."""
        return self._duplicates.share

    @duplicates.setter
    def duplicates(self, share: float) -> None:
        self._duplicates.share = share

    @property
    def metrics(self) -> Metrics:
        """What CloudWatch would have counted; waits for the end of invocations whose callers have their answers."""
        if self._closing.alive:
            self._submit(self._dispatcher.let_end()).result()
        return self._dispatcher.metrics

    @property
    def history(self) -> History:
        """The invocations that are over, whoever asked for them; waits for those whose callers have their answers."""
        if self._closing.alive:
            self._submit(self._dispatcher.let_end()).result()
        return self._dispatcher.history

    @property
    def endpoint_url(self) -> str:
        """Where `boto3.client("lambda", endpoint_url=...)` finds these functions; listens from the first use on."""
        return self._submit(self._invoke_api.start()).result()

    def listen(self, port: int = 0) -> str:
        """`endpoint_url` at a port of your choice, if nothing has asked for it yet. Raises `OSError` if it is taken."""
        return self._submit(self._invoke_api.start(port)).result()

    def listen_to_events(self, listener: Callable[[EventNews], object]) -> None:
        """Have it called, in the service's thread, with what becomes of asynchronous invocations: `EventOutcome` in
        the end, `RetryPlanned` before. `history.listen` tells of every attempt."""
        self._do(lambda: self._dispatcher.events.listen(listener))

    @property
    def running(self) -> int:
        """How many invocations run now."""
        return self._do(lambda: self._dispatcher.running)

    @property
    def pending_events(self) -> int:
        """How many accepted asynchronous invocations are neither done nor given up."""
        return self._do(lambda: len(self._dispatcher.events.pending))

    def run_out(self) -> None:
        """Stop polling, and wait until what runs now is over. What is asked for meanwhile is not waited for."""
        self._submit(_run_out(self._mappings, self._dispatcher)).result()

    def open_side(self, make: Callable[[Dispatcher], "Side"]) -> tuple["Side", str]:
        """Another HTTP side of these functions, and its URL; it is closed with the service, or by `close_side`."""
        side = make(self._dispatcher)
        url = self._submit(side.start()).result()
        self._sides.append(side)
        return side, url

    def close_side(self, side: "Side") -> None:
        """Close it now. May be called again, also after `close`."""
        if side in self._sides and self._closing.alive:
            self._sides.remove(side)
            self._submit(side.close()).result()

    @property
    def xray_daemon(self) -> XRayDaemon:
        """What takes the traces of functions with `tracing="Active"`, and keeps them."""
        return self._dispatcher.tracing.daemon

    def close(self) -> None:
        """End every process, remove every temporary folder. May be called again."""
        self._closing()


class Side(Protocol):
    """An HTTP server in front of the functions."""

    async def start(self) -> str:
        """Listen; the URL."""

    async def close(self) -> None:
        """Close the port; callers that wait are cut off."""


async def _run_out(mappings: EventSourceMappings, dispatcher: Dispatcher) -> None:
    await mappings.run_out()
    await dispatcher.let_run_out()


def _close(
    loop: LoopThread,
    dispatcher: Dispatcher,
    management: tuple[EventSourceMappings, Deployments, ControlPlane],
    sides: list[Side],
    receiver: LocalReceiver,
) -> None:
    receiver.detach()

    async def close() -> None:
        await receiver.close()
        for side in sides:
            await side.close()
        for each in management:
            await each.close()
        await dispatcher.close()

    loop.submit(close()).result()
    loop.stop()
