# mypy: ignore-errors
"""Handlers as users write them, for the type checker only. `# expect:` marks a line that must be refused."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypedDict, assert_type

from pydantic import BaseModel

from handlerkit import (
    HttpRequest,
    HttpResponse,
    asgi_handler,
    batch_handler,
    custom_resource,
    event_handler,
    get_logger,
    http_handler,
    idempotent,
    logs,
    metrics,
    traced,
    tracing,
)
from handlerkit.callbacks import Continue, Evaluation, codepipeline_job, config_rule, lifecycle_hook
from handlerkit.cloudformation import Resource
from handlerkit.events import (
    AlbEvent,
    ApiGatewayEvent,
    AppSyncChannelEvent,
    AppSyncIdentity,
    AppSyncResolverEvent,
    BedrockAgentFunctionEvent,
    CloudFrontEvent,
    CloudWatchAlarmData,
    CloudWatchAlarmEvent,
    CloudWatchLogsEvent,
    CodeDeployHookEvent,
    CodePipelineJobEvent,
    CognitoPreSignUpEvent,
    ConfigRuleEvent,
    CustomResourceEvent,
    Decoder,
    DocumentDBEvent,
    DynamoDBEvent,
    DynamoDBRecord,
    EcsTaskChange,
    EventBridgeEvent,
    FirehoseEvent,
    FunctionUrlEvent,
    Headers,
    HttpApiEvent,
    HttpEvent,
    IotAuthorizerEvent,
    KafkaEvent,
    KafkaRecord,
    KinesisEvent,
    LambdaDestinationEvent,
    LexV2Event,
    Query,
    RabbitMQEvent,
    S3BatchEvent,
    S3Event,
    S3EventBridgeEvent,
    S3ObjectLambdaEvent,
    ScheduledEvent,
    SesEvent,
    SnsEvent,
    SnsNotification,
    SqsEvent,
    SqsRecord,
    TokenAuthorizerEvent,
    VpcLatticeEvent,
    WebSocketEvent,
    detect,
    parse,
)
from handlerkit.http import HttpError
from handlerkit.idempotency import Idempotency, MemoryStore
from handlerkit.testing import FakeContext, sqs_event


class Order(BaseModel):
    order_id: str
    quantity: int


@dataclass
class Reading:
    value: float


class Key(TypedDict):
    id: str


@event_handler
def orders(event: SqsEvent[Order], context: FakeContext) -> int:
    for record in event:
        assert_type(record, SqsRecord[Order])
        assert_type(record.body, Order)
        assert_type(record.attributes.sent_timestamp, datetime | None)
        assert_type(record.attributes.approximate_receive_count, int)
        record.body.colour  # expect: attr-defined
        record.messageId  # expect: attr-defined
        record.message_id = "x"  # expect: assignment
    return len(event.records)


assert_type(orders.func(parse(SqsEvent[Order], b"{}"), FakeContext()), int)
orders.func("no event", FakeContext())  # expect: arg-type


@event_handler
def uploads(event: SqsEvent[SnsNotification[S3Event]]) -> list[str]:
    return [upload.key for record in event for upload in record.body.message]


@event_handler(prepare=lambda raw: raw, answer_bad_requests=False)
def text_only(event: SqsEvent) -> str:
    assert_type(event.records[0].body, str)
    event.records[0].body.order_id  # expect: attr-defined
    return event.records[0].body


@event_handler(unknown=True)  # expect: call-overload untyped-decorator
def unknown_option(event: SqsEvent) -> None: ...


@event_handler
async def readings(event: KinesisEvent[Reading]) -> float:
    assert_type(event.records[0].data, Reading)
    assert_type(event.records[0].sub_sequence_number, int | None)
    return sum(record.data.value for record in event)


@event_handler
def raw_readings(event: KinesisEvent) -> bytes:
    assert_type(event.is_final_invoke_for_window, bool)
    return event.records[0].data


@event_handler
def changes(event: DynamoDBEvent[Order, Key]) -> None:
    for change in event:
        assert_type(change, DynamoDBRecord[Order, Key])
        assert_type(change.new_image, Order | None)
        assert_type(change.keys, Key)
        change.new_image.quantity  # expect: union-attr


@event_handler
def plain_changes(event: DynamoDBEvent) -> None:
    assert_type(event.records[0].old_image, dict[str, Any] | None)
    assert_type(event.records[0].keys, dict[str, Any])


@event_handler
def placed(event: EventBridgeEvent[Order] | SnsEvent[Order] | S3Event) -> str:
    if isinstance(event, S3Event):
        assert_type(event.records[0].s3.object.size, int | None)
        return event.records[0].bucket
    if isinstance(event, SnsEvent):
        return event.records[0].message.order_id
    assert_type(event.time, datetime | None)
    return event.detail.order_id


@event_handler
def stored(event: S3EventBridgeEvent) -> str:
    return event.detail.object.key


@event_handler
def nightly(event: ScheduledEvent) -> str | None:
    return event.rule_arn


@event_handler
def lines(event: CloudWatchLogsEvent) -> list[str]:
    return [line.message for line in event]


@event_handler
def decoded(event: SqsEvent[Annotated[Decimal, Decoder(Decimal)]]) -> Decimal:
    return event.records[0].body


@event_handler
def topics(event: KafkaEvent[str, Order]) -> None:
    for record in event:
        assert_type(record, KafkaRecord[str, Order])
        assert_type(record.key, str | None)
        record.value.quantity  # expect: union-attr
    assert_type(event.records["orders-0"][0].value, Order | None)
    assert_type(KafkaEvent({}).records["a"][0].value, bytes | None)


@event_handler
def queues(event: RabbitMQEvent[Order]) -> list[int]:
    return [message.data.quantity for message in event]


@event_handler
def documents(event: DocumentDBEvent[Order]) -> None:
    assert_type(event.events[0].full_document, Order | None)
    assert_type(event.events[0].cluster_time, datetime | None)


@event_handler
def transformed(event: FirehoseEvent[Reading]) -> dict[str, Any]:
    assert_type(event.records[0].data, Reading)
    event.records[0].ok(5)  # expect: arg-type
    return {"records": [record.ok(str(record.data.value)) for record in event]}


@event_handler
def tasks(event: S3BatchEvent) -> dict[str, Any]:
    event.reply([], treat_missing_keys_as="Perhaps")  # expect: arg-type
    return event.reply([task.succeeded(task.s3_key) for task in event])


@event_handler
def alarm(event: CloudWatchAlarmEvent | EventBridgeEvent[CloudWatchAlarmData]) -> str:
    data = event.alarm_data if isinstance(event, CloudWatchAlarmEvent) else event.detail
    return data.alarm_name


@event_handler
def resource(event: CustomResourceEvent[Order]) -> None:
    assert_type(event.resource_properties, Order)
    assert_type(event.old_resource_properties, dict[str, Any] | None)


@event_handler
def rule(event: ConfigRuleEvent[Key]) -> str:
    assert_type(event.invoking_event.notification_creation_time, datetime | None)
    return event.rule_parameters["id"]


@event_handler
def stopped(event: EventBridgeEvent[EcsTaskChange]) -> list[int | None]:
    return [container.exit_code for container in event.detail.containers]


@event_handler
def given_up(event: SqsEvent[LambdaDestinationEvent[Order, dict[str, Any]]]) -> None:
    assert_type(event.records[0].body.request_payload, Order | None)
    assert_type(event.records[0].body.response_payload, dict[str, Any] | None)


@event_handler
def agent(event: BedrockAgentFunctionEvent[Order]) -> dict[str, Any]:
    event.reply("", state="FINE")  # expect: arg-type
    return event.reply(event.arguments.order_id)


@event_handler
def others(event: SesEvent | LexV2Event | S3ObjectLambdaEvent[Order]) -> object:
    if isinstance(event, SesEvent):
        return event.records[0].mail.headers["Subject"]
    if isinstance(event, LexV2Event):
        return event.intent.slot_value("City")
    return event.configuration.payload.order_id


assert_type(detect({}), str)
parse(SqsEvent[Order], sqs_event([])).records[0].body.quantity + "one"  # expect: operator
SqsRecord[Order, int]  # expect: misc


@event_handler
def created(event: HttpApiEvent[Order] | FunctionUrlEvent[Order] | AlbEvent[Order]) -> dict[str, Any]:
    assert_type(event.body, Order)
    assert_type(event.headers, Headers)
    assert_type(event.query, Query)
    assert_type(event.cookies, dict[str, str])
    assert_type(event.source_ip, str)
    event.body.colour  # expect: attr-defined
    event.http_method  # expect: union-attr union-attr union-attr
    return {"statusCode": 201}


@event_handler
def requested(event: ApiGatewayEvent) -> str:
    assert_type(event.body, str | bytes)
    assert_type(event.request_context.request_time, datetime | None)
    assert_type(event.request_context.authorizer.claims, dict[str, Any])
    event.request_context.connection_id  # expect: attr-defined
    event.body.order_id  # expect: union-attr union-attr
    return event.request_context.identity.user_arn or event.path


@event_handler
def anywhere(event: HttpEvent) -> str:
    assert_type(event.body, str | bytes)
    if isinstance(event, VpcLatticeEvent):
        return event.request_context.region
    return event.method + event.query["page"]


@event_handler
def said(event: WebSocketEvent[Order]) -> str:
    assert_type(event.body, Order | None)
    return event.connection_id


@event_handler
def allowed(event: TokenAuthorizerEvent) -> bool:
    event.headers  # expect: attr-defined
    return event.bearer_token == "x"


@event_handler
def signed_up(event: CognitoPreSignUpEvent) -> dict[str, Any]:
    assert_type(event.request.user_attributes, dict[str, str])
    event.request.password  # expect: attr-defined
    return event.raw


@event_handler
def resolved(event: AppSyncResolverEvent[Order, Reading]) -> Order:
    assert_type(event.source, Reading | None)
    assert_type(event.identity, AppSyncIdentity | None)
    return event.arguments


@event_handler
def published(event: AppSyncChannelEvent[Reading]) -> list[float]:
    return [message.payload.value for message in event]


@event_handler
def at_the_edge(event: CloudFrontEvent) -> dict[str, Any]:
    if event.response is not None:
        assert_type(event.response.status, int | None)
    return event.request.raw


@event_handler
def connecting(event: IotAuthorizerEvent) -> bool:
    mqtt = event.protocol_data.mqtt
    return mqtt is not None and mqtt.password == b"x"


log = get_logger()


@event_handler
@metrics.timer("lookup")
def observed(event: SqsEvent[Reading]) -> int:
    log.bind(a=1).info("taken", count=len(event.records))
    with logs.bound(order_id="A-17"), metrics.timer("inner"):
        metrics.dimensions(region="eu").add("taken", 1, unit="Count")
    metrics.add("taken", "1")  # expect: arg-type
    logs.configure(levle="INFO")  # expect: call-arg
    return len(event.records)


assert_type(observed.func(SqsEvent[Reading]({})), int)


once = Idempotency(MemoryStore(), key="body")


@http_handler
def shown(request: HttpRequest[Order], context: Any) -> HttpResponse:
    assert_type(request.body, Order)
    assert_type(request.method, str)
    request.colour  # expect: attr-defined
    return HttpResponse(request.body, 201, {"etag": "1"}, cookies=["a=b"])


@http_handler(stream=True, fail_on_error=True, idempotency=once)
async def awaited(body: Order) -> dict[str, Any]:
    if body.quantity < 1:
        raise HttpError(409, "sold out", article=body.order_id)
    return {"left": body.quantity}


assert_type(shown.func(HttpRequest[Order]({}), None), HttpResponse)
shown.func("no request", None)  # expect: arg-type
http_handler(streams=True)  # expect: call-overload
HttpResponse(status="200")  # expect: arg-type


@custom_resource
def site(event: CustomResourceEvent[Order]) -> Resource:
    return Resource(event.resource_properties.order_id, {"A": 1}, no_echo=True)


@site.update
async def change(event: CustomResourceEvent[Order], context: Any) -> None:
    assert_type(event.resource_properties, Order)


changing = assert_type(change(CustomResourceEvent[Order]({}), None), Coroutine[Any, Any, None])
custom_resource(margin=3)  # expect: call-overload
Resource(3)  # expect: arg-type


@codepipeline_job(answer_margin_ms=500)
def deploy(event: CodePipelineJobEvent[Order]) -> Continue | None:
    return Continue(event.id)


@lifecycle_hook
def hook(event: CodeDeployHookEvent) -> bool:
    return bool(event.deployment_id)


@config_rule(client=None)
def compliant(event: ConfigRuleEvent[Key]) -> Evaluation:
    return Evaluation("PERHAPS")  # expect: arg-type


@batch_handler(idempotency=Idempotency(MemoryStore()), observers=[metrics.BatchMetrics()], trace_records=True)
def recorded(record: SqsRecord[Order]) -> None:
    with tracing.span("charge", remote=True, order=record.body.order_id) as charge:
        charge.add_metadata("order", record.body)
        charge.set_status("late")  # expect: arg-type
    tracing.annotate(found=True)
    metrics.Metrics("Shop").properties(a=1).at(datetime.now(UTC)).add("n", 1.5, "Count", resolution=1)
    metrics.timer("t", "Hours").colour  # expect: attr-defined


@traced
def charged(order: Order, *, twice: bool = False) -> int:
    return order.quantity


@traced(name="sold", capture_result=True, kind="order")
async def sold(order: Order) -> Decimal:
    return Decimal(charged(order, twice=True))


assert_type(charged(Order(order_id="a", quantity=1)), int)
charged("no order")  # expect: arg-type
selling = assert_type(sold(Order(order_id="a", quantity=1)), Coroutine[Any, Any, Decimal])


@idempotent(MemoryStore(), key="order")
@metrics.timer("paid")
def paid(order: Order) -> str:
    return order.order_id


assert_type(paid(Order(order_id="a", quantity=1)), str)
paid()  # expect: call-arg


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None: ...


with asgi_handler(application, lifespan="off", root_path="/v1") as served:
    served({}, None)
asgi_handler(application, lifespan="never")  # expect: arg-type
