"""The external extensions of one life: a process group each, all files of a folder that can be executed.

They are started before the runtime and talk to the same port. What happens to their processes is reported; rules are
`extensions`'.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lambda_emulator.happenings import ExtensionExited, Happening
from lambda_emulator.process import ExitStatus, FunctionProcess
from lambda_emulator.process_guard import ProcessGuard

__all__ = ["ExternalExtensions", "LaunchFailed", "executables_in"]


class LaunchFailed(Exception):  # noqa: N818 (the platform's word for it)
    """The file of an extension is no program."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason


def executables_in(folder: Path | None) -> list[Path]:
    """The extensions of a folder, in the order of their names; none for no folder."""
    if folder is None:
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK))


class ExternalExtensions:
    """Nothing runs before `start`, nothing after `stop`."""

    def __init__(
        self,
        files: Sequence[Path],
        *,
        on_output: Callable[[str], Callable[[bytes], None]],
        listener: Callable[[Happening], None],
        guard: ProcessGuard,
    ) -> None:
        self._files = files
        self._on_output = on_output
        self._listener = listener
        self._guard = guard
        self._processes: dict[str, FunctionProcess] = {}

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start all of them. Raises `LaunchFailed`; those that are running then are left to `stop`."""
        for file in self._files:
            try:
                process = await FunctionProcess.start(
                    [str(file)],
                    directory=Path("/"),
                    environment=environment,
                    on_output=self._on_output(file.name),
                    guard=self._guard,
                )
            except OSError as error:
                reason = os.strerror(error.errno).lower() if error.errno else str(error)
                raise LaunchFailed(file.name, f"fork/exec {file}: {reason}") from error
            self._processes[file.name] = process
            process.exited.add_done_callback(self._exit_reporter(file.name))

    def __bool__(self) -> bool:
        return bool(self._files)

    @property
    def pids(self) -> list[int]:
        """Of the processes that were started."""
        return [process.pid for process in self._processes.values()]

    @property
    def any_has_exited(self) -> bool:
        """One at least is gone, which ends the environment."""
        return any(process.is_gone for process in self._processes.values())

    async def exit_within(self, name: str, seconds: float) -> ExitStatus | None:
        """Give one a moment to end by itself; how it did, or None."""
        process = self._processes.get(name)
        if process is None:
            return None
        await asyncio.wait([process.exited], timeout=seconds)
        return process.exited.result() if process.exited.done() else None

    def freeze(self) -> None:
        """Stop them, and read all that they have written."""
        for process in self._processes.values():
            process.freeze()
        self.drain()

    def thaw(self) -> None:
        """Let them run on."""
        for process in self._processes.values():
            process.thaw()

    def drain(self) -> None:
        """Read all that they have written."""
        for process in self._processes.values():
            process.drain()

    async def stop(self, patience_with: set[str], deadline_s: float) -> None:
        """End them: the named ones may do so by themselves until the deadline (monotonic), the others at once."""
        self.thaw()
        waiting = [process.exited for name, process in self._processes.items() if name in patience_with]
        for name, process in self._processes.items():
            if name not in patience_with:
                await process.stop()
        if waiting:
            await asyncio.wait(waiting, timeout=max(0.0, deadline_s - time.monotonic()))
        for process in self._processes.values():
            await process.stop()
            process.drain()
            process.close()

    def _exit_reporter(self, name: str) -> "Callable[[asyncio.Task[ExitStatus]], None]":
        def report(exited: asyncio.Task[ExitStatus]) -> None:
            if not exited.cancelled():
                self._listener(ExtensionExited(name=name, status=exited.result()))

        return report
