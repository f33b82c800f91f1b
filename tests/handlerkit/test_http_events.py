"""Requests through the HTTP fronts: what they have in common, what each of them omits."""

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import pydantic
import pytest

from handlerkit import event_handler
from handlerkit.events import (
    AlbEvent,
    ApiGatewayEvent,
    Decoder,
    EventFieldError,
    EventValidationError,
    FunctionUrlEvent,
    HttpApiEvent,
    HttpEvent,
    VpcLatticeEvent,
    detect,
    parse,
)
from handlerkit.events.view import View
from handlerkit.testing import http_event
from tests.handlerkit.samples import read_all


class Order(pydantic.BaseModel):
    """A payload."""

    id: str
    quantity: int = 1


KINDS = ["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"]
VIEWS: dict[str, Any] = {
    "http_api": HttpApiEvent,
    "rest": ApiGatewayEvent,
    "function_url": FunctionUrlEvent,
    "alb": AlbEvent,
    "alb_multi": AlbEvent,
    "lattice": VpcLatticeEvent,
    "lattice_v1": VpcLatticeEvent,
}
DETECTED = {
    "http_api": "apigw_http_v2",
    "rest": "apigw_rest",
    "function_url": "function_url",
    "alb": "alb.single",
    "alb_multi": "alb.multi",
    "lattice": "vpc_lattice.v2",
    "lattice_v1": "vpc_lattice.v1",
}
# Where a front has maps without lists, only the last of several values arrives.
LAST_ONLY = ("alb",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_reads_alike_through_every_front(kind: Any) -> None:
    raw = http_event(
        "post",
        "/orders/a%2Fb",
        json={"id": "é"},
        headers={"X-Tag": ["1", "2"], "User-Agent": "test"},
        query={"q": "x y", "tag": ["a&b", "c"]},
        cookies={"session": "s=1", "theme": "dark"},
        kind=kind,
    )
    assert detect(raw) == DETECTED[kind]
    event = parse(VIEWS[kind][Order], raw)
    assert type(parse(HttpEvent, raw)) is VIEWS[kind]
    assert event.method == "POST"
    assert event.path == "/orders/a%2Fb"
    assert event.body == Order(id="é")
    assert event.headers["content-TYPE"] == "application/json"
    assert event.headers["x-tag"] in ("1,2", "2")
    assert event.query["q"] == "x y"
    assert event.query.get_all("tag") == (["c"] if kind in LAST_ONLY else ["a&b", "c"])
    assert event.cookies == {"session": "s=1", "theme": "dark"}
    assert event.source_ip == "203.0.113.7"
    assert event.is_base64_encoded is False
    assert read_all(event) > 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_without_anything_reads_as_empty(kind: Any) -> None:
    event = parse(VIEWS[kind], http_event(kind=kind))
    assert (event.method, event.path, event.body) == ("GET", "/", "")
    assert (dict(event.query), event.cookies) == ({}, {})
    for absent, payload in (("", str), (b"", bytes), ({}, dict), (None, Order | None)):
        assert parse(VIEWS[kind][payload], http_event(kind=kind)).body == absent
    with pytest.raises(EventValidationError, match="body: missing"):
        parse(VIEWS[kind][Order], http_event("POST", kind=kind))
    with pytest.raises(EventValidationError, match="body: missing"):
        parse(VIEWS[kind][list[int]], http_event("POST", kind=kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_is_text_or_bytes_as_it_came_unless_a_type_is_named(kind: Any) -> None:
    view = VIEWS[kind]
    text, data = http_event(body="grüße", kind=kind), http_event(body=b"\x00\xff", kind=kind)
    sent = http_event(body=b'{"id": "a"}', kind=kind)
    assert parse(view, text).body == "grüße"
    assert parse(view, data).body == b"\x00\xff"
    assert parse(view[bytes], text).body == "grüße".encode()
    assert parse(view[str], sent).body == '{"id": "a"}'
    assert parse(view[Order], sent).body == Order(id="a")
    assert parse(view[dict[str, Any]], sent).body == {"id": "a"}
    assert parse(view[Annotated[int, Decoder(len)]], sent).body == 11
    with pytest.raises(EventValidationError, match="not UTF-8"):
        parse(view[str], data)


def test_what_is_not_base64_after_all_is_named_and_everything_else_still_read() -> None:
    event = parse(HttpApiEvent, http_event() | {"body": "?", "isBase64Encoded": True})
    assert event.path == "/"
    with pytest.raises(EventFieldError, match="not base64"):
        _ = event.body
    lattice = http_event(kind="lattice_v1") | {"body": base64.b64encode(b"x").decode(), "is_base64_encoded": "true"}
    assert parse(VpcLatticeEvent, lattice).body == b"x"
    assert parse(VpcLatticeEvent, lattice).is_base64_encoded is True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("body", "status"), [("{", 400), ('{"id": 1}', 422), (b"\xff", 400), (None, 422)])
def test_a_body_of_another_shape_is_answered_in_the_form_of_the_front(kind: Any, body: Any, status: int) -> None:
    @event_handler(event=VIEWS[kind][Order])
    def handler(event: Any) -> None:
        raise AssertionError("not reached")

    raw = http_event("POST", body=body, kind=kind)
    answer = handler(raw)
    assert answer["statusCode"] == status
    assert ("multiValueHeaders" in answer) == (kind == "alb_multi")
    assert json.loads(handler.__lambda_raw__(json.dumps(raw).encode(), None)) == answer


# --- bug reports about strict models, one by one ----------------------------------------------------------------------


def test_version_authorizer_and_authentication_may_be_missing_or_null() -> None:
    rest = http_event(kind="rest")
    assert "version" not in rest
    assert parse(ApiGatewayEvent, rest).version is None
    assert parse(ApiGatewayEvent, rest).request_context.authorizer.claims == {}
    assert parse(ApiGatewayEvent, rest).request_context.authorizer.principal_id is None
    http = http_event()
    http["requestContext"] |= {"authentication": None, "authorizer": None}
    context = parse(HttpApiEvent, http).request_context
    assert (context.authentication, context.authorizer.jwt, context.authorizer.lambda_) == (None, None, {})
    http["requestContext"]["authentication"] = {"clientCert": None}
    authentication = parse(HttpApiEvent, http).request_context.authentication
    assert authentication is not None
    assert authentication.client_cert is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_null", [True, False])
def test_bodies_and_maps_may_be_null_or_absent(kind: Any, is_null: bool) -> None:
    raw = http_event(kind=kind)
    optional = {key for key in raw if "eader" in key or "arameters" in key or "ariables" in key or key == "body"}
    for key in optional | {"cookies", "rawQueryString", "query_string_parameters"}:
        if is_null:
            raw[key] = None
        else:
            raw.pop(key, None)
    event = parse(VIEWS[kind], raw)
    assert read_all(event) > 8
    assert (event.body, dict(event.headers), dict(event.query), event.cookies) == ("", {}, {}, {})


@pytest.mark.parametrize(
    "source_ip", ["test-invoke-source-ip", "10.1.15.242:39870", "[2001:db8::1]:443", "AWS Internal", ""]
)
def test_a_source_ip_is_whatever_text_came(source_ip: str) -> None:
    rest, http = http_event(kind="rest"), http_event()
    rest["requestContext"]["identity"]["sourceIp"] = source_ip
    http["requestContext"]["http"]["sourceIp"] = source_ip
    assert parse(ApiGatewayEvent, rest).source_ip == source_ip
    assert parse(HttpApiEvent, http).source_ip == source_ip


def test_the_consoles_test_button_sends_null_maps() -> None:
    raw = http_event(kind="rest") | {"headers": None, "multiValueHeaders": None, "pathParameters": None}
    raw["requestContext"] |= {"stage": "test-invoke-stage"}
    event = parse(ApiGatewayEvent, raw)
    assert (dict(event.headers), event.path_parameters, event.stage_variables) == ({}, {}, {})
    assert event.headers.get("accept") is None
    assert event.raw["headers"] is None


def test_the_two_payload_formats_are_not_confused() -> None:
    with pytest.raises(EventValidationError, match="another kind, apigw_rest"):
        parse(HttpApiEvent, http_event(kind="rest"))
    with pytest.raises(EventValidationError, match="another kind, apigw_http_v2"):
        parse(ApiGatewayEvent, http_event())
    with pytest.raises(EventValidationError, match="another kind, function_url"):
        parse(HttpApiEvent, http_event(kind="function_url"))
    event = parse(ApiGatewayEvent, http_event(kind="rest") | {"version": "1.0", "resource": None})
    assert (event.version, event.resource) == ("1.0", "")


def test_format_two_is_recognised_by_what_is_always_there() -> None:
    raw = {"requestContext": {"http": {"method": "GET", "path": "/x"}}}
    assert detect(raw) == "apigw_http_v2"
    event = parse(HttpApiEvent, raw)
    assert (event.method, event.path, event.body) == ("GET", "/x", "")
    assert read_all(event) > 8


def test_scopes_and_members_of_the_authorizer_may_be_null() -> None:
    context = parse(HttpApiEvent, http_event(claims={"sub": "ada"})).request_context
    assert context.authorizer.jwt is not None
    assert (context.authorizer.jwt.claims, context.authorizer.jwt.scopes) == ({"sub": "ada"}, [])
    raw = http_event()
    raw["requestContext"]["authorizer"] = {
        "iam": {"accessKey": "ASIA", "callerId": None, "cognitoIdentity": None, "principalOrgId": None, "userArn": None}
    }
    authorizer = parse(HttpApiEvent, raw).request_context.authorizer
    assert authorizer.jwt is None
    assert authorizer.iam is not None
    assert (authorizer.iam.access_key, authorizer.iam.user_arn, authorizer.iam.cognito_identity) == ("ASIA", None, None)
    raw["requestContext"]["authorizer"] = {"lambda": {"tenant": 7, "roles": ["a"]}}
    assert parse(HttpApiEvent, raw).request_context.authorizer.lambda_ == {"tenant": 7, "roles": ["a"]}


def test_a_balancer_asks_for_lists_back_where_it_sent_lists() -> None:
    multi, single = http_event(kind="alb_multi"), http_event(kind="alb")
    assert "headers" not in multi
    assert parse(AlbEvent, multi).is_multi_value
    assert parse(AlbEvent, multi).headers["host"] == "api.example.com"
    assert not parse(AlbEvent, single).is_multi_value


def test_lists_and_texts_are_both_taken_from_lattice() -> None:
    raw = http_event(query={"tag": ["a", "b"]}, kind="lattice")
    raw["headers"] |= {"x-one": "1"}
    raw["requestContext"]["identity"] |= {
        "type": "AWS_IAM",
        "X509SanDNS": "a.example",
        "principalOrgID": "o-1",
        "newKey": {},
    }
    event = parse(VpcLatticeEvent, raw)
    assert event.query.get_all("tag") == ["a", "b"]
    assert (event.headers["x-one"], event.headers["host"]) == ("1", "api.example.com")
    identity = event.request_context.identity
    assert identity is not None
    assert (identity.type, identity.x509_san_dns, identity.principal_org_id) == ("AWS_IAM", "a.example", "o-1")
    assert identity.raw["newKey"] == {}
    assert event.request_context.time_epoch == datetime(2026, 1, 1, tzinfo=UTC)
    raw["query_string_parameters"] = raw.pop("queryStringParameters") | {"tag": "c"}
    assert dict(parse(VpcLatticeEvent, raw).query) == {"tag": "c"}


# --- the fronts' own ways ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw_path", "stage", "path"),
    [
        ("/prod/orders", "prod", "/orders"),
        ("/prod", "prod", "/"),
        ("/products", "prod", "/products"),
        ("/orders", "$default", "/orders"),
        ("/orders", "", "/orders"),
    ],
)
def test_the_path_of_format_two_has_no_stage(raw_path: str, stage: str, path: str) -> None:
    raw = http_event()
    raw["rawPath"] = raw_path
    raw["requestContext"]["stage"] = stage
    event = parse(HttpApiEvent, raw)
    assert (event.raw_path, event.path) == (raw_path, path)


def test_repetitions_come_from_the_text_of_the_query() -> None:
    raw = http_event(query={"tag": ["a,b", "c"]})
    assert raw["queryStringParameters"] == {"tag": "a,b,c"}
    assert parse(HttpApiEvent, raw).query.get_all("tag") == ["a,b", "c"]
    raw["rawQueryString"] = ""
    assert parse(HttpApiEvent, raw).query.get_all("tag") == ["a,b,c"]


def test_a_balancers_query_is_decoded_and_a_gateways_is_not_decoded_twice() -> None:
    raw = {"queryStringParameters": {"a%20b": "1%2B1"}}
    assert dict(parse(AlbEvent, http_event(kind="alb") | raw).query) == {"a b": "1+1"}
    rest = http_event(kind="rest") | raw | {"multiValueQueryStringParameters": None}
    assert dict(parse(ApiGatewayEvent, rest).query) == {"a%20b": "1%2B1"}


def test_a_health_check_is_told_from_a_visit() -> None:
    assert not parse(AlbEvent, http_event(kind="alb")).is_health_check
    check = parse(AlbEvent, http_event(headers={"User-Agent": "ELB-HealthChecker/2.0"}, kind="alb"))
    assert check.is_health_check
    assert check.request_context.target_group_arn.endswith("targetgroup/orders/6d0ecf831eec9f09")


def test_only_the_address_that_the_balancer_added_is_believed() -> None:
    raw = http_event(headers={"X-Forwarded-For": "10.0.0.1, 198.51.100.7"}, kind="alb")
    assert parse(AlbEvent, raw).source_ip == "198.51.100.7"
    del raw["headers"]["x-forwarded-for"]
    assert parse(AlbEvent, raw).source_ip == ""


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["a=1", "b=2; c=3"], {"a": "1", "b": "2", "c": "3"}),
        (["a=1", "a=2", "flag", " b = x=y ;"], {"a": "1", "b": "x=y"}),
        ("a=1;b=", {"a": "1", "b": ""}),
        ([None, "a=1"], {"a": "1"}),
    ],
)
def test_cookies_are_read_from_lists_and_lines(lines: Any, found: dict[str, str]) -> None:
    assert parse(HttpApiEvent, http_event() | {"cookies": lines}).cookies == found


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("cookies", {"cookies": [1]}), ("query", {"rawQueryString": 1}), ("query", {"queryStringParameters": []})],
)
def test_a_hopeless_part_is_named_when_it_is_read(name: str, wrong: dict[str, Any]) -> None:
    event = parse(HttpApiEvent, http_event() | wrong)
    with pytest.raises(EventFieldError, match=name):
        getattr(event, name)


