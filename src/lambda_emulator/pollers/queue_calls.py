"""The calls to one queue: receive, delete in tens, make visible. Every other thought about SQS is elsewhere."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.errors import InvalidParameterValue
from lambda_emulator.pollers.source_arn import SourceArn
from lambda_emulator.pollers.sqs_record import QueueMessage

__all__ = ["QueueCalls", "QueueFacts", "is_aws"]

# SQS refuses more entries in one request.
_ENTRIES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """What a poller has to know of its queue."""

    url: str
    visibility_s: int
    dead_letters_of: str | None
    """The one queue whose dead letters this one holds; asked only where the server does not write it on messages."""


class QueueCalls:
    """One queue behind boto3. Everything raises what boto3 raises, unless it says otherwise."""

    def __init__(self, source: SourceArn, aws: AwsClients) -> None:
        self._source = source
        self._aws = aws
        self._url = ""

    @property
    def is_aws(self) -> bool:
        """No emulator."""
        return is_aws(self._aws.client("sqs", self._source.region).meta.endpoint_url)

    @property
    def keeps_fifo_order(self) -> bool:
        """Whether several messages of a group come back in order when their visibility ends by itself."""
        return self.is_aws or getattr(self._aws, "keeps_fifo_order", False)

    async def look(self) -> QueueFacts:
        """Find the queue. Raises `InvalidParameterValue`, in the API's words, if there is none."""
        try:
            found = await self._call(
                "get_queue_url", QueueName=self._source.name, QueueOwnerAWSAccountId=self._source.account_id
            )
            self._url = found["QueueUrl"]
            attributes = (
                await self._call("get_queue_attributes", QueueUrl=self._url, AttributeNames=["VisibilityTimeout"])
            )["Attributes"]
        except Exception as error:
            if not _is_missing(error):
                raise
            raise InvalidParameterValue(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            ) from error
        return QueueFacts(
            url=self._url,
            visibility_s=int(attributes["VisibilityTimeout"]),
            dead_letters_of=None if self.is_aws else await self._dead_letters_of(),
        )

    async def receive(self, count: int, *, wait_s: int, visibility_s: int | None) -> list[dict[str, Any]]:
        """At most ten messages, as boto3 has them."""
        given = {} if visibility_s is None else {"VisibilityTimeout": visibility_s}
        answer = await self._call(
            "receive_message",
            QueueUrl=self._url,
            MaxNumberOfMessages=min(count, 10),
            WaitTimeSeconds=wait_s,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            **given,
        )
        return list(answer.get("Messages", []))

    async def delete(self, messages: Sequence[QueueMessage]) -> None:
        """Delete them, in tens. What the queue refuses comes back by itself."""
        for entries in _in_tens(messages):
            await self._call("delete_message_batch", QueueUrl=self._url, Entries=entries)

    async def make_visible(self, messages: Sequence[QueueMessage]) -> None:
        """End their visibility timeout now, one after the other. Messages or a queue that are gone are no error."""
        for entries in _in_tens(messages):
            hidden = [entry | {"VisibilityTimeout": 0} for entry in entries]
            try:
                await self._call("change_message_visibility_batch", QueueUrl=self._url, Entries=hidden)
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001, S112 (a kindness to the next reader; without it the timeout runs out)
                continue

    async def _dead_letters_of(self) -> str | None:
        """moto and others know which queues point here, but write it on no message."""
        try:
            urls = (await self._call("list_dead_letter_source_queues", QueueUrl=self._url)).get("queueUrls", [])
            if len(urls) != 1:
                return None
            answer = await self._call("get_queue_attributes", QueueUrl=urls[0], AttributeNames=["QueueArn"])
            return str(answer["Attributes"]["QueueArn"])
        except Exception:  # noqa: BLE001 (an emulator that does not know the call)
            return None

    async def _call(self, operation: str, **parameters: Any) -> Any:
        return await self._aws.call("sqs", self._source.region, operation, **parameters)


def is_aws(endpoint_url: str) -> bool:
    """Whether an endpoint is AWS itself.

    >>> is_aws("https://sqs.eu-west-1.amazonaws.com"), is_aws("http://127.0.0.1:5000")
    (True, False)
    """
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _in_tens(messages: Sequence[QueueMessage]) -> list[list[dict[str, Any]]]:
    entries = [
        {"Id": str(number % _ENTRIES), "ReceiptHandle": message.receipt_handle}
        for number, message in enumerate(messages)
    ]
    return [entries[at : at + _ENTRIES] for at in range(0, len(entries), _ENTRIES)]


def _is_missing(error: Exception) -> bool:
    response = getattr(error, "response", None) or {}
    return (
        "NonExistentQueue" in response.get("Error", {}).get("Code", "") or "QueueDoesNotExist" in type(error).__name__
    )
