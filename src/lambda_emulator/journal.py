"""All that is logged in one environment, written once: into the log of the invocation, and to those who subscribed.

The log is what CloudWatch would show: output as it was written, with the platform's lines among it, or, in JSON mode,
the platform's events. Subscribers get events of the three types `platform`, `function` and `extension`.
"""

import json
from collections.abc import Callable
from typing import Any

from lambda_emulator.log_lines import LogBuffer
from lambda_emulator.output_records import Frames, Lines
from lambda_emulator.platform_events import PlatformEvent, timestamp
from lambda_emulator.telemetry import TelemetryHub

__all__ = ["Journal"]


class Journal:
    """Belongs to an environment; its `log` may be exchanged, its `hub` is exchanged with each life."""

    def __init__(self, *, as_json: bool) -> None:
        self.log = LogBuffer()
        self.hub = TelemetryHub(self.write)
        self.as_json = as_json
        self._lines: dict[str, Lines] = {}
        self._frames = Frames()

    def begin_life(self) -> TelemetryHub:
        """A new process has no subscribers and has written nothing."""
        self.hub = TelemetryHub(self.write)
        self._lines = {}
        self._frames = Frames()
        return self.hub

    def write(self, event: PlatformEvent, log: LogBuffer | None = None) -> None:
        """Say it to the log, or to `log`, and to the subscribers."""
        (log or self.log).line(event.rendered(as_json=self.as_json))
        if self.hub.wants("platform"):
            self.hub.emit(event.type, event.envelope())

    def write_detail(self, make: Callable[[], PlatformEvent], log: LogBuffer | None = None) -> None:
        """Say what has no line in text logs, if there is anybody to hear it: it need not be made for nobody."""
        if self.as_json or self.hub.wants("platform"):
            self.write(make(), log)

    def note(self, text: str, log: LogBuffer | None = None) -> None:
        """Lines of the platform that only text logs have."""
        if not self.as_json:
            (log or self.log).line(text)

    def output(self, data: bytes) -> None:
        """The function wrote to standard output or standard error."""
        self.log.output(data)
        self._records("function", self._lines.setdefault("", Lines()).feed(data))

    def framed_output(self, data: bytes) -> None:
        """The function wrote to its telemetry descriptor; each frame ends its line in the log."""
        for text in self._frames.feed(data):
            self.log.output((text if text.endswith("\n") else text + "\n").encode())
            self._records("function", [text.removesuffix("\n")])

    def output_of_extension(self, name: str) -> Callable[[bytes], None]:
        """For that extension's process."""

        def output(data: bytes) -> None:
            self.log.output(data)
            self._records("extension", self._lines.setdefault(name, Lines()).feed(data))

        return output

    def end_lines(self) -> None:
        """A line that was begun is a record where the invocation ends."""
        for source, lines in self._lines.items():
            self._records("extension" if source else "function", lines.rest())

    def _records(self, kind: str, texts: list[str]) -> None:
        if self.hub.wants(kind):
            for text in texts:
                record = _parsed(text) if self.as_json else text
                self.hub.emit(kind, {"time": timestamp(), "type": kind, "record": record})


def _parsed(text: str) -> Any:
    """In JSON mode a line that is a JSON object is one for subscribers, too."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return text
