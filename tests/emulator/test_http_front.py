"""Requests of a real client through every front and back, row by row of what AWS does."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lambda_emulator import FunctionConfiguration, HttpFront, HttpRoute, LocalLambda

KINDS = ["function_url", "http_api", "rest", "alb", "alb_multi", "lattice", "lattice_v1"]

# Answers with the event, or with what the request's body says, which may be a failure.
MIRROR = """
import base64, json, time

def handler(event, context):
    body = event.get("body") or ""
    if event.get("isBase64Encoded") or event.get("is_base64_encoded"):
        body = base64.b64decode(body).decode("latin-1")
    if body.startswith("return "):
        return json.loads(body[7:])
    if body == "raise":
        raise ValueError("a secret reason")
    if body == "sleep":
        time.sleep(5)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)} \
        if "multiValueHeaders" not in event or "resource" in event else \
        {"statusCode": 200, "multiValueHeaders": {"content-type": ["application/json"]}, "body": json.dumps(event)}
"""

STREAMS = """
from runtime import StreamingResponse

def handler(event, context):
    path = event["rawPath"]
    if path == "/plain":
        return {"statusCode": 201}
    if path == "/bare":
        return (part for part in ("a", "b"))
    if path == "/broken":
        return StreamingResponse(broken(), status_code=200)
    if path == "/bad":
        return Bad()
    if path == "/failing":
        raise ValueError("a secret reason")
    cookies = ["a=1", "b=2"]
    return StreamingResponse(parts(), status_code=201, headers={"X-Id": "7"}, cookies=cookies)

def parts():
    yield "one "
    yield "two"

def broken():
    yield "one"
    raise ValueError("later")

class Bad:
    def __lambda_stream__(self):
        return "application/vnd.awslambda.http-integration-response", b"no json" + bytes(8), [b"x"]
