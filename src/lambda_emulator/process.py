"""One process group: started, its output read, frozen, thawed, ended. It knows nothing of Lambda's protocol.

The process leads a session and a group of its own, so that a signal reaches everything it has started. Output and
errors come through one pipe, in the order in which they were written. With a guard it dies when we do. All methods
belong to the event loop that started the process.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambda_emulator.output_pipe import OutputPipe
from lambda_emulator.process_guard import ProcessGuard
from runtime import protocol

__all__ = ["ExitStatus", "FunctionProcess"]

# As Go prints signals, which is how Lambda words the reason. By name: the numbers differ between systems.
_GO_SIGNAL_TEXTS = {
    "SIGHUP": "hangup",
    "SIGINT": "interrupt",
    "SIGQUIT": "quit",
    "SIGILL": "illegal instruction",
    "SIGTRAP": "trace/breakpoint trap",
    "SIGABRT": "aborted",
    "SIGBUS": "bus error",
    "SIGFPE": "floating point exception",
    "SIGKILL": "killed",
    "SIGUSR1": "user defined signal 1",
    "SIGSEGV": "segmentation fault",
    "SIGUSR2": "user defined signal 2",
    "SIGPIPE": "broken pipe",
    "SIGALRM": "alarm clock",
    "SIGTERM": "terminated",
}


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended."""

    code: int
    """0 to 255, or the negative number of the signal that ended it."""

    @property
    def reason(self) -> str:
        """The platform's sentence.

        >>> [ExitStatus(code).reason for code in (0, 1, -9)]  # doctest: +NORMALIZE_WHITESPACE
        ['Runtime exited without providing a reason', 'Runtime exited with error: exit status 1',
         'Runtime exited with error: signal: killed']
        """
        if self.code == 0:
            return "Runtime exited without providing a reason"
        if self.code > 0:
            return f"Runtime exited with error: exit status {self.code}"
        return f"Runtime exited with error: signal: {_signal_text(-self.code)}"

    @property
    def extension_reason(self) -> str:
        """The platform's sentence where it is an extension's.

        >>> [ExitStatus(code).extension_reason for code in (0, 255, -9)]
        ['exit code 0', 'exit status 255', 'signal: killed']
        """
        if self.code == 0:
            return "exit code 0"
        return f"exit status {self.code}" if self.code > 0 else f"signal: {_signal_text(-self.code)}"


def _signal_text(number: int) -> str:
    try:
        return _GO_SIGNAL_TEXTS[signal.Signals(number).name]
    except (ValueError, KeyError):
        return f"signal {number}"


class FunctionProcess:
    """A running process group. Made by `start`; `close` gives its pipe back."""

    def __init__(
        self, process: asyncio.subprocess.Process, pipes: list[OutputPipe], guard: ProcessGuard | None
    ) -> None:
        self._process = process
        self._pipes = pipes
        self._guard = guard
        self._frozen = False
        if guard is not None:
            guard.add(process.pid)
        self.exited: asyncio.Task[ExitStatus] = asyncio.get_running_loop().create_task(self._wait())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        on_output: Callable[[bytes], None],
        guard: ProcessGuard | None = None,
        on_frames: Callable[[bytes], None] | None = None,
    ) -> "FunctionProcess":
        """Start it. Raises OSError, whose `filename` is what could not be used.

        `on_frames` gives it a second pipe, whose number `_LAMBDA_TELEMETRY_LOG_FD` tells.
        """
        output = OutputPipe(on_output)
        pipes = [output]
        if on_frames is not None:
            frames = OutputPipe(on_frames)
            pipes.append(frames)
            environment = {**environment, protocol.ENV_TELEMETRY_FD: str(frames.write_fd)}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.write_fd,
                stderr=output.write_fd,
                pass_fds=[pipe.write_fd for pipe in pipes[1:]],
                cwd=directory,
                env=environment,
                start_new_session=True,
            )
        except BaseException:
            for pipe in pipes:
                pipe.close()
            raise
        finally:
            for pipe in pipes:
                pipe.close_writing_end()
        return cls(process, pipes, guard)

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._process.pid

    @property
    def is_gone(self) -> bool:
        """It has ended; true also in the moment before `exited` is done."""
        if not self.exited.done():
            try:
                os.kill(self._process.pid, 0)
            except ProcessLookupError:
                return True
        return self.exited.done()

    def freeze(self) -> None:
        """Stop the whole group, as Lambda does between invocations."""
        if not self._frozen:
            self._frozen = True
            self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the group run on."""
        if self._frozen:
            self._frozen = False
            self._signal(signal.SIGCONT)

    async def stop(self, *, grace_s: float = 0) -> ExitStatus:
        """End the group and wait for it: SIGKILL at once, or SIGTERM first and SIGKILL when `grace_s` is over."""
        self.thaw()
        if grace_s > 0 and not self.exited.done():
            self._signal(signal.SIGTERM)
            await asyncio.wait([self.exited], timeout=grace_s)
        self._signal(signal.SIGKILL)
        return await asyncio.shield(self.exited)

    def drain(self) -> None:
        """Read what it has written, to the last byte."""
        for pipe in self._pipes:
            pipe.drain()

    def close(self) -> None:
        """Give its pipes back. The process has to be gone."""
        for pipe in self._pipes:
            pipe.close()
        if self._guard is not None:
            self._guard.remove(self.pid)
            self._guard = None

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _wait(self) -> ExitStatus:
        return ExitStatus(await self._process.wait())
