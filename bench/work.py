"""The instructions that a record costs, counted by valgrind: the same on a busy machine, and no cache in it.

The handler alone, from the event's bytes to the response's, without a runtime around it.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import parts, tables, typed

HANDLERS = {
    "SqsEvent[Order]": ("bench_typed.orders", "bench_typed_powertools.orders"),
    "batch_handler": ("bench_batch.orders", "bench_batch_powertools.orders"),
}
COUNTS = {10: 100, 200: 10, 2_000: 2, 10_000: 1}
"""Invocations to count, by records in the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Instructions of one invocation."""

    ours: float
    theirs: float


def is_possible() -> bool:
    """Whether there is a valgrind."""
    return shutil.which("valgrind") is not None


def counted(*, quick: bool) -> dict[str, dict[int, Work]]:
    """By handler and records; with `quick` only small batches."""
    sizes = {records: count for records, count in COUNTS.items() if records <= 200 or not quick}
    for records in {10, *sizes}:
        _event_file(records)
    results: dict[str, dict[int, Work]] = {}
    for name, (ours, theirs) in HANDLERS.items():
        loaded = [_instructions(handler, 10, 0) for handler in (ours, theirs)]
        results[name] = {}
        for records, count in sizes.items():
            mine, other = (
                (_instructions(handler, records, count) - base) / count
                for handler, base in zip((ours, theirs), loaded, strict=True)
            )
            results[name][records] = Work(ours=mine, theirs=other)
    return results


def _event_file(records: int) -> Path:
    path = parts.BUILD / f"work-{records}.json"
    path.write_bytes(typed.event(records).replace(b"AQEB" + b"x" * 120, b"AQEB" + b"x" * 16))
    return path


def _instructions(handler: str, records: int, times: int) -> int:
    """Of a whole process that handles the event so often."""
    task = parts.task_with_lock("bench")
    python = parts.BUILD / "venv" / "bin" / "python"
    event = parts.BUILD / f"work-{records}.json"
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(python), "-B"]
    command += [str(task / "bench_work.py"), handler, str(event), str(times)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"}  # the same dicts each time
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=task)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise parts.MissingError(f"valgrind gave no count: {done.stderr.strip()[-300:]}")
    return int(found.group(1))


def table(results: dict[str, dict[int, Work]]) -> str:
    """A row per handler and size: instructions per record, in thousands."""
    rows = [
        [
            f"{name}, {records:,}",
            f"**{work.ours / work.theirs:.2f}×**",
            f"{work.ours / records / 1000:.1f}",
            f"{work.theirs / records / 1000:.1f}",
        ]
        for name, sizes in results.items()
        for records, work in sizes.items()
    ]
    return tables.markdown(["records", "ratio", "ours, 1,000 per record", "theirs, 1,000 per record"], rows)


def growth(results: dict[str, dict[int, Work]]) -> dict[str, float]:
    """What a record of our largest batch costs, over one of a batch of 200: 1 is linear.

    >>> growth({"f": {200: Work(ours=200.0, theirs=1), 10_000: Work(ours=10_300.0, theirs=1)}})
    {'f': 1.03}
    """
    return {
        name: (sizes[max(sizes)].ours / max(sizes)) / (sizes[200].ours / 200)
        for name, sizes in results.items()
        if 200 in sizes and max(sizes) > 200
    }
