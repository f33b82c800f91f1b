"""Messages per second from an SQS mapping, records per second from a Kinesis mapping, on an embedded moto.

Nobody else does this without containers, so the other side is the floor: a loop of bare boto3 calls on the same moto
(receive and delete, or read) that processes nothing. The ratio is what polling rules, a real process and the Runtime
API add to it. Rounds alternate; the source holds everything before the watch starts.
"""

import statistics
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import tables

FUNCTION = """
def handler(event, context):
    return None
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Per second, round by round, and the CPU time of this process (moto's included) per message."""

    ours: list[float]
    floor: list[float]
    ours_cpu_us: list[float]
    floor_cpu_us: list[float]


def measure(*, rounds: int, messages: int) -> dict[str, Throughput]:
    """By what is polled."""
    from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "worker.py").write_text(textwrap.dedent(FUNCTION))
        function = FunctionConfiguration(name="worker", handler="worker.handler", task_root=Path(folder))
        clock = ManualClock()
        with EmbeddedAws(clock=clock) as aws, LocalLambda(function, clock=clock, aws=aws.clients) as service:
            service.invoke("worker", {"Records": []})
            cases: dict[str, tuple[Callable[[], str], Callable[[str], None], dict[str, Any]]] = {
                "SQS, batches of 10": (lambda: _queue(aws, messages), lambda arn: _drain(aws, arn), {}),
                "SQS, batches of 100": (
                    lambda: _queue(aws, messages),
                    lambda arn: _drain(aws, arn),
                    {"batch_size": 100, "maximum_batching_window_s": 1},
                ),
                "Kinesis, batches of 100": (
                    lambda: _stream(aws, messages),
                    lambda arn: _read(aws, arn, messages),
                    {"starting_position": "TRIM_HORIZON"},
                ),
            }
            results = {}
            for name, (fill, floor, settings) in cases.items():
                timings: list[tuple[float, float, float, float]] = []
                for number in range(rounds + 1):
                    ours = _timed(lambda arn, settings=settings: _mapped(service, clock, arn, settings), fill())  # type: ignore[misc]
                    bare = _timed(floor, fill())
                    if number:  # the first round imports and connects
                        timings.append((*ours, *bare))
                results[name] = Throughput(
                    ours=[messages / each[0] for each in timings],
                    floor=[messages / each[2] for each in timings],
                    ours_cpu_us=[each[1] / messages * 1e6 for each in timings],
                    floor_cpu_us=[each[3] / messages * 1e6 for each in timings],
                )
    return results


def table(results: dict[str, Throughput]) -> str:
    """Medians; the ratio is that of the rounds' own ratios."""
    rows = []
    for name, figures in results.items():
        rate = statistics.median(ours / floor for ours, floor in zip(figures.ours, figures.floor, strict=True))
        cpu = statistics.median(
            ours / floor for ours, floor in zip(figures.ours_cpu_us, figures.floor_cpu_us, strict=True)
        )
        rows.append(
            [
                name,
                tables.versus(rate, statistics.median(figures.ours), statistics.median(figures.floor)),
                tables.versus(cpu, statistics.median(figures.ours_cpu_us), statistics.median(figures.floor_cpu_us)),
            ]
        )
    return tables.markdown(["polled", "per second", "CPU µs per message, moto's included"], rows)


def _timed(work: Callable[[str], None], arn: str) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    work(arn)
    return time.perf_counter() - began, time.process_time() - cpu


def _mapped(service: Any, clock: Any, arn: str, settings: dict[str, Any]) -> None:
    mapping = service.create_event_source_mapping("worker", arn, **settings)
    clock.run_until_quiet()
    service.delete_event_source_mapping(mapping.uuid)


def _queue(aws: Any, messages: int) -> str:
    name = f"bench-{uuid.uuid4().hex}"
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    for at in range(0, messages, 10):
        entries = [{"Id": str(each), "MessageBody": f"message {at + each}"} for each in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def _drain(aws: Any, arn: str) -> None:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    while found := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages"):
        entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(found)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def _stream(aws: Any, messages: int) -> str:
    name = f"bench-{uuid.uuid4().hex}"
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    for at in range(0, messages, 100):
        records = [{"Data": f"record {at + each}", "PartitionKey": str(each)} for each in range(100)]
        kinesis.put_records(StreamName=name, Records=records)
    return f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}"


def _read(aws: Any, arn: str, messages: int) -> None:
    kinesis = aws.client("kinesis")
    shard = kinesis.list_shards(StreamARN=arn)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamARN=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    left = messages
    while left > 0:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=100, StreamARN=arn)
        iterator = answer["NextShardIterator"]
        left -= len(answer["Records"])
