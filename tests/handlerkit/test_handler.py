"""`event_handler`: annotations in, JSON out, the same by bytes and by dict."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import gc
import json
import weakref
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest
from typing_extensions import TypedDict

from handlerkit import event_handler
from handlerkit.events import (
    Decoder,
    EventBridgeEvent,
    EventValidationError,
    S3Event,
    SnsEvent,
    SnsNotification,
    SqsEvent,
)
from handlerkit.testing import FakeContext, eventbridge_event, s3_event, sns_event, sns_notification, sqs_event


class Order(pydantic.BaseModel):
    """A payload."""

    order_id: str
    quantity: int


class OrderDict(TypedDict):
    """A payload without a class of its own."""

    order_id: str
    quantity: int


@dataclasses.dataclass
class OrderData:
    """A payload as a standard dataclass."""

    order_id: str
    quantity: int


ORDER = {"order_id": "a-1", "quantity": 2}


def both(handler: Any, event: object, context: object = None) -> Any:
    """The result by each way in, which must be the same."""
    by_bytes = json.loads(handler.__lambda_raw__(json.dumps(event).encode(), context))
    assert json.loads(json.dumps(handler(event, context))) == by_bytes
    return by_bytes


def both_errors(handler: Any, event: object) -> str:
    """The message of the refusal by each way in, which must be the same."""
    with pytest.raises(EventValidationError) as by_dict:
        handler(event, None)
    with pytest.raises(EventValidationError) as by_bytes:
        handler.__lambda_raw__(json.dumps(event).encode(), None)
    assert str(by_dict.value) == str(by_bytes.value)
    return str(by_bytes.value)


def test_a_typed_batch_reaches_the_function() -> None:
    @event_handler
    def handler(event: SqsEvent[Order]) -> int:
        return sum(record.body.quantity for record in event)

    assert both(handler, sqs_event([ORDER, ORDER])) == 4


def test_the_function_itself_stays_reachable() -> None:
    def total(event: SqsEvent[Order]) -> int:
        """Sum up."""
        return len(event)

    handler = event_handler(total)
    assert handler.func is total
    assert (handler.__name__, handler.__doc__, handler.__wrapped__) == ("total", "Sum up.", total)
    assert "total" in repr(handler)


def test_the_context_is_passed_only_where_the_signature_has_a_place_for_it() -> None:
    context = FakeContext()

    @event_handler
    def second(event: dict[str, Any], anything: FakeContext) -> bool:
        return anything is context

    @event_handler
    def keyword(event: dict[str, Any], *, context: FakeContext) -> str:
        return context.function_name

    @event_handler
    def rest(*arguments: Any) -> int:
        return len(arguments)

    @event_handler
    def alone(event: dict[str, Any], *, flag: bool = True) -> bool:
        return flag

    assert [both(one, {}, context) for one in (second, keyword, rest, alone)] == [True, "orders", 2, True]


def test_methods_callables_and_decorated_functions_are_read_like_functions() -> None:
    class Service:
        """Has handlers."""

        def handle(self, event: SqsEvent[Order]) -> int:
            return event.records[0].body.quantity

        def __call__(self, event: SqsEvent, context: object) -> str:
            return event.records[0].body

    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @event_handler
    @logged
    def wrapped(event: SqsEvent[Order]) -> str:
        return event.records[0].body.order_id

    assert both(event_handler(Service().handle), sqs_event([ORDER])) == 2
    assert both(event_handler(event=SqsEvent)(Service()), sqs_event(["x"])) == "x"
    assert both(wrapped, sqs_event([ORDER])) == "a-1"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: None, "must take the event as its first parameter"),
        (lambda a, b, c: None, "takes 3 arguments"),
        (lambda event, *, table: None, "needs 'table'"),
    ],
)
def test_a_signature_that_cannot_be_served_is_refused_at_once(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        event_handler(function)


def test_a_name_that_is_defined_later_is_resolved_with_the_first_event() -> None:
    @event_handler
    def handler(event: LateOrder) -> Any:  # noqa: F821
        return event.name

    globals()["LateOrder"] = pydantic.create_model("LateOrder", name=str)
    assert both(handler, {"name": "x"}) == "x"


LateOrder: Any


def test_a_name_that_is_never_defined_fails_with_the_first_event() -> None:
    def function(event: Any) -> None: ...

    function.__annotations__["event"] = "NeverDefined"
    with pytest.raises(NameError, match="NeverDefined"):
        event_handler(function)({}, None)


def test_names_of_an_enclosing_function_are_found() -> None:
    class Local(pydantic.BaseModel):
        """Known here only."""

        n: int

    @event_handler
    def handler(event: SqsEvent[Local]) -> int:
        return event.records[0].body.n

    assert both(handler, sqs_event([{"n": 3}])) == 3


@pytest.mark.parametrize(
    ("kind", "event", "shown"),
    [
        (None, {"a": 1}, {"a": 1}),
        (object, [1], [1]),
        (Any, "x", "x"),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, Any], {"a": 1}, {"a": 1}),
        (list, [1, 2], [1, 2]),
        (str, "text", "text"),
        (bytes, {"a": "ü"}, '{"a": "\\u00fc"}'),
        (int, 5, 5),
        (Order, ORDER, ORDER),
        (OrderDict, ORDER, ORDER),
        (OrderData, ORDER, ORDER),
        (list[Order], [ORDER], [ORDER]),
        (Order | None, None, None),
        (Annotated[str, Decoder(lambda event: event["order_id"])], ORDER, "a-1"),
        (datetime, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_any_type_can_be_asked_for(kind: Any, event: Any, shown: Any) -> None:
    @event_handler(event=kind)
    def handler(event):  # type: ignore[no-untyped-def]
        return event

    if kind is bytes:
        assert json.loads(handler.__lambda_raw__(json.dumps(event).encode(), None)) == shown
        assert handler(event, None) == '{"a":"ü"}'
        assert handler(b"\x00", None) == "\x00"
    else:
        assert both(handler, event) == shown


@pytest.mark.parametrize(
    "kind", [dict, list, str, int, Order, SqsEvent, SqsEvent[Order], S3Event | SqsEvent, list[Order]]
)
@pytest.mark.parametrize(
    "event", [5.5, True, None, "x", [], {"order_id": "a", "quantity": "many"}, {"Records": 5}, [{}]]
)
def test_an_event_of_the_wrong_shape_is_refused_alike_by_both_ways(kind: Any, event: Any) -> None:
    @event_handler(event=kind)
    def handler(event: Any) -> str:
        return "taken"

    try:
        result = handler(event, None)
    except EventValidationError:
        assert len(both_errors(handler, event)) < 1500
    else:
        assert both(handler, event) == result


def test_a_refusal_names_the_field_and_shows_the_value_shortened() -> None:
    @event_handler
    def handler(event: SqsEvent[Order]) -> None:
        raise AssertionError("not reached")

    event = sqs_event([ORDER, {"order_id": "a-2", "quantity": "q" * 5000, "card": "4111-1111"}])
    message = both_errors(handler, event)
    assert message.startswith("SqsEvent[Order]: records[1].body.quantity: Input should be a valid integer")
    assert "4111-1111" not in message
    assert len(message) < 400


def test_events_of_another_source_are_refused_by_name() -> None:
    @event_handler
    def handler(event: SqsEvent) -> None: ...

    assert both_errors(handler, s3_event("b", "k")) == "SqsEvent: the event is of another kind, s3"
    assert "no key of this kind of event" in both_errors(handler, {"order_id": 1})


def test_an_event_that_is_not_json_is_refused() -> None:
    @event_handler
    def handler(event: SqsEvent[Order]) -> None: ...

    with pytest.raises(EventValidationError, match="not JSON: Expecting value at character 11") as caught:
        handler.__lambda_raw__(b'{"Records":', None)
    assert not caught.value.is_json


def test_one_function_serves_several_sources() -> None:
    @event_handler
    def handler(event: S3Event | SqsEvent[Order] | EventBridgeEvent | Order) -> str:
        if isinstance(event, S3Event):
            return event.records[0].key
        if isinstance(event, SqsEvent):
            return event.records[0].body.order_id
        return event.detail_type if isinstance(event, EventBridgeEvent) else f"direct {event.quantity}"

    assert both(handler, s3_event("b", "my key")) == "my key"
    assert both(handler, sqs_event([ORDER])) == "a-1"
    assert both(handler, eventbridge_event({})) == "Order Placed"
    assert both(handler, ORDER) == "direct 2"
    message = both_errors(handler, sns_event("x"))
    assert "no member takes" in message or "order_id" in message


def test_the_nested_kind_decides_between_payloads_of_one_source() -> None:
    @event_handler
    def handler(event: SqsEvent[Order] | SqsEvent[SnsNotification[S3Event]] | SqsEvent[S3Event]) -> str:
        return type(event).__name__

    assert both(handler, sqs_event([ORDER])) == "SqsEvent[Order]"
    assert both(handler, sqs_event([s3_event("b", "k")])) == "SqsEvent[S3Event]"
    assert both(handler, sqs_event([sns_notification(s3_event("b", "k"))])) == "SqsEvent[SnsNotification[S3Event]]"


def test_a_union_refuses_what_no_member_takes() -> None:
    @event_handler
    def handler(event: S3Event | SqsEvent) -> None: ...

    assert both_errors(handler, sns_event("x")).endswith("no member takes an event of kind sns")

    @event_handler
    def typed(event: SqsEvent[Order] | SqsEvent[OrderData]) -> None: ...

    message = both_errors(typed, sqs_event([{"order_id": 1}]))
    assert "SqsEvent[Order]" in message
    assert "SqsEvent[OrderData]" in message


def test_an_event_can_be_prepared_before_it_is_read() -> None:
    @event_handler(prepare=lambda raw: raw["wrapped"])
    def handler(event: SnsEvent[Order]) -> str:
        return event.records[0].message.order_id

    assert both(handler, {"wrapped": sns_event(ORDER)}) == "a-1"


def test_a_coroutine_function_runs_in_a_loop_that_is_kept() -> None:
    loops = set()

    @event_handler
    async def handler(event: SqsEvent[Order], context: object) -> int:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return event.records[0].body.quantity

    assert both(handler, sqs_event([ORDER])) == 2
    assert len(loops) == 1


def test_errors_of_the_function_are_its_own() -> None:
    @event_handler
    def handler(event: SqsEvent[Order]) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        handler(sqs_event([ORDER]), None)
    with pytest.raises(KeyError, match="mine"):
        handler.__lambda_raw__(json.dumps(sqs_event([ORDER])).encode(), None)


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (None, None),
        (Order(order_id="a", quantity=1), {"order_id": "a", "quantity": 1}),
        ([OrderData("a", 1)], [{"order_id": "a", "quantity": 1}]),
        (
            {"at": datetime(2026, 1, 1, tzinfo=UTC), "n": Decimal("1.50"), "k": Decimal(3)},
            {"at": "2026-01-01T00:00:00Z", "n": 1.5, "k": 3},
        ),
        ((b"bytes", {"one"}), ["bytes", ["one"]]),
    ],
)
def test_typed_results_become_json(result: Any, shown: Any) -> None:
    @event_handler
    def handler(event: object) -> Any:
        return result

    assert both(handler, {}) == shown


REST = {"resource": "/", "path": "/", "httpMethod": "POST", "requestContext": {"stage": "x"}, "body": "{}"}


@pytest.mark.parametrize(
    ("event", "where"),
    [
        (REST, "headers"),
        ({"version": "2.0", "requestContext": {"http": {"method": "GET"}}}, "headers"),
        ({"requestContext": {"elb": {}}, "headers": {}, "httpMethod": "GET"}, "headers"),
        ({"requestContext": {"elb": {}}, "multiValueHeaders": {}, "httpMethod": "GET"}, "multiValueHeaders"),
        ({"raw_path": "/", "method": "GET"}, "headers"),
    ],
)
def test_an_http_request_of_the_wrong_shape_is_answered_and_not_raised(event: dict[str, Any], where: str) -> None:
    @event_handler
    def handler(event: Order) -> None: ...

    answer = both(handler, event)
    assert answer["statusCode"] == 422
    assert "content-type" in answer[where]
    problems = json.loads(answer["body"])["problems"]
    assert {"path": "order_id", "reason": "Field required"} in problems


def test_an_http_body_that_is_not_json_is_a_bad_request() -> None:
    class Request(pydantic.BaseModel):
        """A front's event with a JSON body."""

        body: pydantic.Json[Order]

    def read(raw: Any) -> Order:
        from handlerkit.events import SqsRecord, parse

        return parse(SqsRecord[Order], raw).body

    @event_handler(event=Annotated[Order, Decoder(read)])
    def handler(event: Order) -> None: ...

    assert both(handler, REST | {"body": "{"})["statusCode"] == 400
    assert both(handler, REST)["statusCode"] == 422


