"""A local Lambda's side of the direct sources: accepts their events and keeps their schedules."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.direct_sources.lineage import counted, header_of
from lambda_emulator.direct_sources.schedules import Schedule, Schedules
from lambda_emulator.errors import InvokeError, ServiceClosed
from lambda_emulator.function_name import FunctionName
from lambda_emulator.invoke_request import InvokeRequest
from lambda_emulator.loop_thread import LoopThread

if TYPE_CHECKING:
    from lambda_emulator.dispatcher import Dispatcher

__all__ = ["LocalReceiver"]

_T = TypeVar("_T")


class LocalReceiver:
    """Of one local Lambda, from its making until `detach`. It knows the loop, not the `LocalLambda`."""

    def __init__(self, dispatcher: "Dispatcher", loop: LoopThread, aws: AwsClients | None) -> None:
        self._dispatcher = dispatcher
        self._loop = loop
        self._hub = aws.direct_sources if aws is not None else None
        self._lock = threading.Lock()
        self._closed = False
        self._schedules = Schedules(dispatcher.settings.clock, aws.run) if aws is not None else None
        if self._hub is not None:
            self._hub.attach(self)

    def knows(self, function_arn: str) -> bool:
        """There is such a function, with that qualifier."""

        def look() -> bool:
            try:
                self._dispatcher.functions.qualified(FunctionName.parse(function_arn))
            except InvokeError:
                return False
            return True

        return self._do(look)

    def accept(self, function_arn: str, payload: bytes, trace_header: str | None) -> None:
        """Run it asynchronously; returns when it is accepted, so a clock that stands still knows of it."""

        def dispatch() -> None:
            name = FunctionName.parse(function_arn)
            traced = self._dispatcher.find(name).tracing == "Active"
            at_s = self._dispatcher.settings.clock.time()
            request = InvokeRequest(
                function_name=function_arn,
                payload=payload,
                payload_bytes=len(payload),
                invocation_type="Event",
                trace_header=header_of(trace_header, name.name, at_s=at_s, traced=traced),
            )
            self._dispatcher.dispatch(request, chain=(name.name,) * counted(trace_header, name.name))

        self._do(dispatch)

    def set_schedules(self, schedules: Sequence[Schedule]) -> None:
        """These and no others are to be kept from now on."""
        kept = self._schedules
        if kept is not None and not self._closed:
            self._do(lambda: kept.set(schedules))

    def detach(self) -> None:
        """Accept nothing more. What has been accepted stays with the loop; not to be called in the loop."""
        if self._hub is not None:
            self._hub.detach(self)
        with self._lock:
            self._closed = True

    async def close(self) -> None:
        """End the schedules; to be called in the loop, after `detach`."""
        if self._schedules is not None:
            await self._schedules.close()

    def _do(self, action: Callable[[], _T]) -> _T:
        async def run() -> _T:
            return action()

        # Whatever is submitted while the lock is held comes before the loop's end, which is submitted after `detach`.
        with self._lock:
            if self._closed:
                raise ServiceClosed("this LocalLambda is closed: make another one")
            submitted = self._loop.submit(run())
        return submitted.result()
