"""The lifespan of an ASGI application: started once per environment, ended when the environment is told to end."""

from __future__ import annotations

import asyncio

from .asgi_scope import VERSIONS

__all__ = ["Lifespan", "LifespanError"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .asgi_cycle import Application

_STARTUP, _SHUTDOWN = "lifespan.startup", "lifespan.shutdown"
_COMPLETE, _FAILED = ".complete", ".failed"


class LifespanError(RuntimeError):
    """The application said, or its exception says, that it cannot start."""


class Lifespan:
    """One start and one end of an application, in the running loop. `state` is what the application put there.

    `is_required`: an application that does not know the protocol is an error; otherwise it simply has no lifespan.
    """

    def __init__(self, app: Application, *, is_required: bool) -> None:
        self.state: dict[str, Any] = {}
        self.is_supported = True
        self._app = app
        self._is_required = is_required
        self._messages: asyncio.Queue[str] = asyncio.Queue()
        self._answered: dict[str, asyncio.Future[str | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None

    async def start(self) -> None:
        """Raises `LifespanError`."""
        scope = {"type": "lifespan", "asgi": {**VERSIONS, "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.get_running_loop().create_task(self._run(scope))
        failure = await self._tell(_STARTUP)
        if failure is not None:
            raise LifespanError(failure) from self._error

    async def stop(self) -> None:
        """Raises `LifespanError`. Does nothing for an application without lifespan."""
        if self._task is None or self._task.done():
            return
        failure = await self._tell(_SHUTDOWN)
        if failure is not None:
            raise LifespanError(failure) from self._error
        await asyncio.wait({self._task}, timeout=0.1)

    async def _tell(self, message: str) -> str | None:
        """Send it and wait for the word on it: None for done, else what went wrong."""
        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._answered[message] = answered
        self._messages.put_nowait(message)
        return await answered

    async def _run(self, scope: dict[str, Any]) -> None:
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001  # what it means depends on when it came
            self._error = error
        self._ended()

    def _ended(self) -> None:
        startup = self._answered.get(_STARTUP)
        if startup is not None and not startup.done():
            self.is_supported = False  # as servers do: whatever it raised, it did not take part
            said = f"the application has no lifespan: {type(self._error).__name__}: {self._error}"
            startup.set_result(said if self._is_required else None)
        shutdown = self._answered.get(_SHUTDOWN)
        if shutdown is not None and not shutdown.done():
            shutdown.set_result(f"{type(self._error).__name__}: {self._error}" if self._error else None)

    async def _receive(self) -> dict[str, Any]:
        return {"type": await self._messages.get()}

    async def _send(self, message: Any) -> None:
        for phase, answered in self._answered.items():
            if answered.done() or not message["type"].startswith(phase):
                continue
            if message["type"] == phase + _FAILED:
                answered.set_result(message.get("message") or f"the application answered {phase} with a failure")
            elif message["type"] == phase + _COMPLETE:
                answered.set_result(None)
