"""Run the C server with one client and read its figures; take turns, so a noisy minute hits both alike."""

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import parts

Figures = dict[str, float]
"""One run's figures by name; times in the unit that the name ends in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the server is asked to do with its client."""

    events: tuple[Path, ...]
    count: int
    """Invocations that are measured; 0 measures the start alone."""
    warmup: int = 0
    sample_every: int = 0
    coalesce: bool = False
    is_traced: bool = True
    """Whether the trace header asks for spans, which our handlers then record by themselves."""
    at_once: int = 0
    """Invocations under way at any time, by the other server; 0: one after the other."""
    pinned: bool = True


class RunError(Exception):
    """A run that gave no figures; the message holds the server's or the client's last words."""


def core() -> int | None:
    """The core that client and server share, or None where processes cannot be pinned.

    The last one allowed: the first is where an idle machine puts everything else.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))


def run(runtime: parts.Runtime, handler: str, load: Load) -> dict[str, Any]:
    """One fresh client under `load`; the server's JSON object as it is."""
    server = parts.server("crowd" if load.at_once else "server")
    command = [str(server), "--count", str(load.count), "--warmup", str(load.warmup)]
    if load.pinned and (pinned := core()) is not None:
        command += ["--core", str(pinned)]
    if load.at_once:
        command += ["--connections", str(load.at_once)]
    if load.sample_every:
        command += ["--sample-every", str(load.sample_every)]
    if not load.is_traced:
        command.append("--untraced")
    if load.coalesce:
        command.append("--coalesce")
    for path in load.events:
        command += ["--event", str(path)]
    with tempfile.NamedTemporaryFile() as output:
        command += ["--output", output.name, "--", *runtime.command_for(handler)]
        environment = runtime.environment_for(handler)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=runtime.task)
        if done.returncode:
            said = Path(output.name).read_text(errors="replace").strip().splitlines()[-3:]
            raise RunError(f"{runtime.name}: {' | '.join([done.stderr.strip(), *said])}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def flatten(figures: dict[str, Any]) -> Figures:
    """The plain numbers, with the percentiles as `wall_us.p50` and so on."""
    flat: Figures = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": float(number) for part, number in value.items()}
        elif isinstance(value, int | float):
            flat[name] = float(value)
    return flat


def median(rounds: list[Figures], figure: str) -> float:
    """The median over the rounds.

    >>> median([{"ms": 3.0}, {"ms": 9.0}, {"ms": 4.0}], "ms")
    4.0
    """
    return statistics.median(one[figure] for one in rounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The rounds of two contenders; round n of one belongs to round n of the other."""

    ours: list[Figures]
    theirs: list[Figures]

    def medians(self, figure: str) -> tuple[float, float]:
        """The median over the rounds, ours and theirs."""
        return median(self.ours, figure), median(self.theirs, figure)

    def ratio(self, figure: str) -> float:
        """Ours / theirs: the median of the rounds' own ratios, since neighbours share the machine's mood."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(ours[figure] / theirs[figure] for ours, theirs in pairs)


def take_turns(rounds: int, measures: Sequence[Callable[[], Figures]]) -> list[list[Figures]]:
    """A B A B ...: call each measure once per round; one list of figures per measure."""
    results: list[list[Figures]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, into in zip(measures, results, strict=True):
            into.append(measure())
    return results
