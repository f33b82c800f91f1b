"""WebSocket APIs and authorizers of API Gateway."""

from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest

from handlerkit.events import (
    EventValidationError,
    HttpApiAuthorizerEvent,
    RequestAuthorizerEvent,
    TokenAuthorizerEvent,
    WebSocketAuthorizerEvent,
    WebSocketEvent,
    detect,
    parse,
)
from handlerkit.testing import authorizer_event, websocket_event
from tests.handlerkit.samples import read_all


class Command(pydantic.BaseModel):
    """A payload."""

    action: str


@pytest.mark.parametrize(
    ("route", "moment", "body"),
    [
        ("$connect", "CONNECT", None),
        ("$default", "MESSAGE", ""),
        ("send", "MESSAGE", ""),
        ("$disconnect", "DISCONNECT", None),
    ],
)
def test_each_moment_of_a_connection_is_told_by_its_route(route: str, moment: str, body: str | None) -> None:
    raw = websocket_event("", route=route, headers={"X-Tag": ["a", "b"]}, query={"room": "7"})
    assert detect(raw) == f"apigw_websocket.{moment.lower()}"
    event = parse(WebSocketEvent, raw)
    assert (event.event_type, event.route_key, event.body) == (moment, route, body)
    assert (event.connection_id, event.source_ip) == ("L0SM9cOFvHcCIhw=", "203.0.113.7")
    assert event.query.get("room") == (None if moment == "MESSAGE" else "7")
    assert read_all(event) > 8
    del raw["requestContext"]["eventType"]
    assert parse(WebSocketEvent, raw).event_type == moment


def test_a_message_has_a_typed_body_and_the_other_moments_have_none() -> None:
    view = WebSocketEvent[Command]
    assert parse(view, websocket_event(Command(action="go"))).body == Command(action="go")
    assert parse(view, websocket_event(route="$connect")).body is None
    with pytest.raises(EventValidationError, match=r"body\.action"):
        parse(view, websocket_event({}))


def test_messages_to_clients_go_to_the_stage_of_the_api() -> None:
    event = parse(WebSocketEvent, websocket_event("x"))
    assert event.management_url == "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod"


# Bug reports: fields of the disconnect, nulls on connect.
def test_what_belongs_to_another_moment_may_be_null_or_absent() -> None:
    raw = websocket_event(route="$connect")
    raw |= {"queryStringParameters": None, "multiValueHeaders": None, "stageVariables": None, "body": None}
    raw["requestContext"] |= {"messageId": None, "authorizer": None, "disconnectStatusCode": None, "status": None}
    raw["requestContext"]["identity"] |= {"userAgent": None, "cognitoIdentityId": None}
    context = parse(WebSocketEvent, raw).request_context
    assert (context.message_id, context.disconnect_status_code, context.authorizer.claims) == (None, None, {})
    closing = parse(WebSocketEvent, websocket_event(route="$disconnect")).request_context
    assert (closing.disconnect_status_code, closing.disconnect_reason) == (1001, "Going away")
    assert closing.connected_at == datetime(2026, 1, 1, tzinfo=UTC)


AUTHORIZERS: dict[str, Any] = {
    "token": TokenAuthorizerEvent,
    "request": RequestAuthorizerEvent,
    "http_api": HttpApiAuthorizerEvent,
    "websocket": WebSocketAuthorizerEvent,
}


@pytest.mark.parametrize("kind", AUTHORIZERS)
def test_an_authorizer_is_asked_with_a_token(kind: Any) -> None:
    raw = authorizer_event("Bearer t0ken", path="/orders", query={"a": "1"}, kind=kind)
    detected = "request_v2" if kind == "http_api" else kind
    assert detect(raw) == f"apigw_authorizer.{detected}"
    event = parse(AUTHORIZERS[kind], raw)
    assert read_all(event) > 3
    assert "t0ken" not in repr(event)
    if kind == "token":
        assert (event.authorization_token, event.bearer_token) == ("Bearer t0ken", "t0ken")
        return
    assert (event.headers["Authorization"], event.query["a"]) == ("Bearer t0ken", "1")
    assert event.source_ip == "203.0.113.7"
    if kind == "websocket":
        assert event.connection_id == "L0SM9cOFvHcCIhw="
    else:
        assert (event.method, event.path) == ("GET", "/orders")


@pytest.mark.parametrize(
    ("token", "bare"), [("allow", "allow"), ("bearer  x", "x"), ("Basic eDp5", "Basic eDp5"), ("", "")]
)
def test_a_bearer_token_is_told_from_other_schemes(token: str, bare: str) -> None:
    assert parse(TokenAuthorizerEvent, authorizer_event(token)).bearer_token == bare


# Bug report: an HTTP API without identity source; format 1.0 has a text where 2.0 has a list.
def test_an_identity_source_may_be_null_absent_or_a_text() -> None:
    raw = authorizer_event(kind="http_api")
    assert parse(HttpApiAuthorizerEvent, raw).identity_source == ["Bearer token"]
    assert parse(HttpApiAuthorizerEvent, raw | {"identitySource": None}).identity_source == []
    del raw["identitySource"]
    assert parse(HttpApiAuthorizerEvent, raw).identity_source == []
    old = authorizer_event(kind="request") | {"identitySource": "user1,123", "version": "1.0"}
    assert parse(RequestAuthorizerEvent, old).identity_source == "user1,123"


def test_there_are_no_other_kinds_of_authorizers() -> None:
    with pytest.raises(ValueError, match="no kind of authorizer 'x'"):
        authorizer_event(kind="x")  # type: ignore[arg-type]
