"""What the code under test logs and counts, as values, for unit tests."""

from __future__ import annotations

import json

__all__ = ["captured_logs", "captured_metrics"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Parsed:
    """A stream that keeps what is written to it, parsed."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, text: str) -> None:
        """Take one line."""
        self.lines.append(json.loads(text))

    def flush(self) -> None:
        """Nothing is held back."""


class captured_logs:  # noqa: N801  # it is called like a function
    """`with captured_logs() as lines:` has the lines that are logged inside as dicts, and writes none.

    Levels are those of the process, unless one is given. For one thread's tests: the process's logs are changed.
    """

    def __init__(self, level: int | str | None = None) -> None:
        self._changes: dict[str, Any] = {"format": "json"} if level is None else {"format": "json", "level": level}
        self._before: dict[str, Any] = {}

    def __enter__(self) -> list[dict[str, Any]]:
        from handlerkit.logs.process import process_lines

        lines, parsed = process_lines(), _Parsed()
        settings = lines.settings
        changes = {**self._changes, "stream": parsed}
        self._before = {name: getattr(settings, name) for name in (*changes, "level_is_given", "platform_level")}
        settings.change(changes)
        if "level" in changes:
            settings.platform_level = None
        lines.apply(settings)
        return parsed.lines

    def __exit__(self, *_: object) -> None:
        from handlerkit.logs.process import process_lines

        lines = process_lines()
        for name, value in self._before.items():
            setattr(lines.settings, name, value)
        lines.apply(lines.settings)


class captured_metrics:  # noqa: N801  # as above
    """`with captured_metrics() as documents:` has what is written inside as dicts of the embedded metric format.

    An invocation's metrics are written when it ends.
    """

    def __init__(self) -> None:
        self._stream: Any = None

    def __enter__(self) -> list[dict[str, Any]]:
        from handlerkit.metrics.process import process_metrics

        process, parsed = process_metrics(), _Parsed()
        self._stream = process.settings.stream
        process.settings.stream = parsed
        process.apply()
        return parsed.lines

    def __exit__(self, *_: object) -> None:
        from handlerkit.metrics.process import process_metrics

        process = process_metrics()
        process.settings.stream = self._stream
        process.apply()
