"""Responses in the form of each front."""

import base64
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import HttpResponse
from handlerkit.http.mapping import UnsendableError, answer_of, prelude_of
from handlerkit.http.response import response_from

KINDS = ["apigw_rest", "apigw_http_v2", "function_url", "alb.single", "alb.multi", "vpc_lattice.v1", "vpc_lattice.v2"]


class Order(BaseModel):
    article: str


@dataclass
class Point:
    x: int


def test_each_front_gets_repeated_headers_and_cookies_in_its_own_way() -> None:
    response = HttpResponse("ok", 201, {"X-Tag": ["a", "b"], "X-One": "1"}, cookies=["a=1", "b=2"])
    assert answer_of(response, "apigw_rest") == {
        "statusCode": 201,
        "headers": {"X-One": "1", "content-type": "text/plain; charset=utf-8"},
        "multiValueHeaders": {"X-Tag": ["a", "b"], "set-cookie": ["a=1", "b=2"]},
        "body": "ok",
        "isBase64Encoded": False,
    }
    assert answer_of(response, "function_url") == {
        "statusCode": 201,
        "headers": {"X-Tag": "a, b", "X-One": "1", "content-type": "text/plain; charset=utf-8"},
        "cookies": ["a=1", "b=2"],
        "body": "ok",
        "isBase64Encoded": False,
    }
    multi = answer_of(response, "alb.multi")
    assert multi["multiValueHeaders"]["X-Tag"] == ["a", "b"]
    assert multi["multiValueHeaders"]["set-cookie"] == ["a=1", "b=2"]
    assert multi["statusDescription"] == "201 Created"
    assert "headers" not in multi
    for kind in ("alb.single", "vpc_lattice.v2"):
        single = answer_of(response, kind)
        assert single["headers"]["X-Tag"] == "a, b"
        assert (single["headers"]["set-cookie"], single["headers"]["Set-cookie"]) == ("a=1", "b=2")
        assert single["statusDescription"] == "201 Created"


@pytest.mark.parametrize(
    ("result", "status", "body", "content_type"),
    [
        ("text", 200, "text", "text/plain; charset=utf-8"),
        (b"bytes", 200, "bytes", "application/octet-stream"),
        (None, 204, "", None),
        ({"a": 1}, 200, '{"a":1}', "application/json"),
        ([1], 200, "[1]", "application/json"),
        (True, 200, "true", "application/json"),
        (Order(article="book"), 200, '{"article":"book"}', "application/json"),
        (Point(1), 200, '{"x":1}', "application/json"),
        ((404, "no"), 404, "no", "text/plain; charset=utf-8"),
        ((201, {"a": 1}), 201, '{"a":1}', "application/json"),
        ((1, 2, 3), 200, "[1,2,3]", "application/json"),
        (HttpResponse("<p>", HTTPStatus.ACCEPTED, content_type="text/html"), 202, "<p>", "text/html"),
        (HttpResponse("<p>", headers=[("Content-Type", "text/html")]), 200, "<p>", "text/html"),
        ({"statusCode": "418", "body": "tea"}, 418, "tea", "application/json"),
        ({"statusCode": 200, "body": "//8=", "isBase64Encoded": True}, 200, "//8=", "application/json"),
    ],
)
def test_every_form_of_result_is_a_response(result: Any, status: int, body: str, content_type: str | None) -> None:
    answer = answer_of(response_from(result), "apigw_http_v2")
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert (answer["statusCode"], answer["body"], headers.get("content-type")) == (status, body, content_type)


