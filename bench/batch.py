"""A batch, record by record: whole invocations, their memory, a cold start; against awslambdaric with
aws-lambda-powertools."""

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import invocations, parts, stopwatch, tables, typed

FIGURES = {
    "wall p50, µs": "wall_us.p50",
    "CPU, µs": "cpu_us",
    "invocations/s": "per_second",
    "resident, KiB": "rss_kib",
}
START = {"start → first response, ms": "first_ms", "of it the invocation, ms": "invocation_ms"}
OURS, THEIRS = "bench_batch.orders", "bench_batch_powertools.orders"
COUNTS = {10: 2_000, 200: 300, 10_000: 6}
"""Invocations of one round, by records in the event; with 10,000 it has 5.7 MB."""
LIMIT = 0.45
MEMORY_LIMIT = 3.0
"""Times the event, which counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was measured: a duel per size of batch, one of cold starts, and by size the memory, ours and theirs."""

    sizes: dict[int, stopwatch.Duel]
    start: stopwatch.Duel
    memory: dict[int, tuple[float, float]]


def event_file(records: int) -> Path:
    """The event as a file that the server can read; receipts are cut so that the largest is within 6 MB."""
    path = parts.BUILD / f"batch-{records}.json"
    path.write_bytes(typed.event(records).replace(b"AQEB" + b"x" * 120, b"AQEB" + b"x" * 16))
    return path


def duels(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, quick: bool) -> Results:
    """Turn by turn, with the same libraries in the function's folder."""
    task = parts.task_with_lock("bench")
    contenders = [(ours.with_task(task), OURS), (theirs.with_task(task), THEIRS)]
    sizes = {}
    for records, full in COUNTS.items():
        count = max(full // 8, 2) if quick else full
        load = stopwatch.Load(events=(event_file(records),), count=count, warmup=max(count // 10, 2), is_traced=False)
        measures = [partial(invocations.measure, runtime, handler, load) for runtime, handler in contenders]
        first, second = stopwatch.take_turns(rounds, measures)
        sizes[records] = stopwatch.Duel(ours=first, theirs=second)
    starts = [partial(first_response, runtime, handler) for runtime, handler in contenders]
    for start in starts:
        start()  # the page cache holds everything from here on
    first, second = stopwatch.take_turns(rounds * 3, starts)
    python = theirs.command[0]
    memory = {records: (peak(python, task, OURS, records), peak(python, task, THEIRS, records)) for records in COUNTS}
    return Results(sizes=sizes, start=stopwatch.Duel(ours=first, theirs=second), memory=memory)


def peak(python: str, task: Path, handler: str, records: int) -> float:
    """The most that an invocation allocates at once, with its event: times the event's size."""
    command = [python, str(parts.TASK / "bench_peak.py"), handler, str(event_file(records))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=task, env={"PYTHONPATH": str(task)})
    return float(done.stdout)


def first_response(runtime: parts.Runtime, handler: str) -> stopwatch.Figures:
    """From starting the process to the response to its first event, of ten records."""
    load = stopwatch.Load(events=(event_file(10),), count=1, is_traced=False)
    figures = invocations.measure(runtime, handler, load)
    invocation_ms = figures["wall_us.p50"] / 1000
    return {"first_ms": figures["start_ms"] + invocation_ms, "invocation_ms": invocation_ms}


def table(results: Results) -> str:
    """A row per size of batch, with our own cost per record."""
    rows = [
        [
            f"{records:,}",
            *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values()),
            f"{duel.medians('cpu_us')[0] / records:.2f}",
            "{:.1f} / {:.1f}".format(*results.memory[records]),
        ]
        for records, duel in results.sizes.items()
    ]
    return tables.markdown(["SQS records", *FIGURES, "our CPU per record, µs", "memory, × the event"], rows)


def start_table(results: Results) -> str:
    """One row: the cold start."""
    cells = [tables.versus(results.start.ratio(name), *results.start.medians(name)) for name in START.values()]
    return tables.markdown(["a typed batch", *START], [["first event of 10 records", *cells]])


def budgets(results: Results) -> list[tables.Budget]:
    """The limits for a batch; that of a start is for a function that does more than take one (see `idempotency`)."""
    whole = [
        tables.Budget(
            what=f"SQS batch of {records:,}, record by record, wall p50", ratio=duel.ratio("wall_us.p50"), limit=LIMIT
        )
        for records, duel in results.sizes.items()
    ]
    memory = [
        tables.Budget(what=f"memory of an SQS batch of {records:,}, times the event", ratio=ours, limit=MEMORY_LIMIT)
        for records, (ours, _) in results.memory.items()
    ]
    return [*whole, *memory]
