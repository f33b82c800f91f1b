"""From a caller's request to an environment and back: the asynchronous core that all fronts share.

It checks requests, finds the version, asks the limits for a place, and starts one task for each accepted invocation.
What `dispatch` returns at once is the acceptance; the answer and the completion come later, as futures: a throttled
invocation's answer is `TooManyRequests`. Lives in one event loop.
"""

import asyncio
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from lambda_emulator.answer import Answer
from lambda_emulator.async_event import QueuedEvent, Ran
from lambda_emulator.async_invocations import AsyncInvocations
from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.clock import Clock, RealClock
from lambda_emulator.concurrency_limits import Admission, ConcurrencyLimits
from lambda_emulator.concurrent_environment import ConcurrentEnvironment
from lambda_emulator.duplicates import Duplicates
from lambda_emulator.environment import Environment, ExecutionEnvironment
from lambda_emulator.errors import ServiceClosed, TooManyRequests
from lambda_emulator.event_routes import EventRoutes
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.function_name import FunctionName
from lambda_emulator.functions import Function, Functions, FunctionVersion, Target
from lambda_emulator.history import History, PastInvocation
from lambda_emulator.invocation import Invocation
from lambda_emulator.invocation_metrics import InvocationMetrics
from lambda_emulator.invoke_request import InvokeRequest
from lambda_emulator.metrics import Metrics
from lambda_emulator.pool import EnvironmentPool
from lambda_emulator.process_guard import ProcessGuard
from lambda_emulator.rate_limits import RateExceeded, RateLimits
from lambda_emulator.result import Completion
from lambda_emulator.running_invocations import RunningInvocations
from lambda_emulator.tracing import Tracing

__all__ = ["Dispatched", "Dispatcher", "Settings"]

