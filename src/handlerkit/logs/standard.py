"""Records of the standard library's `logging` as lines of ours. Loaded with it.

On Lambda the root logger has a handler of the runtime's, which sends records off as the platform wants them: that one
stays and gets our formatter. Where the root logger has no handler it gets one of ours. Where the program has set up
handlers of its own, those are left alone: it has said where its records go.
"""

from __future__ import annotations

import logging

from .process import process_lines

__all__ = ["LineFormatter", "LineHandler", "install", "is_ours"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .lines import Lines

LAMBDA_HANDLERS = ("LambdaHandler", "LambdaLoggerHandler", "LambdaLoggerHandlerWithFrameType")
"""Classes of runtimes' handlers: ours, and those of AWS's client."""
# What `LogRecord` itself carries, and what runtimes add; any other attribute came with `extra`.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "aws_request_id",
    "tenant_id",
    "taskName",
    "_lambda_ids",
}


def install(lines: Lines) -> None:
    """Have the root logger's records written as lines, and its level set if one was asked for."""
    root = logging.getLogger()
    for handler in root.handlers:
        if type(handler).__name__ in LAMBDA_HANDLERS and not isinstance(handler.formatter, LineFormatter):
            # AWS's client writes what its formatter makes of a record, and expects the newline from there.
            handler.setFormatter(LineFormatter("\n" if type(handler).__name__.startswith("LambdaLogger") else ""))
    if not root.handlers:
        root.addHandler(LineHandler())
    if is_ours() and (lines.settings.level_is_given or lines.settings.platform_level is not None):
        root.setLevel(lines.level)


def is_ours() -> bool:
    """Whether records of the root logger become lines."""
    return any(isinstance(handler.formatter, LineFormatter) for handler in logging.getLogger().handlers)


class LineFormatter(logging.Formatter):
    """Makes lines of records, with this end."""

    def __init__(self, end: str = "") -> None:
        super().__init__()
        self._end = end

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        values = {name: value for name, value in vars(record).items() if name not in STANDARD}
        event = record.msg if isinstance(record.msg, dict) and not record.args else _message(record, values)
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if record.stack_info:
            values["stack_info"] = record.stack_info.splitlines()
        text = process_lines().text(
            record.levelno,
            record.name,
            event,
            values,
            error=error,
            location=f"{record.funcName}:{record.lineno}",
            request_id=getattr(record, "aws_request_id", None),
        )
        return text + self._end


class LineHandler(logging.Handler):
    """Writes records as lines, to where all lines go."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Format and write."""
        try:
            process_lines().output.write(self.format(record), record.levelno)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001  # logging's own rule: a log line never breaks the program
            self.handleError(record)


def _message(record: logging.LogRecord, values: dict[str, Any]) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # arguments that do not fit, a __str__ that fails
        values["args"] = record.args
        return str(record.msg)