"""


@pytest.fixture
def serve(task_root: Path) -> Iterator[Callable[..., HttpFront]]:
    """A front of a function of this program; one kind of front, or the routes given."""
    services: list[LocalLambda] = []

    def start(kind: str = "function_url", program: str = MIRROR, **fields: Any) -> HttpFront:
        (task_root / "app.py").write_text(program)
        function = FunctionConfiguration(handler="app.handler", task_root=task_root, timeout_s=30, memory_mb=256)
        services.append(LocalLambda(function))
        front = HttpFront(services[-1], [HttpRoute(function_name="function", kind=kind, **fields)])  # type: ignore[arg-type]
        front.start()
        return front

    yield start
    for service in services:
        service.close()


@contextmanager
def client(front: HttpFront) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=front.url, timeout=30) as made:
        yield made


def sent(http: httpx.Client, *arguments: Any, **named: Any) -> dict[str, Any]:
    """The event that the function got."""
    response = http.request(*arguments, **named)
    assert response.status_code == 200, response.text
    event: dict[str, Any] = response.json()
    return event


def returned(http: httpx.Client, result: object, **headers: str) -> httpx.Response:
    """The response to a request whose function returns this."""
    return http.post("/", content=f"return {json.dumps(result)}", headers={"content-type": "text/plain", **headers})


def test_a_function_url_writes_payload_format_2(serve: Callable[..., HttpFront]) -> None:
    with client(serve()) as http:
        headers = [("X-Tag", "a"), ("x-tag", "b"), ("Cookie", "s=1; t=2"), ("X-Forwarded-For", "1.2.3.4")]
        event = sent(http, "POST", "/pa2%2Fth/1?tag=a&tag=b%20c&empty=", content=b"text", headers=headers)
    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"]) == ("/pa2%2Fth/1", "tag=a&tag=b%20c&empty=")
    assert event["queryStringParameters"] == {"tag": "a,b c", "empty": ""}
    assert event["headers"]["x-tag"] == "a,b"
    assert event["cookies"] == ["s=1", "t=2"]
    assert event["headers"]["cookie"] == "s=1; t=2"
    assert event["headers"]["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert "connection" not in event["headers"]
    assert (event["body"], event["isBase64Encoded"]) == ("text", False)
    assert "pathParameters" not in event
    context = event["requestContext"]
    assert (context["accountId"], context["stage"], context["routeKey"]) == ("anonymous", "$default", "$default")
    assert ".lambda-url." in context["domainName"]
    assert context["http"]["method"] == "POST"


def test_an_http_api_keeps_stage_parameters_and_cookies_apart(serve: Callable[..., HttpFront]) -> None:
    fields: dict[str, Any] = {"path": "/orders/{id}", "stage": "dev", "stage_in_path": True}
    claims = {"jwt": {"claims": {"sub": "ada"}, "scopes": None}}
    front = serve("http_api", **fields, stage_variables={"v": "1"}, authorizer=claims)
    with client(front) as http:
        event = sent(http, "GET", "/dev/orders/7%208", headers={"Cookie": "s=1"})
        assert http.get("/orders/7").json() == {"message": "Not Found"}
    assert event["rawPath"] == "/dev/orders/7%208"
    assert event["pathParameters"] == {"id": "7%208"}
    assert event["stageVariables"] == {"v": "1"}
    assert event["routeKey"] == "ANY /orders/{id}"
    assert event["cookies"] == ["s=1"]
    assert "cookie" not in event["headers"]
    assert "body" not in event
    assert event["requestContext"]["authorizer"] == claims


def test_a_rest_api_writes_payload_format_1(serve: Callable[..., HttpFront]) -> None:
    front = serve("rest", path="/files/{proxy+}", stage_in_path=True, binary_media_types=("image/*",))
    with client(front) as http:
        headers = [("X-Tag", "a"), ("X-Tag", "b"), ("user-agent", "me"), ("Content-Type", "image/png")]
        event = sent(http, "POST", "/prod/files/a%2Bb/?q=x+y&q=%2B", content=b"\xff\x00", headers=headers)
        empty = sent(http, "GET", "/prod/files/a")
        assert http.get("/files/a").json() == {"message": "Missing Authentication Token"}
    assert event["path"] == "/files/a%2Bb/"
    assert event["resource"] == "/files/{proxy+}"
    assert event["pathParameters"] == {"proxy": "a%2Bb"}
    assert event["multiValueQueryStringParameters"] == {"q": ["x y", "+"]}
    assert event["queryStringParameters"] == {"q": "+"}
    assert event["headers"]["X-Tag"] == "b"
    assert event["multiValueHeaders"]["X-Tag"] == ["a", "b"]
    assert event["headers"]["User-Agent"] == "me"
    assert not any(name.lower() == "content-length" for name in event["headers"])
    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"\xff\x00").decode(), True)
    assert event["requestContext"]["path"] == "/prod/files/a%2Bb/"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert (empty["body"], empty["queryStringParameters"], empty["isBase64Encoded"]) == (None, None, False)


def test_a_rest_api_takes_bytes_of_other_types_for_text(serve: Callable[..., HttpFront]) -> None:
    with client(serve("rest")) as http:
        event = sent(http, "POST", "/", content=b"\xffa", headers={"Content-Type": "image/png"})
    assert (event["body"], event["isBase64Encoded"]) == ("\ufffda", False)


def test_a_load_balancer_sends_single_values_undecoded(serve: Callable[..., HttpFront]) -> None:
    with client(serve("alb")) as http:
        event = sent(http, "GET", "/a%2Fb?q=1&q=x%20y", headers=[("X-Tag", "a"), ("X-Tag", "b")])
    assert set(event) == {
        "requestContext", "httpMethod", "path", "queryStringParameters", "headers", "body", "isBase64Encoded",
    }  # fmt: skip
    assert event["path"] == "/a%2Fb"
    assert event["queryStringParameters"] == {"q": "x%20y"}
    assert event["headers"]["x-tag"] == "b"
    assert event["body"] == ""
    assert "targetGroupArn" in event["requestContext"]["elb"]


def test_a_load_balancer_in_the_other_mode_sends_lists(serve: Callable[..., HttpFront]) -> None:
    with client(serve("alb_multi")) as http:
        event = sent(http, "POST", "/?q=1&q=x%20y", content=b"\x00\xff", headers=[("X-Tag", "a"), ("X-Tag", "b")])
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "x%20y"]}
    assert event["multiValueHeaders"]["x-tag"] == ["a", "b"]
    assert "headers" not in event
    assert event["isBase64Encoded"]


def test_lattice_writes_both_of_its_versions(serve: Callable[..., HttpFront]) -> None:
    with client(serve("lattice")) as http:
        event = sent(http, "GET", "/a?q=1&q=2", headers=[("X-Tag", "a"), ("X-Tag", "b")])
    assert event["queryStringParameters"] == {"q": ["1", "2"]}
    assert event["headers"]["x-tag"] == ["a", "b"]
    with client(serve("lattice_v1")) as http:
        event = sent(http, "GET", "/a?q=1&q=2", headers=[("X-Tag", "a"), ("X-Tag", "b")])
    assert event["raw_path"] == "/a?q=1&q=2"
    assert event["query_string_parameters"] == {"q": "2"}
    assert event["headers"]["x-tag"] == "a,b"


# --- responses --------------------------------------------------------------------------------------------------------


def test_a_function_url_makes_a_response_of_any_value(serve: Callable[..., HttpFront]) -> None:
    with client(serve()) as http:
        for result, text in [({"a": 1}, '{"a":1}'), ("hello", "hello"), (3.1, "3.1"), ([1, "ä"], '[1,"ä"]')]:
            response = returned(http, result)
            assert (response.status_code, response.text) == (200, text)
            assert response.headers["content-type"] == "application/json"
        response = returned(http, {"statusCode": "418", "cookies": ["a=1", "b=2"], "headers": {"X-N": 1, "X-B": True}})
        assert response.status_code == 418
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert (response.headers["x-n"], response.headers["x-b"]) == ("1", "true")
        assert response.headers["x-amzn-requestid"]
        assert returned(http, {"statusCode": 200, "body": "//8=", "isBase64Encoded": True}).content == b"\xff\xff"


BAD_EVERYWHERE: list[object] = [
    {"statusCode": "abc"},
    {"statusCode": 20},
    {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: evil=1"}},
    {"statusCode": 200, "headers": {"X\r\nY": "a"}},
    {"statusCode": 200, "headers": {"X": {}}},
    {"statusCode": 200, "headers": []},
    {"statusCode": 200, "body": {"a": 1}},
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_result_is_refused_as_the_front_refuses_it(serve: Callable[..., HttpFront], kind: str) -> None:
    refused = {
        "function_url": (502, "Internal Server Error"),
        "http_api": (500, '{"message":"Internal Server Error"}'),
        "rest": (502, '{"message":"Internal server error"}'),
    }
    status, text = refused.get(kind, (502, "502 Bad Gateway" if kind.startswith("alb") else "Bad Gateway"))
    front = serve(kind)
    results = BAD_EVERYWHERE
    if kind == "alb_multi":
        moved = json.loads(json.dumps(BAD_EVERYWHERE).replace('"headers"', '"multiValueHeaders"'))
        results = [*moved, {"statusCode": 200, "multiValueHeaders": {"X": ["a\nb"]}}]
    if kind in ("rest", "alb", "alb_multi", "lattice", "lattice_v1"):
        results = [*results, "text", [], 3]
    with client(front) as http:
        for result in results:
            response = returned(http, result)
            assert (response.status_code, text in response.text) == (status, True), (result, response.text)
        response = http.post("/", content="raise", headers={"content-type": "text/plain"})
        assert (response.status_code, "secret" in response.text) == (status, False)
        invalid = returned(http, {"statusCode": 200, "body": "*", "isBase64Encoded": True}, accept="image/png")
        assert invalid.status_code == (200 if kind == "rest" else status)
    assert len(front.refusals) >= len(results)


def test_a_rest_api_is_strict_about_keys_and_merges_headers(serve: Callable[..., HttpFront]) -> None:
    with client(serve("rest", binary_media_types=("image/*",))) as http:
        assert returned(http, {}).status_code == 200
        assert returned(http, {"headers": None}).headers["content-length"] == "0"
        assert returned(http, {"statusCode": 200, "cookies": []}).status_code == 502
        assert returned(http, {"statusCode": 200, "multiValueHeaders": {"X": "a"}}).status_code == 502
        assert returned(http, {"statusCode": 200, "headers": {"X": 1}}).status_code == 502
        merged = returned(http, {"headers": {"x-tag": "c"}, "multiValueHeaders": {"X-Tag": ["a", "b"]}})
        assert merged.headers.get_list("x-tag") == ["a", "b", "c"]
        binary = {"statusCode": 200, "body": "//8=", "isBase64Encoded": True}
        assert returned(http, binary, accept="image/png").content == b"\xff\xff"
        assert returned(http, binary, accept="text/html, image/png").text == "//8="
        bad = returned(http, {"statusCode": 200, "body": "*", "isBase64Encoded": True}, accept="image/png")
        assert (bad.status_code, bad.text) == (500, '{"message":"Internal server error"}')


def test_a_load_balancer_reads_headers_in_the_mode_of_the_request(serve: Callable[..., HttpFront]) -> None:
    both = {"statusCode": 200, "headers": {"X": "single"}, "multiValueHeaders": {"X": ["a", "b"]}}
    with client(serve("alb")) as http:
        assert returned(http, both).headers.get_list("x") == ["single"]
        made = returned(http, {"statusCode": 201, "statusDescription": "201 Made", "headers": {}})
        assert (made.status_code, made.reason_phrase) == (201, "Made")
        assert returned(http, {"statusCode": "200"}).status_code == 502
        assert returned(http, {"statusCode": 200, "statusDescription": "200 a\nb"}).status_code == 502
        assert returned(http, {"statusCode": 200, "body": "x" * 1024 * 1024}).status_code in (413, 502)
    with client(serve("alb_multi")) as http:
        assert returned(http, both).headers.get_list("x") == ["a", "b"]


def test_head_and_empty_statuses_have_no_body(serve: Callable[..., HttpFront]) -> None:
    with client(serve()) as http:
        response = http.request("HEAD", "/x")
        assert (response.status_code, response.content) == (200, b"")
        for status in (204, 304):
            response = returned(http, {"statusCode": status, "body": "ignored"})
            assert (response.status_code, response.content) == (status, b"")
        assert http.get("/still-open").status_code == 200


def test_a_body_over_the_limit_never_reaches_the_function(serve: Callable[..., HttpFront]) -> None:
    with client(serve("alb")) as http:
        response = http.post("/", content=b"x" * (1024 * 1024 + 1))
        assert (response.status_code, "413" in response.text) == (413, True)
    with client(serve("rest")) as http:  # under the API's limit, over Lambda's
        assert http.post("/", content=b"x" * (6 * 1024 * 1024)).json() == {"message": "Request Too Long"}


def test_a_front_that_has_waited_enough_answers_for_the_function(serve: Callable[..., HttpFront]) -> None:
    with client(serve("rest", timeout_s=0.2)) as http:
        response = http.post("/", content="sleep", headers={"content-type": "text/plain"})
    assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})


def test_curl_understands_it_all(serve: Callable[..., HttpFront]) -> None:
    front = serve()
    done = subprocess.run(
        ["curl", "-sS", "-i", "--path-as-is", "-d", "a=1", "-b", "s=1", f"{front.url}/a/../b%2F?x=1&x=2"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    head, _, body = done.stdout.partition("\n\n")
    assert head.startswith("HTTP/1.1 200")
    event = json.loads(body)
    assert (event["rawPath"], event["rawQueryString"], event["cookies"]) == ("/a/../b%2F", "x=1&x=2", ["s=1"])
    assert base64.b64decode(event["body"]) == b"a=1"  # a form is no text to this front


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_brings_status_headers_and_cookies_first(serve: Callable[..., HttpFront]) -> None:
    with client(serve(program=STREAMS, streamed=True)) as http:
        response = http.get("/page")
        assert (response.status_code, response.text) == (201, "one two")
        assert response.headers["x-id"] == "7"
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert response.headers["transfer-encoding"] == "chunked"
        bare = http.get("/bare")
        assert (bare.text, bare.headers["content-type"]) == ("ab", "application/octet-stream")
        # A result that is no stream is sent as it is: nothing looks for a statusCode in it.
        assert (http.get("/plain").status_code, http.get("/plain").text) == (200, '{"statusCode":201}')
        assert http.request("HEAD", "/page").content == b""


def test_a_stream_that_fails_is_refused_before_it_begins_and_cut_after(serve: Callable[..., HttpFront]) -> None:
    with client(serve(program=STREAMS, streamed=True)) as http:
        assert (http.get("/failing").status_code, http.get("/failing").text) == (502, "Internal Server Error")
        assert http.get("/bad").status_code == 502
        with http.stream("GET", "/broken") as response:
            pieces = response.iter_raw()
            assert (response.status_code, next(pieces)) == (200, b"one")
            with pytest.raises(httpx.RemoteProtocolError):
                next(pieces)


def test_a_front_closes_with_its_service_and_before(serve: Callable[..., HttpFront], task_root: Path) -> None:
    front = serve()
    assert httpx.get(front.url).status_code == 200
    front.close()
    front.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(front.url)


def test_a_taken_port_is_said_at_once(serve: Callable[..., HttpFront], task_root: Path) -> None:
    port = int(serve().url.rpartition(":")[2])
    with LocalLambda(FunctionConfiguration(handler="app.handler", task_root=task_root)) as service:
        other = HttpFront(service, [HttpRoute(function_name="function")], port=port)
        with pytest.raises(OSError, match="in use"):
            other.start()
