"""The local Lambda for callers that are not asynchronous: a test, a script, the command line.

One event loop in a daemon thread does all the work; every method may be called from any other thread. Closing it, or
leaving the `with` block, or the end of the interpreter, ends every process that it has started.
"""

import concurrent.futures
import json
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, Self, TypeVar

from lambda_emulator.answer import Answer
from lambda_emulator.dispatcher import Dispatched, Dispatcher
from lambda_emulator.errors import InvalidRequestContent, ServiceClosed
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.invoke_api import InvokeApi
from lambda_emulator.invoke_request import InvokeRequest, client_context_to_base64
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.result import Completion, InvocationResult
from lambda_emulator.streamed_result import StreamedResult

__all__ = ["LocalLambda", "Side"]

_T = TypeVar("_T")
_STATUS = {"RequestResponse": 200, "Event": 202, "DryRun": 204}


class LocalLambda:
    """Functions that can be invoked.

        with LocalLambda(FunctionConfiguration(handler="app.handler", task_root=Path("src"))) as service:
            result = service.invoke("function", {"name": "you"})

    `max_environments` limits the processes of each function; a call that meets the limit waits.
    """

    def __init__(self, *functions: FunctionConfiguration, max_environments: int = 10) -> None:
        self._dispatcher = Dispatcher(max_environments=max_environments)
        self._invoke_api = InvokeApi(self._dispatcher)
        for configuration in functions:
            self._dispatcher.create_function(configuration)
        self._loop = LoopThread("local-lambda")
        self._sides: list[Side] = [self._invoke_api]
        self._closing = weakref.finalize(self, _close, self._loop, self._dispatcher, self._sides)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def create_function(self, configuration: FunctionConfiguration) -> None:
        """Add a function. Raises `InvalidConfiguration` if its name is taken."""
        self._dispatcher.create_function(configuration)

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
        return self._submit(_invoke(self._dispatcher, request)).result()

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

    @property
    def endpoint_url(self) -> str:
        """Where `boto3.client("lambda", endpoint_url=...)` finds these functions; listens from the first use on."""
        return self._submit(self._invoke_api.start()).result()

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

    def close(self) -> None:
        """End every process, remove every temporary folder. May be called again."""
        self._closing()

    def _submit(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        if not self._closing.alive:
            coroutine.close()
            raise ServiceClosed("this LocalLambda is closed: make another one")
        return self._loop.submit(coroutine)


class Side(Protocol):
    """An HTTP server in front of the functions."""

    async def start(self) -> str:
        """Listen; the URL."""

    async def close(self) -> None:
        """Close the port; callers that wait are cut off."""


async def _invoke(dispatcher: Dispatcher, request: InvokeRequest) -> InvocationResult:
    """No method: the loop's thread must never hold the last reference to a `LocalLambda`, whose end it would await."""
    dispatched = dispatcher.dispatch(request)
    answer = None
    if request.invocation_type == "RequestResponse" and dispatched.answered is not None:
        answer = await dispatched.answered
    return InvocationResult(
        status_code=_STATUS[request.invocation_type],
        payload=answer.payload if answer else b"",
        function_error="Unhandled" if answer and answer.failed else None,
        executed_version=dispatched.executed_version,
        request_id=dispatched.request_id,
        completion=_completion(dispatched),
    )


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


def _close(loop: LoopThread, dispatcher: Dispatcher, sides: list[Side]) -> None:
    async def close() -> None:
        for side in sides:
            await side.close()
        await dispatcher.close()

    loop.submit(close()).result()
    loop.stop()
