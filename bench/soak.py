"""A hundred thousand invocations in one process: memory has to stay where it was."""

from typing import Any

from bench import invocations, parts, payloads, stopwatch, tables

WARM = 0.2
"""The part of the series that is not judged: caches fill and the allocator finds its size."""


def run(runtime: parts.Runtime, count: int) -> dict[str, Any]:
    """`count` invocations: half small, a quarter failing, a quarter of 7 kB; memory sampled 20 times."""
    failing = parts.BUILD / "failing.json"
    failing.write_bytes(payloads.failing())
    small, larger = invocations.event_file("small"), invocations.event_file("7 kB")
    load = stopwatch.Load(events=(small, failing, small, larger), count=count, sample_every=count // 20)
    figures = stopwatch.run(runtime, "mixed", load)
    if figures["failures"] != count // 4:
        raise stopwatch.RunError(f"{runtime.name}: {figures['failures']} failures, {count // 4} were asked for")
    return figures


def slope(series: list[int], count: int) -> float:
    """Growth in KiB per 10,000 invocations: a straight line through what follows the warm-up.

    >>> slope([900, 1000, 1000, 1010, 1020, 1030], 60_000)
    8.0
    """
    judged = series[round(len(series) * WARM) :]
    centre = (len(judged) - 1) / 2
    mean = sum(judged) / len(judged)
    steps = sum((at - centre) ** 2 for at in range(len(judged)))
    per_sample = sum((at - centre) * (kib - mean) for at, kib in enumerate(judged)) / steps
    return per_sample * len(series) * 10_000 / count


def table(results: dict[str, dict[str, Any]], count: int) -> str:
    """The series side by side, KiB, and the slopes."""
    every = count // 20
    names = list(results)
    rows = [
        [f"{(at + 1) * every:,}", *(f"{results[name]['rss_series_kib'][at]:,}" for name in names)] for at in range(20)
    ]
    slopes = [f"{slope(results[name]['rss_series_kib'], count):+.1f}" for name in names]
    rows.append(["KiB per 10,000", *slopes])
    rows.append(["invocations/s", *(tables.figure(results[name]["per_second"]) for name in names)])
    return tables.markdown(["invocations", *names], rows)
