"""Queues and streams of a real engine, moto over HTTP, with as much of a poller as a partial-batch response needs.

A queue deletes what the response does not name and makes the rest visible again; a stream goes back to the lowest
number named. What an invocation did not answer comes again as a whole. What is kept of a record, in which order, and
when a message goes to the dead-letter queue, is the engine's.
"""

from __future__ import annotations

import base64
import json
from itertools import count
from typing import Any, Protocol

from .platform_model import Handler, MalformedError, Message, named

ACCOUNT, REGION = "123456789012", "eu-central-1"
MAX_RECEIVES = 6
"""Deliveries until SQS gives a message to its dead-letter queue: more than any record of these tests needs."""
BATCH = 5

_numbers = count()


class Engine(Protocol):
    """A source in the engine, and its poller. `settled` are numbers of records that the poller has done away with."""

    settled: list[int]

    def send(self, message: Message) -> None: ...
    def deliver(self, handler: Handler) -> bool:
        """One batch; False when there was none."""


def client(service: str, endpoint: str) -> Any:
    """boto3's, for an engine at this address."""
    import boto3

    secrets = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, **secrets)


class SqsQueue:
    """SQS, standard or FIFO, with a dead-letter queue."""

    def __init__(self, endpoint: str, fifo: bool) -> None:
        self.settled: list[int] = []
        self.sqs = client("sqs", endpoint)
        self._suffix = ".fifo" if fifo else ""
        self._fifo = fifo
        dead_url, dead_arn = self._made("dead")
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVES})
        self._dead_url = dead_url
        self._url, self._arn = self._made("jobs", RedrivePolicy=redrive)

    def _made(self, name: str, **attributes: str) -> tuple[str, str]:
        if self._fifo:
            attributes["FifoQueue"] = "true"
        made = self.sqs.create_queue(QueueName=f"{name}-{next(_numbers)}{self._suffix}", Attributes=attributes)
        told = self.sqs.get_queue_attributes(QueueUrl=made["QueueUrl"], AttributeNames=["QueueArn"])
        return made["QueueUrl"], told["Attributes"]["QueueArn"]

    def send(self, message: Message) -> None:
        """Send one."""
        attributes = {"number": {"DataType": "Number", "StringValue": str(message.number)}}
        options: dict[str, Any] = {"MessageBody": message.body, "MessageAttributes": attributes}
        if self._fifo:
            options |= {"MessageGroupId": message.group, "MessageDeduplicationId": str(message.number)}
        self.sqs.send_message(QueueUrl=self._url, **options)

    def deliver(self, handler: Handler) -> bool:
        """Receive, invoke, delete what is not named."""
        messages = self.sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=600,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return False
        by_id = {one["MessageId"]: one for one in messages}
        failures = _failures(handler, {"Records": [self._record(one) for one in messages]}, by_id)
        if failures is None:
            failures = list(by_id)
        for identifier, message in by_id.items():
            receipt = {"QueueUrl": self._url, "ReceiptHandle": message["ReceiptHandle"]}
            if identifier in failures:
                self.sqs.change_message_visibility(**receipt, VisibilityTimeout=0)
            else:
                self.sqs.delete_message(**receipt)
                self.settled.append(int(message["MessageAttributes"]["number"]["StringValue"]))
        return True

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        number = message["MessageAttributes"]["number"]
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {"number": {"stringValue": number["StringValue"], "dataType": number["DataType"]}},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }

    def dead(self) -> list[str]:
        """The bodies in the dead-letter queue."""
        return bodies(self.sqs, self._dead_url)


