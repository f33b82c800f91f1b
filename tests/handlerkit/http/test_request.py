"""One request type over all fronts."""

import base64
import json
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import HttpRequest
from handlerkit.events.errors import EventValidationError
from handlerkit.events.kinds import outer_kind
from handlerkit.http import HttpError
from handlerkit.http.sources import SOURCES, http_kind
from handlerkit.testing import authorizer_event, http_event, sqs_event
from tests.handlerkit.samples import SAMPLES, Sample

KINDS = ["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"]
KEEPS_REPEATED_QUERY = ["http_api", "rest", "function_url", "alb_multi", "lattice", "lattice_v1"]
KEEPS_REPEATED_HEADERS = ["rest", "alb_multi", "lattice"]


class Order(BaseModel):
    article: str
    quantity: int = 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_front_gives_the_same_request(kind: Any) -> None:
    raw = http_event(
        "POST",
        "/or%2Fders/../x%20y",
        json={"article": "book"},
        query={"tag": ["a", "b c"], "empty": ""},
        headers={"X-Tag": ["1", "2"], "host": "shop.example.com:8443"},
        cookies={"session": "s=1", "theme": "dark"},
        kind=kind,
    )
    request = HttpRequest(raw)
    assert (request.method, request.raw_path, request.path) == ("POST", "/or%2Fders/../x%20y", "/or/ders/../x y")
    expected = ["a", "b c"] if kind in KEEPS_REPEATED_QUERY else ["b c"]
    if kind == "lattice_v1":
        assert request.raw_query == "tag=a&tag=b+c&empty="
    assert request.query.get_all("tag") == expected
    assert request.query["empty"] == ""
    tags = {"rest": ["1", "2"], "alb_multi": ["1", "2"], "lattice": ["1", "2"], "alb": ["2"]}
    assert request.headers.get_all("X-TAG") == tags.get(kind, ["1,2"])
    assert request.cookies == {"session": "s=1", "theme": "dark"}
    assert request.cookie_header == "session=s=1; theme=dark"
    assert request.content == json.dumps({"article": "book"}, separators=(",", ":")).encode()
    assert request.json() == {"article": "book"}
    assert request.content_type == "application/json"
    assert request.host == "shop.example.com:8443"
    assert request.client_ip == "203.0.113.7"
    assert request.scheme == "https"
    assert request.raw is raw
    assert HttpRequest[Order](raw).body == Order(article="book")


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_request_has_everything(kind: Any) -> None:
    request = HttpRequest(http_event(kind=kind))
    assert (request.method, request.path, request.root_path) == ("GET", "/", "/prod" if kind == "rest" else "")
    assert (request.content, request.text, request.body) == (b"", "", b"")
    assert (dict(request.query), request.cookies, request.stage_variables) == ({}, {}, {})
    assert not request.identity
    assert request.protocol == "HTTP/1.1"


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_the_shortcut_to_the_kind_never_differs_from_the_table(sample: Sample) -> None:
    event = sample.parsed()
    kind = outer_kind(event)
    assert http_kind(event) == (kind if kind in SOURCES else None)


@pytest.mark.parametrize("sample", [one for one in SAMPLES if one.kind in SOURCES], ids=repr)
def test_every_recorded_request_can_be_read(sample: Sample) -> None:
    request = HttpRequest(sample.parsed())
    for name in dir(HttpRequest):
        if isinstance(getattr(HttpRequest, name), property) and name != "text":  # which some are not
            getattr(request, name)
    assert request.method.isupper()
    assert request.raw_path.startswith("/")
    assert "?" not in request.raw_path


def test_what_is_no_request_is_refused_by_its_kind() -> None:
    with pytest.raises(EventValidationError, match=r"no HTTP request but of the kind 'sqs.standard'"):
        HttpRequest(sqs_event("x"))
    events: list[Any] = [authorizer_event(), None, [], {"a": 1}]
    for event in events:
        with pytest.raises(EventValidationError):
            HttpRequest(event)


def test_a_stage_in_the_path_is_the_root_path() -> None:
    raw = http_event("GET", "/dev/orders")
    raw["requestContext"]["stage"] = "dev"
    assert (HttpRequest(raw).path, HttpRequest(raw).root_path) == ("/orders", "/dev")
    raw["rawPath"] = "/dev"
    assert (HttpRequest(raw).path, HttpRequest(raw).root_path) == ("/", "/dev")
    raw["rawPath"] = "/developers"
    assert (HttpRequest(raw).path, HttpRequest(raw).root_path) == ("/developers", "")
    rest = http_event("GET", "/orders", kind="rest")
    assert (HttpRequest(rest).path, HttpRequest(rest).root_path) == ("/orders", "/prod")
    rest["requestContext"]["path"] = "/orders"  # a custom domain
    assert HttpRequest(rest).root_path == ""


