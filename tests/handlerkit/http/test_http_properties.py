"""Round trips: what a client sends is what a handler reads, what it answers is what the client gets, by any front."""

import json
from typing import Any
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from handlerkit import HttpRequest, HttpResponse, asgi_handler, http_handler
from handlerkit.http.asgi_scope import http_scope
from lambda_emulator.http_front_kinds import FRONTS
from lambda_emulator.http_front_request import FrontRequest
from lambda_emulator.http_front_response import response_of
from lambda_emulator.http_message import Request
from lambda_emulator.http_route import HttpRoute, find_route
from lambda_emulator.waiting import Signal

KINDS = list(FRONTS)
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
VALUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), max_size=12)
PATH = st.lists(
    st.sampled_from(["orders", "..", ".", "%2F", "%2e%2e", "a%20b", "%C3%A4", "+", "%FF", "", "x;y", "@", "%25"]),
    max_size=5,
).map(lambda parts: "/" + "/".join(parts))
QUERY = st.lists(
    st.sampled_from(["a=1", "a=2", "b", "b=", "c=%26", "d=x+y", "d=x%20y", "e=%C3%A4", "=z", "f=a=b", "g=%FF"]),
    max_size=5,
).map("&".join)
BODY = st.one_of(
    st.binary(max_size=64), st.text(max_size=32).map(str.encode), st.just(b'{"a": 1}'), st.just(b"\x1f\x8b no gzip")
)
METHOD = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PURGE"])
HEADERS = st.lists(st.tuples(st.builds("x-{}".format, TOKEN), VALUE), max_size=5)
COOKIES = st.lists(st.tuples(TOKEN, st.text("abc=%&", max_size=6)), max_size=3, unique_by=lambda pair: pair[0])
TYPES = st.sampled_from(["application/json", "text/plain", "image/png", "application/octet-stream", ""])
# What a front itself forgets cannot be expected of a request that comes through it.
KEEPS_HEADERS = ("rest", "alb_multi", "lattice")
KEEPS_QUERY_ORDER = ("function_url", "http_api", "lattice_v1")


@st.composite
def requests(draw: st.DrawFn) -> Request:
    headers = [("Host", "shop.example.com"), *draw(HEADERS)]
    if cookies := draw(COOKIES):
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
    if kind := draw(TYPES):
        headers.append(("Content-Type", kind))
    body = draw(BODY)
    return Request(
        method=draw(METHOD), path=draw(PATH), query=draw(QUERY), headers={}, body=body, body_bytes=len(body),
        trailers={}, truncated=False, captures={}, disconnected=Signal(), header_list=tuple(headers),
        peer=("203.0.113.7", 1234),
    )  # fmt: skip


def through(kind: Any, request: Request) -> tuple[FrontRequest, dict[str, Any]]:
    """The front's own view, and the event that reaches the function."""
    route = HttpRoute(function_name="f", kind=kind, binary_media_types=("*/*",) if kind == "rest" else ())
    matched = find_route([route], request.method, request.path)
    assert matched is not None
    asked = FrontRequest.of(request, matched)
    return asked, json.loads(json.dumps(FRONTS[kind].event(asked)))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(KINDS), requests())