class KinesisShard:
    """Kinesis, a stream of one shard."""

    def __init__(self, endpoint: str) -> None:
        self.settled: list[int] = []
        self._kinesis = client("kinesis", endpoint)
        self._stream = f"jobs-{next(_numbers)}"
        self._kinesis.create_stream(StreamName=self._stream, ShardCount=1)
        shards = self._kinesis.describe_stream(StreamName=self._stream)["StreamDescription"]["Shards"]
        self._shard = shards[0]["ShardId"]
        self._checkpoint: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        self._sent: dict[str, int] = {}

    def send(self, message: Message) -> None:
        """Put one."""
        put = self._kinesis.put_record(StreamName=self._stream, Data=message.body.encode(), PartitionKey=message.group)
        self._sent[put["SequenceNumber"]] = message.number

    def deliver(self, handler: Handler) -> bool:
        """Read from the checkpoint, invoke, move it as far as the response lets it."""
        where = {"StreamName": self._stream, "ShardId": self._shard, **self._checkpoint}
        iterator = self._kinesis.get_shard_iterator(**_named(where, "StartingSequenceNumber"))["ShardIterator"]
        records = self._kinesis.get_records(ShardIterator=iterator, Limit=BATCH)["Records"]
        if not records:
            return False
        numbers = [one["SequenceNumber"] for one in records]
        failures = _failures(handler, {"Records": [self._record(one) for one in records]}, numbers)
        self._checkpoint, done = _moved(self._checkpoint, numbers, failures)
        self.settled += [self._sent[one] for one in done]
        return True

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
                "data": base64.b64encode(record["Data"]).decode(),
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self._shard}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "awsRegion": REGION,
            "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{self._stream}",
        }


class TableStream:
    """DynamoDB Streams of a table; each message is an item of its own."""

    def __init__(self, endpoint: str) -> None:
        self.settled: list[int] = []
        self._dynamodb, self._streams = client("dynamodb", endpoint), client("dynamodbstreams", endpoint)
        self._table = f"jobs-{next(_numbers)}"
        made = self._dynamodb.create_table(
            TableName=self._table,
            KeySchema=[{"AttributeName": "number", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "number", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self._arn = made["TableDescription"]["LatestStreamArn"]
        self._shard = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"][0]["ShardId"]
        self._checkpoint: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}

    def send(self, message: Message) -> None:
        """Put an item."""
        item = {"number": {"N": str(message.number)}, "group": {"S": message.group}, "job": {"S": message.body}}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def deliver(self, handler: Handler) -> bool:
        """Read from the checkpoint, invoke, move it as far as the response lets it."""
        where = {"StreamArn": self._arn, "ShardId": self._shard, **self._checkpoint}
        iterator = self._streams.get_shard_iterator(**where)["ShardIterator"]
        records = self._streams.get_records(ShardIterator=iterator, Limit=BATCH)["Records"]
        if not records:
            return False
        numbers = [one["dynamodb"]["SequenceNumber"] for one in records]
        failures = _failures(handler, {"Records": [self._record(one) for one in records]}, numbers)
        self._checkpoint, done = _moved(self._checkpoint, numbers, failures)
        sent = {one["dynamodb"]["SequenceNumber"]: int(one["dynamodb"]["Keys"]["number"]["N"]) for one in records}
        self.settled += [sent[one] for one in done]
        return True

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        change = dict(record["dynamodb"])
        if "ApproximateCreationDateTime" in change:
            change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
        return {**record, "dynamodb": change, "eventSourceARN": self._arn}


def bodies(sqs: Any, url: str) -> list[str]:
    """All that is in a queue."""
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def _failures(handler: Handler, event: dict[str, Any], known: Any) -> list[str] | None:
    """What the response names, as strictly as Lambda reads it; None for an invocation that failed."""
    try:
        return named(handler(event), lambda one: one in known)
    except MalformedError:
        raise
    except Exception:
        return None


def _moved(
    checkpoint: dict[str, str], numbers: list[str], failures: list[str] | None
) -> tuple[dict[str, str], list[str]]:
    """The next place to read from, and what lies before it."""
    if failures is None:
        return checkpoint, []
    if not failures:
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": numbers[-1]}, numbers
    lowest = min(failures, key=int)
    return {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": lowest}, numbers[: numbers.index(lowest)]


def _named(where: dict[str, str], name: str) -> dict[str, str]:
    """Kinesis calls the place by another name than DynamoDB."""
    return {name if key == "SequenceNumber" else key: value for key, value in where.items()}