def test_a_proxy_response_written_for_one_front_is_mapped_to_another() -> None:
    result = {
        "statusCode": 200,
        "headers": {"X-One": "1", "x-two": "lost"},
        "multiValueHeaders": {"X-Two": ["a", "b"]},
        "cookies": ["c=1"],
        "body": "x",
    }
    assert answer_of(response_from(result), "alb.multi")["multiValueHeaders"] == {
        "X-Two": ["a", "b"], "X-One": ["1"], "content-type": ["application/json"], "set-cookie": ["c=1"],
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_no_text_travel_as_base64(kind: str) -> None:
    for data in (b"\x89PNG\r\n", b"nul\0"):
        answer = answer_of(HttpResponse(data, content_type="image/png"), kind)
        assert answer["isBase64Encoded"]
        assert base64.b64decode(answer["body"]) == data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(headers={"X": "a\r\nSet-Cookie: evil=1"}),
        HttpResponse(headers={"X": "a\nb"}),
        HttpResponse(headers={"X": "a\0b"}),
        HttpResponse(headers={"X\r\nY": "a"}),
        HttpResponse(headers={"": "a"}),
        HttpResponse(headers={"X Y": "a"}),
        HttpResponse(headers={"X": {}}),  # type: ignore[arg-type]
        HttpResponse(headers={"X": "€"}),
        HttpResponse(cookies=["a=1\r\nX: y"]),
        HttpResponse("x", content_type="text/html\r\nX: y"),
        HttpResponse(status=99),
        HttpResponse(status=600),
        HttpResponse(status="200"),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_what_no_front_could_send_is_refused(kind: str, response: HttpResponse) -> None:
    with pytest.raises(UnsendableError):
        answer_of(response, kind)
    with pytest.raises(UnsendableError):
        prelude_of(response)


def test_numbers_and_booleans_may_be_header_values() -> None:
    response = HttpResponse(headers=[("X-N", 7), ("X-B", True)])  # type: ignore[list-item]
    assert answer_of(response, "function_url")["headers"] == {"X-N": "7", "X-B": "true"}


def test_headers_of_the_connection_are_left_to_it() -> None:
    response = HttpResponse(
        "x", headers={"Connection": "close", "Content-Length": "99", "Transfer-Encoding": "chunked"}
    )
    assert set(answer_of(response, "function_url")["headers"]) == {"content-type"}
    assert answer_of(response, "function_url", "HEAD")["headers"]["Content-Length"] == "99"


def test_a_response_over_the_fronts_limit_is_refused() -> None:
    answer_of(HttpResponse("x" * 1_000_000), "alb.single")
    with pytest.raises(UnsendableError, match=r"1048\d+ bytes as JSON, more than the 1048576"):
        answer_of(HttpResponse("x" * 1024 * 1024), "alb.single")
    answer_of(HttpResponse("x" * 6_000_000), "function_url")
    with pytest.raises(UnsendableError, match="more than"):
        answer_of(HttpResponse(b"\xff" * 5_000_000), "function_url")
    with pytest.raises(UnsendableError, match="more than"):
        answer_of(HttpResponse("\x01" * 2_000_000), "function_url")  # JSON escapes each with six characters


def test_too_many_cookies_for_a_front_without_lists_are_refused() -> None:
    cookies = [f"c{number}=1" for number in range(513)]
    assert len(answer_of(HttpResponse(cookies=cookies[:512]), "alb.single")["headers"]) == 512
    with pytest.raises(UnsendableError, match="more than 512 cookies"):
        answer_of(HttpResponse(cookies=cookies), "alb.single")
    assert len(answer_of(HttpResponse(cookies=cookies), "alb.multi")["multiValueHeaders"]["set-cookie"]) == 513


def test_the_prelude_of_a_stream_is_json_and_eight_nuls() -> None:
    response = HttpResponse(status=201, headers={"X": ["a", "b"], "Content-Length": "9"}, cookies=["a=1"])
    text, nuls, rest = prelude_of(response).partition(bytes(8))
    assert (nuls, rest) == (bytes(8), b"")
    headers = {"X": "a, b", "content-type": "application/octet-stream"}
    assert json.loads(text) == {"statusCode": 201, "headers": headers, "cookies": ["a=1"]}
    with pytest.raises(UnsendableError, match="more than 65536"):
        prelude_of(HttpResponse(headers={"X": "x" * 70_000}))


def test_a_cookie_is_written_with_what_browsers_expect() -> None:
    response = HttpResponse()
    response.set_cookie("session", "s1", max_age_s=60, domain="example.com")
    response.set_cookie("theme", "dark", path=None, secure=False, http_only=False, same_site=None)
    assert response.cookies == [
        "session=s1; Max-Age=60; Path=/; Domain=example.com; SameSite=Lax; Secure; HttpOnly",
        "theme=dark",
    ]
    for name, value in [("", "x"), ("a;b", "x"), ("a", "x;y"), ("a", "x\r\ny"), ("a=b", "c")]:
        with pytest.raises(ValueError, match="neither name nor value"):
            response.set_cookie(name, value)
    assert repr(response) == "<HttpResponse 200 of a NoneType>"
