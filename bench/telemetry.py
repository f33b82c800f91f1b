"""Logs and metrics against aws-lambda-powertools': CPU per operation, and a start of a function that uses them."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import batch, invocations, parts, payloads, stopwatch, tables

OURS, THEIRS = "bench_observed.handler", "bench_observed_powertools.handler"
LOGS = (
    "a log line with context",
    "a log line with nested values",
    "a debug line that is not wanted",
    "an exception, 9 frames",
    "an invocation with one line",
)
METRICS = ("an invocation with 1 metrics", "an invocation with 10 metrics", "an invocation with 99 metrics")
LINE_LIMIT, FLUSH_LIMIT, START_LIMIT = 0.5, 0.5, 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A duel of operations, its figures by their names, and one of starts."""

    operations: stopwatch.Duel
    start: stopwatch.Duel


def duels(contenders: parts.Contenders, *, rounds: int, quick: bool) -> Results:
    """Turn by turn, with both libraries in the function's folder."""
    task = parts.task_with_lock("bench")
    python = contenders.ours.command[0]
    times = 3_000 if quick else 20_000
    libraries = [partial(costs, python, task, library, times) for library in ("handlerkit", "powertools")]
    first, second = stopwatch.take_turns(rounds, libraries)
    pairs = [(contenders.bootstrap.with_task(task), OURS), (contenders.counterpart.with_task(task), THEIRS)]
    starts = [partial(first_response, runtime, handler) for runtime, handler in pairs]
    for start in starts:
        start()  # the page cache holds everything from here on
    ours, theirs = stopwatch.take_turns(rounds * 3, starts)
    return Results(operations=stopwatch.Duel(ours=first, theirs=second), start=stopwatch.Duel(ours=ours, theirs=theirs))


def costs(python: str, task: Path, library: str, times: int) -> stopwatch.Figures:
    """Microseconds of CPU by operation, in a fresh process."""
    with tempfile.NamedTemporaryFile() as result:
        command = [python, str(task / "bench_telemetry_cost.py"), library, result.name, str(times)]
        if (core := stopwatch.core()) is not None:
            command = ["taskset", "-c", str(core), *command]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "POWERTOOLS_TRACE_DISABLED": "1"}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise stopwatch.RunError(f"{library}: {done.stderr.strip().splitlines()[-1:]}")
        figures: stopwatch.Figures = json.loads(Path(result.name).read_text())
    return figures


def first_response(runtime: parts.Runtime, handler: str) -> stopwatch.Figures:
    """From starting the process to the response to its first event."""
    path = parts.BUILD / "small-event.json"
    path.write_bytes(payloads.event("small"))
    figures = invocations.measure(runtime, handler, stopwatch.Load(events=(path,), count=1))
    invocation_ms = figures["wall_us.p50"] / 1000
    return {"first_ms": figures["start_ms"] + invocation_ms, "invocation_ms": invocation_ms}


def table(results: Results, names: tuple[str, ...]) -> str:
    """A row per operation."""
    duel = results.operations
    rows = [[name, tables.versus(duel.ratio(name), *duel.medians(name))] for name in names]
    return tables.markdown(["operation", "CPU, µs"], rows)


def start_table(results: Results) -> str:
    """One row: the cold start."""
    cells = [tables.versus(results.start.ratio(name), *results.start.medians(name)) for name in batch.START.values()]
    return tables.markdown(
        ["a function with logger, sampled trace and metrics", *batch.START], [["small event", *cells]]
    )


def log_budgets(results: Results) -> list[tables.Budget]:
    """The design's limit for a line, and for the start of a function with logger and metrics."""
    line = tables.Budget(what=LOGS[0], ratio=results.operations.ratio(LOGS[0]), limit=LINE_LIMIT)
    start = tables.Budget(
        what="start → first response with logger, sampled trace, metrics",
        ratio=results.start.ratio("first_ms"),
        limit=START_LIMIT,
    )
    return [line, start]


def metric_budgets(results: Results) -> list[tables.Budget]:
    """The design's limit for a flush."""
    return [tables.Budget(what=name, ratio=results.operations.ratio(name), limit=FLUSH_LIMIT) for name in METRICS]
