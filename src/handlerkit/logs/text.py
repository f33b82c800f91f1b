"""A line as text: for a terminal, or in Lambda's own text form. One line each, but for tracebacks on a terminal."""

from __future__ import annotations

from handlerkit.tolerant_json import encode

__all__ = ["console_text", "lambda_text"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .settings import Settings

COLORS = {"DEBUG": "2", "INFO": "32", "WARN": "33", "WARNING": "33", "ERROR": "31", "FATAL": "1;31", "CRITICAL": "1;31"}
# On a terminal everybody knows which function it is.
FIELDS_NOT_SHOWN = (
    "service",
    "function_name",
    "function_version",
    "function_memory_mb",
    "function_arn",
    "cold_start",
    "trace_id",
)


def lambda_text(line: dict[str, Any], settings: Settings) -> str:
    """Level, time, request id and event as Lambda's runtimes write them, then the values."""
    line = dict(line)
    keys = settings.keys
    timestamp, level, event = (line.pop(keys[field] or "") for field in ("timestamp", "level", "event"))
    request_id = line.pop(keys["request_id"] or "", "")
    words = [_one_line(event), *(f"{key}={_shown(value)}" for key, value in line.items())]
    text = f"[{level}]\t{timestamp}\t{request_id}\t{' '.join(words)}"
    limit = settings.max_line_bytes // 4
    return text if len(text) <= limit else f"{text[:limit]}… [{len(text)} characters, shortened]"


def console_text(line: dict[str, Any], settings: Settings) -> str:
    """The time of day, level, event and values; an exception as a traceback below."""
    line = dict(line)
    keys = settings.keys
    timestamp, level, event = (line.pop(keys[field] or "") for field in ("timestamp", "level", "event"))
    logger = line.pop(keys["logger"] or "", "")
    exception = line.pop(keys["exception"] or "", None)
    line.pop("stack_trace", None)
    for field in FIELDS_NOT_SHOWN:
        line.pop(keys[field] or "", None)
    color, reset = (f"\x1b[{COLORS.get(level, '0')}m", "\x1b[0m") if not settings.no_color else ("", "")
    values = " ".join(f"{key}={_shown(value)}" for key, value in line.items())
    text = f"{timestamp[11:23]} {color}{level:<5}{reset} {_one_line(event)}"
    if values:
        text += f"  {values}"
    if logger:
        text += f"  ({logger})"
    if isinstance(exception, dict):
        text += "\n" + "\n".join(traceback_lines(exception))
    elif exception is not None:
        text += f"\n{exception}"
    return text


def traceback_lines(exception: dict[str, Any]) -> list[str]:
    """A structured exception as the interpreter would print it, without source lines."""
    lines: list[str] = []
    for name, words in (("cause", "which caused"), ("context", "during which came")):
        if name in exception:
            lines += [*traceback_lines(exception[name]), f"  … {words}:"]
    for frame in exception.get("stack", ()):
        if "omitted" in frame:
            lines.append(f"  … {frame['omitted']} frames")
        else:
            lines.append(f'  File "{frame["file"]}", line {frame["line"]}, in {frame["function"]}')
    lines.append(f"{exception['type']}: {exception.get('message', '')}")
    lines += [f"  {note}" for note in exception.get("notes", ())]
    for one in exception.get("exceptions", ()):
        lines += [f"  | {line}" for line in traceback_lines(one)]
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, str) and value and value.isprintable() and not any(one in ' "=' for one in value):
        return value
    return encode(value)


def _one_line(event: Any) -> str:
    if not isinstance(event, str):
        return encode(event)
    return event if event.isprintable() else encode(event)[1:-1]
