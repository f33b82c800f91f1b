"""Events of operations: alarms, pipelines, stacks, and mail."""

from __future__ import annotations

from handlerkit.reply import jsonable

from .wire import ACCOUNT, REGION, SENT_AT, as_text, uuid

__all__ = ["cloudwatch_alarm_event", "codepipeline_event", "custom_resource_event", "ses_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal


def cloudwatch_alarm_event(
    name: str = "orders-failed", *, value: str = "ALARM", previous: str = "OK", reason_data: Any = None
) -> dict[str, Any]:
    """An alarm that changed its state, as its action calls a function. `reason_data` is written as JSON."""
    time = "2026-01-01T00:00:00.000+0000"
    state = {"value": value, "reason": "Threshold Crossed: 1 out of the last 1 datapoints", "timestamp": time}
    metric = {"namespace": "AWS/SQS", "name": "ApproximateAgeOfOldestMessage", "dimensions": {"QueueName": "orders"}}
    stat = {"metric": metric, "period": 60, "stat": "Maximum"}
    return {
        "source": "aws.cloudwatch",
        "alarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "accountId": ACCOUNT,
        "time": time,
        "region": REGION,
        "alarmData": {
            "alarmName": name,
            "state": state | ({} if reason_data is None else {"reasonData": as_text(reason_data)}),
            "previousState": {"value": previous, "reason": "Threshold not crossed", "timestamp": time},
            "configuration": {"metrics": [{"id": "m1", "metricStat": stat, "returnData": True}]},
        },
    }


def codepipeline_event(
    user_parameters: Any = "", *, inputs: Mapping[str, str] | None = None, continuation_token: str | None = None
) -> dict[str, Any]:
    """A job of a pipeline; `inputs` are artifacts by name, each with the key of its object."""
    artifacts = [
        {
            "name": name,
            "revision": None,
            "location": {"type": "S3", "s3Location": {"bucketName": f"codepipeline-{REGION}", "objectKey": key}},
        }
        for name, key in (inputs or {}).items()
    ]
    data: dict[str, Any] = {
        "actionConfiguration": {
            "configuration": {"FunctionName": "orders", "UserParameters": as_text(user_parameters)}
        },
        "inputArtifacts": artifacts,
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "secretAccessKey": "EXAMPLE",
            "sessionToken": "EXAMPLE",
        },
    }
    if continuation_token is not None:
        data["continuationToken"] = continuation_token
    return {"CodePipeline.job": {"id": uuid(0), "accountId": ACCOUNT, "data": data}}


def custom_resource_event(
    properties: Any = None,
    *,
    old: Any = None,
    request_type: Literal["Create", "Update", "Delete"] | None = None,
    physical_resource_id: str | None = None,
    resource_type: str = "Custom::Resource",
    provider_framework: bool = False,
) -> dict[str, Any]:
    """A custom resource to create, or with `old` properties to update; scalars become text, as CloudFormation has it.

    `provider_framework` leaves out what only CloudFormation itself sends.
    """
    kind = request_type or ("Create" if old is None else "Update")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
    event: dict[str, Any] = {
        "RequestType": kind,
        "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/orders/{uuid(0)}",
        "RequestId": uuid(1),
        "LogicalResourceId": "Resource",
        "ResourceType": resource_type,
        "ResourceProperties": {"ServiceToken": function, **_as_properties(properties or {})},
    }
    if old is not None:
        event["OldResourceProperties"] = {"ServiceToken": function, **_as_properties(old)}
    if kind != "Create" or physical_resource_id is not None:
        event["PhysicalResourceId"] = physical_resource_id or "resource-1"
    if not provider_framework:
        url = f"https://cloudformation-custom-resource-response.s3.{REGION}.amazonaws.com/EXAMPLE"
        event |= {"ServiceToken": function, "ResponseURL": url}
    return event


def _as_properties(given: Any) -> dict[str, Any]:
    found: dict[str, Any] = _as_property(jsonable(given))
    return found


def _as_property(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_property(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_as_property(item) for item in value]
    return value if isinstance(value, str) else as_text(value)


def ses_event(
    *,
    sender: str = "ada@example.com",
    recipients: Iterable[str] = ("orders@example.com",),
    subject: str = "An order",
    spam: str = "PASS",
    virus: str = "PASS",
) -> dict[str, Any]:
    """A message that SES received; `spam` and `virus` are verdicts. Its body is never part of the event."""
    to = list(recipients)
    message_id = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
    headers = {"Return-Path": f"<{sender}>", "From": sender, "To": ", ".join(to), "Subject": subject}
    passed = {"status": "PASS"}
    return {
        "Records": [
            {
                "eventSource": "aws:ses",
                "eventVersion": "1.0",
                "ses": {
                    "mail": {
                        "timestamp": SENT_AT,
                        "source": sender,
                        "messageId": message_id,
                        "destination": to,
                        "headersTruncated": False,
                        "headers": [{"name": name, "value": value} for name, value in headers.items()],
                        "commonHeaders": {
                            "returnPath": sender,
                            "from": [sender],
                            "date": "Thu, 1 Jan 2026 00:00:00 +0000",
                            "to": to,
                            "messageId": f"<{uuid(0)}@example.com>",
                            "subject": subject,
                        },
                    },
                    "receipt": {
                        "timestamp": SENT_AT,
                        "processingTimeMillis": 574,
                        "recipients": to,
                        "spamVerdict": {"status": spam},
                        "virusVerdict": {"status": virus},
                        "spfVerdict": passed,
                        "dkimVerdict": passed,
                        "dmarcVerdict": passed,
                        "dmarcPolicy": "reject",
                        "action": {
                            "type": "Lambda",
                            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders",
                            "invocationType": "Event",
                        },
                    },
                },
            }
        ]
    }