def test_what_a_lambda_authorizer_added_is_its_context() -> None:
    raw = http_event(kind="rest", path_parameters={"id": "7"}, claims={"sub": "ada"})
    raw["requestContext"]["authorizer"] |= {"principalId": "p", "integrationLatency": 7, "tenant": "1", "admin": "true"}
    raw["requestContext"]["identity"]["clientCert"] = {"validity": {"notAfter": "Aug  5 09:36:04 2021 GMT"}}
    event = parse(ApiGatewayEvent, raw)
    authorizer = event.request_context.authorizer
    assert authorizer.context == {"tenant": "1", "admin": "true"}
    assert (authorizer.claims, authorizer.principal_id, authorizer.integration_latency) == ({"sub": "ada"}, "p", 7)
    assert event.path_parameters == {"id": "7"}
    certificate = event.request_context.identity.client_cert
    assert certificate is not None
    assert certificate.validity.not_after == datetime(2021, 8, 5, 9, 36, 4, tzinfo=UTC)


def test_an_emulator_may_send_seconds_where_milliseconds_belong() -> None:
    raw = http_event(kind="rest")
    for epoch in (1_767_225_600, 1_767_225_600_000, "1767225600"):
        raw["requestContext"]["requestTimeEpoch"] = epoch
        context = parse(ApiGatewayEvent, raw).request_context
        assert context.request_time_epoch == context.request_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_one_function_may_serve_several_fronts() -> None:
    @event_handler
    def handler(event: HttpEvent) -> list[str]:
        assert isinstance(event, View)
        return [event.method, event.path, type(event).__name__]

    assert handler(http_event("PUT", "/a", kind="alb")) == ["PUT", "/a", "AlbEvent"]
    assert handler(http_event("PUT", "/a", kind="function_url")) == ["PUT", "/a", "FunctionUrlEvent"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kind": "fax"}, "no front 'fax'; there are http_api"),
        ({"kind": "alb", "claims": {"sub": "a"}}, "alb events carry no claims"),
        ({"json": {}, "body": ""}, "one body"),
    ],
)
def test_a_factory_refuses_what_no_front_could_send(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        http_event("POST", **options)


def test_a_json_body_of_text_is_json_and_null_is_a_body() -> None:
    assert http_event(json="x")["body"] == '"x"'
    assert http_event(json=None)["body"] == "null"
    assert http_event(json=Order(id="a"), headers={"Content-Type": "application/vnd.order"})["headers"] == {
        "content-type": "application/vnd.order",
        "host": "api.example.com",
        "x-forwarded-for": "203.0.113.7",
    }
