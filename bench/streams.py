"""Response streams: how soon the first byte is there, how fast a long one flows, what it keeps in memory."""

import json
from dataclasses import dataclass
from functools import partial

from bench import invocations, parts, stopwatch, tables

PIECE_BYTES = 64 * 1024
LONG_BYTES = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a handler produces, piece by piece."""

    name: str
    pieces: int
    piece_bytes: int = PIECE_BYTES
    pause_ms: int = 0
    """What a piece takes to produce."""
    pinned: bool = True
    """On one core a client that writes much goes on writing until the server has its turn, and the first byte would be
    seen a slice of the scheduler too late; so not where there is much."""

    def load(self, count: int, warmup: int) -> stopwatch.Load:
        """Invocations with the event that asks for this response."""
        path = parts.BUILD / f"stream-{self.pieces}-{self.piece_bytes}-{self.pause_ms}.json"
        wanted = {"pieces": self.pieces, "bytes": self.piece_bytes, "pause_ms": self.pause_ms}
        path.write_text(json.dumps(wanted))
        return stopwatch.Load(events=(path,), count=count, warmup=warmup, pinned=self.pinned)


SLOW = Response(name="1 MiB, 16 pieces, 1 ms of work each", pieces=16, pause_ms=1)
ANSWERS = (
    Response(name="1 kB, one piece", pieces=1, piece_bytes=1_000),
    Response(name="256 KiB, 4 pieces", pieces=4),
    Response(name="5 MiB, 80 pieces", pieces=80, pinned=False),
    SLOW,
)
LONG = tuple(
    Response(name=f"pieces of {size // 1024} KiB", pieces=LONG_BYTES // size, piece_bytes=size, pinned=False)
    for size in (4 * 1024, PIECE_BYTES, 1024 * 1024)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstByte:
    """One response in three ways, round by round."""

    streamed: list[stopwatch.Figures]
    buffered: list[stopwatch.Figures]
    theirs: list[stopwatch.Figures]

    def against(self, buffered: list[stopwatch.Figures], figure: str) -> stopwatch.Duel:
        """The stream's `figure` against the time to a whole buffered response."""
        return stopwatch.Duel(
            ours=[{"us": one[figure]} for one in self.streamed],
            theirs=[{"us": one["wall_us.p50"]} for one in buffered],
        )


def first_bytes(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, count: int) -> dict[str, FirstByte]:
    """A stream by our runtime, and the same bytes as one buffered response by both."""
    results = {}
    for response in ANSWERS:
        load = response.load(count // 100 if response is SLOW else max(count // response.pieces, 10), warmup=2)
        measures = [
            partial(invocations.measure, ours, "stream", load),
            partial(invocations.measure, ours, "buffered", load),
            partial(invocations.measure, theirs, "buffered", load),
        ]
        streamed, buffered, counterpart = stopwatch.take_turns(rounds, measures)
        results[response.name] = FirstByte(streamed=streamed, buffered=buffered, theirs=counterpart)
    return results


def long_streams(ours: parts.Runtime, *, rounds: int) -> dict[str, list[stopwatch.Figures]]:
    """100 MB per response, by the size of its pieces."""
    results: dict[str, list[stopwatch.Figures]] = {}
    for response in LONG:
        load = response.load(2, warmup=1)
        (figures,) = stopwatch.take_turns(rounds, [partial(_long, ours, load)])
        results[response.name] = figures
    return results


def _long(runtime: parts.Runtime, load: stopwatch.Load) -> stopwatch.Figures:
    figures = invocations.measure(runtime, "stream", load)
    return figures | {
        "mb_per_s": figures["response_bytes"] / figures["wall_us.p50"],
        "cpu_s": figures["cpu_us"] / 1e6,
        "start_rss_mib": figures["start_rss_kib"] / 1024,
        "rss_mib": figures["rss_kib"] / 1024,
        "peak_rss_mib": figures["peak_rss_kib"] / 1024,
    }


def first_byte_table(results: dict[str, FirstByte]) -> str:
    """A row per response; in each cell the ratio, ours streamed, the buffered one it is compared with, µs."""
    rows = []
    for name, result in results.items():
        pairs = [
            result.against(result.theirs, "first_us.p50"),
            result.against(result.buffered, "first_us.p50"),
            result.against(result.theirs, "wall_us.p50"),
        ]
        rows.append([name, *(tables.versus(pair.ratio("us"), *pair.medians("us")) for pair in pairs)])
    header = [
        "response",
        "first byte / awslambdaric's buffered, µs",
        "first byte / our buffered, µs",
        "whole stream / awslambdaric's buffered, µs",
    ]
    return tables.markdown(header, rows)


LONG_FIGURES = {
    "MB/s": "mb_per_s",
    "client's CPU, s": "cpu_s",
    "resident before, MiB": "start_rss_mib",
    "after": "rss_mib",
    "peak": "peak_rss_mib",
}


def long_table(results: dict[str, list[stopwatch.Figures]]) -> str:
    """A row per size of the pieces, absolute medians."""
    rows = [
        [name, *(tables.figure(stopwatch.median(figures, figure)) for figure in LONG_FIGURES.values())]
        for name, figures in results.items()
    ]
    return tables.markdown(["100 MB", *LONG_FIGURES], rows)
