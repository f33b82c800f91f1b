"""The Events of a SAM function: polled sources, HTTP routes, and links that AWS delivers by: topics, buckets, rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambda_emulator.cloudformation_values import ACCOUNT_ID, REGION
from lambda_emulator.http_route import HttpRoute
from lambda_emulator.project import PolledSource, ProjectFunction, Resource, WrongProject, holes, nearest
from lambda_emulator.sam_properties import Part, Properties, TemplateReading

__all__ = ["Found", "read_events"]

_MAPPING: Final = {
    "BatchSize": ("batch_size", "number"),
    "MaximumBatchingWindowInSeconds": ("maximum_batching_window_s", "number"),
    "ParallelizationFactor": ("parallelization_factor", "number"),
    "MaximumRetryAttempts": ("maximum_retry_attempts", "number"),
    "MaximumRecordAgeInSeconds": ("maximum_record_age_s", "number"),
    "TumblingWindowInSeconds": ("tumbling_window_s", "number"),
    "BisectBatchOnFunctionError": ("bisect_batch_on_function_error", "truth"),
    "Enabled": ("enabled", "truth"),
    "StartingPosition": ("starting_position", "text"),
    "StartingPositionTimestamp": ("starting_position_timestamp", "raw"),
    "FunctionResponseTypes": ("function_response_types", "list"),
}
"""Of an event source mapping, with what they are here and how they are read."""
_OTHERS: Final = ("FilterCriteria", "ScalingConfig", "DestinationConfig")
_IGNORED: Final = ("KmsKeyArn", "MetricsConfig", "ProvisionedPollerConfig", "FilterEncryption", "LoggingConfig")


@dataclass(slots=True)
class Found:
    """What has been read so far."""

    functions: list[ProjectFunction] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    links: list[Resource] = field(default_factory=list)
    polled: list[PolledSource] = field(default_factory=list)
    fronts: dict[str, list[HttpRoute]] = field(default_factory=dict)
    notifications: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """By bucket: S3 keeps all notifications of one in one document."""

    def notify(self, bucket: str, kind: str, configuration: Any) -> None:
        """Add to a bucket's notifications; `kind` is boto3's, `LambdaFunctionConfigurations`."""
        self.notifications.setdefault(bucket, {}).setdefault(kind, []).append(configuration)

    def all_links(self) -> list[Resource]:
        """With one notification document for each bucket."""
        notifications = [
            Resource(kind="notification", logical="", name=bucket, request=document, where="its notifications")
            for bucket, document in self.notifications.items()
        ]
        return [*self.links, *notifications]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """One event of a function."""

    name: str
    function: str
    qualifier: str | None
    given: Properties
    reading: TemplateReading
    found: Found

    @property
    def where(self) -> str:
        return self.given.where

    @property
    def arn(self) -> str:
        """Of what is invoked."""
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function}"
        return f"{arn}:{self.qualifier}" if self.qualifier else arn


def read_events(
    part: Part, given: Properties, function: str, alias: str | None, reading: TemplateReading, found: Found
) -> None:
    """Raises `WrongProject`; kinds of events that there are not here become notes."""
    events = given.inner("Events")
    for name in events.names():
        event = events.inner(name)
        where = f"{part.where}: event {name}"
        kind = event.needed("Type")
        properties = Properties(event.mapping("Properties"), where)
        read = _KINDS.get(kind)
        if read is not None:
            read(
                _Event(
                    name=str(name), function=function, qualifier=alias, given=properties, reading=reading, found=found
                )
            )
        elif kind in _NOT_HERE:
            reading.note(f"{where} is left out: there is no source of type {kind} here")
        else:
            raise WrongProject(f"{where} is of type {kind}{nearest(kind, [*_KINDS, *_NOT_HERE])}")


def _polled(event: _Event, source: str) -> None:
    given = event.given.only((source, *_MAPPING, *_OTHERS), _IGNORED)
    settings: dict[str, Any] = {}
    for name, (setting, read) in _MAPPING.items():
        if name in given:
            settings[setting] = getattr(given, read)(name)
    if "FilterCriteria" in given:
        filters = given.inner("FilterCriteria").only(("Filters",)).list("Filters")
        settings["filters"] = [each.get("Pattern") if isinstance(each, Mapping) else each for each in filters]
    if "ScalingConfig" in given:
        settings["maximum_concurrency"] = given.inner("ScalingConfig").number("MaximumConcurrency")
    on_failure = given.inner("DestinationConfig").inner("OnFailure")
    if "Destination" in on_failure:
        settings["on_failure"] = on_failure.needed("Destination")
    event.found.polled.append(
        PolledSource(
            function=event.function,
            qualifier=event.qualifier,
            arn=given.needed(source),
            settings=settings,
            where=event.where,
        )
    )


def _http_api(event: _Event) -> None:
    given = event.given.only(
        ("ApiId", "Path", "Method", "PayloadFormatVersion", "TimeoutInMillis"), ("Auth", "RouteSettings")
    )
    if given.text("PayloadFormatVersion") in ("1.0", "1"):
        event.reading.note(f"{event.where} is left out: HTTP APIs have payload format 2.0 here")
        return
    timeout_ms = given.number("TimeoutInMillis")
    _note_auth(event)
    _route(event, "ApiId", "ServerlessHttpApi", kind="http_api", timeout_s=timeout_ms / 1000 if timeout_ms else None)


def _rest_api(event: _Event) -> None:
    given = event.given.only(
        ("RestApiId", "Path", "Method", "TimeoutInMillis"),
        ("Auth", "RequestModel", "RequestParameters", "ResponseTransferMode"),
    )
    for needed in ("Path", "Method"):
        given.needed(needed)
    _note_auth(event)
    api = event.reading.apis.get(_api_name(given.text("RestApiId")))
    shared = event.reading.globals.get("Api") or {}
    binary = (api.properties if api else shared).get("BinaryMediaTypes") or []
    stage = api.properties.get("StageName") if api else None
    _route(
        event, "RestApiId", "ServerlessRestApi", kind="rest", stage=str(stage or "Prod"),
        binary_media_types=tuple(str(each).replace("~1", "/") for each in binary),
        streamed=given.text("ResponseTransferMode") in ("STREAM", "RESPONSE_STREAM"),
    )  # fmt: skip


def _route(event: _Event, id_property: str, implicit: str, **options: Any) -> None:
    method = (event.given.text("Method") or "ANY").upper()
    path = event.given.text("Path")
    route = HttpRoute(
        function_name=event.function,
        method="ANY" if method in ("ANY", "X-AMAZON-APIGATEWAY-ANY-METHOD") else method,
        path=None if path in (None, "$default") else path,
        qualifier=event.qualifier,
        **options,
    )
    api = _api_name(event.given.text(id_property)) or implicit
    event.found.fronts.setdefault(api, []).append(route)


def _api_name(reference: str | None) -> str:
    """Of `!Ref Api`, which is a hole still."""
    return next((logical for logical, _ in holes(reference)), reference or "")


def _note_auth(event: _Event) -> None:
    if "Auth" in event.given:
        event.reading.note(f"{event.where}: Auth is left out: nobody is refused here")


def _schedule(event: _Event) -> None:
    given = event.given.only(
        ("Schedule", "Input", "Enabled", "State", "Name"), ("Description", "DeadLetterConfig", "RetryPolicy")
    )
    rule = {"ScheduleExpression": given.needed("Schedule")}
    _rule(event, rule, given.text("Name"), {"Input": given.text("Input")})


def _bus_rule(event: _Event) -> None:
    given = event.given.only(
        ("Pattern", "EventBusName", "Input", "InputPath", "InputTransformer", "RuleName", "State", "Enabled"),
        ("DeadLetterConfig", "RetryPolicy", "Target"),
    )
    pattern = given.mapping("Pattern")
    if not pattern:
        raise WrongProject(f"{event.where} needs a Pattern")
    rule: dict[str, Any] = {"EventPattern": pattern}
    if "EventBusName" in given:
        rule["EventBusName"] = given.needed("EventBusName")
    inputs = {name: given.raw(name) for name in ("Input", "InputPath", "InputTransformer")}
    _rule(event, rule, given.text("RuleName"), inputs)


def _rule(event: _Event, rule: dict[str, Any], name: str | None, inputs: Mapping[str, Any]) -> None:
    target = {"Id": event.name, "Arn": event.arn, **{key: value for key, value in inputs.items() if value is not None}}
    name = name or f"{event.function}-{event.name}"[:64]
    rule = {"Name": name, "State": _state(event.given), **rule}
    event.found.links.append(
        Resource(kind="rule", logical="", name=name, request={"rule": rule, "targets": [target]}, where=event.where)
    )


def _state(given: Properties) -> str:
    return given.text("State") or ("ENABLED" if given.truth("Enabled", default=True) else "DISABLED")


def _scheduler(event: _Event) -> None:
    given = event.given.only(
        ("ScheduleExpression", "ScheduleExpressionTimezone", "Input", "State", "Name", "StartDate", "EndDate",
         "FlexibleTimeWindow"),
        ("Description", "DeadLetterConfig", "RetryPolicy", "RoleArn", "PermissionsBoundary", "GroupName", "KmsKeyArn",
         "OmitName"),
    )  # fmt: skip
    target = {"Arn": event.arn, "RoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/local"}
    if "Input" in given:
        target["Input"] = given.needed("Input")
    name = given.text("Name") or f"{event.function}-{event.name}"[:64]
    request: dict[str, Any] = {
        "Name": name,
        "ScheduleExpression": given.needed("ScheduleExpression"),
        "FlexibleTimeWindow": given.mapping("FlexibleTimeWindow") or {"Mode": "OFF"},
        "State": given.text("State") or "ENABLED",
        "Target": target,
    }
    if "ScheduleExpressionTimezone" in given:
        request["ScheduleExpressionTimezone"] = given.needed("ScheduleExpressionTimezone")
    for each in ("StartDate", "EndDate"):
        if each in given:
            request[each] = given.needed(each)
    event.found.links.append(Resource(kind="schedule", logical="", name=name, request=request, where=event.where))


def _bucket(event: _Event) -> None:
    given = event.given.only(("Bucket", "Events", "Filter"))
    configuration: dict[str, Any] = {
        "Id": f"{event.function}-{event.name}",
        "LambdaFunctionArn": event.arn,
        "Events": [str(each) for each in given.list("Events")],
    }
    if not configuration["Events"]:
        raise WrongProject(f"{event.where} needs Events, such as s3:ObjectCreated:*")
    rules = given.inner("Filter").inner("S3Key").list("Rules")
    if rules:
        configuration["Filter"] = {"Key": {"FilterRules": rules}}
    event.found.notify(given.needed("Bucket"), "LambdaFunctionConfigurations", configuration)


def _topic(event: _Event) -> None:
    given = event.given.only(
        ("Topic", "FilterPolicy", "FilterPolicyScope", "SqsSubscription"), ("Region", "RedrivePolicy")
    )
    if given.raw("SqsSubscription"):
        event.reading.note(
            f"{event.where}: SqsSubscription is left out: the topic invokes the function itself; "
            "write a queue, its subscription and an SQS event instead"
        )
    attributes: dict[str, Any] = {}
    if "FilterPolicy" in given:
        attributes["FilterPolicy"] = given.mapping("FilterPolicy")
        attributes["FilterPolicyScope"] = given.text("FilterPolicyScope") or "MessageAttributes"
    request = {
        "TopicArn": given.needed("Topic"), "Protocol": "lambda", "Endpoint": event.arn, "Attributes": attributes
    }  # fmt: skip
    event.found.links.append(
        Resource(kind="subscription", logical="", name=event.name, request=request, where=event.where)
    )


_KINDS: Final[dict[str, Callable[[_Event], None]]] = {
    "Api": _rest_api,
    "CloudWatchEvent": _bus_rule,
    "DynamoDB": lambda event: _polled(event, "Stream"),
    "EventBridgeRule": _bus_rule,
    "HttpApi": _http_api,
    "Kinesis": lambda event: _polled(event, "Stream"),
    "S3": _bucket,
    "SNS": _topic,
    "SQS": lambda event: _polled(event, "Queue"),
    "Schedule": _schedule,
    "ScheduleV2": _scheduler,
}
_NOT_HERE: Final = (
    "AlexaSkill", "CloudWatchLogs", "Cognito", "DocumentDB", "IoTRule", "MQ", "MSK", "SelfManagedKafka", "WebSocketApi",
)  # fmt: skip
