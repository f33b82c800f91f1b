"""A Runtime API with a session and no process: the test plays both the runtime and the environment."""

import queue
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from lambda_emulator import FunctionConfiguration
from lambda_emulator.extensions import Extensions
from lambda_emulator.extensions_api import ExtensionsApi
from lambda_emulator.happenings import Answered, Happening, Ready
from lambda_emulator.invocation import Delivery, Invocation
from lambda_emulator.loop_thread import LoopThread
from lambda_emulator.runtime_api import RuntimeApi
from lambda_emulator.sessions import ConcurrentSession, SingleSession
from lambda_emulator.telemetry import TelemetryHub
from lambda_emulator.telemetry_api import TelemetryApi
from runtime import protocol
from tests.emulator.raw_client import RawAnswer, RawClient

__all__ = ["ApiUnderTest", "delivery"]

_T = TypeVar("_T")


def delivery(request_id: str = "id-1", payload: bytes = b"{}", nonce: str = "nonce-1", **fields: Any) -> Delivery:
    """An event on its way."""
    invocation = Invocation(
        request_id=request_id,
        payload=payload,
        function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
        **fields,
    )
    return Delivery(invocation=invocation, nonce=nonce, deadline_ms=1_900_000_000_000)


class ApiUnderTest:
    """Starts on entering. `session` may only be touched through `on_loop`."""

    def __init__(
        self,
        kind: Callable[[Callable[[Happening], None]], SingleSession | ConcurrentSession] = SingleSession,
        *,
        snap_start: bool = False,
        external: tuple[str, ...] = (),
        managed_instance: bool = False,
    ) -> None:
        self.happenings: queue.Queue[Happening] = queue.Queue()
        self._loop = LoopThread("api-under-test")
        self._clients: list[RawClient] = []

        async def make() -> None:
            self.session = kind(self.happenings.put)
            self.extensions = Extensions(self.happenings.put, external, managed_instance=managed_instance)
            self.hub = TelemetryHub(lambda _event: None)
            configuration = FunctionConfiguration(handler="app.handler", task_root=Path(), name="f")
            self.api = RuntimeApi(
                self.session,
                snap_start=snap_start,
                on_next=self.extensions.close_registration,
                more=ExtensionsApi(self.extensions, configuration).routes()
                + TelemetryApi(self.extensions, self.hub).routes(),
            )
            await self.api.server.start()

        self._loop.submit(make()).result(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self._loop.submit(self.hub.close()).result(10)
        self._loop.submit(self.api.server.close()).result(10)
        self._loop.stop()

    def on_loop(self, function: Callable[[], _T]) -> _T:
        """Run it in the loop's thread."""

        async def run() -> _T:
            return function()

        return self._loop.submit(run()).result(10)

    def awaited(self, make: Callable[[], Awaitable[_T]]) -> _T:
        """Run a coroutine there."""

        async def run() -> _T:
            return await make()

        return self._loop.submit(run()).result(10)

    def client(self) -> RawClient:
        client = RawClient(self.api.server.address)
        self._clients.append(client)
        return client

    def happening(self) -> Happening:
        return self.happenings.get(timeout=10)

    def deliver(self, event: Delivery) -> None:
        """Wait until the runtime is ready, then hand it an event."""
        self.on_loop(lambda: self.session.deliver(event))

    def next_event(self, client: RawClient, event: Delivery | None = None) -> RawAnswer:
        """Ask for an event that is delivered once it has been asked for."""
        client.send(b"GET " + protocol.NEXT.encode() + b" HTTP/1.1\r\nHost: test\r\n\r\n")
        assert isinstance(self.happening(), Ready)
        self.deliver(event or delivery())
        return client.answer()

    def answered(self) -> Answered:
        """What the caller was given."""
        happening = self.happening()
        assert isinstance(happening, Answered)
        return happening
