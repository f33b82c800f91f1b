"""One process group: started, its output read, frozen, thawed, ended. It knows nothing of Lambda's protocol.

The process leads a session and a group of its own, so that a signal reaches everything it has started. Output and
errors come through one pipe, in the order in which they were written. All methods belong to the event loop that
started the process.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ExitStatus", "FunctionProcess"]

# One read of the pipe, which is also a Linux pipe's usual size.
_READ_BYTES = 64 * 1024
# `drain` stops here even if somebody outside the group goes on writing.
_MAX_DRAIN_BYTES = 64 * 1024 * 1024

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


def _signal_text(number: int) -> str:
    try:
        return _GO_SIGNAL_TEXTS[signal.Signals(number).name]
    except (ValueError, KeyError):
        return f"signal {number}"


class FunctionProcess:
    """A running process group. Made by `start`; `close` gives its pipe back."""

    def __init__(self, process: asyncio.subprocess.Process, output_fd: int, on_output: Callable[[bytes], None]) -> None:
        self._process = process
        self._output_fd: int | None = output_fd
        self._on_output = on_output
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(output_fd, self._read)
        self._frozen = False
        self.exited: asyncio.Task[ExitStatus] = self._loop.create_task(self._wait())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        on_output: Callable[[bytes], None],
    ) -> "FunctionProcess":
        """Start it. Raises OSError, whose `filename` is what could not be used."""
        output_fd, write_fd = os.pipe()
        try:
            os.set_blocking(output_fd, False)
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_fd,
                stderr=write_fd,
                cwd=directory,
                env=environment,
                start_new_session=True,
            )
        except BaseException:
            os.close(output_fd)
            raise
        finally:
            os.close(write_fd)
        return cls(process, output_fd, on_output)

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
        """Read what is in the pipe, to the last byte."""
        taken_bytes = 0
        while taken_bytes < _MAX_DRAIN_BYTES and (count := self._read()):
            taken_bytes += count

    def close(self) -> None:
        """Give the pipe back. The process has to be gone."""
        if self._output_fd is not None:
            self._loop.remove_reader(self._output_fd)
            os.close(self._output_fd)
            self._output_fd = None

    def _read(self) -> int:
        """Take one piece of output; how many bytes that were."""
        if self._output_fd is None:
            return 0
        try:
            data = os.read(self._output_fd, _READ_BYTES)
        except BlockingIOError:
            return 0
        if data:
            self._on_output(data)
        else:
            self._loop.remove_reader(self._output_fd)  # the last writer is gone; else this would be called for ever
        return len(data)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _wait(self) -> ExitStatus:
        return ExitStatus(await self._process.wait())
