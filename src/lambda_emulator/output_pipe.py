"""The reading end of a pipe that a process writes to, in an event loop."""

import asyncio
import os
from collections.abc import Callable

__all__ = ["OutputPipe"]

# One read of the pipe, which is also a Linux pipe's usual size.
_READ_BYTES = 64 * 1024
# `drain` stops here even if somebody outside the group goes on writing.
_MAX_DRAIN_BYTES = 64 * 1024 * 1024


class OutputPipe:
    """Reads from its making until `close`. `write_fd` is for the process."""

    def __init__(self, on_output: Callable[[bytes], None]) -> None:
        read_fd, self.write_fd = os.pipe()
        os.set_blocking(read_fd, False)
        self._read_fd: int | None = read_fd
        self._on_output = on_output
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(read_fd, self._read)

    def close_writing_end(self) -> None:
        """The process has its own."""
        os.close(self.write_fd)

    def drain(self) -> None:
        """Read what is in the pipe, to the last byte."""
        taken_bytes = 0
        while taken_bytes < _MAX_DRAIN_BYTES and (count := self._read()):
            taken_bytes += count

    def close(self) -> None:
        """Give the reading end back. May be called again."""
        if self._read_fd is not None:
            self._loop.remove_reader(self._read_fd)
            os.close(self._read_fd)
            self._read_fd = None

    def _read(self) -> int:
        """Take one piece of output; how many bytes that were."""
        if self._read_fd is None:
            return 0
        try:
            data = os.read(self._read_fd, _READ_BYTES)
        except BlockingIOError:
            return 0
        if data:
            self._on_output(data)
        else:
            self._loop.remove_reader(self._read_fd)  # the last writer is gone; else this would be called for ever
        return len(data)
