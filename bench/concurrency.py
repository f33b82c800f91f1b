"""Eight invocations at once: requests per second, CPU and memory, in each of our modes against awslambdaric's."""

from dataclasses import dataclass
from functools import partial

from bench import invocations, parts, stopwatch, tables

AT_ONCE = 8
MODES = ("processes", "threads", "asyncio")
FIGURES = {
    "invocations/s": "per_second",
    "CPU, µs": "cpu_us",
    "all 8 ready, ms": "start_ms",
    "memory (PSS), MiB": "pss_mib",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A function, and how it is asked for under an event loop."""

    name: str
    handler: str
    count: int
    asynchronous: str = ""
    """The handler for the mode `asyncio`, where it differs."""
    libraries: tuple[str, ...] = ()


WORKLOADS = (
    Workload(name="empty", handler="small", asynchronous="asynchronous", count=20_000),
    Workload(name="waits 5 ms", handler="pausing", asynchronous="pausing_asynchronously", count=1_200),
    Workload(
        name="imports pydantic and boto3",
        handler="bench_with_libraries.small",
        count=10_000,
        libraries=("pydantic", "boto3"),
    ),
)


def measure(runtime: parts.Runtime, handler: str, load: stopwatch.Load) -> stopwatch.Figures:
    """One fresh environment under `load`; refused if an invocation failed."""
    figures = stopwatch.flatten(stopwatch.run(runtime, handler, load))
    if figures["failures"]:
        raise stopwatch.RunError(f"{runtime.name}: not a clean run: {figures}")
    return figures | {"pss_mib": figures["pss_kib"] / 1024}


def duels(
    ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, share: float, pinned: bool
) -> dict[str, dict[str, stopwatch.Duel]]:
    """A duel per workload and mode; `share` of the invocations where it has to be quick."""
    results: dict[str, dict[str, stopwatch.Duel]] = {}
    for workload in WORKLOADS:
        count = max(int(workload.count * share), AT_ONCE)
        load = stopwatch.Load(
            events=(invocations.event_file("small"),),
            count=count,
            warmup=max(count // 10, 10 * AT_ONCE),
            at_once=AT_ONCE,
            pinned=pinned,
        )
        task = parts.task_with_libraries(*workload.libraries) if workload.libraries else parts.TASK
        measures = [
            partial(
                measure,
                ours.with_variables(f"ours, {mode}", HANDLERKIT_CONCURRENCY=mode).with_task(task),
                (mode == "asyncio" and workload.asynchronous) or workload.handler,
                load,
            )
            for mode in MODES
        ]
        measures.append(partial(measure, theirs.with_task(task), workload.handler, load))
        *modes, counterpart = stopwatch.take_turns(rounds, measures)
        results[workload.name] = {
            mode: stopwatch.Duel(ours=figures, theirs=counterpart) for mode, figures in zip(MODES, modes, strict=True)
        }
    return results


def table(results: dict[str, dict[str, stopwatch.Duel]]) -> str:
    """A row per function and mode; in each cell the ratio, ours, theirs."""
    rows = [
        [
            f"{name}: {mode}",
            *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values()),
        ]
        for name, modes in results.items()
        for mode, duel in modes.items()
    ]
    return tables.markdown(["function: our mode", *FIGURES], rows)


def budgets(results: dict[str, dict[str, stopwatch.Duel]]) -> list[tables.Budget]:
    """The limit on memory, where imports are what fills it."""
    heavy = results["imports pydantic and boto3"]["processes"]
    return [
        tables.Budget(what="memory of 8 processes with pydantic and boto3", ratio=heavy.ratio("pss_mib"), limit=0.50)
    ]
