"""Where records go that cannot be read, if somebody wants them: a function of the user's, or a queue.

The record is acknowledged only when that succeeded.
"""

from __future__ import annotations

__all__ = ["PoisonQueue", "PoisonRecord", "poison_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .hooks import RecordFacts

# SQS takes attributes of some 256 characters comfortably; the whole error is in the log.
REASON_CHARACTERS = 250


class PoisonRecord:
    """A record that could not be read: what came (`raw`), whose it is, and why (`error`)."""

    __slots__ = ("error", "identifier", "raw", "source", "where")

    def __init__(self, source: str, where: str, identifier: Any, raw: dict[str, Any], error: Exception) -> None:
        self.source = source
        self.where = where
        self.identifier = identifier
        self.raw = raw
        self.error = error

    def __repr__(self) -> str:
        return f"PoisonRecord({self.source!r}, {self.identifier!r})"


class PoisonQueue:
    """An SQS queue for `on_poison`: a message from SQS is sent on with its body, any other record as JSON.

    `client` is boto3's; without one it is made when the first such record turns up.
    """

    def __init__(self, queue_url: str, client: Any = None) -> None:
        self.queue_url = queue_url
        self._client = client

    def __call__(self, poison: PoisonRecord) -> None:
        """Send it. Raises what the client raises."""
        client = self._client
        if client is None:
            import boto3  # late: 130 ms, for the first poison only

            client = self._client = boto3.client("sqs")
        from handlerkit.reply import encoded

        from .reading import public_reason

        body = poison.raw.get("body") if poison.source.startswith("sqs") else None
        if not isinstance(body, str) or not body:
            body = encoded(poison.raw).decode()
        identity = poison.identifier if isinstance(poison.identifier, str) else encoded(poison.identifier).decode()
        told = {
            "poison.source": poison.where or poison.source,
            "poison.record": identity,
            "poison.reason": public_reason(poison.error, False)[:REASON_CHARACTERS],
        }
        message = {
            "QueueUrl": self.queue_url,
            "MessageBody": body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": text} for name, text in told.items() if text
            },
        }
        if self.queue_url.endswith(".fifo"):
            from hashlib import sha256

            digest = sha256(f"{poison.where} {identity}".encode()).hexdigest()
            message |= {"MessageGroupId": digest, "MessageDeduplicationId": digest}
        client.send_message(**message)


def poison_of(facts: RecordFacts, error: Exception) -> PoisonRecord:
    """The value that `on_poison` is given."""
    return PoisonRecord(facts.source, facts.where, facts.identifier, facts.raw, error)
