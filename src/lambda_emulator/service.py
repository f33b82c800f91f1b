"""The local Lambda for callers that are not asynchronous: a test, a script, the command line.

One event loop in a daemon thread does all the work; every method may be called from any other thread. Closing it, or
leaving the `with` block, or the end of the interpreter, ends every process that it has started.
"""

import asyncio
import concurrent.futures
import json
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Protocol, Self, TypeVar

from lambda_emulator.alias import Alias
from lambda_emulator.answer import Answer
from lambda_emulator.async_invocations import EventNews, EventOutcome
from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.clock import Clock, RealClock
from lambda_emulator.concurrency_limits import ACCOUNT_LIMIT
from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.deployment import Alarm, Deployment, Deployments, Hook, Plan
from lambda_emulator.direct_sources.receiver import LocalReceiver
from lambda_emulator.dispatcher import Dispatched, Dispatcher, Settings
from lambda_emulator.duplicates import Duplicates
from lambda_emulator.errors import InvalidRequestContent, ServiceClosed
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.history import History
from lambda_emulator.invoke_api import InvokeApi
from lambda_emulator.invoke_request import InvokeRequest, client_context_to_base64
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.metrics import Metrics
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
from lambda_emulator.pollers.invoker import DispatcherInvoker
from lambda_emulator.pollers.registry import EventSourceMappings
from lambda_emulator.pollers.request import api_request
from lambda_emulator.provisioned import ProvisionedState
from lambda_emulator.result import Completion, InvocationResult
from lambda_emulator.streamed_result import StreamedResult
from lambda_emulator.traffic_shift import TrafficShift
from lambda_emulator.xray_daemon import XRayDaemon

__all__ = ["LocalLambda", "Side"]

_T = TypeVar("_T")
_STATUS = {"RequestResponse": 200, "Event": 202, "DryRun": 204}


