"""The local Lambda: warm and cold invocations, many environments at once, its start; beside AWS's own emulator.

Against AWS's Runtime Interface Emulator both are processes of their own on one core, each with our runtime behind it,
called over HTTP by the same client. The other figures are of a caller in the same process, as a test is; a cold
invocation is told from the start of the bare interpreter that the function's process needs as well.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import parts, rie, stopwatch, tables
from lambda_emulator import FunctionConfiguration, LocalLambda, ManualClock

ENVIRONMENTS = (1, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything that was measured, round by round."""

    calls: stopwatch.Duel
    """The caller's round trip over HTTP: the local Lambda, AWS's emulator."""
    cold: stopwatch.Duel
    """A cold invocation, a bare interpreter."""
    here: list[stopwatch.Figures]
    """By a caller in the same process."""


def run(runtime: parts.Runtime, *, rounds: int, count: int) -> Results:
    """All of it."""
    with contextlib.ExitStack() as stack:
        event = b'{"a": 1}'
        callers = []
        for process in (serving(runtime), rie.emulator(runtime)):
            caller = rie.Caller(stack.enter_context(process), event)
            stack.callback(caller.close)
            caller.round(max(count // 5, 2))
            callers.append(caller)
        ours, theirs = stopwatch.take_turns(rounds, [partial(caller.round, count) for caller in callers])
    cold, bare = stopwatch.take_turns(rounds, [partial(_cold, runtime), partial(_bare, runtime)])
    (here,) = stopwatch.take_turns(max(rounds // 2, 2), [partial(_here, runtime, count)])
    return Results(
        calls=stopwatch.Duel(ours=ours, theirs=theirs), cold=stopwatch.Duel(ours=cold, theirs=bare), here=here
    )


@contextlib.contextmanager
def serving(runtime: parts.Runtime) -> Iterator[int]:
    """A local Lambda in a process of its own; yields the port to call."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.local", str(runtime.task), *runtime.command],
        env={**os.environ, **runtime.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=parts.ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(30)


def tables_of(results: Results) -> list[tuple[str, str]]:
    """Titles and tables."""
    figures = rie.FIGURES
    cells = [tables.versus(results.calls.ratio(each), *results.calls.medians(each)) for each in figures.values()]
    calls = tables.markdown(["warm invocation over HTTP", *figures], [["small", *cells]])
    rows = {
        "warm, p50, ms": "warm_ms",
        "warm to the REPORT line, p50, ms": "report_ms",
        "warm, own CPU, ms": "cpu_ms",
        "LocalLambda made and closed, ms": "life_ms",
        "a retry after a minute of a manual clock, ms": "retry_ms",
        **{f"invocations per second through {number}": f"per_s_{number}" for number in ENVIRONMENTS},
    }
    here = [[name, f"{stopwatch.median(results.here, figure):,.2f}"] for name, figure in rows.items()]
    cold, bare = results.cold.medians("ms")
    here.append(["cold, ms", f"{cold:.1f} (a bare interpreter: {bare:.1f}; {cold - bare:+.1f})"])
    return [
        ("The local Lambda's round trip (ratio, ours / AWS's emulator)", calls),
        ("The local Lambda, called in the same process", tables.markdown(["figure", "median"], here)),
    ]


def budgets(results: Results) -> list[tables.Budget]:
    """The limits: against AWS's emulator, and what a test may wait for."""
    warm = stopwatch.median(results.here, "warm_ms")
    cold, bare = results.cold.medians("ms")
    beside_aws = results.calls.ratio("p50_us")
    return [
        tables.Budget(what="local warm invocation against AWS's emulator, p50", ratio=beside_aws, limit=0.7),
        tables.Budget(what="local warm invocation, in shares of 2 ms", ratio=warm / 2, limit=1.0),
        tables.Budget(what="local cold over bare interpreter, in shares of 25 ms", ratio=(cold - bare) / 25, limit=1.0),
    ]


def _function(runtime: parts.Runtime) -> FunctionConfiguration:
    return _configuration(runtime.task, runtime.command, runtime.environment)


def _configuration(task: Path, command: tuple[str, ...], environment: dict[str, str]) -> FunctionConfiguration:
    return FunctionConfiguration(
        handler=f"{parts.HANDLERS}.small",
        task_root=task,
        command=(*command, f"{parts.HANDLERS}.small"),
        environment=environment,
        timeout_s=20,
    )


def _cold(runtime: parts.Runtime) -> stopwatch.Figures:
    """One cold invocation, to the caller's answer."""
    with LocalLambda(_function(runtime)) as service:
        began = time.perf_counter()
        service.invoke("function", b"{}")
        return {"ms": (time.perf_counter() - began) * 1e3}


def _bare(runtime: parts.Runtime) -> stopwatch.Figures:
    """The same interpreter with nothing to do, started, and ended."""
    python = runtime.environment.get("HANDLERKIT_PYTHON", runtime.command[0])
    began = time.perf_counter()
    subprocess.run([python, "-c", "pass"], check=True, env=runtime.environment_for("small"))
    return {"ms": (time.perf_counter() - began) * 1e3}


def _here(runtime: parts.Runtime, count: int) -> stopwatch.Figures:
    figures: stopwatch.Figures = {}
    began = time.perf_counter()
    LocalLambda(_function(runtime)).close()
    figures["life_ms"] = (time.perf_counter() - began) * 1e3
    with LocalLambda(_function(runtime)) as service:
        for _ in range(20):
            _ = service.invoke("function", b"{}").report
        cpu = time.process_time()
        warm, report = [], []
        for _ in range(count):
            began = time.perf_counter()
            result = service.invoke("function", b"{}")
            warm.append((time.perf_counter() - began) * 1e3)
            _ = result.report
            report.append((time.perf_counter() - began) * 1e3)
        figures |= {"warm_ms": statistics.median(warm), "report_ms": statistics.median(report)}
        figures["cpu_ms"] = (time.process_time() - cpu) * 1e3 / count
    for number in ENVIRONMENTS:
        figures[f"per_s_{number}"] = _throughput(runtime, number, count)
    figures["retry_ms"] = _retry(runtime)
    return figures


def _throughput(runtime: parts.Runtime, environments: int, count: int) -> float:
    with (
        LocalLambda(_function(runtime), max_environments=environments) as service,
        ThreadPoolExecutor(environments) as callers,
    ):

        def some(number: int) -> None:
            for _ in range(number):
                service.invoke("function", b"{}")

        list(callers.map(some, [3] * environments))
        began = time.perf_counter()
        list(callers.map(some, [count // environments] * environments))
        return count // environments * environments / (time.perf_counter() - began)


def _retry(runtime: parts.Runtime) -> float:
    """From a failed asynchronous invocation to the outcome of its one retry, an hour's age allowed."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{parts.HANDLERS}.py").write_text("def small(event, context):\n    raise ValueError\n")
        clock = ManualClock()
        configuration = _configuration(Path(folder), runtime.command, runtime.environment)
        with LocalLambda(configuration, clock=clock) as service:
            service.put_event_invoke_config("function", maximum_retry_attempts=1)
            _ = service.invoke("function", b"{}").report
            service.invoke("function", b"{}", invocation_type="Event")
            clock.advance(0)
            began = time.perf_counter()
            clock.run_until_quiet()
            return (time.perf_counter() - began) * 1e3


def _serve(task: str, *command: str) -> None:
    """The process of `serving`: prints its port, ends with its input."""
    if (core := stopwatch.core()) is not None:
        os.sched_setaffinity(0, {core})
    python = os.environ.get("HANDLERKIT_PYTHON")
    environment = {"HANDLERKIT_PYTHON": python} if python else {}
    with LocalLambda(_configuration(Path(task), command, environment)) as service:
        print(service.endpoint_url.rpartition(":")[2], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
