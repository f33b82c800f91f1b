"""The words of the scenario tests: queues, streams, what is sent, what the function saw."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from lambda_emulator import LocalLambda, ManualClock
from lambda_emulator.embedded_aws import EmbeddedAws
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping


class Queue:
    """One queue of the embedded AWS."""

    def __init__(self, aws: EmbeddedAws, name: str, attributes: Mapping[str, str]) -> None:
        self._sqs = aws.client("sqs")
        self.url: str = self._sqs.create_queue(QueueName=name, Attributes=dict(attributes))["QueueUrl"]
        self.arn: str = f"arn:aws:sqs:us-east-1:123456789012:{name}"

    def send(self, *bodies: str, **more: Any) -> None:
        """One message each."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return found

    def count(self) -> int:
        """Messages that are there, visible or not."""
        found = self.attributes()
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])

    def take(self) -> list[str]:
        """The bodies of what is visible now, which is deleted."""
        bodies = []
        while found := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def delete(self) -> None:
        self._sqs.delete_queue(QueueUrl=self.url)


class Stream:
    """A Kinesis stream, or a table with a stream: `put` gives it a record of that name."""

    def __init__(self, aws: EmbeddedAws, kind: str, name: str, shards: int = 1) -> None:
        self.kind = kind
        self.name = name
        if kind == "kinesis":
            self._client = aws.client("kinesis")
            self._client.create_stream(StreamName=name, ShardCount=shards)
            summary = self._client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
            self.arn: str = summary["StreamARN"]
        else:
            self._client = aws.client("dynamodb")
            made = self._client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            )
            self.arn = made["TableDescription"]["LatestStreamArn"]

    def put(self, *names: str, key: str | None = None, **more: Any) -> None:
        for name in names:
            if self.kind == "kinesis":
                self._client.put_record(StreamName=self.name, Data=name.encode(), PartitionKey=key or name, **more)
            else:
                self._client.put_item(TableName=self.name, Item={"id": {"S": name}, **more})


class Scene:
    """A worker function, its clock, its AWS."""

    def __init__(
        self, aws: EmbeddedAws, clock: ManualClock, service: LocalLambda, unique: str, task_root: Path
    ) -> None:
        self.aws = aws
        self.clock = clock
        self.service = service
        self.unique = unique
        self._root = task_root

    def queue(self, name: str = "source", **attributes: str) -> Queue:
        """30 seconds of visibility unless said otherwise."""
        return Queue(self.aws, f"{name}-{self.unique}", {"VisibilityTimeout": "30"} | attributes)

    def fifo(self, name: str = "source", **attributes: str) -> Queue:
        settings = {"VisibilityTimeout": "30", "FifoQueue": "true", "ContentBasedDeduplication": "true"}
        return Queue(self.aws, f"{name}-{self.unique}.fifo", settings | attributes)

    def with_dead_letters(self, receives: int, *, fifo: bool = False) -> tuple[Queue, Queue]:
        """A queue, and the one for its dead letters."""
        make = self.fifo if fifo else self.queue
        dead = make("dead")
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives}
        return make(RedrivePolicy=json.dumps(policy)), dead

    def stream(self, kind: str = "kinesis", shards: int = 1) -> Stream:
        return Stream(self.aws, kind, f"stream-{self.unique}", shards)

    def map(self, source: Queue | Stream, **settings: Any) -> EventSourceMapping:
        """Poll it for the worker. Streams from their beginning, unless said otherwise."""
        if isinstance(source, Stream):
            settings = {"starting_position": "TRIM_HORIZON"} | settings
        return self.service.create_event_source_mapping("worker", source.arn, **settings)

    def plan(self, **actions: Any) -> None:
        """What the worker does to the records of these names, time after time; the last goes on for ever."""
        (self._root / "plan.json").write_text(json.dumps(actions))

    def run(self) -> timedelta:
        """Until nothing is due."""
        return self.clock.run_until_quiet()

    def events(self) -> list[dict[str, Any]]:
        """All events that the worker got, in order."""
        return [each["event"] for each in self._seen()]

    def batches(self) -> list[list[str]]:
        """The names in each event."""
        return [each["names"] for each in self._seen()]

    def names(self) -> list[str]:
        """All that it got."""
        return [name for batch in self.batches() for name in batch]

    def result(self, mapping: EventSourceMapping) -> str:
        return self.service.get_event_source_mapping(mapping.uuid).last_processing_result

    def _seen(self) -> list[dict[str, Any]]:
        path = self._root / "seen.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
