"""The standard library's `logging`, as Lambda wants it: one handler on the root, text or JSON. Loaded with it.

What the managed runtime does and this does not: level and name of a record are never changed (another handler sees
what was logged), a record belongs to the invocation in which it was made and not to the one in which it is written,
the time conversion of all formatters in the process is left alone, `basicConfig` is honoured, times have
milliseconds, and a record ends with a newline also when it carries an exception.
"""

import logging
import time

from . import marshal
from .output import LEVELS

__all__ = ["configure"]

# What `LogRecord` itself carries; any other attribute came with `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "aws_request_id",
    "tenant_id",
    "taskName",
    "_lambda_ids",
}
MAX_NODES = 2_000
"""Values kept of one record that is not plain JSON; a structure that contains itself has no end."""
MAX_DEPTH = 8
_ALIASES = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}


def configure(output: "Output", level: "str | None") -> None:
    """Attach Lambda's handler to the root logger and set its level if `level` names one."""
    handler = LambdaHandler(output)
    handler.setFormatter(JsonFormatter() if output.json else TextFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    wanted = (level or "").upper()
    wanted = _ALIASES.get(wanted, wanted)
    if wanted in LEVELS:
        root.setLevel(wanted)
    logging.basicConfig = _basic_config(handler, logging.basicConfig)
    logging.setLogRecordFactory(_stamping(logging.getLogRecordFactory(), output))


def _stamping(make: "Callable[..., logging.LogRecord]", output: "Output") -> "Callable[..., logging.LogRecord]":
    """A record factory that notes whose the record is. Under a name of its own, for `extra` may hold any other."""

    def factory(*arguments: "Any", **keywords: "Any") -> logging.LogRecord:
        record = make(*arguments, **keywords)
        record._lambda_ids = _ids(output)
        return record

    return factory


def _ids(output: "Output") -> "tuple[str, str | None]":
    # A thread that user code started has no invocation of its own: it counts to the one being served.
    invocation = output.present()
    return (invocation.request_id, invocation.tenant_id) if invocation else ("", None)


class LambdaHandler(logging.Handler):
    """Writes records to the function's log, each with the request id and tenant id of its invocation."""

    def __init__(self, output: "Output") -> None:
        super().__init__()
        self._output = output
        self.addFilter(self._add_ids)

    def _add_ids(self, record: logging.LogRecord) -> bool:
        # The record may have waited in a queue or buffer: what counts is when it was made.
        ids = getattr(record, "_lambda_ids", None) or _ids(self._output)
        record.aws_request_id, record.tenant_id = ids
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Format and write; a record that cannot be formatted is reported on stderr as `logging` does."""
        try:
            self._output.record(self.format(record), record.levelno)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001  # logging's own rule: a log line never breaks the program
            self.handleError(record)

    def flush(self) -> None:
        """Nothing is held back."""


class TextFormatter(logging.Formatter):
    """`[LEVEL]`, time, request id and message, separated by tabs; the traceback, if any, follows."""

    converter = time.gmtime  # type: ignore[assignment]  # as the documentation says to set it
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("[%(levelname)s]\t%(asctime)s\t%(aws_request_id)s\t%(message)s")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; keys as the managed runtime names and orders them."""

    converter = time.gmtime  # type: ignore[assignment]  # as the documentation says to set it
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON, without the newline. What JSON cannot express is written as text."""
        values: dict[str, object] = {
            "timestamp": self.formatTime(record),
            "level": LEVELS[min(50, max(0, record.levelno)) // 10],
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            **self._exception(record),
            "requestId": getattr(record, "aws_request_id", None) or None,
            "tenantId": getattr(record, "tenant_id", None),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in values:
                values[name] = value
        values = {name: value for name, value in values.items() if value is not None}
        try:
            return marshal.dumps(values).decode()
        except ValueError:
            return marshal.dumps(_as_text(values)).decode()

    def _exception(self, record: logging.LogRecord) -> "dict[str, object]":
        if not record.exc_info or record.exc_info[0] is None:
            return {"stackTrace": [record.exc_text]} if record.exc_text else {}
        from . import faults  # late: only a record with an exception needs it

        kind, error, _ = record.exc_info
        return {
            "stackTrace": faults.stack_trace_of(error),
            "errorType": kind.__name__,
            "errorMessage": faults.message_of(error),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
        }


def _as_text(values: "dict[str, object]") -> object:
    """`values` with everything that JSON cannot express replaced by its text, and no more than `MAX_NODES` values."""
    left = MAX_NODES

    def plain(value: object, depth: int) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            return "…"
        if depth >= MAX_DEPTH and isinstance(value, (dict, list, tuple)):
            return f"<{type(value).__name__} of {len(value)}>"
        if isinstance(value, dict):
            return {_text(key): plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
            return [plain(item, depth + 1) for item in value[: left + 1]]
        try:
            marshal.dumps(value)
        except ValueError:
            return _text(value)
        return value

    return plain(values, 0)


def _text(value: object) -> str:
    try:
        return value if isinstance(value, str) else str(value)
    except Exception:  # noqa: BLE001  # a value's own __str__ may do anything
        return f"<{type(value).__name__} whose str() failed>"


_BASIC_CONFIG = frozenset(
    ("datefmt", "encoding", "errors", "filemode", "filename", "force", "format", "handlers", "level", "stream", "style")
)


def _basic_config(handler: LambdaHandler, original: "Callable[..., None]") -> "Callable[..., None]":
    """`logging.basicConfig` that works as outside of Lambda, with our handler for the one it would have made."""

    def basicConfig(**options: "Any") -> None:  # noqa: N802  # its name in tracebacks
        import sys

        unknown = sorted(options.keys() - _BASIC_CONFIG)
        if unknown:
            raise ValueError(f"Unrecognised argument(s): {', '.join(unknown)}")
        root = logging.getLogger()
        own_stream = options.get("stream") not in (None, sys.stdout, sys.stderr)
        if handler not in root.handlers or own_stream or options.get("handlers") or options.get("filename"):
            root.removeHandler(handler)
            original(**options)
            return
        if options.get("level") is not None:
            root.setLevel(options["level"])
        if options.get("format") and isinstance(handler.formatter, TextFormatter):
            handler.setFormatter(
                logging.Formatter(options["format"], options.get("datefmt"), options.get("style", "%"))
            )

    basicConfig.__doc__ = original.__doc__
    return basicConfig


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .output import Output
