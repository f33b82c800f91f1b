"""Queues, topics, streams, tables, buckets and rules of a template as requests that boto3 takes."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from lambda_emulator.project import Resource, ResourceKind, hole
from lambda_emulator.sam_events import Found
from lambda_emulator.sam_properties import Part, Properties, TemplateReading

__all__ = ["MAKERS"]

Maker: TypeAlias = Callable[[Part, TemplateReading, Found], None]

_QUEUE: Final = (
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy",
    "RedriveAllowPolicy", "VisibilityTimeout",
)  # fmt: skip
_TABLE: Final = (
    "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes",
    "ProvisionedThroughput",
)  # fmt: skip
_TABLE_IGNORED: Final = (
    "ContributorInsightsSpecification", "DeletionProtectionEnabled", "ImportSourceSpecification",
    "KinesisStreamSpecification", "OnDemandThroughput", "PointInTimeRecoverySpecification", "ResourcePolicy",
    "SSESpecification", "TableClass", "Tags", "VectorIndexes",
    "WarmThroughput",
)  # fmt: skip
_BUCKET_IGNORED: Final = (
    "AbacStatus", "AccelerateConfiguration", "AccessControl", "AnalyticsConfigurations", "BucketEncryption",
    "BucketNamePrefix", "BucketNamespace", "CorsConfiguration", "IntelligentTieringConfigurations",
    "InventoryConfigurations", "LifecycleConfiguration", "LoggingConfiguration", "MetadataConfiguration",
    "MetadataTableConfiguration", "MetricsConfigurations", "ObjectLockConfiguration", "ObjectLockEnabled",
    "OwnershipControls", "PublicAccessBlockConfiguration", "ReplicationConfiguration", "Tags", "WebsiteConfiguration",
)  # fmt: skip


def _queue(part: Part, _reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("QueueName", *_QUEUE), ("KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "SqsManagedSseEnabled", "Tags")
    )
    name = given.text("QueueName") or part.logical
    if given.truth("FifoQueue") and not name.endswith(".fifo"):
        name += ".fifo"
    attributes = {each: _attribute(given.raw(each)) for each in _QUEUE if each in given}
    _add(part, found, "queue", name, {"Attributes": attributes})


def _topic(part: Part, reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("TopicName", "FifoTopic", "ContentBasedDeduplication", "Subscription"),
        ("ArchivePolicy", "DataProtectionPolicy", "DeliveryStatusLogging", "DisplayName", "FifoThroughputScope",
         "KmsMasterKeyId", "SignatureVersion", "Tags", "TracingConfig"),
    )  # fmt: skip
    name = given.text("TopicName") or part.logical
    if given.truth("FifoTopic") and not name.endswith(".fifo"):
        name += ".fifo"
    attributes = {
        each: _attribute(given.raw(each)) for each in ("FifoTopic", "ContentBasedDeduplication") if each in given
    }
    _add(part, found, "topic", name, {"Attributes": attributes})
    for each in given.list("Subscription"):
        inner = Properties(each, f"{part.where}: Subscription").only(("Endpoint", "Protocol"))
        _subscribe(part, reading, found, inner, hole(part.logical))


def _subscription(part: Part, reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("TopicArn", "Protocol", "Endpoint", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"),
        ("DeliveryPolicy", "RedrivePolicy", "Region", "ReplayPolicy", "SubscriptionRoleArn"),
    )
    _subscribe(part, reading, found, given, given.needed("TopicArn"))


def _subscribe(part: Part, reading: TemplateReading, found: Found, given: Properties, topic_arn: str) -> None:
    protocol = given.needed("Protocol")
    if protocol not in ("sqs", "lambda"):
        reading.note(f"{given.where} is left out: nothing is sent by {protocol} here")
        return
    attributes = {
        each: _attribute(given.raw(each))
        for each in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery")
        if each in given
    }
    request = {
        "TopicArn": topic_arn, "Protocol": protocol, "Endpoint": given.needed("Endpoint"), "Attributes": attributes
    }  # fmt: skip
    found.links.append(Resource(kind="subscription", logical="", name=part.logical, request=request, where=given.where))


def _stream(part: Part, _reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("Name", "ShardCount", "StreamModeDetails"),
        ("DesiredShardLevelMetrics", "MaxRecordSizeInKiB", "RecordDistributionStrategy", "RetentionPeriodHours",
         "StreamEncryption", "Tags",
         "WarmThroughputMiBps"),
    )  # fmt: skip
    # An on-demand stream begins with four shards.
    on_demand = given.inner("StreamModeDetails").text("StreamMode") == "ON_DEMAND"
    shards = given.number("ShardCount") or (4 if on_demand else 1)
    _add(part, found, "stream", given.text("Name") or part.logical, {"ShardCount": shards})


def _table(part: Part, _reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("TableName", "StreamSpecification", "TimeToLiveSpecification", *_TABLE), _TABLE_IGNORED
    )
    given.list("KeySchema") or given.needed("KeySchema")
    request: dict[str, Any] = {each: given.raw(each) for each in _TABLE if each in given}
    if "ProvisionedThroughput" not in request:
        request["BillingMode"] = "PAY_PER_REQUEST"
    if "StreamSpecification" in given:
        view = given.inner("StreamSpecification").needed("StreamViewType")
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    if "TimeToLiveSpecification" in given:
        request["TimeToLiveSpecification"] = dict(given.mapping("TimeToLiveSpecification"))
    _add(part, found, "table", given.text("TableName") or part.logical, request)


def _simple_table(part: Part, _reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("PrimaryKey", "TableName"),
        ("PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "Tags"),
    )
    key = given.inner("PrimaryKey").only(("Name", "Type"))
    name = key.text("Name") or "id"
    kind = {"number": "N", "binary": "B"}.get((key.text("Type") or "String").lower(), "S")
    request = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind}],
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    _add(part, found, "table", given.text("TableName") or part.logical, request)


def _bucket(part: Part, reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("BucketName", "NotificationConfiguration", "VersioningConfiguration"), _BUCKET_IGNORED
    )
    name = given.text("BucketName") or part.logical.lower()
    versioning = dict(given.mapping("VersioningConfiguration"))
    _add(part, found, "bucket", name, {"VersioningConfiguration": versioning} if versioning else {})
    notifications = given.inner("NotificationConfiguration").only(
        ("LambdaConfigurations", "QueueConfigurations", "TopicConfigurations", "EventBridgeConfiguration")
    )
    if "EventBridgeConfiguration" in notifications:
        reading.note(f"{part.where}: EventBridgeConfiguration is left out: use an S3 event of the function")
    for ours, theirs, target in (
        ("LambdaConfigurations", "LambdaFunctionConfigurations", ("Function", "LambdaFunctionArn")),
        ("QueueConfigurations", "QueueConfigurations", ("Queue", "QueueArn")),
        ("TopicConfigurations", "TopicConfigurations", ("Topic", "TopicArn")),
    ):
        for number, each in enumerate(notifications.list(ours), start=1):
            one = Properties(each, f"{part.where}: {ours}").only(("Event", "Filter", target[0]))
            configuration: dict[str, Any] = {
                "Id": f"{ours}-{number}",
                target[1]: one.needed(target[0]),
                "Events": [one.needed("Event")],
            }
            if rules := one.inner("Filter").inner("S3Key").list("Rules"):
                configuration["Filter"] = {"Key": {"FilterRules": rules}}
            found.notify(hole(part.logical), theirs, configuration)


def _bus(part: Part, _reading: TemplateReading, found: Found) -> None:
    _add(part, found, "bus", Properties(part.properties, part.where).text("Name") or part.logical, {})


def _rule(part: Part, reading: TemplateReading, found: Found) -> None:
    given = Properties(part.properties, part.where).only(
        ("Name", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Targets"),
        ("Description", "RoleArn", "Tags"),
    )
    name = given.text("Name") or part.logical
    rule: dict[str, Any] = {"Name": name, "State": given.text("State") or "ENABLED"}
    if "EventPattern" in given:
        rule["EventPattern"] = given.mapping("EventPattern")
    for each in ("EventBusName", "ScheduleExpression"):
        if each in given:
            rule[each] = given.needed(each)
    targets = [
        {key: value for key, value in target.items() if key not in ("DeadLetterConfig", "RetryPolicy", "RoleArn")}
        for target in given.list("Targets")
        if isinstance(target, Mapping)
    ]
    if not targets:
        reading.note(f"{part.where} has no Targets, and nothing comes of it")
    found.links.append(
        Resource(
            kind="rule", logical=part.logical, name=name, request={"rule": rule, "targets": targets}, where=part.where
        )
    )


def _add(part: Part, found: Found, kind: ResourceKind, name: str, request: Mapping[str, Any]) -> None:
    found.resources.append(Resource(kind=kind, logical=part.logical, name=name, request=request, where=part.where))


def _attribute(value: Any) -> Any:
    """SQS and SNS take texts only; documents become texts when they are whole."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, dict) else str(value)


MAKERS: Final[dict[str, Maker]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::EventBus": _bus,
    "AWS::Events::Rule": _rule,
    "AWS::Kinesis::Stream": _stream,
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
    "AWS::Serverless::SimpleTable": _simple_table,
}
