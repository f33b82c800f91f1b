"""How a poller calls its function: synchronously, with three outcomes. A function's own dead-letter queue,
destinations and retries have no part in it."""

import asyncio
from dataclasses import dataclass
from typing import Literal, Protocol

from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import InvalidParameterValue, InvokeError, ResourceNotFound
from lambda_emulator.function_name import FunctionName
from lambda_emulator.invoke_request import InvokeRequest

__all__ = ["DispatcherInvoker", "FunctionInvoker", "Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call went."""

    kind: Literal["ok", "function_error", "not_invoked"]
    """`not_invoked`: the call itself was refused (throttled, no such function); it counts as no attempt."""
    payload: bytes = b""
    request_id: str = ""
    executed_version: str = "$LATEST"


class FunctionInvoker(Protocol):
    """One function, called by its name."""

    def arn_of(self, function_name: str) -> str:
        """The ARN that a mapping shows. Raises `InvalidParameterValue` if there is no such function."""

    def timeout_s(self, function_name: str) -> int:
        """The function's timeout."""

    async def invoke(self, function_name: str, event: bytes) -> Outcome:
        """Call it and wait for the answer."""

    def measure(self, function_name: str, metric: str, value: float) -> None:
        """Record a metric of the function."""


class DispatcherInvoker:
    """Functions of a `LocalLambda`."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def arn_of(self, function_name: str) -> str:
        """Unqualified for a name; a qualifier stays, except `$LATEST` of a full ARN (recorded so)."""
        name = FunctionName.parse(function_name)
        try:
            arn = self._dispatcher.find(name).arn
        except ResourceNotFound as missing:
            raise InvalidParameterValue("Function does not exist") from missing
        qualifier = name.qualifier
        if qualifier == "$LATEST" and function_name.startswith("arn:"):
            qualifier = None
        return f"{arn}:{qualifier}" if qualifier else arn

    def timeout_s(self, function_name: str) -> int:
        """As configured."""
        return self._dispatcher.find(FunctionName.parse(function_name)).timeout_s

    async def invoke(self, function_name: str, event: bytes) -> Outcome:
        """Through the same door as every synchronous caller."""
        request = InvokeRequest(function_name=function_name, payload=event, payload_bytes=len(event))
        try:
            dispatched = self._dispatcher.dispatch(request, polled=True)
            assert dispatched.answered is not None
            # Shielded: a poller that is stopped does not cut off what others may be told.
            answer = await asyncio.shield(dispatched.answered)
        except InvokeError:
            return Outcome(kind="not_invoked")
        return Outcome(
            kind="function_error" if answer.failed else "ok",
            payload=answer.payload,
            request_id=dispatched.request_id,
            executed_version=dispatched.executed_version,
        )

    def measure(self, function_name: str, metric: str, value: float) -> None:
        """Among the service's own metrics."""
        name = FunctionName.parse(function_name)
        now_s = self._dispatcher.settings.clock.time()
        self._dispatcher.metrics.record(metric, value, now_s, function=name.name, qualifier=name.qualifier)
