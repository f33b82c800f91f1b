"""Responses in the form of the front that asked: proxy responses, and the prelude of a streamed one. Pure.

A body that is UTF-8 travels as text, which every front sends on byte by byte; any other as base64. (A REST API decodes
base64 only where its binary media types say so.)
"""

from __future__ import annotations

import binascii

from .errors import phrase_of
from .response import BYTES, HttpResponse, body_bytes

__all__ = ["UnsendableError", "answer_of", "prelude_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Lambda's limit of a buffered response, and a load balancer's.
MAX_ANSWER_BYTES = {"alb.single": 1024 * 1024, "alb.multi": 1024 * 1024}
MAX_BYTES = 6 * 1024 * 1024
# What a JSON text can at most make of one character: \u0000.
MAX_ESCAPED = 6
# Status, headers and cookies ahead of a stream; the runtime's own limit.
MAX_PRELUDE_BYTES = 64 * 1024
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# What belongs to the connection between the client and its front, whatever a function says.
_FRAMING = frozenset(("connection", "keep-alive", "proxy-connection", "trailer", "transfer-encoding", "upgrade"))


class UnsendableError(ValueError):
    """A response that no front could send; the message says what is wrong with it."""


def answer_of(response: HttpResponse, kind: str, method: str = "GET") -> dict[str, Any]:
    """The function's result for a front of this kind. Raises `UnsendableError`."""
    body, form = body_bytes(response)
    pairs = _pairs(response, form, method)
    answer: dict[str, Any] = {"statusCode": _status(response)}
    if kind == "apigw_rest":
        _rest(answer, pairs)
    elif kind in ("apigw_http_v2", "function_url"):
        answer["headers"], cookies = _joined(pairs)
        if cookies:
            answer["cookies"] = cookies
    else:
        answer["statusDescription"] = f"{answer['statusCode']} {phrase_of(answer['statusCode'])}"
        if kind == "alb.multi":
            answer["multiValueHeaders"] = _lists(pairs)
        else:
            answer["headers"] = _single(pairs)
    answer["body"], answer["isBase64Encoded"] = _carried(body)
    limit = MAX_ANSWER_BYTES.get(kind, MAX_BYTES)
    if len(answer["body"]) * MAX_ESCAPED > limit:
        _check_size(answer, limit)
    return answer


def prelude_of(response: HttpResponse, method: str = "GET") -> bytes:
    """What goes ahead of a stream: JSON and eight NUL bytes. Raises `UnsendableError`."""
    from handlerkit.reply import encoded

    pairs = _pairs(response, BYTES, method)
    headers, cookies = _joined([pair for pair in pairs if pair[0].lower() != "content-length"])
    document: dict[str, Any] = {"statusCode": _status(response), "headers": headers}
    if cookies:
        document["cookies"] = cookies
    prelude = encoded(document)
    if len(prelude) > MAX_PRELUDE_BYTES:
        raise UnsendableError(f"status, headers and cookies take {len(prelude)} bytes, more than {MAX_PRELUDE_BYTES}")
    return prelude + bytes(8)


def _status(response: HttpResponse) -> int:
    status: Any = response.status
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise UnsendableError(f"status is {status!r:.40}, not a number from 200 to 599")
    return int(status)  # it may be an HTTPStatus


def _pairs(response: HttpResponse, form: str | None, method: str) -> list[tuple[str, str]]:
    """All headers, checked, cookies among them, with a content type where there is a body."""
    pairs = []
    has_type = False
    for name, value in response.headers:
        if isinstance(value, (bool, int, float)):
            value = str(value).lower()
        _check(name, value)
        lower = name.lower()
        if lower == "content-type":
            if response.content_type is not None:
                continue
            has_type = True
        if lower in _FRAMING or (lower == "content-length" and method != "HEAD"):
            continue
        pairs.append((name, value))
    kind = response.content_type if response.content_type is not None else None if has_type else form
    if kind is not None:
        _check("content-type", kind)
        pairs.append(("content-type", kind))
    for cookie in response.cookies:
        _check("set-cookie", cookie)
        pairs.append(("set-cookie", cookie))
    return pairs


def _check(name: Any, value: Any) -> None:
    if not isinstance(name, str) or not name or not _TOKEN.issuperset(name):
        raise UnsendableError(f"{name!r:.60} is no header's name")
    if not isinstance(value, str):
        raise UnsendableError(f"header {name!r:.60} is a {type(value).__name__}, not text")
    if "\r" in value or "\n" in value or "\0" in value:
        raise UnsendableError(f"header {name!r:.60} has a line break or NUL in its value")
    if not value.isascii():
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise UnsendableError(f"header {name!r:.60} has characters beyond Latin-1 in its value") from None


def _rest(answer: dict[str, Any], pairs: list[tuple[str, str]]) -> None:
    """Single values in one map, repeated ones in the other; never a name in both."""
    single: dict[str, str] = {}
    multiple: dict[str, list[str]] = {}
    for name, values in _lists(pairs).items():
        if len(values) == 1:
            single[name] = values[0]
        else:
            multiple[name] = values
    answer["headers"] = single
    if multiple:
        answer["multiValueHeaders"] = multiple


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each name, under its first spelling."""
    spelled: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(spelled.setdefault(name.lower(), name), []).append(value)
    return found


def _joined(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """Headers with repeated values joined, and the cookies, which must not be."""
    cookies = [value for name, value in pairs if name.lower() == "set-cookie"]
    rest = [pair for pair in pairs if pair[0].lower() != "set-cookie"]
    return {name: ", ".join(values) for name, values in _lists(rest).items()}, cookies


def _single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """One map for a front without lists: each cookie under a spelling of its own, which is one header to the client."""
    headers, cookies = _joined(pairs)
    for number, cookie in enumerate(cookies):
        headers[_spelling("set-cookie", number)] = cookie
    return headers


def _spelling(name: str, number: int) -> str:
    """The name in the number's pattern of capitals.

    >>> [_spelling("set-cookie", number) for number in (0, 1, 2, 3)]
    ['set-cookie', 'Set-cookie', 'sEt-cookie', 'SEt-cookie']
    """
    spelled = []
    for letter in name:
        if letter.isalpha():
            spelled.append(letter.upper() if number & 1 else letter)
            number >>= 1
        else:
            spelled.append(letter)
    if number:
        raise UnsendableError(f"more than {2 ** sum(map(str.isalpha, name))} cookies in one response")
    return "".join(spelled)


def _carried(body: bytes) -> tuple[str, bool]:
    if not body:
        return "", False
    if b"\0" not in body:  # which JSON would write with six characters
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return binascii.b2a_base64(body, newline=False).decode("ascii"), True


def _check_size(answer: dict[str, Any], limit: int) -> None:
    from handlerkit.reply import encoded

    size = len(encoded(answer))
    if size > limit:
        raise UnsendableError(f"the response has {size} bytes as JSON, more than the {limit} that the front takes")
