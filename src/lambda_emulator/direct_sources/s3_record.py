"""What S3 says of an object: the record of a notification, the event for EventBridge, and which settings clash. Pure.

Which fields an object has goes by the event, as recorded: a deletion has no size, tagging has neither size nor
sequencer.
"""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

__all__ = ["ObjectEvent", "Wanted", "clash", "iso_ms", "iso_s"]

_OWNER: Final = "A3NL1KOZZKExample"
_PRINCIPAL: Final = "AWS:AIDALOCALLAMBDAEXAMPLE"
_ADDRESS: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent:
    """Something happened to an object."""

    name: str
    """Without `s3:`, such as `ObjectCreated:Put`."""
    account_id: str
    region: str
    at_s: float
    bucket: str
    key: str
    """Plain."""
    size: int | None
    e_tag: str | None
    version_id: str | None
    sequencer: str

    def record(self, configuration_id: str) -> dict[str, Any]:
        """As in a notification to a function, a queue or a topic."""
        thing: dict[str, Any] = {"key": quote_plus(self.key, safe="/", errors="surrogatepass")}
        if self.name.startswith("ObjectCreated:"):
            thing["size"] = self.size
        if self.e_tag is not None:
            thing["eTag"] = self.e_tag
        if self.version_id is not None:
            thing["versionId"] = self.version_id
        if not self.name.startswith(("ObjectTagging:", "ObjectAcl:")):
            thing["sequencer"] = self.sequencer
        return {
            "eventVersion": "2.3" if self.name.startswith(("ObjectTagging:", "ObjectAcl:")) else "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": iso_ms(self.at_s),
            "eventName": self.name,
            "userIdentity": {"principalId": _PRINCIPAL},
            "requestParameters": {"sourceIPAddress": _ADDRESS},
            "responseElements": {
                "x-amz-request-id": uuid.uuid4().hex[:16].upper(),
                "x-amz-id-2": uuid.uuid4().hex + uuid.uuid4().hex,
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": {"principalId": _OWNER},
                    "arn": f"arn:aws:s3:::{self.bucket}",
                },
                "object": thing,
            },
        }

    def event(self) -> dict[str, Any] | None:
        """As EventBridge has it, whole; None for what S3 does not tell EventBridge."""
        kind, _, action = self.name.partition(":")
        detail_type = _DETAIL_TYPES.get(self.name) or _DETAIL_TYPES.get(kind)
        if detail_type is None:
            return None
        thing: dict[str, Any] = {"key": self.key}
        if kind == "ObjectCreated":
            thing["size"] = self.size
        if self.e_tag is not None:
            thing["etag"] = self.e_tag
        if self.version_id is not None:
            thing["version-id"] = self.version_id
        if kind in ("ObjectCreated", "ObjectRemoved"):
            thing["sequencer"] = self.sequencer
        detail: dict[str, Any] = {
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": thing,
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": self.account_id,
            "source-ip-address": _ADDRESS,
        }
        if kind in ("ObjectCreated", "ObjectRemoved"):
            detail["reason"] = _REASONS.get(action, action)
        if kind == "ObjectRemoved":
            marker = action == "DeleteMarkerCreated"
            detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": self.account_id,
            "time": iso_s(self.at_s),
            "region": self.region,
            "resources": [f"arn:aws:s3:::{self.bucket}"],
            "detail": detail,
        }


_DETAIL_TYPES: Final = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl": "Object ACL Updated",
}
_REASONS: Final = {
    "Put": "PutObject",
    "Post": "POST Object",
    "Copy": "CopyObject",
    "Delete": "DeleteObject",
    "DeleteMarkerCreated": "DeleteObject",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one configuration asks for."""

    events: Sequence[str]
    prefix: str = ""
    suffix: str = ""


def clash(configurations: Sequence[Wanted]) -> bool:
    """Whether one event of one object could go to two of them, which S3 refuses.

    >>> clash([Wanted(["s3:ObjectCreated:*"], "in/"), Wanted(["s3:ObjectCreated:Put"], "in/a", ".csv")])
    True
    >>> clash([Wanted(["s3:ObjectCreated:*"], "in/"), Wanted(["s3:ObjectCreated:*"], "out/")])
    False
    """
    return any(
        any(_same_event(a, b) for a in one.events for b in other.events)
        and _nested(one.prefix, other.prefix)
        and _nested(one.suffix[::-1], other.suffix[::-1])
        for number, one in enumerate(configurations)
        for other in configurations[:number]
    )


def _same_event(one: str, other: str) -> bool:
    return (
        one == other
        or (one.endswith(":*") and other.startswith(one[:-1]))
        or (other.endswith(":*") and one.startswith(other[:-1]))
    )


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def iso_ms(at_s: float) -> str:
    """`2025-03-04T05:06:07.123Z`."""
    at = datetime.datetime.fromtimestamp(at_s, datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_s(at_s: float) -> str:
    """`2025-03-04T05:06:07Z`."""
    return datetime.datetime.fromtimestamp(int(at_s), datetime.UTC).isoformat().replace("+00:00", "Z")
