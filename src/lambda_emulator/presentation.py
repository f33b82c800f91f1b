"""How the command shows an invocation: the function's log and the report on stderr, the response on stdout.

So that a pipe receives the response alone. Colours and layout only where the stream is a terminal; `NO_COLOR` and
the like are rich's own affair.
"""

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from lambda_emulator.result import InvocationResult

__all__ = ["as_json", "kind_of", "show", "show_kind", "show_summary", "show_trace", "summary"]


def show(result: InvocationResult, *, out: TextIO | None = None, err: TextIO | None = None) -> None:
    """Print one invocation: what was logged, the REPORT line's figures, the response."""
    out, err = out or sys.stdout, err or sys.stderr
    if err.isatty():
        _show_log_in_colour(result, err)
    else:
        err.write(result.init_log + result.log)
        err.flush()
    text = _pretty(result.payload)
    if out.isatty():
        _show_response_in_colour(result, text, out)
    else:
        out.write(text + "\n")
    out.flush()


def kind_of(event: bytes) -> str:
    """What the event is, as `handlerkit.events.detect` names it."""
    from handlerkit.events import detect

    return detect(event)


def show_kind(event: bytes, err: TextIO | None = None) -> None:
    """Say what the function was given, if it is an event of a known source."""
    err = err or sys.stderr
    kind = kind_of(event)
    if kind != "unknown":
        err.write(f"\x1b[2mevent: {kind}\x1b[0m\n" if err.isatty() else f"event: {kind}\n")


def show_trace(result: InvocationResult, err: TextIO | None = None) -> None:
    """Print the invocation's trace as a tree with durations."""
    err = err or sys.stderr
    for line in result.trace.lines():
        if not err.isatty():
            err.write(line + "\n")
        elif "  fault" in line or "  error" in line:
            err.write(f"\x1b[31m{line}\x1b[0m\n")
        else:
            err.write(f"\x1b[36m{line}\x1b[0m\n" if line.startswith("trace ") else line + "\n")


def _show_log_in_colour(result: InvocationResult, err: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=err, highlight=False, soft_wrap=True)
    for line in (result.init_log + result.log).splitlines():
        console.print(Text(line, style=_style(line)))


def _style(line: str) -> str:
    if line.startswith(("START ", "END ", "INIT_START ")):
        return "dim"
    if line.startswith("REPORT "):
        return "cyan"
    if line.startswith(("[ERROR]", "[CRITICAL]", "INIT_REPORT ")):
        return "red"
    if line.startswith("[WARNING]"):
        return "yellow"
    return ""


def _show_response_in_colour(result: InvocationResult, text: str, out: TextIO) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.syntax import Syntax
    from rich.text import Text

    failed = result.function_error is not None
    content = Syntax(text, "json", background_color="default", word_wrap=True) if len(text) < 100_000 else Text(text)
    title = f"function error ({result.function_error})" if failed else "response"
    Console(file=out).print(Panel(content, title=title, title_align="left", border_style="red" if failed else "green"))


def _pretty(payload: bytes) -> str:
    """The response indented, if it is JSON; as it came, if not."""
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "backslashreplace")


def as_json(result: InvocationResult) -> dict[str, Any]:
    """One invocation for a program: response, error flag, log and the report's figures.

    `response` is the parsed JSON; where the payload is not JSON, it is null and `payload` has the text.
    """
    try:
        response, text = result.json(), None
    except ValueError:
        response, text = None, result.payload.decode("utf-8", "backslashreplace")
    report = result.report
    return {
        "response": response,
        **({"payload": text} if text is not None else {}),
        "functionError": result.function_error,
        "requestId": result.request_id,
        "executedVersion": result.executed_version,
        "log": result.log,
        "initLog": result.init_log,
        "report": {
            "durationMs": report.duration_ms,
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.max_memory_mb,
            "initDurationMs": report.init_ms,
            "status": report.status,
            "errorType": report.error_type,
        },
    }


def summary(results: Sequence[InvocationResult]) -> dict[str, Any]:
    """Figures over repeated invocations; durations in milliseconds, as the REPORT lines have them."""
    durations = sorted(result.report.duration_ms for result in results)
    inits = [result.report.init_ms for result in results if result.report.init_ms is not None]
    return {
        "invocations": len(results),
        "errors": sum(result.function_error is not None for result in results),
        "coldStarts": len(inits),
        "initDurationMs": max(inits, default=None),
        "durationMs": {
            "min": durations[0],
            "p50": statistics.median(durations),
            "p99": durations[min(len(durations) - 1, len(durations) * 99 // 100)],
            "max": durations[-1],
        },
        "maxMemoryUsedMB": max(result.report.max_memory_mb for result in results),
    }


def show_summary(figures: dict[str, Any], err: TextIO | None = None) -> None:
    """Print the figures of `summary` as one table, or as plain lines where stderr is no terminal."""
    err = err or sys.stderr
    durations = figures["durationMs"]
    rows: Iterable[tuple[str, str]] = [
        ("invocations", str(figures["invocations"])),
        ("function errors", str(figures["errors"])),
        ("cold starts", str(figures["coldStarts"])),
        ("duration", ", ".join(f"{name} {value:.2f} ms" for name, value in durations.items())),
        ("memory", f"{figures['maxMemoryUsedMB']} MB at most"),
    ]
    if not err.isatty():
        err.writelines(f"{name}: {value}\n" for name, value in rows)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in rows:
        table.add_row(name, value)
    Console(file=err).print(table)