# A caller that has just been answered is quicker than the invocation's end. Lambda's distance to the caller hides
# that; here a call that would be throttled waits so long for an invocation that is about to end.
_ALMOST_OVER_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a local Lambda is made with."""

    clock: Clock
    random: Callable[[], float]
    """From 0 up to 1: decides between the versions of an alias."""
    max_environments: int = 10
    """Of each version, on this machine; who meets it waits."""
    account_concurrency: int = 1000
    strict_rates: bool = False
    """Reserved and provisioned concurrency limit the requests per second."""
    duplicates: Duplicates = field(default_factory=Duplicates)
    """Which asynchronous events run twice."""
    aws: AwsClients | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """An accepted invocation. The futures are None where there is nothing to wait for."""

    request_id: str
    executed_version: str
    """Empty for an asynchronous invocation: it is decided when it runs."""
    answered: "asyncio.Future[Answer] | None" = None
    """None for a dry run and for an asynchronous invocation."""
    completed: "asyncio.Future[Completion] | None" = None
    """Of the first attempt if it is asynchronous; None for a dry run."""


class Dispatcher:
    """Functions and their environments."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.functions = Functions(self.make_pool, settings.random)
        self.limits = ConcurrencyLimits(account=settings.account_concurrency)
        self.rates = RateLimits(self.limits, self._seconds(), strict=settings.strict_rates)
        self.metrics = Metrics()
        self._counted = InvocationMetrics(self.metrics, self.limits, settings.clock)
        self.history = History()
        self.events = AsyncInvocations(
            settings.clock, self, EventRoutes(settings.aws), self.metrics, settings.duplicates
        )
        self._running = RunningInvocations(settings.clock)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(self._make_turns)
        self._closed = False
        self._guard = ProcessGuard()
        self.tracing = Tracing()

    def make_pool(self, configuration: FunctionConfiguration, max_environments: int | None = None) -> EnvironmentPool:
        """Environments for a version; none is started yet."""
        kind = ExecutionEnvironment if configuration.max_concurrency is None else ConcurrentEnvironment
        traced = self.tracing.configured(configuration)

        def make() -> Environment:
            return self.tracing.around(kind(traced, self._guard), traced)

        return EnvironmentPool(make, max_environments=max_environments or self.settings.max_environments)

    def find(self, name: FunctionName) -> FunctionConfiguration:
        """The configuration behind that name and qualifier; of an alias, its main version's.

        Raises `ResourceNotFound`.
        """
        return self.find_version(name).configuration

    def find_version(self, name: FunctionName) -> FunctionVersion:
        """The same with all that belongs to it."""
        function = self.functions.find(name)
        alias = function.aliases.get(name.qualifier or "")
        version = function.version(alias.function_version if alias else name.qualifier or "$LATEST")
        return version or self.functions.target(name).version

    def dispatch(self, request: InvokeRequest, *, chain: tuple[str, ...] = (), polled: bool = False) -> Dispatched:
        """Accept an invocation and start it. Raises `InvokeError` for what the service refuses at once.

        `polled`: it comes from an event source mapping, whose batches no rate limits.
        """
        if self._closed:
            raise ServiceClosed("this LocalLambda is closed: make another one")
        name = FunctionName.parse(request.function_name, request.qualifier)
        event = request.checked_event()
        client_context = request.client_context_text()
        function = self.functions.qualified(name)
        request_id = str(uuid.uuid4())
        identity = request.cognito_identity
        invocation = Invocation(
            request_id=request_id,
            payload=event,
            function_arn=f"{function.arn}:{name.qualifier}" if name.qualifier else function.arn,
            trace_header=request.trace_header,
            client_context=client_context,
            cognito_identity=json.dumps(dict(identity), separators=(",", ":")) if identity else None,
            tenant_id=request.tenant_id,
            streamed=request.streamed,
        )
        if request.invocation_type == "Event":
            now_s = self.settings.clock.time()
            queued = QueuedEvent(name=name, invocation=invocation, accepted_s=now_s, chain=chain)
            return Dispatched(request_id=request_id, executed_version="", completed=self.events.accept(queued))
        target = self.functions.target(name)
        if request.invocation_type == "DryRun":
            return Dispatched(request_id=request_id, executed_version=target.version.number)
        completed, answered = self._start(invocation, target, synchronous=not polled)
        return Dispatched(
            request_id=request_id,
            executed_version=target.version.number,
            answered=answered,
            completed=completed,
        )

    async def attempt(self, event: QueuedEvent, target: Target) -> Ran:
        """Run an asynchronous invocation once. Raises `TooManyRequests`."""
        completed, answered = self._start(event.invocation, target, synchronous=False)
        answer = await asyncio.shield(answered)
        return Ran(answer, await asyncio.shield(completed), target.version.number)

    def function(self, name: FunctionName) -> Function:
        """The function, if it has that qualifier. Raises `ResourceNotFound`."""
        return self.functions.qualified(name)

    def target(self, name: FunctionName) -> Target:
        """Where an invocation goes now. Raises `ResourceNotFound`."""
        return self.functions.target(name)

    def reserved(self, function: str) -> int | None:
        """The function's reserved concurrency."""
        return self.limits.reserved(function)

    def turn(self, function: str) -> AbstractAsyncContextManager[object]:
        """Held during an attempt: not more at once than the machine has environments for."""
        return self._turns[function]

    def send_event(self, arn: str, payload: bytes, trace_header: str | None, chain: tuple[str, ...]) -> None:
        """Accept the event that a destination is to get. Raises `InvokeError`."""
        self.dispatch(
            InvokeRequest(
                function_name=arn,
                payload=payload,
                payload_bytes=len(payload),
                invocation_type="Event",
                trace_header=trace_header,
            ),
            chain=chain,
        )

    async def let_end(self) -> None:
        """Wait until every invocation whose caller has been answered is over: it is measured then."""
        await self._running.let_end()

    async def let_run_out(self) -> None:
        """Wait until what runs now is over; what begins meanwhile is not waited for."""
        await self._running.let_run_out()

    @property
    def running(self) -> int:
        """Invocations that run now."""
        return len(self._running)

    async def close(self) -> None:
        """Cut what runs, end every environment. Callers that still wait get `ServiceClosed`."""
        self._closed = True
        await self.events.close()
        await self._running.cut()
        await self.functions.close()
        self._guard.close()
        self.tracing.close()

    def _start(
        self, invocation: Invocation, target: Target, *, synchronous: bool
    ) -> "tuple[asyncio.Task[Completion], asyncio.Future[Answer]]":
        return self._running.start(
            lambda answered: self._run(invocation, target, answered, synchronous=synchronous),
            what=f"invocation {invocation.request_id} of {target.function.name}",
        )

    async def _run(
        self, invocation: Invocation, target: Target, answered: "asyncio.Future[Answer]", *, synchronous: bool
    ) -> Completion:
        function, version = target.function.name, target.version
        try:
            admission = await self._admit(function, version.number, synchronous=synchronous)
        except TooManyRequests:
            self._counted.record("Throttles", 1, target)
            raise
        try:
            self._counted.admitted(target, admission)
            answered.add_done_callback(lambda answer: self._counted.answered(answer, target))
            pool = version.provisioned if admission.share == "provisioned" else version.on_demand
            completion = await (pool or version.on_demand).run(invocation, answered)
            if completion.report.error_type is not None and not answered.result().failed:
                self._counted.record("Errors", 1, target)  # a stream that failed after it had begun, or a late crash
            self._counted.record("Duration", completion.report.duration_ms, target)
            self._remember(invocation, target, answered.result(), completion)
            return completion
        finally:
            self.limits.release(admission)

    async def _admit(self, function: str, version: str, *, synchronous: bool) -> Admission:
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _ALMOST_OVER_S
        while True:
            try:
                return self.rates.admit(function, version, synchronous=synchronous)
            except RateExceeded:
                raise
            except TooManyRequests:
                ending = self._running.ending
                left_s = give_up_s - loop.time()
                if not ending or left_s <= 0:
                    raise
            await asyncio.wait(ending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)

    def _remember(self, invocation: Invocation, target: Target, answer: Answer, completion: Completion) -> None:
        self.history.add(
            PastInvocation(
                function=target.function.name,
                qualifier=target.qualifier,
                version=target.version.number,
                request_id=invocation.request_id,
                ended_s=self.settings.clock.time(),
                event=invocation.payload,
                payload=answer.payload,
                failed=answer.failed or completion.report.error_type is not None,
                completion=completion,
            )
        )

    def _seconds(self) -> Callable[[], float]:
        """What rates go by. A manual clock stands still while thousands of invocations run: there both times count."""
        clock = self.settings.clock
        if self.settings.strict_rates or isinstance(clock, RealClock):
            return clock.time
        return lambda: clock.time() + time.monotonic()

    def _make_turns(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self.settings.max_environments)
