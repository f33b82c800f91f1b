"""Amazon S3 notifications, asynchronous, also inside SQS and SNS.

Wire names are those of the event: `eTag` is `e_tag`. Keys are form-encoded on the wire and plain here. Which keys an
object has depends on `event_name`: a deletion has no size, tagging neither size nor sequencer. Duplicates and
reordering are normal. (S3 through EventBridge is another shape: see `eventbridge`.)
"""

from __future__ import annotations

from .fields import instant, maybe_integer, maybe_text, object_key, text, text_map
from .nested import maybe_view, view, views
from .view import View

__all__ = [
    "S3Bucket",
    "S3Entity",
    "S3Event",
    "S3Identity",
    "S3IntelligentTiering",
    "S3Lifecycle",
    "S3Object",
    "S3Record",
    "S3Replication",
    "S3RequestParameters",
    "S3Restore",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class S3Identity(View):
    """Who did it, or who owns it."""

    principal_id = text("principalId")


class S3RequestParameters(View):
    """Where the request came from: an address, or a host name such as `s3.amazonaws.com`."""

    source_ip_address = text("sourceIPAddress")


class S3Bucket(View):
    """The bucket."""

    name = text("name")
    arn = text("arn")
    owner_identity = view("ownerIdentity", S3Identity)


class S3Object(View):
    """The object; `key` is decoded, `encoded_key` as it came."""

    key = object_key("key")
    encoded_key = text("key")
    size = maybe_integer("size")
    e_tag = maybe_text("eTag", "etag")
    version_id = maybe_text("versionId")
    sequencer = maybe_text("sequencer")

    def is_before(self, other: S3Object) -> bool:
        """Whether this event of a key happened before another of the same key; False where either cannot tell."""
        mine, theirs = self.sequencer, other.sequencer
        if mine is None or theirs is None:
            return False
        width = max(len(mine), len(theirs))
        return mine.upper().ljust(width, "0") < theirs.upper().ljust(width, "0")


class S3Entity(View):
    """Bucket and object of one notification."""

    bucket = view("bucket", S3Bucket)
    object = view("object", S3Object, "get_object")
    configuration_id = text("configurationId")
    s3_schema_version = text("s3SchemaVersion")


class S3Restore(View):
    """A restoration from an archive."""

    lifecycle_restoration_expiry_time = instant("lifecycleRestorationExpiryTime", inside="restoreEventData")
    lifecycle_restore_storage_class = text("lifecycleRestoreStorageClass", inside="restoreEventData")


class S3Lifecycle(View):
    """A transition to another storage class."""

    destination_storage_class = text("destinationStorageClass", inside="transitionEventData")


class S3IntelligentTiering(View):
    """A move to another access tier."""

    destination_access_tier = text("destinationAccessTier")


class S3Replication(View):
    """A replication that failed, missed its threshold or caught up."""

    replication_rule_id = text("replicationRuleId")
    destination_bucket = text("destinationBucket")
    s3_operation = text("s3Operation")
    request_time = instant("requestTime")
    failure_reason = maybe_text("failureReason")
    threshold = maybe_text("threshold")
    replication_time = instant("replicationTime")


class S3Record(View):
    """One notification; `event_name` is e.g. `ObjectCreated:Put`."""

    event_name = text("eventName")
    event_time = instant("eventTime")
    s3 = view("s3", S3Entity)
    event_source = text("eventSource")
    event_version = text("eventVersion")
    aws_region = text("awsRegion")
    user_identity = view("userIdentity", S3Identity)
    request_parameters = view("requestParameters", S3RequestParameters)
    response_elements = text_map("responseElements")
    # Two nestings of the same block are documented; the view reads through both.
    glacier_event_data = maybe_view("glacierEventData", S3Restore, "restoreEventData")
    lifecycle_event_data = maybe_view("lifecycleEventData", S3Lifecycle)
    intelligent_tiering_event_data = maybe_view("intelligentTieringEventData", S3IntelligentTiering)
    replication_event_data = maybe_view("replicationEventData", S3Replication)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.s3.bucket.name

    @property
    def key(self) -> str:
        """The object's key, decoded."""
        return self.s3.object.key


class S3Event(View, kinds=("s3", "s3test")):
    """Notifications, in practice one; none in the message S3 sends to test a new configuration."""

    records = views("Records", S3Record)
    test_event = maybe_text("Event")

    @property
    def is_test(self) -> bool:
        """Whether this is the test message: nothing happened, nothing is to be done."""
        return self.test_event == "s3:TestEvent"

    def __iter__(self) -> Iterator[S3Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
