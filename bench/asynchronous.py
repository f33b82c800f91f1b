"""`async def` handlers: what one costs on our runtime, against `asyncio.run` in a handler under awslambdaric."""

from dataclasses import dataclass
from functools import partial

from bench import invocations, parts, stopwatch, tables

FIGURES = {"wall p50, µs": "wall_us.p50", "wall p99, µs": "wall_us.p99", "CPU, µs": "cpu_us"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """The same work on both runtimes, plain and as a coroutine, round by round."""

    ours: list[stopwatch.Figures]
    ours_plain: list[stopwatch.Figures]
    theirs: list[stopwatch.Figures]
    theirs_plain: list[stopwatch.Figures]

    @property
    def invocation(self) -> stopwatch.Duel:
        """Whole invocations: `async def` on ours, `asyncio.run` on theirs."""
        return stopwatch.Duel(ours=self.ours, theirs=self.theirs)

    @property
    def added(self) -> stopwatch.Duel:
        """What the coroutine adds to a plain handler, on each runtime."""
        return stopwatch.Duel(
            ours=_differences(self.ours, self.ours_plain), theirs=_differences(self.theirs, self.theirs_plain)
        )

    @property
    def own(self) -> stopwatch.Duel:
        """Ours: `async def` against plain."""
        return stopwatch.Duel(ours=self.ours, theirs=self.ours_plain)


def _differences(those: list[stopwatch.Figures], plain: list[stopwatch.Figures]) -> list[stopwatch.Figures]:
    return [
        {figure: one[figure] - other[figure] for figure in FIGURES.values()}
        for one, other in zip(those, plain, strict=True)
    ]


def rounds(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, count: int) -> Rounds:
    """All four in turn, with the small event."""
    load = stopwatch.Load(events=(invocations.event_file("small"),), count=count, warmup=max(count // 10, 2))
    entries = [(ours, "asynchronous"), (ours, "small"), (theirs, "asynchronous_by_run"), (theirs, "small")]
    measures = [partial(invocations.measure, runtime, handler, load) for runtime, handler in entries]
    first, second, third, fourth = stopwatch.take_turns(rounds, measures)
    return Rounds(ours=first, ours_plain=second, theirs=third, theirs_plain=fourth)


def table(result: Rounds) -> str:
    """A row per comparison; in each cell the ratio and both medians."""
    duels = {
        "async def on ours / asyncio.run on awslambdaric": result.invocation,
        "what that adds to a plain handler, the same two": result.added,
        "ours: async def / plain": result.own,
    }
    rows = [
        [name, *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values())]
        for name, duel in duels.items()
    ]
    return tables.markdown(["invocation", *FIGURES], rows)


def budgets(result: Rounds) -> list[tables.Budget]:
    """The limit: 0.4 of the way round by `asyncio.run`, as a whole and for what is added."""
    return [
        tables.Budget(what="async handler, wall p50", ratio=result.invocation.ratio("wall_us.p50"), limit=0.40),
        tables.Budget(what="async handler, CPU", ratio=result.invocation.ratio("cpu_us"), limit=0.40),
        tables.Budget(what="what async adds, CPU", ratio=result.added.ratio("cpu_us"), limit=0.40),
    ]
