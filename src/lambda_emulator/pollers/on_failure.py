"""Where the document about given-up records goes: a queue, a topic, or a bucket. The boto3 calls of it are here."""

import json
import uuid
from typing import Any, Final

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.pollers.failure_document import object_key, with_payload
from lambda_emulator.pollers.stream_record import StreamRecord

__all__ = ["OnFailure"]

_ARN_PARTS: Final = 6


class OnFailure:
    """One destination."""

    def __init__(self, destination: str, aws: AwsClients, *, mapping_uuid: str, region: str) -> None:
        self._destination = destination
        self._aws = aws
        self._mapping_uuid = mapping_uuid
        self._default_region = region

    async def send(
        self, document: dict[str, Any], records: tuple[StreamRecord, ...], *, shard_id: str, now_s: float
    ) -> None:
        """Deliver it. Raises what boto3 raises."""
        _, _, service, region, _, name = self._destination.split(":", _ARN_PARTS - 1)
        region = region or self._default_region
        text = json.dumps(document, separators=(",", ":"))
        match service:
            case "sqs":
                found = await self._aws.call("sqs", region, "get_queue_url", QueueName=name)
                await self._aws.call("sqs", region, "send_message", QueueUrl=found["QueueUrl"], MessageBody=text)
            case "sns":
                await self._aws.call("sns", region, "publish", TopicArn=self._destination, Message=text)
            case _:
                await self._aws.call(
                    "s3",
                    region,
                    "put_object",
                    Bucket=name,
                    Key=object_key(self._mapping_uuid, shard_id, now_s, str(uuid.uuid4())),
                    Body=json.dumps(with_payload(document, records), separators=(",", ":")).encode(),
                    ContentType="application/json",
                )
