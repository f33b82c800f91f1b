"""What the runtime adds to an invocation: wall time, CPU and throughput by size of the event."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import parts, payloads, stopwatch, tables

FIGURES = {
    "wall p50, µs": "wall_us.p50",
    "wall p99, µs": "wall_us.p99",
    "CPU, µs": "cpu_us",
    "invocations/s": "per_second",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure."""

    rounds: int
    counts: dict[str, int]
    """Invocations of one round, by event."""

    @classmethod
    def of(cls, *, quick: bool) -> "Plan":
        """Enough for figures that repeat to a percent or two; less when it has to be quick."""
        if quick:
            return cls(rounds=3, counts={"small": 4_000, "7 kB": 2_000, "150 kB": 200, "5.8 MB": 6})
        return cls(rounds=9, counts={"small": 10_000, "7 kB": 5_000, "150 kB": 600, "5.8 MB": 15})


def event_file(name: str) -> Path:
    """The event as a file that the server can read."""
    path = parts.BUILD / f"{name.replace(' ', '')}.json"
    path.write_bytes(payloads.event(name))
    return path


def measure(runtime: parts.Runtime, handler: str, load: stopwatch.Load) -> stopwatch.Figures:
    """One run, refused if the client failed invocations or reconnected: then something else was measured."""
    figures = stopwatch.flatten(stopwatch.run(runtime, handler, load))
    if figures["failures"] or figures["connections"] != 1:
        raise stopwatch.RunError(f"{runtime.name}: not a clean run: {figures}")
    return figures


def duels(
    ours: parts.Runtime, theirs: parts.Runtime, handler: str, plan: Plan, *, coalesce: bool
) -> dict[str, stopwatch.Duel]:
    """A duel per event, turn by turn."""
    results = {}
    for name, count in plan.counts.items():
        load = stopwatch.Load(events=(event_file(name),), count=count, warmup=max(count // 10, 2), coalesce=coalesce)
        first, second = stopwatch.take_turns(
            plan.rounds, [partial(measure, runtime, handler, load) for runtime in (ours, theirs)]
        )
        results[name] = stopwatch.Duel(ours=first, theirs=second)
    return results


def table(results: dict[str, stopwatch.Duel]) -> str:
    """A row per event; in each cell the ratio, ours, theirs."""
    rows = [
        [name, *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values())]
        for name, duel in results.items()
    ]
    return tables.markdown(["event", *FIGURES], rows)


def budgets(small: stopwatch.Duel) -> list[tables.Budget]:
    """The design's limits for the small event."""
    return [
        tables.Budget(what="small invocation, wall p50", ratio=small.ratio("wall_us.p50"), limit=0.55),
        tables.Budget(what="small invocation, CPU", ratio=small.ratio("cpu_us"), limit=0.40),
        tables.Budget(what="small invocation, throughput", ratio=small.ratio("per_second"), limit=2.2, at_least=True),
        tables.Budget(what="resident memory, idle after a run", ratio=small.ratio("rss_kib"), limit=0.85),
    ]
