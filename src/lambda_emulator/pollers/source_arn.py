"""Which service an event source's ARN names. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from lambda_emulator.errors import InvalidParameterValue

__all__ = ["Kind", "SourceArn"]

Kind = Literal["sqs", "sqs-fifo", "kinesis", "dynamodb"]

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-zA-Z-]*):(?P<service>\w+):(?P<region>[a-z0-9-]+):(?P<account>\d*):(?P<rest>.+)"
)
_REST = {
    "sqs": re.compile(r"(?P<name>[a-zA-Z0-9_-]{1,80}(\.fifo)?)"),
    "kinesis": re.compile(r"stream/(?P<name>[a-zA-Z0-9_.-]{1,128})"),
    "dynamodb": re.compile(r"table/(?P<name>[a-zA-Z0-9_.-]{3,255})/stream/[^/]+"),
}


@dataclass(frozen=True, slots=True)
class SourceArn:
    """An ARN that is understood."""

    text: str
    kind: Kind
    region: str
    account_id: str
    name: str
    """Of the queue, the stream or the table."""

    @classmethod
    def parse(cls, text: str) -> "SourceArn":
        """Take it apart. Raises `InvalidParameterValue`, in the API's words, for what is no source of this kind.

        >>> SourceArn.parse("arn:aws:sqs:us-east-1:123456789012:orders.fifo").kind
        'sqs-fifo'
        """
        arn = _ARN.fullmatch(text)
        rest = _REST[arn["service"]].fullmatch(arn["rest"]) if arn and arn["service"] in _REST else None
        if arn is None or rest is None:
            raise InvalidParameterValue("Unrecognized event source.")
        kind: Kind
        match arn["service"]:
            case "sqs":
                kind = "sqs-fifo" if rest["name"].endswith(".fifo") else "sqs"
            case "kinesis":
                kind = "kinesis"
            case _:
                kind = "dynamodb"
        return cls(text, kind, arn["region"], arn["account"], rest["name"])

    @property
    def is_queue(self) -> bool:
        """Of SQS, whose own rules decide what becomes of a message that stays."""
        return self.kind in ("sqs", "sqs-fifo")