class LocalLambda:
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

    def create_function(self, configuration: FunctionConfiguration) -> None:
        """Add a function. Raises `InvalidConfiguration` if its name is taken."""
        self._do(lambda: self._control.create_function(configuration))

    def update_function(self, configuration: FunctionConfiguration) -> None:
        """Replace the code and configuration of the function of that name; what runs runs to its end."""
        self._do(lambda: self._control.update_function(configuration))

    def delete_function(self, function_name: str) -> None:
        """Remove it with its versions and aliases; events that wait for it are dropped."""
        self._do(lambda: self._control.delete_function(function_name))

    def publish_version(self, function_name: str, *, description: str | None = None) -> str:
        """Freeze code and configuration; the new version's number, or the last one's if nothing has changed."""
        return self._submit(_publish(self._control, function_name, description)).result()

    def create_alias(
        self, function_name: str, alias: str, version: str, *, weights: Mapping[str, float] | None = None
    ) -> Alias:
        """Name a version; `weights={"2": 0.1}` sends a tenth of the invocations to version 2."""
        return self._do(lambda: self._control.create_alias(function_name, alias, version, weights=weights))

    def update_alias(
        self,
        function_name: str,
        alias: str,
        *,
        version: str | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Alias:
        """Point it elsewhere; `weights={}` sends everything to its version."""
        return self._do(lambda: self._control.update_alias(function_name, alias, version=version, weights=weights))

    def shift_traffic(
        self,
        function_name: str,
        alias: str,
        version: str,
        shift: TrafficShift | str = "AllAtOnce",
        *,
        before: Hook | None = None,
        after: Hook | None = None,
        alarms: Sequence[Alarm] = (),
    ) -> Deployment:
        """Move an alias to another version as CodeDeploy does, on the clock; returns when it has begun.

        `shift`: `Canary10Percent5Minutes`, `Linear10PercentEvery1Minute`, `AllAtOnce`, any numbers. `before` and
        `after` are functions' names or callables. An alarm gets the metrics; True takes everything back.
        """
        plan = Plan(
            function=function_name,
            alias=alias,
            version=version,
            shift=TrafficShift.named(shift) if isinstance(shift, str) else shift,
            before=before,
            after=after,
            alarms=tuple(alarms),
        )
        return self._do(lambda: self._deployments.start(plan))

    def put_function_concurrency(self, function_name: str, reserved: int | None) -> None:
        """Reserve concurrency, 0 switches the function off; None gives it back."""
        if reserved is None:
            self._do(lambda: self._control.delete_function_concurrency(function_name))
        else:
            self._do(lambda: self._control.put_function_concurrency(function_name, reserved))

    def put_event_invoke_config(
        self,
        function_name: str,
        *,
        qualifier: str | None = None,
        maximum_retry_attempts: int | None = None,
        maximum_event_age_s: int | None = None,
        on_success: str | None = None,
        on_failure: str | None = None,
    ) -> EventInvokeConfig:
        """Say how asynchronous invocations are retried, and to which ARNs their results go."""
        config = EventInvokeConfig(
            maximum_retry_attempts=maximum_retry_attempts,
            maximum_event_age_s=maximum_event_age_s,
            on_success=on_success,
            on_failure=on_failure,
        )
        return self._do(lambda: self._control.put_event_invoke_config(function_name, config, qualifier=qualifier))

    def delete_event_invoke_config(self, function_name: str, *, qualifier: str | None = None) -> None:
        """Back to two retries and six hours. Raises `ResourceNotFound` if nothing is set."""
        self._do(lambda: self._control.delete_event_invoke_config(function_name, qualifier=qualifier))

    def put_provisioned_concurrency(self, function_name: str, qualifier: str, amount: int) -> ProvisionedState | None:
        """Initialise environments of a version or alias in advance; returns when they are ready, or one has failed.

        0 ends it, and returns None.
        """
        return self._submit(_provision(self._control, function_name, qualifier, amount)).result()

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

    def invoke(
        self,
        function_name: str,
        payload: Any = None,
        *,
        invocation_type: str = "RequestResponse",
        log_type: str = "None",
        qualifier: str | None = None,
        client_context: Mapping[str, Any] | None = None,
        tenant_id: str | None = None,
        trace_header: str | None = None,
        cognito_identity: Mapping[str, str] | None = None,
    ) -> InvocationResult:
        """Invoke a function and wait for its answer (`Event` and `DryRun`: for the acceptance).

        `payload`: bytes and str are taken as JSON text, as they are; None is no payload, which the function sees as
        `{}`; any other value is written as JSON. A failing function is a result with `function_error`. Raises
        `InvokeError` for what the service refuses before a function runs, `ServiceClosed` if it is closed.
        """
        body = _json_bytes(payload)
        request = InvokeRequest(
            function_name=function_name,
            payload=body,
            payload_bytes=len(body),
            invocation_type=invocation_type,
            log_type=log_type,
            qualifier=qualifier,
            client_context=client_context_to_base64(client_context) if client_context is not None else None,
            tenant_id=tenant_id,
            trace_header=trace_header,
            cognito_identity=cognito_identity,
        )
        self._check_open()
        begin: Callable[[concurrent.futures.Future[InvocationResult]], None] = partial(
            _begin, self._dispatcher, request
        )
        return self._loop.call(begin).result()

    def invoke_stream(
        self,
        function_name: str,
        payload: Any = None,
        *,
        qualifier: str | None = None,
        client_context: Mapping[str, Any] | None = None,
        tenant_id: str | None = None,
        trace_header: str | None = None,
    ) -> StreamedResult:
        """Invoke a function and read its response as it is produced.

            with service.invoke_stream("function", {"count": 3}) as stream:
                for chunk in stream:
                    ...
                assert stream.error is None

        Returns when the response begins; a function that does not stream gives one chunk. Arguments and errors are
        `invoke`'s. Reading slowly stops the function; leaving the `with` block early only stops listening.
        """
        body = _json_bytes(payload)
        request = InvokeRequest(
            function_name=function_name,
            payload=body,
            payload_bytes=len(body),
            qualifier=qualifier,
            client_context=client_context_to_base64(client_context) if client_context is not None else None,
            tenant_id=tenant_id,
            trace_header=trace_header,
            streamed=True,
        )
        answer, dispatched, completion = self._submit(_invoke_streamed(self._dispatcher, request)).result()
        return StreamedResult(
            answer,
            self._submit,
            executed_version=dispatched.executed_version,
            request_id=dispatched.request_id,
            completion=completion,
        )

    def create_event_source_mapping(
        self, function_name: str, event_source_arn: str, **settings: Any
    ) -> EventSourceMapping:
        """Poll a queue or a stream for a function.

            service.create_event_source_mapping("orders", queue_arn, batch_size=20, maximum_batching_window_s=1)

        Settings are the API's in this language: `batch_size`, `filters=[{"body": {"kind": ["order"]}}]`,
        `function_response_types=["ReportBatchItemFailures"]`, `maximum_concurrency`, `starting_position`,
        `on_failure="arn:..."`. Returns when polling has begun. Raises `InvokeError` for what Lambda refuses.
        """
        request = api_request(settings | {"function_name": function_name, "event_source_arn": event_source_arn})
        return self._submit(self._mappings.create(request)).result()

    def update_event_source_mapping(self, uuid: str, **settings: Any) -> EventSourceMapping:
        """Change settings, `enabled` among them; a stream goes on where it was."""
        return self._submit(self._mappings.update(uuid, api_request(settings))).result()

    def delete_event_source_mapping(self, uuid: str) -> EventSourceMapping:
        """Stop polling; what is in flight is finished."""
        return self._submit(self._mappings.delete(uuid)).result()

    def get_event_source_mapping(self, uuid: str) -> EventSourceMapping:
        """State and last result. Raises `ResourceNotFound`."""
        return self._do(lambda: self._mappings.get(uuid))

    def list_event_source_mappings(
        self, *, event_source_arn: str | None = None, function_name: str | None = None
    ) -> list[EventSourceMapping]:
        """All, or those of a source or a function."""
        return self._do(lambda: self._mappings.list(event_source_arn=event_source_arn, function_name=function_name))

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

    def _do(self, action: Callable[[], _T]) -> _T:
        """Run it in the loop's thread, where all state belongs."""

        async def run() -> _T:
            return action()

        return self._submit(run()).result()

    def _submit(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        try:
            self._check_open()
        except ServiceClosed:
            coroutine.close()
            raise
        return self._loop.submit(coroutine)

    def _check_open(self) -> None:
        if not self._closing.alive:
            raise ServiceClosed("this LocalLambda is closed: make another one")


class Side(Protocol):
    """An HTTP server in front of the functions."""

    async def start(self) -> str:
        """Listen; the URL."""

    async def close(self) -> None:
        """Close the port; callers that wait are cut off."""


def _begin(dispatcher: Dispatcher, request: InvokeRequest, done: "concurrent.futures.Future[InvocationResult]") -> None:
    """No method: the loop's thread must never hold the last reference to a `LocalLambda`, whose end it would await."""
    dispatched = dispatcher.dispatch(request)
    completion = _completion(dispatched)

    def result(answer: Answer | None) -> InvocationResult:
        return InvocationResult(
            status_code=_STATUS[request.invocation_type],
            payload=answer.payload if answer else b"",
            function_error="Unhandled" if answer and answer.failed else None,
            executed_version=dispatched.executed_version,
            request_id=dispatched.request_id,
            completion=completion,
        )

    def answered(future: "asyncio.Future[Answer]") -> None:
        if (error := future.exception()) is not None:
            done.set_exception(error)
        else:
            done.set_result(result(future.result()))

    if dispatched.answered is None:
        done.set_result(result(None))
    else:
        dispatched.answered.add_done_callback(answered)


async def _invoke_streamed(
    dispatcher: Dispatcher, request: InvokeRequest
) -> tuple[Answer, Dispatched, Callable[[], Completion]]:
    dispatched = dispatcher.dispatch(request)
    completion = _completion(dispatched)
    assert dispatched.answered is not None
    assert completion is not None
    return await dispatched.answered, dispatched, completion


def _completion(dispatched: Dispatched) -> Callable[[], Completion] | None:
    """Waits, in any thread but the loop's, for the invocation's end; works also after the service is closed."""
    task = dispatched.completed
    if task is None:
        return None
    bridge: concurrent.futures.Future[Completion] = concurrent.futures.Future()

    def done(_task: object) -> None:
        if task.cancelled():
            bridge.set_exception(ServiceClosed("this LocalLambda was closed while the invocation was running"))
        elif (error := task.exception()) is not None:
            bridge.set_exception(error)
        else:
            bridge.set_result(task.result())

    task.add_done_callback(done)
    return bridge.result


def _json_bytes(payload: Any) -> bytes:
    match payload:
        case None:
            return b""
        case bytes() | bytearray() | memoryview():
            return bytes(payload)
        case str():
            return payload.encode("utf-8", "surrogatepass")
        case _:
            try:
                return json.dumps(payload, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
            except (TypeError, ValueError) as error:
                raise InvalidRequestContent(f"The payload cannot be written as JSON: {error}") from error


async def _run_out(mappings: EventSourceMappings, dispatcher: Dispatcher) -> None:
    await mappings.run_out()
    await dispatcher.let_run_out()


async def _publish(control: ControlPlane, function_name: str, description: str | None) -> str:
    return (await control.publish_version(function_name, description=description)).number


async def _provision(control: ControlPlane, function_name: str, qualifier: str, amount: int) -> ProvisionedState | None:
    if amount == 0:
        control.delete_provisioned_concurrency(function_name, qualifier)
        return None
    control.put_provisioned_concurrency(function_name, qualifier, amount)
    await control.provisioned.until_settled()
    return control.get_provisioned_concurrency(function_name, qualifier)


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