def test_a_request_arrives_as_it_was_sent(kind: str, sent: Request) -> None:
    _, event = through(kind, sent)
    request = HttpRequest(event)
    assert request.method == sent.method
    assert request.raw_path == sent.path
    query = parse_qsl(sent.query, keep_blank_values=True, errors="replace")
    if kind in KEEPS_QUERY_ORDER:
        assert request.query.pairs() == query
        assert request.raw_query == sent.query
    elif kind == "alb":
        assert dict(request.query) == dict(query)
    else:
        assert sorted(request.query.pairs()) == sorted(query)
    by_name: dict[str, list[str]] = {}
    for name, value in sent.header_list:
        by_name.setdefault(name.lower(), []).append(value)
    for name, values in by_name.items():
        if name == "cookie":
            continue
        if kind in KEEPS_HEADERS:
            assert request.headers.get_all(name) == values
        elif kind == "alb":
            assert request.headers[name] == values[-1]
        else:
            assert request.headers[name] == ",".join(values)
    wanted = dict(pair.split("=", 1) for line in by_name.get("cookie", []) for pair in line.split("; "))
    assert request.cookies == wanted
    has_type = "content-type" in by_name
    if kind != "rest" or has_type or _is_utf8(sent.body):  # else it is text to a REST API
        assert request.content == sent.body
    assert request.client_ip == "203.0.113.7"


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), requests())
def test_the_scope_of_an_application_is_the_request(kind: str, sent: Request) -> None:
    _, event = through(kind, sent)
    request = HttpRequest(event)
    scope = http_scope(request, None, {}, None)
    assert scope["method"] == sent.method
    assert scope["raw_path"].decode("latin-1") == sent.path
    assert scope["path"] == request.path
    pairs = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    assert {name.decode() for name, _ in pairs} == {name.lower() for name in request.headers} - {"cookie"}
    for name in request.headers:
        if name.lower() != "cookie":
            values = [value.decode("latin-1") for key, value in pairs if key == name.lower().encode()]
            assert values == request.headers.get_all(name)
    cookies = [value.decode() for name, value in scope["headers"] if name == b"cookie"]
    assert cookies == ([request.cookie_header] if request.cookie_header else [])
    assert (scope["scheme"], scope["server"][0]) == (request.scheme, request.host)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


RESPONSES = st.builds(
    HttpResponse,
    st.one_of(BODY, st.text(max_size=20), st.none(), st.lists(st.integers(), max_size=3)),
    st.integers(200, 599),
    st.lists(st.tuples(st.builds("X-{}".format, TOKEN), VALUE.filter(bool)), max_size=5),
    cookies=st.lists(st.builds("{}={}".format, TOKEN, TOKEN), max_size=4),
    content_type=st.one_of(st.none(), TYPES.filter(bool)),
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(KINDS), requests(), RESPONSES)
def test_a_response_reaches_the_client_as_it_was_made(kind: str, sent: Request, response: HttpResponse) -> None:
    sent = Request(
        method="GET", path=sent.path, query="", headers={}, body=b"", body_bytes=0, trailers={}, truncated=False,
        captures={}, disconnected=Signal(), header_list=(("Accept", "image/png"),),
    )  # fmt: skip
    asked, event = through(kind, sent)
    handler = http_handler(lambda request: response)
    raw = handler.__lambda_raw__(json.dumps(event).encode(), None)
    assert json.loads(raw) == handler(event)
    made = response_of(FRONTS[kind].parts(raw, asked))
    assert made.status == response.status
    body = response.body
    expected = body if isinstance(body, bytes) else (body.encode() if isinstance(body, str) else None)
    if body is None:
        expected = b""
    elif expected is None:
        expected = json.dumps(body, separators=(",", ":")).encode()
    assert made.body == expected
    got: dict[str, list[str]] = {}
    for name, value in made.headers:
        got.setdefault(name.lower(), []).append(value if isinstance(value, str) else value.decode())
    assert got.get("set-cookie", []) == response.cookies
    wanted: dict[str, list[str]] = {}
    for name, value in response.headers:
        wanted.setdefault(name.lower(), []).append(value.strip())
    for name, values in wanted.items():
        split = [one.strip() for line in got[name] for one in line.split(", ")]
        assert split == values
    if response.content_type is not None:
        assert got["content-type"] == [response.content_type]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), requests(), st.lists(st.binary(max_size=20), max_size=4), st.integers(200, 599))
def test_an_application_gets_and_gives_bytes_by_both_ways_in(
    kind: str, sent: Request, parts: list[bytes], status: int
) -> None:
    _, event = through(kind, sent)
    received = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        received.append((await receive())["body"])
        await send({"type": "http.response.start", "status": status, "headers": [(b"x", b"1"), (b"x", b"2")]})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    handler = asgi_handler(app, lifespan="off")
    parsed = handler(event)
    assert json.loads(handler.__lambda_raw__(json.dumps(event).encode(), None)) == parsed
    assert received[0] == received[1] == HttpRequest(event).content
    assert parsed["statusCode"] == status
    assert HttpRequest({**event, **_body_of(parsed, kind)}).content == b"".join(parts)


def _body_of(answer: dict[str, Any], kind: str) -> dict[str, Any]:
    flag = "is_base64_encoded" if kind == "lattice_v1" else "isBase64Encoded"
    return {"body": answer["body"], flag: answer["isBase64Encoded"]}
