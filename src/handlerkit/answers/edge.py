"""Lambda@Edge: the request on its way on, a response made here, or the response on its way back.

Headers that CloudFront keeps to itself, and sizes, are checked here; CloudFront answers 502 for them and says nothing.
Facts: the developer guide's "Restrictions on edge functions" and "Quotas on Lambda@Edge".
"""

from __future__ import annotations

from .answer import Answer, AnswerError, size_in_bytes, want_object

__all__ = ["EdgeRequest", "EdgeResponse", "changed_request", "changed_response", "checked", "made_response"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# Not shown to functions, and not to be added by them. A hyphen at the end stands for all names that begin so.
DISALLOWED = (
    "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "trailer",
    "upgrade", "x-accel-buffering", "x-accel-charset", "x-accel-limit-rate", "x-accel-redirect", "x-amz-cf-",
    "x-amzn-auth", "x-amzn-cf-billing", "x-amzn-cf-id", "x-amzn-cf-xff", "x-amzn-errortype", "x-amzn-fle-profile",
    "x-amzn-header-count", "x-amzn-header-order", "x-amzn-lambda-integration-tag", "x-amzn-requestid", "x-cache",
    "x-edge-", "x-forwarded-proto", "x-real-ip",
)  # fmt: skip
# To be read and left alone, by the moment that the function runs at.
READ_ONLY = {
    "viewer-request": ("content-length", "host", "transfer-encoding", "via"),
    "origin-request": (
        "accept-encoding", "content-length", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "transfer-encoding", "via",
    ),
    "origin-response": ("transfer-encoding", "via"),
    "viewer-response": ("content-encoding", "content-length", "transfer-encoding", "warning", "via"),
}  # fmt: skip
MAX_VIEWER_BYTES = 40 * 1024
MAX_ORIGIN_BYTES = 1024 * 1024


class EdgeRequest(Answer):
    """A request that goes on: `event.pass_on(…)`."""

    __slots__ = ()


class EdgeResponse(Answer):
    """A response: `event.respond(…)` in request events, `event.pass_back(…)` in response events."""

    __slots__ = ()


def changed_request(
    raw: dict[str, Any],
    headers: Mapping[str, str | None],
    changes: Mapping[str, Any],
) -> EdgeRequest:
    """A copy of the request with other headers (None removes one), and other members where they are not None."""
    request = EdgeRequest(raw)
    request["headers"] = _with_headers(raw.get("headers"), headers)
    request.update((key, value) for key, value in changes.items() if value is not None)
    return request


def changed_response(
    raw: dict[str, Any],
    headers: Mapping[str, str | None],
    status: int | None,
    body: str | bytes | None,
) -> EdgeResponse:
    """A copy of the response with other headers (None removes one), status or body."""
    response = EdgeResponse(raw)
    response["headers"] = _with_headers(raw.get("headers"), headers)
    if status is not None:
        response["status"] = str(status)
        response["statusDescription"] = _words(status)
    if body is not None:
        response.update(_body(body))
    return response


def made_response(
    status: int, body: str | bytes | None, headers: Mapping[str, str], cookies: Iterable[str]
) -> EdgeResponse:
    """A response that is made here."""
    response = EdgeResponse(status=str(status), statusDescription=_words(status))
    made = _with_headers(None, headers)
    if listed := [{"key": "Set-Cookie", "value": cookie} for cookie in cookies]:
        made["set-cookie"] = listed
    response["headers"] = made
    if body is not None:
        response.update(_body(body))
    return response


def _body(body: str | bytes) -> dict[str, str]:
    if isinstance(body, str):
        return {"body": body, "bodyEncoding": "text"}
    from binascii import b2a_base64

    return {"body": b2a_base64(body, newline=False).decode(), "bodyEncoding": "base64"}


def _with_headers(came: Any, wanted: Mapping[str, str | None]) -> dict[str, Any]:
    made = dict(came or {})
    for name, value in wanted.items():
        if value is None:
            made.pop(name.lower(), None)
        else:
            made[name.lower()] = [{"key": name, "value": value}]
    return made


def _words(status: int) -> str:
    from http import HTTPStatus  # late: 5 ms

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what CloudFront would answer 502 for."""
    answer = want_object(result, "CloudFront", "return event.pass_on(), event.respond(...) or event.pass_back()")
    moment = event.event_type or ("origin-response" if event.response is not None else "origin-request")
    is_response = "status" in answer
    if moment.endswith("-response") and not is_response:
        raise AnswerError(f"a function at {moment} has to return the response: event.pass_back(...)")
    if not is_response and "uri" not in answer:
        raise AnswerError("the answer is neither a request (it has no uri) nor a response (it has no status)")
    came = (event.response if moment.endswith("-response") else event.request).raw
    generated = is_response and not moment.endswith("-response")
    _check_headers(moment, {} if generated else came.get("headers") or {}, answer.get("headers") or {}, generated)
    if is_response:
        _check_response(moment, came, answer)
    else:
        _check_uri(answer)
    limit = MAX_VIEWER_BYTES if moment.startswith("viewer") else MAX_ORIGIN_BYTES
    if generated and (size := size_in_bytes(answer)) > limit:
        raise AnswerError(f"the response has {size} bytes, of {limit} that a function at {moment} may make")
    return answer


def _check_uri(answer: dict[str, Any]) -> None:
    uri = answer["uri"]
    if not isinstance(uri, str) or not uri.startswith("/") or "?" in uri:
        raise AnswerError(f"uri has to be a path that begins with / and has no query, not {uri!r:.100}")


def _check_response(moment: str, came: dict[str, Any], answer: dict[str, Any]) -> None:
    status = str(answer["status"])
    if not (status.isdecimal() and len(status) == 3):
        raise AnswerError(f"status has to be a text of three digits, not {answer['status']!r:.50}")
    if moment == "viewer-response":
        if status != str(came.get("status")):
            raise AnswerError("a function at viewer-response cannot change the status")
        if "body" in answer:
            raise AnswerError("a function at viewer-response cannot replace the body")
    if answer.get("bodyEncoding", "text") not in ("text", "base64"):
        raise AnswerError(f"bodyEncoding is text or base64, not {answer['bodyEncoding']!r:.50}")


def _check_headers(moment: str, came: dict[str, Any], headers: dict[str, Any], generated: bool) -> None:
    for name, values in headers.items():
        _check_shape(name, values)
        if name.lower() not in came and _is_disallowed(name.lower()):
            raise AnswerError(f"CloudFront keeps the header {name!r} to itself: leave it out")
    if generated:
        return
    for name in READ_ONLY.get(moment, ()):
        if came.get(name) != headers.get(name):
            raise AnswerError(f"the header {name!r} cannot be changed at {moment}: leave it as it came")


def _is_disallowed(name: str) -> bool:
    return any(name == one or (one[-1] == "-" and name.startswith(one)) for one in DISALLOWED)


def _check_shape(name: str, values: Any) -> None:
    if not isinstance(values, list) or not all(
        isinstance(one, dict) and isinstance(one.get("value"), str) for one in values
    ):
        raise AnswerError(f'the header {name!r} has to be a list of {{"key": …, "value": …}} with texts')
    for one in values:
        if any(sign in one["value"] for sign in "\r\n\0"):
            raise AnswerError(f"the header {name!r} has a line break in its value")
        if str(one.get("key", name)).lower() != name.lower():
            raise AnswerError(f"the header under {name!r} has the key {one['key']!r:.60}")
