"""From a caller's request to an environment and back: the asynchronous core that both fronts share.

It resolves names, checks requests, and starts one task for each accepted invocation. What it returns at once is the
acceptance; the answer and the completion come later, as futures. Lives in one event loop.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass

from lambda_emulator.answer import Answer
from lambda_emulator.concurrent_environment import ConcurrentEnvironment
from lambda_emulator.environment import Environment, ExecutionEnvironment
from lambda_emulator.errors import InvalidConfiguration, ResourceNotFound, ServiceClosed
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.function_name import FunctionName
from lambda_emulator.invocation import Invocation
from lambda_emulator.invoke_request import InvokeRequest
from lambda_emulator.pool import EnvironmentPool
from lambda_emulator.process_guard import ProcessGuard
from lambda_emulator.result import Completion

__all__ = ["Dispatched", "Dispatcher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """An accepted invocation. The futures are None for a dry run, where nothing runs."""

    request_id: str
    executed_version: str
    answered: "asyncio.Future[Answer] | None" = None
    completed: "asyncio.Task[Completion] | None" = None


class Dispatcher:
    """Functions and their environments."""

    def __init__(self, *, max_environments: int) -> None:
        self._max_environments = max_environments
        self._functions: dict[str, FunctionConfiguration] = {}
        self._pools: dict[str, EnvironmentPool] = {}
        self._running: set[asyncio.Task[Completion]] = set()
        self._closed = False
        self._guard = ProcessGuard()

    def create_function(self, configuration: FunctionConfiguration) -> None:
        """Make it known. Raises `InvalidConfiguration` if there is one of that name."""
        if configuration.name in self._functions:
            raise InvalidConfiguration(
                f"name {configuration.name!r} is taken: give each function of a LocalLambda a name of its own"
            )
        kind = ExecutionEnvironment if configuration.max_concurrency is None else ConcurrentEnvironment

        def make() -> Environment:
            return kind(configuration, self._guard)

        self._functions[configuration.name] = configuration
        self._pools[configuration.name] = EnvironmentPool(make, max_environments=self._max_environments)

    def find(self, name: FunctionName) -> FunctionConfiguration:
        """The function of that name and qualifier. Raises `ResourceNotFound`."""
        configuration = self._functions.get(name.name)
        if (
            configuration is not None
            and name.region in (None, configuration.region)
            and name.account_id in (None, configuration.account_id)
            and name.qualifier in (None, "$LATEST", configuration.version)
        ):
            return configuration
        some = configuration or next(iter(self._functions.values()), None)
        region = name.region or (some.region if some else "us-east-1")
        account_id = name.account_id or (some.account_id if some else "123456789012")
        arn = f"arn:aws:lambda:{region}:{account_id}:function:{name.name}:{name.qualifier or '$LATEST'}"
        raise ResourceNotFound(f"Function not found: {arn}")

    def dispatch(self, request: InvokeRequest) -> Dispatched:
        """Accept an invocation and start it. Raises `InvokeError` for what the service refuses."""
        if self._closed:
            raise ServiceClosed("this LocalLambda is closed: make another one")
        name = FunctionName.parse(request.function_name, request.qualifier)
        event = request.checked_event()
        client_context = request.client_context_text()
        configuration = self.find(name)
        request_id = str(uuid.uuid4())
        if request.invocation_type == "DryRun":
            return Dispatched(request_id=request_id, executed_version=configuration.version)
        identity = request.cognito_identity
        invocation = Invocation(
            request_id=request_id,
            payload=event,
            function_arn=f"{configuration.arn}:{name.qualifier}" if name.qualifier else configuration.arn,
            trace_header=request.trace_header,
            client_context=client_context,
            cognito_identity=json.dumps(dict(identity), separators=(",", ":")) if identity else None,
            tenant_id=request.tenant_id,
            streamed=request.streamed,
        )
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        completed = asyncio.get_running_loop().create_task(self._pools[configuration.name].run(invocation, answered))
        self._running.add(completed)
        completed.add_done_callback(self._running.discard)
        completed.add_done_callback(lambda task: _pass_on_failure(task, answered))
        return Dispatched(
            request_id=request_id,
            executed_version=configuration.version,
            answered=answered,
            completed=completed,
        )

    async def close(self) -> None:
        """Cut what runs, end every environment. Callers that still wait get `ServiceClosed`."""
        self._closed = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        self._guard.close()


def _pass_on_failure(task: "asyncio.Task[Completion]", answered: "asyncio.Future[Answer]") -> None:
    """A caller never waits for an answer that cannot come."""
    if answered.done():
        return
    if task.cancelled():
        answered.set_exception(ServiceClosed("this LocalLambda was closed while the invocation was running"))
    else:
        answered.set_exception(task.exception() or RuntimeError("the invocation ended without an answer"))
    answered.exception()  # nobody may be waiting (an Event invocation), and that is no news for the event loop
