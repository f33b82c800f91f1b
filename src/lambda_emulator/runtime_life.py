"""One life of a function's processes: the runtime, its external extensions, the port that they talk to, and what
happens to them, in order.

A life begins with `RuntimeLife.start` and ends with `end`; after a crash or a timeout the environment begins another.
It takes no decision: it reports `Happening`s, freezes and thaws, and ends all of it in the platform's way.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from lambda_emulator.extensions import Extensions
from lambda_emulator.external_extensions import ExternalExtensions
from lambda_emulator.happenings import Exited, ExtensionExited, ExtensionFailed, Happening, OverMemory
from lambda_emulator.memory import FIRST_SAMPLE_S, GroupMemory
from lambda_emulator.process import ExitStatus, FunctionProcess
from lambda_emulator.runtime_api import RuntimeApi
from lambda_emulator.telemetry import TelemetryHub

__all__ = ["Ending", "ExtensionsFailed", "Parts", "RuntimeLife"]

Ending = Literal["spindown", "timeout", "failure"]
"""Why a life ends, as extensions are told."""

# How long a dead process's connections are still listened to; they close with it, so this is never reached but when
# a grandchild outside the group has inherited one, or extensions hold theirs.
_SETTLE_S = 0.5
_SETTLE_BESIDE_EXTENSIONS_S = 0.05
# From SIGTERM to SIGKILL for the runtime: documented for internal extensions alone and for external ones; managed
# instances as AWS's emulator has them.
_GRACE_INTERNAL_S = 0.5
_GRACE_EXTERNAL_S = 0.3
_GRACE_MANAGED_S = 0.6
# From the beginning of the end to SIGKILL for external extensions, documented.
_SHUTDOWN_S = 2.0
# What subscribers may take to read what is left for them, before they hear of the end.
_FLUSH_S = 0.3


class ExtensionsFailed(Exception):  # noqa: N818 (it is the extensions' failure, reported to the caller)
    """The runtime was not started: an extension died, posted an error, or did not register in time (None)."""

    def __init__(self, happening: ExtensionExited | ExtensionFailed | None) -> None:
        super().__init__(happening)
        self.happening = happening


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a life is made of besides its runtime's process."""

    api: RuntimeApi
    extensions: Extensions
    external: ExternalExtensions
    hub: TelemetryHub
    happenings: asyncio.Queue[Happening]
    managed_instance: bool


