"""What Lambda does with a batch's response, as little of it as the tests need: a queue, a stream, a topic.

Written from the service's documented and recorded behaviour, without a look at the code under test. A response is
judged as strictly as Lambda judges it: what it would not understand fails the whole batch.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Protocol

Handler = Callable[[dict[str, Any]], Any]
NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898


class Message:
    """One record: `group` is what order goes by, `body` what it carries, `number` its place in what was sent."""

    def __init__(self, number: int, group: str, body: str) -> None:
        self.number = number
        self.group = group
        self.body = body
        self.receives = 0

    def __repr__(self) -> str:
        return f"{self.group}{self.number}"


class Source(Protocol):
    """A queue or a stream with its poller."""

    settled: list[Message]

    def send(self, message: Message) -> None: ...
    def pending(self) -> list[Message]: ...
    def deliver(self, handler: Handler, size: int) -> None: ...


class MalformedError(Exception):
    """A response that Lambda takes for the failure of the whole batch."""


def named(response: Any, known: Callable[[Any], bool]) -> list[Any]:
    """The identifiers that a response names. Raises `MalformedError`."""
    if response is None or response == "":
        return []
    if not isinstance(response, dict):
        raise MalformedError(response)
    failures = response.get("batchItemFailures") or []
    if not isinstance(failures, list):
        raise MalformedError(response)
    for one in failures:
        if not isinstance(one, dict) or not one.get("itemIdentifier") or not known(one["itemIdentifier"]):
            raise MalformedError(one)
    return [one["itemIdentifier"] for one in failures]


class Queue:
    """SQS: what a response does not name is deleted, wherever it stood."""

    def __init__(self, fifo: bool) -> None:
        self.fifo = fifo
        self.settled: list[Message] = []
        self._waiting: list[Message] = []

    def send(self, message: Message) -> None:
        self._waiting.append(message)

    def pending(self) -> list[Message]:
        return list(self._waiting)

    def deliver(self, handler: Handler, size: int) -> None:
        """One invocation; what it leaves becomes visible again, together and in order."""
        batch = self._waiting[:size]
        for message in batch:
            message.receives += 1
        by_id = {f"m-{message.number}": message for message in batch}
        try:
            failures = named(handler({"Records": [self._record(one) for one in batch]}), by_id.__contains__)
        except MalformedError:
            raise
        except Exception:
            return  # a function error: nothing is deleted
        for identifier, message in by_id.items():
            if identifier not in failures:
                self._waiting.remove(message)
                self.settled.append(message)
        if not self.fifo:
            self._waiting = self._waiting[size:] + self._waiting[:size]  # no order at all

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": f"m-{message.number}",
            "receiptHandle": f"r-{message.number}-{message.receives}",
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receives), "MessageGroupId": message.group},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:jobs{'.fifo' if self.fifo else ''}",
            "awsRegion": "eu-central-1",
        }


class Stream:
    """One shard of Kinesis or DynamoDB: back to the lowest number named, and on from there."""

    def __init__(self, dynamodb: bool) -> None:
        self.dynamodb = dynamodb
        self.settled: list[Message] = []
        self._records: list[Message] = []
        self._position = 0

    def send(self, message: Message) -> None:
        self._records.append(message)

    def pending(self) -> list[Message]:
        return self._records[self._position :]

    def deliver(self, handler: Handler, size: int) -> None:
        """One invocation; the checkpoint moves as far as the response lets it."""
        batch = self._records[self._position :][:size]
        places = {str(NUMBER + message.number): self._records.index(message) for message in batch}
        try:
            failures = named(handler({"Records": [self._record(one) for one in batch]}), places.__contains__)
        except MalformedError:
            raise
        except Exception:
            return
        end = places[min(failures, key=int)] if failures else self._position + len(batch)
        self.settled += self._records[self._position : end]
        self._position = end

    def _record(self, message: Message) -> dict[str, Any]:
        number = str(NUMBER + message.number)
        if self.dynamodb:
            image = {"job": {"S": message.body}, "group": {"S": message.group}}
            keys = {"group": {"S": message.group}}
            change = {"Keys": keys, "NewImage": image, "SequenceNumber": number, "StreamViewType": "NEW_IMAGE"}
            return {"eventID": number, "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}
        data = base64.b64encode(message.body.encode()).decode()
        return {
            "kinesis": {"partitionKey": message.group, "sequenceNumber": number, "data": data},
            "eventSource": "aws:kinesis",
            "eventID": f"shardId-000000000000:{number}",
        }


class Topic:
    """Kafka: each partition goes back to the lowest offset named in it."""

    def __init__(self) -> None:
        self.settled: list[Message] = []
        self._partitions: dict[str, list[Message]] = {}
        self._positions: dict[str, int] = {}

    def send(self, message: Message) -> None:
        partition = f"jobs-{'abcdefgh'.index(message.group)}"
        self._partitions.setdefault(partition, []).append(message)
        self._positions.setdefault(partition, 0)

    def pending(self) -> list[Message]:
        return [one for name, some in self._partitions.items() for one in some[self._positions[name] :]]

    def deliver(self, handler: Handler, size: int) -> None:
        """One invocation with some of each partition."""
        batch = {}
        for name, messages in self._partitions.items():
            start = self._positions[name]
            some = [(offset, messages[offset]) for offset in range(start, min(start + size, len(messages)))]
            if some:
                batch[name] = some
        records = {name: [self._record(name, *one) for one in some] for name, some in batch.items()}
        known = [{"partition": name, "offset": offset} for name, some in batch.items() for offset, _ in some]
        try:
            failures = named(handler({"eventSource": "aws:kafka", "records": records}), known.__contains__)
        except MalformedError:
            raise
        except Exception:
            return
        for name, some in batch.items():
            offsets = [one["offset"] for one in failures if one["partition"] == name]
            end = min(offsets) if offsets else some[-1][0] + 1
            self.settled += [message for offset, message in some if offset < end]
            self._positions[name] = end

    def _record(self, name: str, offset: int, message: Message) -> dict[str, Any]:
        topic, _, partition = name.rpartition("-")
        value = base64.b64encode(message.body.encode()).decode()
        return {"topic": topic, "partition": int(partition), "offset": offset, "value": value}


def good(number: int) -> str:
    """What a job looks like."""
    return json.dumps({"n": number})


POISON = '{"n": "not a number"}'
