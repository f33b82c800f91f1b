"""Where the results of asynchronous invocations go: queues, topics, functions, buses, buckets. One attempt each.

Sending goes through `AwsClients`; a function of the same local Lambda gets its event directly. Whatever fails raises,
and is counted by the caller: Lambda does not try again either.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.destination_document import EventResult
from lambda_emulator.errors import LocalLambdaError

__all__ = ["EventRoutes", "NoAws", "NotTaken"]


class NoAws(LocalLambdaError):  # noqa: N818 (it is what is missing)
    """The local Lambda has no AWS to send to."""


class NotTaken(LocalLambdaError):  # noqa: N818 (it says what happened)
    """A destination has answered that it does not take it."""


SendEvent: TypeAlias = Callable[[str, bytes, str | None], object]
"""Invokes a function asynchronously: ARN, payload, trace header."""


class EventRoutes:
    """Functions of the same local Lambda are reached by `send_event`, everything else through `aws`."""

    def __init__(self, aws: AwsClients | None) -> None:
        self._aws = aws

    async def send_document(
        self, arn: str, result: EventResult, trace_header: str | None, send_event: SendEvent
    ) -> None:
        """Send the record to a destination. Raises whatever goes wrong."""
        service, region, resource = _parts(arn)
        match service:
            case "sqs":
                await self._to_queue(arn, result.text(), {}, trace_header)
            case "sns":
                await self._call("sns", region, "publish", TopicArn=arn, Message=result.text())
            case "lambda":
                send_event(arn, result.text().encode(), trace_header)
            case "events":
                answer = await self._call("events", region, "put_events", Entries=[result.bus_entry(arn)])
                if answer.get("FailedEntryCount"):
                    raise NotTaken(f"{arn}: {answer['Entries'][0].get('ErrorMessage', 'not accepted')}")
            case "s3":
                function = result.function_arn.split(":")[6]
                await self._call(
                    "s3", region or result.function_arn.split(":")[3], "put_object",
                    Bucket=resource, Key=_object_key(function, result.at_s), Body=result.text().encode(),
                )  # fmt: skip
            case _:
                raise NotTaken(f"{arn}: {service!r} is no destination")

    async def send_dead_letter(self, arn: str, result: EventResult, trace_header: str | None) -> None:
        """Send the original event to a dead-letter queue or topic. Raises whatever goes wrong."""
        attributes = result.dead_letter_attributes()
        shaped = {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()}
        message = result.payload.decode("utf-8", "replace")
        service, region, _ = _parts(arn)
        if service == "sqs":
            await self._to_queue(arn, message, shaped, trace_header)
        else:
            await self._call("sns", region, "publish", TopicArn=arn, Message=message, MessageAttributes=shaped)

    async def _to_queue(self, arn: str, body: str, attributes: dict[str, Any], trace_header: str | None) -> None:
        _, region, name = _parts(arn)
        found = await self._call(
            "sqs", region, "get_queue_url", QueueName=name, QueueOwnerAWSAccountId=arn.split(":")[4]
        )
        system = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header}} if trace_header else {}
        await self._call(
            "sqs", region, "send_message",
            QueueUrl=found["QueueUrl"], MessageBody=body, MessageAttributes=attributes, MessageSystemAttributes=system,
        )  # fmt: skip

    async def _call(self, service: str, region: str, operation: str, **parameters: Any) -> Any:
        if self._aws is None:
            raise NoAws(f"nothing to send to with {service}.{operation}: make LocalLambda with aws=AwsClients(...)")
        return await self._aws.call(service, region, operation, **parameters)


def _parts(arn: str) -> tuple[str, str, str]:
    _, _, service, region, _, resource = arn.split(":", 5)
    return service, region, resource


def _object_key(function: str, at_s: float) -> str:
    at = datetime.fromtimestamp(at_s, UTC)
    return f"aws/lambda/async/{function}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
