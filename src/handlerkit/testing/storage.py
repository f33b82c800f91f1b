"""Events of buckets and tables."""

from __future__ import annotations

from handlerkit.reply import encoded

from .wire import ACCOUNT, REGION, SENT_AT, SENT_AT_MS, as_item, digest

__all__ = ["dynamodb_event", "s3_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def s3_event(
    bucket: str,
    key: str,
    *,
    event_name: str = "ObjectCreated:Put",
    size: int | None = 1024,
    version_id: str | None = None,
) -> dict[str, Any]:
    """A notification of S3 about one object; `key` is plain and encoded as S3 does."""
    from urllib.parse import quote_plus

    thing: dict[str, Any] = {"key": quote_plus(key, safe="/")}
    if not event_name.startswith(("ObjectRemoved", "LifecycleExpiration")):
        thing |= {"size": size, "eTag": digest(key, "md5")}
    if version_id is not None:
        thing["versionId"] = version_id
    thing["sequencer"] = "0055AED6DCD90281E5"
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": REGION,
                "eventTime": SENT_AT,
                "eventName": event_name,
                "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
                "requestParameters": {"sourceIPAddress": "203.0.113.7"},
                "responseElements": {"x-amz-request-id": "D82B88E5F771F645", "x-amz-id-2": "EXAMPLE"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "uploads",
                    "bucket": {
                        "name": bucket,
                        "ownerIdentity": {"principalId": "A3I5XTEXAMAI3E"},
                        "arn": f"arn:aws:s3:::{bucket}",
                    },
                    "object": thing,
                },
            }
        ]
    }


def dynamodb_event(
    *changes: tuple[Any, Any], old: Any = None, new: Any = None, key: Iterable[str] = ("id",), table: str = "orders"
) -> dict[str, Any]:
    """Changes of a DynamoDB table: one given by `old` and `new` (either may be None), or several as such pairs.

    `key` names the attributes that make the key, where the images have them.
    """
    records = []
    for number, (before, after) in enumerate(changes or ((old, new),)):
        given = {"NewImage": after, "OldImage": before}
        images = {name: as_item(image) for name, image in given.items() if image is not None}
        if not images:
            raise ValueError("a change needs an old or a new image")
        known = images.get("NewImage") or images.get("OldImage") or {}
        name = "MODIFY" if len(images) == 2 else "INSERT" if after is not None else "REMOVE"
        records.append(
            {
                "eventID": digest(str(number), "md5"),
                "eventName": name,
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": REGION,
                "dynamodb": {
                    "ApproximateCreationDateTime": SENT_AT_MS / 1000,
                    "Keys": {attribute: known[attribute] for attribute in key if attribute in known},
                    **images,
                    "SequenceNumber": str(111_000_000_000_000_000_000 + number),
                    "SizeBytes": len(encoded(images)),
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000",
            }
        )
    return {"Records": records}