class RuntimeLife:
    """A running process with its Runtime API and its extensions."""

    def __init__(self, parts: Parts, process: FunctionProcess) -> None:
        self.memory = GroupMemory(process.pid, *parts.external.pids)
        self.extensions = parts.extensions
        self.hub = parts.hub
        self._parts = parts
        self._process = process
        self._first_sample: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None
        process.exited.add_done_callback(self._report_exit)

    @classmethod
    async def start(
        cls,
        parts: Parts,
        *,
        start_extensions: Callable[[str], Awaitable[None]],
        start_runtime: Callable[[str], Awaitable[FunctionProcess]],
        deadline_s: float,
    ) -> "RuntimeLife":
        """Open the port, start the extensions, wait until they have registered, start the runtime.

        Both functions are called with the port's address. Raises OSError, `LaunchFailed` or `ExtensionsFailed`; nothing
        is left then.
        """
        await parts.api.server.start()
        address = parts.api.server.address
        try:
            await start_extensions(address)
            await _until_registered(parts, deadline_s)
            process = await start_runtime(address)
        except BaseException:
            await parts.external.stop(set(), deadline_s)
            await parts.api.server.close()
            await parts.hub.close()
            raise
        return cls(parts, process)

    @property
    def release(self) -> str:
        """What the runtime calls itself; empty while it has not said so."""
        return str(self._parts.api.release)

    @property
    def has_exited(self) -> bool:
        """One of the processes is gone, though `end` may not have been called."""
        return self._process.is_gone or self._parts.external.any_has_exited

    async def happening(self, deadline_s: float | None) -> Happening | None:
        """The next thing that happens; None when the deadline (of `time.monotonic`) comes first."""
        return await _next_of(self._parts.happenings, deadline_s)

    def left_over(self) -> list[Happening]:
        """What has happened and was not asked for, in order."""
        left = []
        while not self._parts.happenings.empty():
            left.append(self._parts.happenings.get_nowait())
        return left

    async def last_messages(self) -> None:
        """The runtime is gone: take in what it had sent and written before."""
        await self._parts.api.server.settle(_SETTLE_BESIDE_EXTENSIONS_S if self._parts.external else _SETTLE_S)
        self._process.drain()

    def watch_memory(self, limit_bytes: int) -> None:
        """Report `OverMemory` once if the groups hold more. Until `freeze` or `end`."""
        self._stop_watching()
        # Most invocations are over before the first sample: a timer is all that they pay.
        loop = asyncio.get_running_loop()
        self._first_sample = loop.call_later(FIRST_SAMPLE_S, self._begin_watching, limit_bytes)

    def thaw(self) -> None:
        """Let everything run."""
        self._process.thaw()
        self._parts.external.thaw()

    def freeze(self) -> None:
        """Stop everything, and read all that was written: what belongs to the invocation is then in its log."""
        self._stop_watching()
        self._process.freeze()
        self._process.drain()
        self._parts.external.freeze()

    def drain(self) -> None:
        """Read all that the runtime has written."""
        self._process.drain()

    async def exit_within(self, seconds: float) -> None:
        """Give the process a moment to end by itself."""
        await asyncio.wait([self._process.exited], timeout=seconds)

    async def extension_exit_within(self, name: str, seconds: float) -> ExitStatus | None:
        """Give an extension a moment to end by itself; how it did, or None."""
        return await self._parts.external.exit_within(name, seconds)

    async def halt(self) -> None:
        """Kill the runtime, and take in what it had sent and written before. `end` is still to be called."""
        self._stop_watching()
        await self._process.stop()
        await self.last_messages()

    async def end(self, reason: Ending) -> None:
        """End everything; what was sent or written before is taken in first. May be called again."""
        self._stop_watching()
        self.memory.peak_bytes()
        self.memory.close()
        began_s = time.monotonic()
        external = self._parts.external
        external.thaw()
        await self._process.stop(grace_s=self._grace_s() if reason == "spindown" else 0)
        if external:
            await self.last_messages()
            external.drain()
            await self.hub.flush(_FLUSH_S)
            deadline_ms = math.floor((time.time() + _SHUTDOWN_S) * 1000)
            told = self.extensions.shut_down(reason, deadline_ms)
            await external.stop(told, began_s + _SHUTDOWN_S)
        await self._parts.api.server.settle(_SETTLE_S)
        self._process.drain()
        self._process.close()
        await self.hub.close()
        await self._parts.api.server.close()

    def _grace_s(self) -> float:
        if self._parts.external:
            return _GRACE_MANAGED_S if self._parts.managed_instance else _GRACE_EXTERNAL_S
        return _GRACE_INTERNAL_S if self.extensions.registered else 0

    def _begin_watching(self, limit_bytes: int) -> None:
        report = self._parts.happenings.put_nowait
        self._watch = asyncio.get_running_loop().create_task(
            self.memory.watch(limit_bytes, lambda held: report(OverMemory(resident_bytes=held)))
        )

    def _stop_watching(self) -> None:
        if self._first_sample is not None:
            self._first_sample.cancel()
            self._first_sample = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _report_exit(self, exited: asyncio.Task[ExitStatus]) -> None:
        if not exited.cancelled():
            self._parts.happenings.put_nowait(Exited(status=exited.result()))


async def _until_registered(parts: Parts, deadline_s: float) -> None:
    while not parts.extensions.external_are_registered:
        match await _next_of(parts.happenings, deadline_s):
            case (ExtensionExited() | ExtensionFailed() | None) as failed:
                raise ExtensionsFailed(failed)
            case _:
                pass


async def _next_of(happenings: asyncio.Queue[Happening], deadline_s: float | None) -> Happening | None:
    if not happenings.empty():
        return happenings.get_nowait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline_s):
            return await happenings.get()
    return None
