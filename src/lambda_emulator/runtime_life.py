"""One life of a function's process: the process, the Runtime API that it talks to, and what happens to it, in order.

A life begins with `RuntimeLife.start` and ends with `end`; after a crash or a timeout the environment begins another.
It takes no decision: it reports `Happening`s, freezes and thaws, and cleans up.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lambda_emulator.happenings import Exited, Happening, OverMemory
from lambda_emulator.memory import GroupMemory
from lambda_emulator.process import ExitStatus, FunctionProcess
from lambda_emulator.runtime_api import RuntimeApi

__all__ = ["RuntimeLife"]

# How long a dead process's connections are still listened to; they close with it, so this is never reached but when
# a grandchild outside the group has inherited one.
_SETTLE_S = 0.5


class RuntimeLife:
    """A running process with its Runtime API."""

    def __init__(self, api: RuntimeApi, process: FunctionProcess, happenings: asyncio.Queue[Happening]) -> None:
        self.memory = GroupMemory(process.pid)
        self._api = api
        self._process = process
        self._happenings = happenings
        self._watch: asyncio.Task[None] | None = None
        process.exited.add_done_callback(self._report_exit)

    @classmethod
    async def start(
        cls,
        api: RuntimeApi,
        happenings: asyncio.Queue[Happening],
        *,
        command: Sequence[str],
        directory: Path,
        environment: Callable[[str], Mapping[str, str]],
        on_output: Callable[[bytes], None],
    ) -> "RuntimeLife":
        """Open the port and start the process. `environment` is called with the API's address. Raises OSError."""
        await api.server.start()
        try:
            process = await FunctionProcess.start(
                command, directory=directory, environment=environment(api.server.address), on_output=on_output
            )
        except BaseException:
            await api.server.close()
            raise
        return cls(api, process, happenings)

    @property
    def release(self) -> str:
        """What the runtime calls itself; empty while it has not said so."""
        return str(self._api.release)

    @property
    def has_exited(self) -> bool:
        """The process is gone, though `end` may not have been called."""
        return self._process.is_gone

    async def happening(self, deadline_s: float | None) -> Happening | None:
        """The next thing that happens; None when the deadline (of `time.monotonic`) comes first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline_s):
                return await self._happenings.get()
        return None

    def left_over(self) -> list[Happening]:
        """What has happened and was not asked for, in order."""
        left = []
        while not self._happenings.empty():
            left.append(self._happenings.get_nowait())
        return left

    def watch_memory(self, limit_bytes: int) -> None:
        """Report `OverMemory` once if the group holds more. Until `freeze` or `end`."""
        self._stop_watching()
        self._watch = asyncio.get_running_loop().create_task(
            self.memory.watch(limit_bytes, lambda held: self._happenings.put_nowait(OverMemory(resident_bytes=held)))
        )

    def thaw(self) -> None:
        """Let it run."""
        self._process.thaw()

    def freeze(self) -> None:
        """Stop it, and read all that it has written: what belongs to the invocation is then in its log."""
        self._stop_watching()
        self._process.freeze()
        self._process.drain()

    async def exit_within(self, seconds: float) -> None:
        """Give the process a moment to end by itself."""
        await asyncio.wait([self._process.exited], timeout=seconds)

    async def end(self, *, grace_s: float = 0) -> None:
        """End the group; everything that it had sent or written before is taken in first."""
        self._stop_watching()
        self.memory.peak_bytes()
        await self._process.stop(grace_s=grace_s)
        await self._api.server.settle(_SETTLE_S)
        self._process.drain()
        self._process.close()
        await self._api.server.close()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _report_exit(self, exited: asyncio.Task[ExitStatus]) -> None:
        if not exited.cancelled():
            self._happenings.put_nowait(Exited(status=exited.result()))
