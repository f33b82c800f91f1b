"""A notification as SNS gives it to a function, and which notifications a filter policy lets through. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambda_emulator.direct_sources.s3_record import iso_ms
from lambda_emulator.pollers.filter_pattern import FilterPattern

__all__ = ["Notification", "passes"]

# No key of AWS's is here to sign with.
_SIGNATURE: Final = "EXAMPLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message on its way to one subscription."""

    subscription_arn: str
    topic_arn: str
    message_id: str
    message: str
    subject: str | None
    attributes: Mapping[str, Mapping[str, str]]
    """By name, each with `Type` and `Value`."""
    at_s: float

    def event(self) -> dict[str, Any]:
        """What the function gets: always one record."""
        region = self.topic_arn.split(":")[3]
        host = f"https://sns.{region}.amazonaws.com"
        return {
            "Records": [
                {
                    "EventSource": "aws:sns",
                    "EventVersion": "1.0",
                    "EventSubscriptionArn": self.subscription_arn,
                    "Sns": {
                        "Type": "Notification",
                        "MessageId": self.message_id,
                        "TopicArn": self.topic_arn,
                        "Subject": self.subject,
                        "Message": self.message,
                        "Timestamp": iso_ms(self.at_s),
                        "SignatureVersion": "1",
                        "Signature": _SIGNATURE,
                        "SigningCertUrl": f"{host}/SimpleNotificationService-0000000000.pem",
                        "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={self.subscription_arn}",
                        "MessageAttributes": {name: dict(value) for name, value in self.attributes.items()},
                    },
                }
            ]
        }


def passes(policy: Mapping[str, Any], scope: str, attributes: Mapping[str, Mapping[str, str]], message: str) -> bool:
    """Whether a filter policy lets it through. Raises `InvalidPattern` for what is no policy.

    `scope`: `MessageAttributes`, or `MessageBody`, which has to be a JSON object then.
    """
    if not policy:
        return True
    pattern = FilterPattern(policy)
    if scope == "MessageAttributes":
        return pattern.matches({name: _value(attribute) for name, attribute in attributes.items()})
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and pattern.matches(body)


def _value(attribute: Mapping[str, str]) -> Any:
    """What a policy sees of an attribute; binary ones have no value that it could name."""
    kind, text = attribute["Type"], attribute["Value"]
    try:
        if kind == "String.Array":
            return json.loads(text)
        if kind.startswith("Number"):
            return float(text)
    except ValueError:
        return text
    return {} if kind.startswith("Binary") else text
