"""EventBridge events, asynchronous, also inside SQS and SNS. Generic in the detail.

Wire names are those of the event: `detail-type` is `detail_type`, `version-id` is `version_id`. A rule or schedule
with input of its own sends only that input, which no view can recognise: annotate with your own type.
"""

from __future__ import annotations

from .fields import instant, maybe_integer, maybe_text, text, texts
from .generics import Any, Generic, TypeVar
from .nested import view
from .payload import Payload, object_payload
from .view import View

__all__ = [
    "EventBridgeEvent",
    "S3EventBridgeBucket",
    "S3EventBridgeDetail",
    "S3EventBridgeEvent",
    "S3EventBridgeObject",
    "ScheduledEvent",
]

DetailT = TypeVar("DetailT", default=dict[str, Any])


class EventBridgeEvent(View, Generic[DetailT], kinds=("eventbridge",), payloads=(dict,)):
    """An event; `detail` is a dict, or the type named: `EventBridgeEvent[OrderPlaced]`."""

    detail_type = text("detail-type")
    source = text("source")
    detail: Payload[DetailT] = object_payload("detail")
    id = text("id")
    time = instant("time")
    account = text("account")
    region = text("region")
    resources = texts("resources")
    version = text("version")
    replay_name = maybe_text("replay-name")


class ScheduledEvent(EventBridgeEvent[dict[str, Any]], kinds=("eventbridge:aws.events", "eventbridge:aws.scheduler")):
    """The event of a rule or schedule that names no input of its own; `detail` is empty."""

    @property
    def rule_arn(self) -> str | None:
        """The rule or schedule that fired."""
        resources = self.resources
        return resources[0] if resources else None


class S3EventBridgeBucket(View):
    """The bucket."""

    name = text("name")


class S3EventBridgeObject(View):
    """The object; unlike in a notification the key is plain on the wire too."""

    key = text("key")
    size = maybe_integer("size")
    etag = maybe_text("etag", "eTag")
    version_id = maybe_text("version-id")
    sequencer = maybe_text("sequencer")


class S3EventBridgeDetail(View):
    """What S3 says of an object; which of the optional fields there are depends on the event's detail type.

    A rule for the source alone also gets calls recorded by CloudTrail: these have an `event_name` and no object.
    """

    bucket = view("bucket", S3EventBridgeBucket)
    object = view("object", S3EventBridgeObject)
    version = text("version")
    request_id = text("request-id")
    requester = text("requester")
    source_ip_address = maybe_text("source-ip-address")
    reason = maybe_text("reason")
    deletion_type = maybe_text("deletion-type")
    restore_expiry_time = instant("restore-expiry-time")
    source_storage_class = maybe_text("source-storage-class")
    destination_storage_class = maybe_text("destination-storage-class")
    destination_access_tier = maybe_text("destination-access-tier")
    event_name = maybe_text("eventName")


class S3EventBridgeEvent(EventBridgeEvent[S3EventBridgeDetail], kinds=("eventbridge:aws.s3",)):
    """An event of S3 by way of EventBridge."""
