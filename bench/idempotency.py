"""Idempotency on DynamoDB: requests, latency, cold start and keys, against awslambdaric with aws-lambda-powertools.

Both sides are whole functions under their runtimes, and talk to one moto server; each has a table of its own.
"""

import json
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from time import process_time
from typing import Any

from bench import invocations, parts, stopwatch, tables, typed
from bench.dynamodb import DynamoDB

PLACE = ("bench_idempotency.place", "bench_idempotency_powertools.place")
BATCH = ("bench_idempotent_batch.orders", "bench_idempotent_batch_powertools.orders")
EVERYTHING = ("bench_everything.orders", "bench_everything_powertools.orders")
COUNTED = {"requests": "requests", "bytes sent": "received", "bytes received": "sent"}
LATENCY = {"wall p50, µs": "wall_us.p50", "CPU, µs": "cpu_us"}
START = {"start → first response, ms": "first_ms", "CPU, ms": "cpu_ms", "of it the invocation, ms": "invocation_ms"}
TABLES = ("ours", "theirs")
AT_ONCE = 60
"""Orders of one round; the server takes 64 events, some of which are warm-up."""
RECORDS = 10
LIMIT = 0.40

Side = tuple[parts.Runtime, str]
Counts = dict[str, list[dict[str, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was measured: counts by case, ours and theirs; duels of latency and of cold starts; our keys' costs."""

    counts: Counts
    latencies: dict[str, stopwatch.Duel]
    starts: dict[str, stopwatch.Duel]
    keys_us: dict[str, float]


def measure(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int) -> Results:
    """Turn by turn, with the same libraries in the function's folder."""
    task = parts.task_with_lock("bench")
    with DynamoDB() as database:
        database.begin_anew(*TABLES)
        runtimes = [one.with_task(task).with_variables(one.name, **database.environment) for one in (ours, theirs)]
        place, batch, everything = (list(zip(runtimes, one, strict=True)) for one in (PLACE, BATCH, EVERYTHING))
        orders = Orders()
        return Results(
            counts=requests_and_bytes(database, orders, place, batch),
            latencies=latencies(orders, place, rounds),
            starts={
                "one order": starts(database, orders.one, place, rounds * 3),
                f"an SQS batch of {RECORDS}": starts(database, orders.batch, batch, rounds * 3),
                "the same with logger, trace and metrics": starts(database, orders.batch, everything, rounds * 3),
            },
            keys_us=key_costs(),
        )


class Orders:
    """Events with orders that nobody has seen."""

    def __init__(self) -> None:
        """Numbers begin where none has been used."""
        self._numbers = count()

    def one(self) -> Path:
        """An event with an order."""
        number = next(self._numbers)
        return _file(f"order-{number % 64}", json.dumps({"order_id": f"order-{number:06}", "quantity": 2}).encode())

    def batch(self) -> Path:
        """An SQS event with several."""
        number = next(self._numbers)
        text = typed.event(RECORDS).replace(b'"A-', b'"A-%d-' % number).replace(b'\\"A-', b'\\"A-%d-' % number)
        return _file("orders", text)


def _file(name: str, content: bytes) -> Path:
    path = parts.BUILD / f"idempotency-{name}.json"
    path.write_bytes(content)
    return path


def requests_and_bytes(database: DynamoDB, orders: Orders, place: list[Side], batch: list[Side]) -> Counts:
    """What one invocation costs at the database; bytes are those of the bodies."""
    counts: Counts = {}
    for name, sides, event in (("one order", place, orders.one), (f"a batch of {RECORDS}", batch, orders.batch)):
        path = event()
        for what in ("new", "replayed"):
            for runtime, handler in sides:
                database.counts()
                invocations.measure(runtime, handler, stopwatch.Load(events=(path,), count=1))
                counts.setdefault(f"{name}, {what}", []).append(database.counts())
    return counts


def latencies(orders: Orders, sides: list[Side], rounds: int) -> dict[str, stopwatch.Duel]:
    """Warm invocations with orders that are new, and the same again."""
    figures: dict[str, list[list[stopwatch.Figures]]] = {"one order, new": [[], []], "one order, replayed": [[], []]}
    for _ in range(rounds):
        load = stopwatch.Load(events=tuple(orders.one() for _ in range(AT_ONCE + 4)), count=AT_ONCE, warmup=4)
        for into in figures.values():
            for (runtime, handler), one in zip(sides, into, strict=True):
                one.append(invocations.measure(runtime, handler, load))
    return {name: stopwatch.Duel(ours=ours, theirs=theirs) for name, (ours, theirs) in figures.items()}


def starts(database: DynamoDB, event: Callable[[], Path], sides: list[Side], rounds: int) -> stopwatch.Duel:
    """From starting the process to the response to its first event, which is new."""
    measures = [partial(first_response, database, event, *side) for side in sides]
    for start in measures:
        start()  # the page cache holds everything from here on
    ours, theirs = stopwatch.take_turns(rounds, measures)
    return stopwatch.Duel(ours=ours, theirs=theirs)


def first_response(
    database: DynamoDB, event: Callable[[], Path], runtime: parts.Runtime, handler: str
) -> stopwatch.Figures:
    """One start, with an empty table."""
    database.begin_anew(*TABLES)
    figures = invocations.measure(runtime, handler, stopwatch.Load(events=(event(),), count=1))
    invocation_ms = figures["wall_us.p50"] / 1000
    return {
        "first_ms": figures["start_ms"] + invocation_ms,
        "cpu_ms": figures["start_cpu_ms"] + figures["cpu_us"] / 1000,
        "invocation_ms": invocation_ms,
    }


def key_costs() -> dict[str, float]:
    """CPU time of extraction and hashing by kind of key, in µs, without a store; the best of some repetitions."""
    from handlerkit.idempotency import Idempotency, MemoryStore, jmespath

    event = {"order": {"id": "o-1", "user": "u-1"}, "lines": [{"article": "book", "n": 1}] * 3}

    def function(event: dict[str, Any]) -> None: ...

    kinds: dict[str, Any] = {
        "a text, by a callable": lambda event: event["order"]["id"],
        "two texts, by JMESPath": jmespath("[order.id, order.user]"),
        "an event of 8 values in 5 objects": "event",
    }
    costs = {}
    for name, key in kinds.items():
        attempt = partial(Idempotency(MemoryStore(), key=key).for_function(function).attempt, (event,), {}, None)
        costs[name] = min(timeit.repeat(attempt, timer=process_time, number=1000, repeat=15)) * 1000
    return costs


def counts_table(results: Results) -> str:
    """A row per case; in each cell ours, theirs."""
    rows = [
        [name, *(f"{ours[figure]:,} / {theirs[figure]:,}" for figure in COUNTED.values())]
        for name, (ours, theirs) in results.counts.items()
    ]
    return tables.markdown(["an invocation", *COUNTED], rows)


def latency_table(results: Results) -> str:
    """A row per case."""
    return _duels_table("an invocation", LATENCY, results.latencies)


def start_table(results: Results) -> str:
    """A row per kind of function."""
    return _duels_table("first event", START, results.starts)


def _duels_table(what: str, figures: dict[str, str], duels: dict[str, stopwatch.Duel]) -> str:
    rows = [
        [name, *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in figures.values())]
        for name, duel in duels.items()
    ]
    return tables.markdown([what, *figures], rows)


def key_table(results: Results) -> str:
    """A row per kind of key."""
    return tables.markdown(["key", "µs"], [[name, tables.figure(us)] for name, us in results.keys_us.items()])


def budgets(results: Results) -> list[tables.Budget]:
    """The design's limits."""
    found = [
        tables.Budget(what=f"idempotency: start → first response, {name}", ratio=duel.ratio("first_ms"), limit=LIMIT)
        for name, duel in results.starts.items()
    ]
    ours, theirs = (counts["requests"] for counts in results.counts[f"a batch of {RECORDS}, new"])
    found.append(tables.Budget(what="idempotency: requests of a new batch of 10", ratio=ours / theirs, limit=0.1))
    slowest = max(results.keys_us.values())
    found.append(tables.Budget(what="idempotency: the slowest key, of 10 µs", ratio=slowest / 10, limit=1.0))
    return found
