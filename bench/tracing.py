"""Tracing: the cost of spans, and a cold start whose first invocation is sampled, against those who do the same."""

import os
import subprocess
from dataclasses import dataclass
from functools import partial

from bench import invocations, parts, stopwatch, tables

HANDLERS = {"one": "handler and 1 span", "eleven": "handler and 11 spans"}
OTHERS = {"bench_tracing_powertools": "aws-lambda-powertools", "bench_tracing_sdk": "aws-xray-sdk"}
FLOOR = "bench_tracing_floor"
LIMIT = 0.5
START_LIMIT = 0.4
ADDRESS = "127.0.0.1:2000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Per handler, sampled or not: a duel with each of the others (and with the bare datagrams); and the starts."""

    spans: dict[tuple[str, str], dict[str, stopwatch.Duel]]
    starts: dict[str, stopwatch.Duel]


def spans(
    runtime: parts.Runtime, python: str, module: str, handler: str, *, sampled: str, count: int
) -> stopwatch.Figures:
    """CPU time of one call, in a fresh process of the bench's own environment."""
    command = [python, str(runtime.task / "bench_tracing_loop.py"), module, handler, sampled, str(count)]
    pinned = stopwatch.core()
    environment = runtime.environment_for(module) | {"PYTHONPATH": str(runtime.task), "LAMBDA_TASK_ROOT": "/var/task"}
    environment["AWS_LAMBDA_FUNCTION_NAME"] = "orders"
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        preexec_fn=None if pinned is None else partial(os.sched_setaffinity, 0, {pinned}),
    )
    if done.returncode:
        raise stopwatch.RunError(f"{module}: {done.stderr.strip().splitlines()[-1:]}")
    return {"cpu_us": float(done.stdout)}


def first_response(runtime: parts.Runtime, handler: str) -> stopwatch.Figures:
    """From starting the process to the response of its first invocation, which is sampled."""
    load = stopwatch.Load(events=(invocations.event_file("small"),), count=1)
    figures = invocations.measure(runtime, handler, load)
    return {"first_ms": figures["start_ms"] + figures["wall_us.p50"] / 1000}


def duels(contenders: parts.Contenders, *, rounds: int, quick: bool) -> Results:
    """Turn by turn, all in one environment with the libraries of `requirements/bench.lock`."""
    task = parts.task_with_lock("bench")
    python = contenders.ours.command[0]
    ours = contenders.bootstrap.with_task(task)
    results: dict[tuple[str, str], dict[str, stopwatch.Duel]] = {}
    for handler in HANDLERS:
        for sampled in ("1", "0"):
            others = [*OTHERS, FLOOR] if sampled == "1" else list(OTHERS)
            count = (1_000 if quick else 10_000) // (1 if handler == "one" else 4)
            measures = [
                partial(spans, ours, python, module, handler, sampled=sampled, count=count)
                for module in ("bench_tracing", *others)
            ]
            first, *rest = stopwatch.take_turns(rounds, measures)
            results[handler, sampled] = {
                module: stopwatch.Duel(ours=first, theirs=theirs) for module, theirs in zip(others, rest, strict=True)
            }
    return Results(spans=results, starts=_starts(contenders, ours, rounds * 2))


def _starts(contenders: parts.Contenders, ours: parts.Runtime, rounds: int) -> dict[str, stopwatch.Duel]:
    variables = {
        "AWS_XRAY_DAEMON_ADDRESS": ADDRESS,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
    }
    theirs = contenders.counterpart.with_task(ours.task)
    entries = {
        "ours": (ours.with_variables("ours", **variables), "bench_tracing.one"),
        "powertools": (theirs.with_variables("lean", **variables), "bench_tracing_powertools.one"),
        "powertools, auto_patch (its default)": (
            theirs.with_variables("default", **variables, BENCH_AUTO_PATCH="1"),
            "bench_tracing_powertools.one",
        ),
        "aws-xray-sdk": (theirs.with_variables("sdk", **variables), "bench_tracing_sdk.one"),
    }
    measures = [partial(first_response, *entry) for entry in entries.values()]
    for measure in measures:
        measure()  # the page cache holds everything from here on
    first, *rest = stopwatch.take_turns(rounds, measures)
    return {name: stopwatch.Duel(ours=first, theirs=other) for name, other in zip(list(entries)[1:], rest, strict=True)}


def table(results: Results) -> str:
    """A row per handler, sampled or not; CPU µs of one invocation."""
    rows = []
    for (handler, sampled), duels_ in results.spans.items():
        cells = [
            tables.versus(duels_[module].ratio("cpu_us"), *duels_[module].medians("cpu_us"))
            if module in duels_
            else "—"
            for module in (*OTHERS, FLOOR)
        ]
        rows.append([f"{HANDLERS[handler]}, {_said(sampled)}", *cells])
    return tables.markdown(["CPU, µs", *(f"/ {name}" for name in OTHERS.values()), "/ bare datagrams"], rows)


def _said(sampled: str) -> str:
    return "sampled" if sampled == "1" else "not sampled"


def start_table(results: Results) -> str:
    """A row per counterpart: start → first response, ms."""
    rows = [
        [name, tables.versus(duel.ratio("first_ms"), *duel.medians("first_ms"))]
        for name, duel in results.starts.items()
    ]
    return tables.markdown(["awslambdaric with", "start → first response, ms"], rows)


def budgets(results: Results) -> list[tables.Budget]:
    """The design's limits."""
    found = [
        tables.Budget(
            what=f"{HANDLERS[handler]}, {_said(sampled)}, CPU, against {OTHERS[module]}",
            ratio=duel.ratio("cpu_us"),
            limit=LIMIT,
        )
        for (handler, sampled), duels_ in results.spans.items()
        for module, duel in duels_.items()
        if module in OTHERS
    ]
    start = results.starts["powertools"]
    return [
        *found,
        tables.Budget(what="start → first response, sampled", ratio=start.ratio("first_ms"), limit=START_LIMIT),
    ]
