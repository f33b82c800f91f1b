"""What an event's outermost envelope is: a table, read from the top, first match wins. Imports nothing of the package.

Only keys and containers are tested, never optional values. Payloads that their author defines (Step Functions
tasks, IoT rules, schedules with their own input, direct calls) carry no mark: they are "unknown".
"""

from __future__ import annotations

__all__ = ["is_of_kind", "outer_kind"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def outer_kind(event: Any) -> str:
    """The kind of the outermost envelope of a parsed event."""
    if isinstance(event, list):
        return _kind_of_list(event)
    if not isinstance(event, dict):
        return "unknown"
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        first = records[0]
        said = first.get("eventSource") or first.get("EventSource")
        if said == "aws:sqs" and "cf" not in first:
            return _sqs(event, first)  # what most of them are
        for source, container, kind in RECORDS:
            if said == source or isinstance(first.get(container), dict) or _is_part_of(said, source):
                return kind if isinstance(kind, str) else kind(event, first)
    keys = event.keys()
    for required, test, name in EVENTS:
        if required <= keys and (test is None or test(event)):
            return name if isinstance(name, str) else name(event)
    return "unknown"


def is_of_kind(kind: str, wanted: tuple[str, ...]) -> bool:
    """Whether a kind is one of these, or a more special form of one: "sqs.fifo>s3" is "sqs"."""
    outer = kind.partition(">")[0]
    if outer in wanted or outer.partition(".")[0] in wanted:
        return True  # as nearly always
    return any(outer.startswith((f"{one}.", f"{one}:")) for one in wanted)


# --- records: the source or, where it is missing, the object that only this source has -------------------------------


def _is_part_of(said: Any, source: str) -> bool:
    return isinstance(said, str) and said.startswith(source + ":")


def _cloudfront(_: dict[str, Any], record: dict[str, Any]) -> str:
    cf = record.get("cf")
    moment = _at(cf, "config", "eventType") or ("request" if _at(cf, "response") is None else "response")
    return f"cloudfront.{moment}"


def _sqs(_: dict[str, Any], record: dict[str, Any]) -> str:
    # A message group alone does not tell: standard queues carry one for fair queueing.
    is_fifo = str(record.get("eventSourceARN")).endswith(".fifo") and _at(record, "attributes", "MessageGroupId")
    return "sqs.fifo" if is_fifo else "sqs.standard"


def _windowed(kind: str) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    return lambda event, _: f"{kind}.window" if isinstance(event.get("window"), dict) else kind


RECORDS: tuple[tuple[str, str, str | Callable[[dict[str, Any], dict[str, Any]], str]], ...] = (
    ("aws:cloudfront", "cf", _cloudfront),  # which says so nowhere
    ("aws:sqs", "", _sqs),
    ("aws:sns", "Sns", "sns"),
    ("aws:s3", "s3", "s3"),
    ("aws:dynamodb", "dynamodb", _windowed("dynamodb_stream")),
    ("aws:kinesis", "kinesis", _windowed("kinesis_stream")),
    ("aws:ses", "ses", "ses"),
    ("aws:codecommit", "codecommit", "codecommit"),
)


# --- events: keys that must be there, a test of what the keys alone do not tell, the kind ----------------------------


def _at(value: Any, *path: str) -> Any:
    """The value at the end of a path of keys; None where the path breaks off."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _has(*path: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: _at(event, *path) is not None


def _source(*names: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["eventSource"] in names


def _type(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["type"] == name


def _is_object(key: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: isinstance(event[key], dict)


def _custom_resource(event: dict[str, Any]) -> str:
    return f"cfn_custom_resource.{str(event['RequestType']).lower()}"


def _eventbridge(event: dict[str, Any]) -> str:
    return f"eventbridge:{event['source']}:{event['detail-type']}"


def _cognito(event: dict[str, Any]) -> str:
    return f"cognito.{str(event['triggerSource']).partition('_')[0]}"


def _firehose_source(event: dict[str, Any]) -> bool:
    return bool(event.keys() & {"deliveryStreamArn", "sourceMSKArn", "sourceKinesisStreamArn"})


def _object_lambda(event: dict[str, Any]) -> bool:
    actions = {"getObjectContext", "headObjectContext", "listObjectsContext", "listObjectsV2Context"}
    return bool(event.keys() & actions)


def _s3_batch(event: dict[str, Any]) -> str:
    return "s3_batch.v2" if str(event["invocationSchemaVersion"]).startswith("2") else "s3_batch.v1"


def _alexa_directive(event: dict[str, Any]) -> bool:
    return str(_at(event, "directive", "header", "namespace")).startswith("Alexa")


def _alexa_skill(event: dict[str, Any]) -> bool:
    has_user = isinstance(event.get("session"), dict) or isinstance(_at(event, "context", "System"), dict)
    return has_user and isinstance(_at(event, "request", "type"), str)


def _alexa_header(event: dict[str, Any]) -> bool:
    return _at(event, "header", "namespace") is not None


def _registry(event: dict[str, Any]) -> bool:
    return str(event["eventType"]).endswith("_EVENT")


def _iot_authorizer(event: dict[str, Any]) -> bool:
    return "protocolData" in event or "signatureVerified" in event


def _appsync_authorizer(event: dict[str, Any]) -> bool:
    context = event["requestContext"]
    return isinstance(context, dict) and "apiId" in context and ("queryString" in context or "queryDocument" in context)


def _lattice(event: dict[str, Any]) -> bool:
    context = event["requestContext"]
    return isinstance(context, dict) and (
        "serviceNetworkArn" in context or ("serviceArn" in context and "targetGroupArn" in context)
    )


def _websocket(event: dict[str, Any]) -> bool:
    context = event["requestContext"]
    return isinstance(context, dict) and "connectionId" in context and ("eventType" in context or "routeKey" in context)


def _websocket_kind(event: dict[str, Any]) -> str:
    context = event["requestContext"]
    moment = context.get("eventType")
    if not moment:
        route = context.get("routeKey")
        moment = route[1:] if route in ("$connect", "$disconnect") else "message"
    return f"apigw_websocket.{str(moment).lower()}"


def _http(event: dict[str, Any]) -> str:
    host = str(_at(event, "requestContext", "domainName"))
    return "function_url" if ".lambda-url." in host else "apigw_http_v2"


def _rest(event: dict[str, Any]) -> bool:
    return isinstance(event.get("requestContext"), dict) or ("path" in event and "resource" in event)


def _destination(event: dict[str, Any]) -> bool:
    context = event["requestContext"]
    return isinstance(context, dict) and "condition" in context and "functionArn" in context


def _rows() -> Iterator[tuple[str, Callable[[dict[str, Any]], bool] | None, str | Callable[[dict[str, Any]], str]]]:
    yield "eventSource", _source("aws:kafka"), "kafka.msk"
    yield "eventSource", _source("SelfManagedKafka", "aws:SelfManagedKafka"), "kafka.self_managed"
    yield "eventSource messages", _source("aws:amq", "aws:mq"), "mq.activemq"
    yield "eventSource", _source("aws:rmq"), "mq.rabbitmq"
    yield "rmqMessagesByQueue", None, "mq.rabbitmq"
    yield "eventSource", _source("aws:docdb"), "documentdb"
    yield "awslogs", _has("awslogs", "data"), "cloudwatch_logs"
    yield "CodePipeline.job", None, "codepipeline_job"
    yield "DeploymentId LifecycleEventHookExecutionId", None, "codedeploy_hook"
    yield "RequestType LogicalResourceId StackId", None, _custom_resource
    yield "fragment transformId", None, "cfn_macro"
    yield "invokingEvent resultToken", lambda event: isinstance(event["invokingEvent"], str), "config_rule"
    # Before EventBridge: one form of it also has a detail-type.
    yield "alarmData source", lambda event: event["source"] == "aws.cloudwatch", "cloudwatch_alarm"
    yield "detail-type source", None, _eventbridge
    yield "triggerSource userPoolId", None, _cognito
    yield "datasetName identityPoolId", None, "cognito_sync"
    yield "invocationId records sourceMSKArn", None, "firehose.msk"
    yield "invocationId records", _firehose_source, "firehose"
    yield "invocationId applicationArn", None, "kinesis_analytics"
    yield "invocationSchemaVersion tasks", None, _s3_batch
    yield "userRequest configuration", _object_lambda, "s3_object_lambda"
    yield "directive", _alexa_directive, "alexa_smart_home"
    yield "header payload", _alexa_header, "alexa_smart_home"
    yield "request version", _alexa_skill, "alexa_skill"
    yield "bot currentIntent", None, "lex_v1"
    yield "bot sessionState", None, "lex_v2"
    yield "agent actionGroup function", None, "bedrock_agent.function"
    yield "agent actionGroup", None, "bedrock_agent.api"
    yield "Step SecretId ClientRequestToken", None, "secretsmanager"
    # Not the name: ContactFlowEvent and ContactFlowExecution both occur.
    yield "Details", _has("Details", "ContactData"), "connect"
    yield (
        "InvocationMetadata",
        _has("InvocationMetadata", "CampaignContext"),
        "connect_campaign",
    )
    yield "serverId username protocol", None, "transfer.idp"
    yield (
        "token serviceMetadata",
        _has("serviceMetadata", "transferDetails"),
        "transfer.workflow",
    )
    yield "protocols", _iot_authorizer, "iot_custom_auth"
    yield "claimCertificateId templateArn", None, "iot_preprovision"
    yield "serialNumber clickType", None, "iot_button"
    yield "deviceEvent deviceInfo", None, "iot_1click"
    yield "eventType eventId operation timestamp", _registry, "iot_registry"
    yield "info", _has("info", "channelNamespace"), "appsync.events"
    yield "info", _has("info", "fieldName"), "appsync.resolver"
    yield "typeName fieldName", None, "appsync.amplify"
    yield "authorizationToken requestContext", _appsync_authorizer, "appsync.authorizer"
    yield "type methodArn", _type("TOKEN"), "apigw_authorizer.token"
    yield "type routeArn", _type("REQUEST"), "apigw_authorizer.request_v2"
    yield "type methodArn requestContext", _websocket_authorizer, "apigw_authorizer.websocket"
    yield "type methodArn", _type("REQUEST"), "apigw_authorizer.request"
    yield "requestContext multiValueHeaders", _has("requestContext", "elb"), "alb.multi"
    yield "requestContext", _has("requestContext", "elb"), "alb.single"
    yield "requestContext", _lattice, "vpc_lattice.v2"
    # Before the next two: some carry what a REST event has.
    yield "requestContext", _websocket, _websocket_kind
    yield "requestContext", _has("requestContext", "http"), _http
    yield "httpMethod", _rest, "apigw_rest"
    yield "raw_path method", None, "vpc_lattice.v1"
    yield "requestContext", _destination, "lambda_destination"
    yield "connection-id endpoint-id", None, "clientvpn"
    yield "widgetContext", None, "cloudwatch_custom_widget"
    yield "summaryVersion envelope", None, "workmail"


def _websocket_authorizer(event: dict[str, Any]) -> bool:
    return event["type"] == "REQUEST" and _at(event, "requestContext", "connectionId") is not None


EVENTS = tuple((frozenset(keys.split()), test, kind) for keys, test, kind in _rows())


def _kind_of_list(event: list[Any]) -> str:
    first = event[0] if event else None
    if _at(first, "info", "fieldName") is not None:
        return "appsync.batch"
    source = _at(first, "eventSource") or _at(first, "EventSource")
    return "pipes" if isinstance(source, str) and source.startswith("aws:") else "unknown"
