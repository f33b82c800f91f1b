"""The log of an environment in which several invocations are open at once, divided among them line by line.

- A line that is a JSON object with a `requestId` belongs to that invocation alone, as long as it is open.
- Any other line cannot be told apart, so every invocation that is open when it is complete has it.
- What comes while none is open, or for one that is over, waits for the next that begins.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_emulator.log_lines import LogBuffer

__all__ = ["SharedLog"]


class SharedLog(LogBuffer):
    """What it holds itself is what waits."""

    def __init__(self) -> None:
        super().__init__()
        self._logs: dict[str, LogBuffer] = {}
        self._begun = b""

    @contextmanager
    def opened(self, request_id: str) -> Iterator[LogBuffer]:
        """An invocation begins, and ends: its log, which can be written to and read after the end as well."""
        log = self._logs[request_id] = LogBuffer()
        log.output(super().take().encode())  # a line that was begun goes where its end comes
        try:
            yield log
        finally:
            del self._logs[request_id]

    def output(self, data: bytes) -> None:
        """Any piece of output; only complete lines go anywhere."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._assign(line + b"\n")

    def line(self, text: str) -> None:
        """A line of the platform about the environment as a whole."""
        if text:
            self._assign(text.encode())

    def take(self) -> str:
        """What waits, and what was begun."""
        begun, self._begun = self._begun, b""
        super().output(begun)
        return super().take()

    def _assign(self, line: bytes) -> None:
        owner = _request_id_in(line)
        if owner is not None and owner in self._logs:
            self._logs[owner].output(line)
        elif owner is not None or not self._logs:
            super().output(line)
        else:
            for log in self._logs.values():
                log.output(line)


def _request_id_in(line: bytes) -> str | None:
    if not line.startswith(b"{"):
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    request_id = document.get("requestId") if isinstance(document, dict) else None
    return request_id if isinstance(request_id, str) else None