def test_claims_and_principals_of_every_authorizer_are_one_identity() -> None:
    for kind in ("http_api", "rest"):
        identity = HttpRequest(http_event(claims={"sub": "ada", "scope": "a b"}, kind=kind)).identity
        assert (identity.principal, identity.claims["sub"], identity.scopes) == ("ada", "ada", ("a", "b"))
        assert identity
    lambda_v2 = http_event()
    lambda_v2["requestContext"]["authorizer"] = {"lambda": {"tenant": 7}}
    assert HttpRequest(lambda_v2).identity.context == {"tenant": 7}
    lambda_v1 = http_event(kind="rest")
    lambda_v1["requestContext"]["authorizer"] = {"principalId": "p", "integrationLatency": 3, "tenant": "7"}
    identity = HttpRequest(lambda_v1).identity
    assert (identity.principal, identity.context) == ("p", {"tenant": "7"})
    signed = http_event(kind="function_url")
    signed["requestContext"]["authorizer"] = {"iam": {"userArn": "arn:aws:iam::1:user/ada"}}
    assert HttpRequest(signed).identity.principal == "arn:aws:iam::1:user/ada"
    lattice = http_event(kind="lattice")
    lattice["requestContext"]["identity"]["principal"] = "arn:p"
    assert HttpRequest(lattice).identity.user_arn == "arn:p"
    keyed = http_event(kind="rest")
    keyed["requestContext"]["identity"]["apiKeyId"] = "k"
    assert HttpRequest(keyed).identity.api_key_id == "k"
    assert repr(HttpRequest(keyed).identity) == "Identity(None)"


def test_the_route_and_its_parameters_are_there() -> None:
    request = HttpRequest(http_event("GET", "/orders/7", path_parameters={"id": "7"}, kind="rest"))
    assert (request.path_parameters, request.stage, request.route) == ({"id": "7"}, "prod", "/{proxy+}")
    request = HttpRequest(http_event("GET", "/orders/7"))
    assert (request.stage, request.route) == ("$default", "$default")
    assert request.request_id
    assert HttpRequest(http_event(kind="alb")).stage is None
    assert "GET /orders/7 by apigw_http_v2" in repr(request)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_arrive_as_bytes(kind: Any) -> None:
    data = bytes(range(256))
    request = HttpRequest(http_event("PUT", "/", body=data, kind=kind))
    assert (request.content, request.body) == (data, data)
    with pytest.raises(HttpError, match=r"400 Bad Request: The body is not UTF-8 at byte 128\."):
        _ = request.text
    with pytest.raises(HttpError, match="400"):
        request.json()


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_a_bad_request(kind: Any) -> None:
    raw = http_event("PUT", "/", body=b"abc", kind=kind)
    raw["body"] = "*?"
    with pytest.raises(HttpError, match="400 Bad Request: The body is not the base64"):
        _ = HttpRequest(raw).content


def test_a_form_is_read_with_its_repetitions() -> None:
    request = HttpRequest(http_event("POST", "/", body=b"a=1&a=%2B&b=x+y"))
    assert request.form().pairs() == [("a", "1"), ("a", "+"), ("b", "x y")]


def test_a_typed_body_may_be_absent_only_where_its_type_says_so() -> None:
    raw = http_event("POST")
    assert HttpRequest[Order | None](raw).body is None
    assert HttpRequest[str](raw).body == ""
    assert HttpRequest[dict[str, Any]](raw).body == {}
    with pytest.raises(HttpError, match="422"):
        _ = HttpRequest[Order](raw).body


def test_a_compressed_body_is_inflated_for_its_type_and_not_for_bytes() -> None:
    import gzip

    packed = gzip.compress(b'{"article": "book"}')
    raw = http_event("POST", body=packed)
    assert HttpRequest[Order](raw).body == Order(article="book")
    assert HttpRequest(raw).body == packed


def test_an_event_whose_template_left_an_object_as_the_body_is_read_as_its_json() -> None:
    raw = http_event("POST")
    raw["body"] = {"article": "book"}
    assert HttpRequest[Order](raw).body == Order(article="book")


def test_a_body_type_must_be_named_itself() -> None:
    with pytest.raises(TypeError, match="name the type itself"):
        HttpRequest["Order"]


def test_header_bytes_beyond_ascii_are_kept() -> None:
    raw = http_event(headers={"x-name": "Zoë", "x-latin": "\xff"})
    assert HttpRequest(raw).headers["x-name"] == "Zoë"
    assert base64.b64encode(HttpRequest(raw).headers["x-latin"].encode("latin-1")) == b"/w=="
