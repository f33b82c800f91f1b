"""Typed events: a whole invocation of an SQS batch, against awslambdaric with aws-lambda-powertools' parser."""

import json
from functools import partial
from pathlib import Path

from bench import invocations, parts, stopwatch, tables

FIGURES = {"wall p50, µs": "wall_us.p50", "CPU, µs": "cpu_us", "invocations/s": "per_second"}
OURS, THEIRS = "bench_typed.orders", "bench_typed_powertools.orders"
COUNTS = {10: 2_000, 200: 300, 2_000: 30}
"""Invocations of one round, by records in the event; with 2,000 it has 1.3 MB."""


def event(records: int) -> bytes:
    """An SQS event with that many orders."""
    return json.dumps({"Records": [_record(number) for number in range(records)]}).encode()


def _record(number: int) -> dict[str, object]:
    return {
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "receiptHandle": "AQEB" + "x" * 120,
        "body": json.dumps({"order_id": f"A-{number}", "quantity": 2}),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795162530000",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1795162530010",
        },
        "messageAttributes": {},
        "md5OfBody": "7b270e59b47ff90a553787216d55d91d",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
        "awsRegion": "eu-central-1",
    }


def event_file(records: int) -> Path:
    """The event as a file that the server can read."""
    path = parts.BUILD / f"sqs-{records}.json"
    path.write_bytes(event(records))
    return path


def duels(ours: parts.Runtime, theirs: parts.Runtime, *, quick: bool) -> dict[int, stopwatch.Duel]:
    """A duel per size of batch, turn by turn, with the same libraries in the function's folder."""
    task = parts.task_with_lock("bench")
    results = {}
    for records, full in COUNTS.items():
        count = max(full // 8, 4) if quick else full
        load = stopwatch.Load(events=(event_file(records),), count=count, warmup=max(count // 10, 2), is_traced=False)
        measures = [
            partial(invocations.measure, ours.with_task(task), OURS, load),
            partial(invocations.measure, theirs.with_task(task), THEIRS, load),
        ]
        first, second = stopwatch.take_turns(3 if quick else 7, measures)
        results[records] = stopwatch.Duel(ours=first, theirs=second)
    return results


def table(results: dict[int, stopwatch.Duel]) -> str:
    """A row per size of batch, with our own cost per record."""
    rows = [
        [
            f"{records:,}",
            *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values()),
            f"{duel.medians('cpu_us')[0] / records:.2f}",
        ]
        for records, duel in results.items()
    ]
    return tables.markdown(["SQS records", *FIGURES, "our CPU per record, µs"], rows)


def budgets(results: dict[int, stopwatch.Duel]) -> list[tables.Budget]:
    """Half of what the best-known parser takes, for small and ordinary batches."""
    return [
        tables.Budget(
            what=f"typed SQS batch of {records}, wall p50", ratio=results[records].ratio("wall_us.p50"), limit=0.5
        )
        for records in (10, 200)
    ]
