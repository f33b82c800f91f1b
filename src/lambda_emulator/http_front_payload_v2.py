"""Payload format 2.0 both ways: function URLs and HTTP APIs.

What does not apply is absent from the event. A function may return anything: an object with `statusCode` is a
response, every other value is the body of one.
"""

import json
from typing import Any

from lambda_emulator.http_front_request import ACCOUNT_ID, FrontRequest, joined, query_pairs
from lambda_emulator.http_front_response import BadResponse, Parts, body_of, header_text, parsed, status_of

__all__ = ["event_v2", "parts_v2"]

_JSON = ("content-type", "application/json")


def event_v2(request: FrontRequest) -> dict[str, Any]:
    """The event."""
    route = request.route
    is_url = route.kind == "function_url"
    headers = request.lower_headers()
    cookies = [part for name, value in headers if name == "cookie" for part in value.split("; ") if part]
    if not is_url:  # a function URL leaves them in the headers, too
        headers = [(name, value) for name, value in headers if name != "cookie"]
    path = request.path if is_url or route.stage == "$default" else f"/{route.stage}{request.path}"
    route_key = "$default" if is_url or route.path is None else f"{route.method} {route.path}"
    query = query_pairs(request.query)
    captures = dict(request.captures)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": joined(headers),
        **({"queryStringParameters": joined(query)} if query else {}),
        "requestContext": _context(request, route_key, path),
        **({"pathParameters": captures} if captures else {}),
        **({"stageVariables": dict(route.stage_variables)} if route.stage_variables else {}),
    }
    if request.body:
        event["body"], event["isBase64Encoded"] = request.body_by_type()
    else:
        event["isBase64Encoded"] = False
    return event


def _context(request: FrontRequest, route_key: str, path: str) -> dict[str, Any]:
    route = request.route
    is_url = route.kind == "function_url"
    identifier = "localurl" if is_url else "localapi"
    # The domain tells a function URL from an HTTP API: their events do not differ in anything else.
    domain = f"{identifier}.lambda-url.us-east-1.on.aws" if is_url else request.host
    return {
        "accountId": "anonymous" if is_url and route.authorizer is None else ACCOUNT_ID,
        "apiId": identifier,
        **({"authorizer": dict(route.authorizer)} if route.authorizer is not None else {}),
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.peer[0],
            "userAgent": request.header("user-agent"),
        },
        "requestId": request.request_id,
        "routeKey": route_key,
        "stage": "$default" if is_url else route.stage,
        "time": request.time,
        "timeEpoch": request.time_ms,
    }


def parts_v2(payload: bytes, _request: FrontRequest) -> Parts:
    """The response of a result. Raises `BadResponse`."""
    result = parsed(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        return Parts(status=200, headers=[_JSON], body=text.encode("utf-8", "replace"))
    headers, cookies = result.get("headers"), result.get("cookies")
    if headers is None:
        headers = {}
    if not isinstance(headers, dict):
        raise BadResponse("headers is no object")
    if cookies is None:
        cookies = []
    if not isinstance(cookies, list) or not all(isinstance(one, str) for one in cookies):
        raise BadResponse("cookies is no list of text")
    pairs = [(name, header_text(name, value)) for name, value in headers.items()]
    pairs += [("set-cookie", cookie) for cookie in cookies]
    if not any(name.lower() == "content-type" for name in headers):
        pairs.append(_JSON)
    return Parts(status=status_of(result["statusCode"]), headers=pairs, body=body_of(result))
