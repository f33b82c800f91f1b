"""From starting the process to its first `/next`, and what it then keeps in memory."""

from functools import partial

from bench import invocations, parts, stopwatch, tables

FIGURES = {
    "start → /next, ms": "start_ms",
    "CPU, ms": "start_cpu_ms",
    "resident, MiB": "start_rss_mib",
}


def measure(runtime: parts.Runtime) -> stopwatch.Figures:
    """One start, with a handler that needs nothing."""
    load = stopwatch.Load(events=(invocations.event_file("small"),), count=0)
    figures = stopwatch.flatten(stopwatch.run(runtime, "small", load))
    return figures | {"start_rss_mib": figures["start_rss_kib"] / 1024}


def duels(contenders: parts.Contenders, rounds: int) -> dict[str, stopwatch.Duel]:
    """Both of our entries against the counterpart, all three in turn."""
    entries = [contenders.ours, contenders.bootstrap, contenders.counterpart]
    for entry in entries:
        measure(entry)  # the page cache holds everything from here on
    module, bootstrap, theirs = stopwatch.take_turns(rounds, [partial(measure, entry) for entry in entries])
    return {
        contenders.ours.name: stopwatch.Duel(ours=module, theirs=theirs),
        contenders.bootstrap.name: stopwatch.Duel(ours=bootstrap, theirs=theirs),
    }


def table(results: dict[str, stopwatch.Duel]) -> str:
    """A row per entry of ours; in each cell the ratio, ours, theirs."""
    rows = [
        [name, *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values())]
        for name, duel in results.items()
    ]
    return tables.markdown(["started by", *FIGURES], rows)


def budgets(contenders: parts.Contenders, results: dict[str, stopwatch.Duel]) -> list[tables.Budget]:
    """The design's limits for a start."""
    module, bootstrap = results[contenders.ours.name], results[contenders.bootstrap.name]
    return [
        tables.Budget(what="start → first /next by -m runtime", ratio=module.ratio("start_ms"), limit=0.65),
        tables.Budget(what="start → first /next by bootstrap", ratio=bootstrap.ratio("start_ms"), limit=0.45),
        tables.Budget(
            what="resident memory, waiting for the first event",
            ratio=module.ratio("start_rss_kib"),
            limit=0.85,
        ),
    ]