def test_answering_bad_requests_can_be_switched_off() -> None:
    @event_handler(answer_bad_requests=False)
    def handler(event: Order) -> None: ...

    assert "order_id: Field required" in both_errors(handler, REST)


def test_an_asynchronous_handler_keeps_nothing_of_its_first_invocation() -> None:
    class Event(dict[str, int]):
        pass

    @event_handler
    async def handler(event: object) -> None: ...

    event = Event()
    known = weakref.ref(event)
    handler(event)
    del event
    gc.collect()
    assert known() is None


def test_a_method_without_its_object_is_refused_where_it_is_decorated() -> None:
    with pytest.raises(TypeError, match=r"Shop\.take is a method without its object"):

        class Shop:
            @event_handler
            def take(self, event: dict[str, int]) -> None: ...

    class Store:
        stock = 3

        def take(self, event: dict[str, int]) -> int:
            return self.stock - event["n"]

    assert event_handler(Store().take)({"n": 1}) == 2


class Held:
    """Something large that a failing function holds."""


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_failed_invocation_held_goes_with_its_error(is_async: bool) -> None:
    held: list[weakref.ref[Held]] = []

    def fail() -> None:
        large = Held()
        held.append(weakref.ref(large))
        raise LookupError("no such order")

    async def fail_async(event: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        fail()

    handler: Any = event_handler(fail_async if is_async else lambda event: fail())
    gc.disable()
    try:
        with pytest.raises(LookupError, match="no such order"):
            handler({})
        assert held[0]() is None
    finally:
        gc.enable()


def test_an_event_that_was_refused_goes_with_the_error() -> None:
    @event_handler
    def handler(event: Order) -> None: ...

    def refused() -> None:
        with contextlib.suppress(EventValidationError):
            handler.__lambda_raw__(b'{"order_id": 1}', FakeContext())

    refused()  # what is loaded with the first one
    gc.collect()
    gc.disable()
    try:
        refused()
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0
