"""The methods of a `LocalLambda` that invoke functions."""

import asyncio
import concurrent.futures
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lambda_emulator.answer import Answer
from lambda_emulator.dispatcher import Dispatched, Dispatcher
from lambda_emulator.errors import InvalidRequestContent, ServiceClosed
from lambda_emulator.invoke_request import InvokeRequest, client_context_to_base64
from lambda_emulator.result import Completion, InvocationResult
from lambda_emulator.service_calls import ServiceCalls
from lambda_emulator.streamed_result import StreamedResult

__all__ = ["ServiceInvocations"]

_STATUS = {"RequestResponse": 200, "Event": 202, "DryRun": 204}


class ServiceInvocations(ServiceCalls):
    """Synchronous, asynchronous, dry, streamed."""

    _dispatcher: Dispatcher

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
